"""From the gradient to the new weights: penalties are added, its length is limited, and the optimizer makes its step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextvars import Context
from typing import NamedTuple

import numpy as np

from engine.lane import settings as settings_of_numpy
from engine.layer import Array
from engine.memory import Parameters
from engine.optimizers import Optimizer
from engine.settings import TrainSettings
from engine.slices import over_blocks

BLOCK = 131_072
"""Numbers of each vector that go through the whole step before the next ones: few enough to stay in the caches, and enough for a
call and for a core that takes part. A quarter of it, within the second-level cache, takes 1.2 times as long."""


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


class Block(NamedTuple):
    """A part of the vectors: `kept` are pairs of where it goes before the step and what."""

    w: Array
    g: Array
    slots: dict[str, Array]
    penalised: Array
    kept: list[tuple[Array, Array]]
    settings: Context

    def change(self, optimizer: Optimizer, rate: float, t: int, scratch: Array) -> float:
        """The optimizer's step; returns Σ w²."""
        for old, now in self.kept:
            np.copyto(old, now)
        optimizer.update(self.w, self.g, self.slots, rate, t, self.penalised, scratch)
        return float(self.w.dot(self.w))


class Update:
    """The update of all parameters, with the views of every block made once: for a small network they take as long as the rest.

    `scratch` is (2, P); `before` and `slots_before` receive what stood in the weights and the slots before a step.
    """

    def __init__(self, p: Parameters, slots: Mapping[str, Array], scratch: Array, *, before: Array | None = None,
                 slots_before: Mapping[str, Array] | None = None) -> None:
        kept = [] if before is None else [(before, p.flat)]
        kept += [(old, slots[name]) for name, old in (slots_before or {}).items()]
        self._weights, self._blocks = p.flat, []
        self._scratch = [scratch[:, start:start + BLOCK] for start in range(0, p.size, BLOCK)]
        for start in range(0, p.size, BLOCK):
            part = slice(start, start + BLOCK)
            self._blocks.append(Block(p.flat[part], p.gradient[part], {name: slot[part] for name, slot in slots.items()},
                                      p.penalised[part], [(old[part], now[part]) for old, now in kept], settings_of_numpy()))
        self._lengths = [0.0] * len(self._blocks)

    def step(self, optimizer: Optimizer, rate: float, t: int) -> bool:
        """Change weights and slots in place, block by block on all cores; returns whether all weights are still finite."""

        def change(k: int, core: int) -> None:
            block, own = self._blocks[k], self._scratch[core]
            if len(block.w) < own.shape[1]:  # the last one
                own = own[:, :len(block.w)]
            # What overflows is found by the lengths, and named by the trainer.
            self._lengths[k] = block.settings.run(block.change, optimizer, rate, t, own)

        over_blocks(change, len(self._blocks))
        return math.isfinite(sum(self._lengths)) or bool(np.isfinite(self._weights).all())
