"""From the gradient to the new weights: penalties are added, its length is limited, and the optimizer makes its step."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from engine.layer import Array
from engine.memory import Parameters
from engine.optimizers import Optimizer
from engine.settings import TrainSettings
from engine.slices import over_blocks

BLOCK = 32_768
"""Numbers of each vector that go through the whole step before the next ones, so that they stay in the second-level cache."""


def penalise(p: Parameters, settings: TrainSettings, scratch: Array) -> float:
    """Add λ₂·w and λ₁·sign(w) of the penalised weights to the gradient; returns ½·λ₂·Σw² + λ₁·Σ|w|. `scratch` is (P,)."""
    penalty = 0.0
    if settings.l2:
        part = np.multiply(p.flat, p.penalised, out=scratch)
        penalty += 0.5 * settings.l2 * float(part @ part)
        part *= settings.l2
        p.gradient += part
    if settings.l1:
        part = np.multiply(p.flat, p.penalised, out=scratch)
        penalty += settings.l1 * float(np.abs(part).sum())
        np.sign(part, out=part)
        part *= settings.l1
        p.gradient += part
    return penalty


def clip(gradient: Array, longest: float) -> float:
    """Shorten the gradient vector to `longest`, unless that is 0, if it is longer; returns its length before."""
    norm = float(np.linalg.norm(gradient))
    if longest and norm > longest:
        gradient *= longest / norm
    return norm


def step(optimizer: Optimizer, p: Parameters, slots: Mapping[str, Array], rate: float, t: int, scratch: Array, *,
         before: Array | None = None, slots_before: Mapping[str, Array] | None = None) -> bool:
    """Change the weights and the slots in place, block by block on all cores; returns whether all weights are still finite.

    `before` and `slots_before` receive what stood there before; `scratch` is (2, P).
    """
    lengths = [0.0] * max(1, -(-p.size // BLOCK))  # a network may have no weights

    def change(part: slice, core: int) -> None:
        w, of_part = p.flat[part], {name: slot[part] for name, slot in slots.items()}
        if before is not None:
            np.copyto(before[part], w)
        for name, kept in (slots_before or {}).items():
            np.copyto(kept[part], of_part[name])
        with np.errstate(all="ignore"):  # what overflows is found here, and named by the trainer
            own = slice(core * BLOCK, core * BLOCK + len(w))
            optimizer.update(w, p.gradient[part], of_part, rate, t, p.penalised[part], scratch[:, own])
            lengths[part.start // BLOCK] = float(w @ w)

    over_blocks(change, p.size, BLOCK)
    return math.isfinite(sum(lengths)) or bool(np.isfinite(p.flat).all())
