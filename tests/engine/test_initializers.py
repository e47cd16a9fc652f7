"""Starting weights have the variance that their names promise."""

from __future__ import annotations

import numpy as np
import pytest

from engine.initializers import INITIALIZERS, initialize
from engine.layer import Param


@pytest.mark.parametrize(("name", "variance"), [("he", 2 / 50), ("glorot", 2 / 80), ("lecun", 1 / 50)])
@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_variance_follows_fan_in_and_fan_out(name: str, variance: float, draw: str) -> None:
    param = Param((400, 500), fan_in=50, fan_out=30, init=f"{name}_{draw}")
    weights = initialize(param, np.random.default_rng(0))
    assert weights.var() == pytest.approx(variance, rel=0.02)
    assert abs(weights.mean()) < 0.002
    if draw == "uniform":
        assert np.abs(weights).max() <= np.sqrt(3 * variance)
    else:
        assert np.abs(weights).max() > 4 * np.sqrt(variance)


def test_constant_and_identity_draw_nothing() -> None:
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    np.testing.assert_array_equal(initialize(Param((2, 3), value=0.5), rng), np.full((2, 3), 0.5))
    np.testing.assert_array_equal(initialize(Param((2, 3), init="identity"), rng), np.eye(2, 3))
    assert rng.bit_generator.state == before


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_same_seed_gives_the_same_weights(name: str) -> None:
    param = Param((3, 4), fan_in=4, fan_out=3, init=name)
    first, again, other = (initialize(param, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert name == "constant" or not np.array_equal(first, other)
