"""An update goes through the vectors block by block, on several cores, and is the same as one over all of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine import slices, update
from engine.layer import Param
from engine.memory import Parameters
from engine.optimizers import OPTIMIZERS


def made(size: int) -> Parameters:
    """Weights and a gradient of noise; a weight decay applies to half of them."""
    p = Parameters({"a.W": Param((size // 2,), penalised=True), "a.b": Param((size - size // 2,))}, np.float32)
    rng = np.random.default_rng(0)
    p.flat[...], p.gradient[...] = rng.normal(size=(2, size))
    return p


@pytest.mark.parametrize("cores", [1, 2, 3])
@pytest.mark.parametrize("size", [0, 1, 999, 1000, 7321])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_blocks_and_cores_change_no_bit(kind: str, size: int, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "BLOCK", 500)
    monkeypatch.setattr(slices, "_allowed", cores)
    optimizer, found, wanted = OPTIMIZERS[kind](), made(size), made(size)
    slots, of_all, kept = ({name: np.full(size, 0.5, np.float32) for name in optimizer.slots} for _ in range(3))
    before, scratch = np.zeros(size, np.float32), np.zeros((2, size), np.float32)
    prepared = update.Update(found, slots, scratch, before=before, slots_before=kept)
    for t in (1, 2):
        weights, old = wanted.flat.copy(), {name: slot.copy() for name, slot in of_all.items()}
        optimizer.update(wanted.flat, wanted.gradient, of_all, 0.1, t, wanted.penalised, np.zeros_like(scratch))
        assert prepared.step(optimizer, 0.1, t)
        assert np.array_equal(found.flat, wanted.flat) and np.array_equal(before, weights)
        for name in optimizer.slots:
            assert np.array_equal(slots[name], of_all[name]) and np.array_equal(kept[name], old[name])


@pytest.mark.parametrize("place", [0, 499, 500, 7320])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_found_in_every_block(place: int, number: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "BLOCK", 500)
    p = made(7321)
    p.gradient[place] = number
    assert not update.Update(p, {}, np.zeros((2, p.size), np.float32)).step(OPTIMIZERS["sgd"](), 0.1, 1)


def test_large_weights_are_finite_although_their_squares_are_not() -> None:
    p = made(100)
    p.flat[...] = 1e30
    assert update.Update(p, {}, np.zeros((2, p.size), np.float32)).step(OPTIMIZERS["sgd"](), 0.1, 1)
