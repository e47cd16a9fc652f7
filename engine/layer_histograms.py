"""How the numbers of each layer are spread: histograms of its weights, of their gradient, and of what training changed in them.

    counts[q, l, k] = how many numbers v of quantity q in layer l have  edge[k] ≤ v < edge[k+1]
    edge[k] = (2k/K − 1) · reach[q, l]

K bins over [−reach, +reach], where reach is the largest |v|; the last bin holds +reach as well. Small enough to be recorded while
training runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.layer import Array

if TYPE_CHECKING:
    from engine.trainer import Trainer

BINS = 64
"""Bins of a histogram: even, so that 0 is an edge."""
QUANTITIES = ("W", "dW", "W_update", "W_change")
"""The weights; the gradient of the last batch, after penalties and clipping; what its update changed; what all updates did."""


@dataclass(frozen=True, eq=False)
class LayerHistograms:
    """The spread of the weights W, without the biases, after update `step`: `reach` (Q, L) and `counts` (Q, L, BINS)."""

    step: int
    layers: tuple[str, ...]
    quantities: tuple[str, ...]
    reach: Array
    counts: Array


def layer_histograms(trainer: Trainer, drawn: Mapping[str, Array] | None = None, *,
                     after_batch: bool = True) -> LayerHistograms | None:  # fmt: skip
    """The histograms of all layers that have weights W; None when there is none, or a number is not finite.

    `drawn` are the parameters before the first update, by name, from which changes count. Gradient and update are there only
    right after a batch.
    """
    p = trainer.network.parameters
    weights = {name: w for name, w in p.named.items() if name.endswith(".W")}
    if not weights:
        return None
    arrays = {"W": list(weights.values())}
    if after_batch and trainer.last_update is not None:
        before = trainer.weights_before
        arrays["dW"] = [p.named_gradient[name] for name in weights]
        arrays["W_update"] = [w - before[name] for name, w in weights.items()]
    if drawn is not None and trainer.last_update is not None:
        arrays["W_change"] = [w - drawn[name] for name, w in weights.items()]
    reach = np.array([[max(float(v.max()), -float(v.min())) for v in of_layers] for of_layers in arrays.values()])
    if not np.isfinite(reach).all():
        return None
    counts = np.stack([
        np.stack([_counts(v, r) for v, r in zip(of_layers, reaches, strict=True)])
        for of_layers, reaches in zip(arrays.values(), reach.tolist(), strict=True)
    ])  # fmt: skip
    for array in (reach, counts):
        array.flags.writeable = False
    return LayerHistograms(trainer.step, tuple(name.removesuffix(".W") for name in weights), tuple(arrays), reach, counts)


def _counts(v: Array, reach: float) -> Array:
    """How many numbers fall into each bin (BINS,); all of them into the one above 0 where every number is 0."""
    place = v.ravel() / v.dtype.type(reach or 1.0)  # not times the reciprocal, which of the tiniest reach is infinite
    place *= BINS / 2
    place += BINS / 2
    counts = np.bincount(place.astype(np.int64), minlength=BINS + 1).astype(np.int32)
    counts[BINS - 1] += counts[BINS]
    return counts[:BINS]
