"""What a layer makes of the images of one class on average: ȳ = 1/n · Σ y(x), in evaluation mode."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from engine.datasets.dataset import Split
from engine.layer import Array
from engine.network import Network

MOST = 100
"""Images that are averaged at most, the first ones of the class."""
PART = 10
"""Images between two looks of the caller at what else there is to do."""


@dataclass(frozen=True, eq=False)
class ClassAverage:
    """The mean output of a layer over `count` images of a class after `step` updates; `maps` has the shape of the output."""

    step: int
    layer: str
    label: int
    count: int
    maps: Array


def class_average(network: Network, step: int, split: Split, layer: str, label: int) -> Generator[int, None, ClassAverage]:
    """Average over the first images of a class, yielding how many are done; NaN everywhere when there is no image of it."""
    index = network.spec.index(layer)
    rows = np.flatnonzero(split.labels == label)[:MOST]
    total = np.zeros(network.placed[index].y, np.float64)
    for done, row in enumerate(rows, 1):
        total += network.forward_sample(split.images[row], index + 1).workspaces[index].y[0]
        if not done % PART:
            yield done
    with np.errstate(invalid="ignore"):
        maps = (total / len(rows) if len(rows) else np.full_like(total, np.nan)).astype(np.float32)
    maps.flags.writeable = False
    return ClassAverage(step, layer, label, len(rows), maps)
