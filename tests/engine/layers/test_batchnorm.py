"""Batch normalisation: what comes out in training, running statistics, and the batch that is too small."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import OptionError, TrainingError
from engine.layer import Shape
from engine.layers.batchnorm import BatchNorm
from tests.oracles.driver import run

START = {"mean": np.zeros(3), "variance": np.ones(3)}
PLAIN = {"gamma": np.ones(3), "beta": np.zeros(3)}


@pytest.mark.parametrize("shape", [(40, 3), (5, 3, 4, 6)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_brings_every_channel_to_mean_0_and_variance_1(shape: tuple[int, ...], dtype: type) -> None:
    x = np.random.default_rng(0).normal(100, 3, shape)
    y = run(BatchNorm(epsilon=1e-12), x, None, PLAIN, START, dtype=dtype).y
    axes = (0, *range(2, y.ndim))
    np.testing.assert_allclose(y.mean(axis=axes), 0, atol=1e-4 if dtype is np.float32 else 1e-12)
    np.testing.assert_allclose(y.var(axis=axes), 1, rtol=1e-4 if dtype is np.float32 else 1e-11)


def test_running_statistics_approach_those_of_the_data() -> None:
    rng, layer, state = np.random.default_rng(0), BatchNorm(), START
    for _ in range(200):
        state = run(layer, rng.normal((1, -2, 5), (0.5, 1, 2), (200, 3)), None, PLAIN, state).state
    np.testing.assert_allclose(state["mean"], (1, -2, 5), atol=0.15)
    np.testing.assert_allclose(state["variance"], (0.25, 1, 4), rtol=0.1)


def test_evaluation_uses_running_statistics_and_leaves_them() -> None:
    state = {"mean": np.array([1.0, 2, 3]), "variance": np.array([4.0, 1, 0.25])}
    result = run(BatchNorm(epsilon=1e-12), np.array([[3.0, 2, 4]]), None, PLAIN, state, training=False)
    np.testing.assert_allclose(result.y, [[1, 0, 2]])
    for name, value in state.items():
        np.testing.assert_array_equal(result.state[name], value)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1)])
def test_one_value_a_channel_cannot_be_normalised_in_training(shape: tuple[int, ...]) -> None:
    with pytest.raises(TrainingError, match=r"^batch normalisation cannot train on one value per channel, "
                                            r"which has no variance\. Use a batch of at least 2 images\.$"):
        run(BatchNorm(), np.ones(shape), None, PLAIN, START)
    assert np.isfinite(run(BatchNorm(), np.ones(shape), None, PLAIN, START, training=False).y).all()


def test_it_says_that_it_couples_the_batch() -> None:
    assert BatchNorm.couples_batch
    assert BatchNorm().params(Shape((3, 4, 4)))["gamma"].value == 1


def test_label_shows_an_unusual_momentum() -> None:
    assert BatchNorm().label() == ""
    assert BatchNorm(momentum=0.01).label() == "momentum 0.01"


def test_epsilon_keeps_a_channel_that_never_changes_finite_and_cannot_vanish() -> None:
    with pytest.raises(OptionError, match=r"^ε must be at least 1e-12; it is 1e-40\. Use 1e-12\.$"):
        BatchNorm(epsilon=1e-40)
    x = np.full((4, 3), 0.1)
    result = run(BatchNorm(epsilon=1e-12), x, np.eye(4)[:, :3], PLAIN, START, dtype=np.float32)
    assert np.abs(result.y).max() < 0.1 and np.isfinite(result.dx).all()
