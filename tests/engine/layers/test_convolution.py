"""Convolution: parameters, counts, labels and the errors of its options."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import ShapeError
from engine.layer import Shape
from engine.layers.conv import Conv2D


def test_parameters_count_what_each_filter_reads() -> None:
    params = Conv2D(6, (5, 3), groups=2).params(Shape((4, 9, 9)))
    assert params["W"].shape == (6, 2, 5, 3)
    assert (params["W"].fan_in, params["W"].fan_out) == (2 * 15, 3 * 15)
    assert params["W"].penalised and not params["b"].penalised
    assert "b" not in Conv2D(6, bias=False).params(Shape((4, 9, 9)))


def test_macs_are_outputs_times_products() -> None:
    assert Conv2D(6, (5, 5), padding=(2, 2, 2, 2)).macs(Shape((1, 28, 28))) == 6 * 28 * 28 * 25
    assert Conv2D(4, (3, 3), groups=4).macs(Shape((4, 5, 5))) == 4 * 9 * 9


@pytest.mark.parametrize(("options", "label"), [
    ({}, "8 @ 3×3"),
    ({"depth": 6, "kernel_size": 5, "padding": 2}, "6 @ 5×5 · pad 2"),
    ({"stride": 2, "dilation": (2, 3), "groups": 4}, "8 @ 3×3 · stride 2 · dilation 2×3 · 4 groups"),
    ({"padding": "same", "dilation": 2}, "8 @ 3×3 · same · dilation 2"),
])
def test_label(options: dict[str, Any], label: str) -> None:
    assert Conv2D(**options).label() == label


def test_a_vector_is_no_input_for_a_convolution() -> None:
    with pytest.raises(ShapeError, match=r"^a convolution needs maps, but its input is a vector of 10\. "
                                         r"Put it before the Flatten block\.$"):
        Conv2D().output_shape(Shape((10,)))


def test_channels_that_the_groups_cannot_share_are_named_with_a_legal_number() -> None:
    with pytest.raises(ShapeError) as caught:
        Conv2D(8, groups=4).output_shape(Shape((6, 9, 9)))
    assert str(caught.value) == ("6 input channels cannot be shared out evenly to 4 groups. 6 / 4 leaves 2. "
                                 "Use groups 2.")
    assert (caught.value.fixes[0].field, caught.value.fixes[0].value) == ("groups", 2)


def test_filters_that_the_groups_cannot_share_are_named_with_a_legal_number() -> None:
    with pytest.raises(ShapeError) as caught:
        Conv2D(6, groups=4).output_shape(Shape((4, 9, 9)))
    assert str(caught.value) == ("6 filters cannot be shared out evenly to 4 groups. 6 / 4 leaves 2. Use depth 8.")
    assert (caught.value.fixes[0].field, caught.value.fixes[0].value) == ("depth", 8)
