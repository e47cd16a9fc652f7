"""Activations and softmax: the course's points, extreme inputs, and what they must never do."""

from __future__ import annotations

import numpy as np
import pytest

from engine.layer import Layer
from engine.layers.activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Tanh
from engine.layers.softmax import Softmax
from tests.oracles.driver import run

EVERY = [ReLU(), LeakyReLU(0.2), ELU(1.5), GELU(), GELU("tanh"), Sigmoid(), Tanh(), Softmax()]


def test_relu_at_the_courses_points() -> None:
    x = np.array([[-10.0, -5, 0, 5, 10]])
    np.testing.assert_array_equal(run(ReLU(), x, None, {}, {}).y, [[0, 0, 0, 5, 10]])


def test_the_slope_of_relu_at_0_is_0_and_a_dead_unit_gets_no_gradient() -> None:
    x = np.array([[0.0, -0.0, -3, 2]])
    np.testing.assert_array_equal(run(ReLU(), x, np.ones_like(x), {}, {}).dx, [[0, 0, 0, 1]])


@pytest.mark.parametrize("layer", EVERY, ids=lambda layer: layer.kind)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_numbers_give_finite_results_without_a_warning(layer: Layer, dtype: type) -> None:
    x = np.array([[-1e4, -800, -90, -20, -1e-30, 0, 1e-30, 20, 90, 800, 1e4]])
    result = run(layer, x, np.ones_like(x), {}, {}, dtype=dtype)
    assert np.isfinite(result.y).all() and np.isfinite(result.dx).all()


@pytest.mark.parametrize("layer", EVERY, ids=lambda layer: layer.kind)
def test_not_a_number_stays_not_a_number(layer: Layer) -> None:
    x = np.array([[1.0, np.nan, -2]])
    assert np.isnan(run(layer, x, None, {}, {}).y[0, 1])


@pytest.mark.parametrize("shape", [(4, 10), (3, 5, 2, 6)])
def test_softmax_gives_probabilities_and_a_common_shift_changes_nothing(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(0, 5, shape)
    y = run(Softmax(), x, None, {}, {}).y
    assert (y > 0).all()
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(run(Softmax(), x + 300, None, {}, {}).y, y, rtol=1e-12)


@pytest.mark.parametrize(("layer", "label"), [
    (ReLU(), ""), (LeakyReLU(0.1), "slope 0.1"), (ELU(2), "α 2"), (GELU(), ""), (GELU("tanh"), "tanh")])
def test_label(layer: Layer, label: str) -> None:
    assert layer.label() == label
