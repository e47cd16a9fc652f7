"""How large weights, gradient and update of each layer are: three numbers a layer, cheap enough to be recorded always.

    ‖W‖ = √Σ w²         ‖∂E/∂W‖ (after penalties and clipping)         update ratio = ‖ΔW‖ / ‖W‖

over all parameters of a layer together. A healthy update ratio is around 1/1000; 0 means that nothing is learned, 1/10 or
more that the steps are too long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.layer import Array

if TYPE_CHECKING:
    from engine.trainer import Trainer


@dataclass(frozen=True)
class LayerNorms:
    """The sizes of all layers with parameters after update `step`, in the order of the chain."""

    step: int
    layers: tuple[str, ...]
    gradient: tuple[float, ...]
    weights: tuple[float, ...]
    update_ratio: tuple[float, ...]


def layer_norms(trainer: Trainer) -> LayerNorms | None:
    """The norms of the last update; None before the first one, or when nothing can be trained."""
    p, before = trainer.network.parameters, trainer.weights_before
    if trainer.last_update is None or not p.size:
        return None
    sums: dict[str, list[float]] = {}
    for name, w in p.named.items():
        layer = sums.setdefault(name.rsplit(".", 1)[0], [0.0, 0.0, 0.0, 0.0])
        for place, array in enumerate((p.named_gradient[name], w, w - before[name], before[name])):
            layer[place] += _square(array)
    return LayerNorms(
        trainer.step, tuple(sums),
        tuple(math.sqrt(g) for g, _, _, _ in sums.values()),
        tuple(math.sqrt(w) for _, w, _, _ in sums.values()),
        tuple(math.sqrt(u / b) if b else math.nan for _, _, u, b in sums.values()),
    )  # fmt: skip


def _square(array: Array) -> float:
    """Σ a²."""
    flat = array.ravel()
    return float(np.dot(flat, flat))
