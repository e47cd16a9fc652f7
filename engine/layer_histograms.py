"""How the weights of each layer are spread: a histogram a layer, small enough to be recorded while training runs.

    counts[l, k] = how many weights w of layer l have  edge[l, k] ≤ w < edge[l, k+1],   edge[l, k] = (2k/K − 1) · reach[l]

K bins over [−reach, +reach], where reach is the largest |w| of the layer; the last bin holds +reach as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.layer import Array

if TYPE_CHECKING:
    from engine.network import Network

BINS = 64
"""Bins of a histogram: even, so that 0 is an edge."""


@dataclass(frozen=True, eq=False)
class LayerHistograms:
    """The spread of the weights W, without the biases, after update `step`: `reach` (L,) and `counts` (L, BINS)."""

    step: int
    layers: tuple[str, ...]
    reach: Array
    counts: Array


def layer_histograms(network: Network, step: int) -> LayerHistograms | None:
    """The histograms of all layers that have weights W; None when there is none, or a weight is not finite."""
    named = {name.removesuffix(".W"): w for name, w in network.parameters.named.items() if name.endswith(".W")}
    if not named:
        return None
    reach = np.array([max(float(w.max()), -float(w.min())) for w in named.values()])
    if not np.isfinite(reach).all():
        return None
    counts = np.stack([_counts(w, r) for w, r in zip(named.values(), reach.tolist(), strict=True)])
    for array in (reach, counts):
        array.flags.writeable = False
    return LayerHistograms(step, tuple(named), reach, counts)


def _counts(w: Array, reach: float) -> Array:
    """How many weights fall into each bin (BINS,); all of them into the one above 0 where every weight is 0."""
    place = ((w.ravel() / (reach or 1.0) + 1.0) * (BINS / 2)).astype(np.int64)
    return np.bincount(np.minimum(place, BINS - 1), minlength=BINS).astype(np.int32)
