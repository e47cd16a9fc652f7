"""The order in which a training step computes its numbers, as positions that a slider can run through."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from engine.layers.conv import Conv2D
from engine.layers.dense import Dense
from engine.layers.pool import MaxPool2D, Pool2D
from engine.snapshot import Snapshot
from engine.spec import Placed
from engine.term import CellRef

GRAINS = ("layer", "cell", "term")


@dataclass(frozen=True)
class Stage:
    """All numbers of one array, computed in one go: `phase` is "forward", "loss", "backward" or "update"; `block` is at work.

    `shape` is that of the array without its images; `front` is the index of the image before it, () where there is none;
    `terms` counts the products that make one cell, 1 where it is made in one go.
    """

    phase: str
    array: str
    block: str
    shape: tuple[int, ...]
    front: tuple[int, ...]
    terms: int

    @property
    def cells(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)

    def ref(self, cell: int) -> CellRef:
        """Number `cell` in row-major order."""
        place = tuple(int(i) for i in np.unravel_index(cell, self.shape)) if self.shape else ()
        return CellRef(self.array, (*self.front, *place))


@dataclass(frozen=True)
class Stop:
    """A position of the walk: the stage, the cell in it, and with grain "term" the product in the cell."""

    stage: Stage
    cell: int
    term: int | None

    @property
    def ref(self) -> CellRef:
        """The cell."""
        return self.stage.ref(self.cell)


class Walk:
    """All stages of the step that a snapshot holds: of a sample forward and backward, of a batch also the update.

    Of a batch, outputs and deltas are walked for one image; gradients are sums over all images.
    """

    def __init__(self, snapshot: Snapshot, image: int = 0) -> None:
        self.snapshot = snapshot
        self._placed = snapshot.spec.placed()
        self._front = (image,) if snapshot.probe == "batch" else ()
        self.stages = tuple(stage for stage in self._order() if stage.array in snapshot)

    def _order(self) -> list[Stage]:
        placed, last = self._placed, self._placed[-1]
        batch = self.snapshot.probe == "batch"
        fused = last.node.layer.kind in self.snapshot.loss_function.fused_with
        stages = [self._stage("forward", p, "y", _forward_terms(p)) for p in placed]
        stages.append(Stage("loss", "losses" if batch else "loss", last.node.id, (), self._front, 1))
        end = placed[last.index - fused]
        stages.append(self._stage("backward", end, "dy", 1, block=last.node.id))
        images = len(self.snapshot["image"]) if batch else 1
        for p in reversed(placed[:end.index + 1]):
            for name in p.node.layer.params(p.x):
                stages.append(self._parameter("backward", p, f"d{name}", name, _gradient_terms(p, name, images)))
            if p.index:
                stages.append(self._stage("backward", placed[p.index - 1], "dy", _delta_terms(p), block=p.node.id))
            else:
                stages.append(Stage("backward", "dimage", p.node.id, tuple(p.x), self._front, 1))
        for p in placed:
            stages += [self._parameter("update", p, f"{name}_after", name, 1) for name in p.node.layer.params(p.x)]
        return stages

    def _stage(self, phase: str, p: Placed, name: str, terms: int, block: str = "") -> Stage:
        return Stage(phase, f"{p.node.id}.{name}", block or p.node.id, tuple(p.y), self._front, terms)

    def _parameter(self, phase: str, p: Placed, name: str, parameter: str, terms: int) -> Stage:
        return Stage(phase, f"{p.node.id}.{name}", p.node.id, tuple(p.node.layer.params(p.x)[parameter].shape), (), terms)

    def length(self, grain: str) -> int:
        """How many positions there are."""
        return sum(self._sizes(grain))

    def stop(self, grain: str, position: int) -> Stop:
        """What is at a position; raises IndexError beyond the end."""
        if not 0 <= position < self.length(grain):
            raise IndexError(position)
        ends = list(accumulate(self._sizes(grain)))
        k = bisect_right(ends, position)
        stage, inside = self.stages[k], position - (ends[k - 1] if k else 0)
        if grain == "layer":
            return Stop(stage, 0, None)
        if grain == "cell":
            return Stop(stage, inside, None)
        cell, term = divmod(inside, stage.terms)
        return Stop(stage, cell, term)

    def position(self, grain: str, stop: Stop) -> int:
        """Where a stop lies at another grain."""
        k = self.stages.index(stop.stage)
        before = sum(self._sizes(grain)[:k])
        if grain == "layer":
            return before
        return before + (stop.cell if grain == "cell" else stop.cell * stop.stage.terms + (stop.term or 0))

    def _sizes(self, grain: str) -> list[int]:
        if grain == "layer":
            return [1] * len(self.stages)
        return [s.cells * (s.terms if grain == "term" else 1) for s in self.stages]


def _forward_terms(p: Placed) -> int:
    layer = p.node.layer
    if isinstance(layer, Conv2D):
        return p.x[0] // layer.groups * math.prod(layer.kernel_size)
    if isinstance(layer, Dense):
        return p.x.size
    return math.prod(layer.kernel_size) if isinstance(layer, Pool2D) else 1


def _delta_terms(p: Placed) -> int:
    """Products in a cell of ∂E/∂x."""
    layer = p.node.layer
    if isinstance(layer, Conv2D):
        return layer.depth // layer.groups * math.prod(layer.kernel_size)
    return layer.units if isinstance(layer, Dense) else 1


def _gradient_terms(p: Placed, name: str, images: int) -> int:
    """Products in a cell of ∂E/∂W; a bias' gradient comes in one go."""
    if name != "W":
        return 1
    return images * p.y[1] * p.y[2] if isinstance(p.node.layer, Conv2D) else images


def part_and_product(stop: Stop, snapshot: Snapshot) -> tuple[int, int] | None:
    """Which partial sum, and which product in its matrix, a stop at a term is about; None where there is no matrix."""
    if stop.term is None:
        return None
    array = stop.stage.array
    p = next((p for p in snapshot.spec.placed() if p.node.id == stop.stage.block), None)
    if p is None or not isinstance(p.node.layer, (Conv2D, Dense, MaxPool2D)):
        return None
    layer = p.node.layer
    if isinstance(layer, Dense):
        return None if array.endswith(".dW") or stop.stage.terms == 1 else (0, stop.term)
    if array.endswith(".dW"):
        return divmod(stop.term, p.y[1] * p.y[2])
    if isinstance(layer, Conv2D) and stop.stage.terms > 1:
        return divmod(stop.term, math.prod(layer.kernel_size))
    return (0, stop.term) if array.endswith(".y") else None
