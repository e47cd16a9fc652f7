"""Kernels that a plan has brought into its order are kept while the weights are the same, and no longer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.layers.softmax import Softmax
from engine.network import Network
from engine.optimizers import Momentum
from engine.plans import calls, conv_winograd
from engine.plans.innermost import InnermostLane
from engine.spec import NetworkSpec
from engine.update import Update

Edit = Callable[[Network], object]


def one_weight(network: Network) -> None:
    """An edit by hand."""
    network.parameters.named["conv1.W"][0, 1, 2, 0] += 1


def loaded(network: Network) -> None:
    """All weights of a checkpoint."""
    network.parameters.flat[...] = np.random.default_rng(9).normal(size=network.parameters.size)


def trained(network: Network) -> None:
    """A step of training."""
    p = network.parameters
    network.gradient(np.random.default_rng(4).random((6, 2, 12, 12)), np.arange(6) % 3)
    Update(p, {"velocity": np.zeros_like(p.flat)}, np.zeros((2, p.size))).step(Momentum(), 0.5, 1)


def exchanged(network: Network) -> None:
    """Two weights change places, which no sum of theirs would show."""
    kernel = network.parameters.named["conv2.W"].reshape(-1)
    kernel[3], kernel[7] = kernel[7], kernel[3]


@pytest.mark.parametrize("edit", [one_weight, loaded, trained, exchanged])
@pytest.mark.parametrize("n", [1, 6])
@pytest.mark.parametrize("wide", [1, 3], ids=["Winograd twice", "Winograd once"])
def test_the_next_outputs_are_those_of_the_new_weights(wide: int, n: int, edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv_winograd, "WIDE", wide)
    spec = NetworkSpec.of([Input(2, 12, 12), Conv2D(4, (3, 3), padding="same"), ReLU(), Conv2D(3, (3, 3)), MaxPool2D(), Flatten(),
                           Dense(3), Softmax()])
    fast, plain = (Network(spec, dtype=np.float64, fast=way) for way in (True, False))
    images = np.random.default_rng(3).random((n, 2, 12, 12))
    fast.initialize(1)
    before = fast.predict(images)
    assert np.array_equal(fast.predict(images), before)
    edit(fast)
    plain.parameters.flat[...] = fast.parameters.flat
    found = fast.predict(images)
    assert np.abs(found - before).max() > 1e-6
    np.testing.assert_allclose(found, plain.predict(images), rtol=1e-9, atol=1e-12)
    assert any(isinstance(lane, InnermostLane) for lane in fast._lanes.values())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_change_of_a_single_bit_is_a_change(dtype: type[np.floating]) -> None:
    source, made = np.array([[1.0, 0.0], [np.nan, -2.0]], dtype), []
    refresh = calls.unless_unchanged(source, [lambda: made.append(source.copy())])
    for again in range(3):
        refresh()
        assert len(made) == 1, again
    for k, value in enumerate((np.nextafter(dtype(1), dtype(2)), -0.0, 0.0, np.nan), start=2):
        source[0, k % 2] = value
        for _ in range(2):
            refresh()
        assert len(made) == k
    source[1, 0] = 5
    refresh()
    assert made[-1][1, 0] == 5


def test_zeros_are_made_ready_too() -> None:
    made: list[int] = []
    calls.unless_unchanged(np.zeros((2, 3), np.float32), [lambda: made.append(1)])()
    assert made
