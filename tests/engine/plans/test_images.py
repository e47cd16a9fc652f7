"""Images reach a plan as the plain layers read them, whatever is to be done with them and however often that changes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import DTypeLike

from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.network import Network
from engine.plans import conv_winograd
from engine.plans.innermost import InnermostLane
from engine.spec import NetworkSpec


@pytest.mark.parametrize("wide", [1, 1000], ids=["channels innermost", "images innermost"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("size", [(1, 6, 5), (2, 5, 6), (1, 32, 32)], ids=["grey", "two channels", "one page"])
def test_every_offset_and_gain_is_applied_from_the_moment_it_is_set(size: tuple[int, int, int], dtype: DTypeLike, wide: int,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv_winograd, "WIDE", wide)
    spec = NetworkSpec.of([Input(*size), Conv2D(3, (3, 3)), Flatten(), Dense(3)])
    fast, plain = (Network(spec, fast=fast) for fast in (True, False))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, *size)).astype(dtype)
    offsets = [np.zeros(size), np.full(size, 9.5), rng.normal(size=size)]
    gains = [np.ones(size), np.full(size, 1 / 255), np.full(size, -1.0), rng.normal(size=size)]
    gains.append(np.where(np.arange(np.prod(size)).reshape(size) == 1, 2.0, 1.0))
    for offset, gain in itertools.product(offsets, gains):
        for network in (fast, plain):
            network.initialize(1)
            network.set_state({"input.offset": offset, "input.gain": gain})
        wanted = plain.predict(images)
        np.testing.assert_allclose(fast.predict(images), wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())
    assert all(isinstance(lane, InnermostLane) for lane in fast._lanes.values())
