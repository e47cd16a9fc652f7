"""Fully connected layer and Flatten: parameters, counts, errors."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.layer import Shape
from engine.layers.dense import Dense, Flatten
from tests.oracles.driver import run


def test_parameters_and_macs() -> None:
    params = Dense(120).params(Shape((400,)))
    assert params["W"].shape == (120, 400) and params["b"].shape == (120,)
    assert (params["W"].fan_in, params["W"].fan_out) == (400, 120)
    assert Dense(120).macs(Shape((400,))) == 48_000
    assert "b" not in Dense(120, bias=False).params(Shape((400,)))


def test_maps_need_flatten_first_and_the_fix_inserts_it() -> None:
    with pytest.raises(ShapeError) as caught:
        Dense().output_shape(Shape((16, 5, 6)))
    assert str(caught.value) == ("a fully connected layer needs a vector, but its input is 5×6×16. "
                                 "Flatten makes 5 · 6 · 16 = 480 numbers of it. Insert Flatten.")
    assert (caught.value.fixes[0].action, caught.value.fixes[0].value) == ("insert", "flatten")


def test_flatten_goes_channel_by_channel_and_row_by_row() -> None:
    x = np.arange(24.0).reshape(1, 2, 3, 4)
    y = run(Flatten(), x, None, {}, {}).y
    for c, i, j in np.ndindex(2, 3, 4):
        assert y[0, (c * 3 + i) * 4 + j] == x[0, c, i, j]
