"""One gradient of a snapshot beside its central difference: the number nudged up and down, the loss computed anew.

    D = (E(w + h) − E(w − h)) / 2h          relative error = |g − D| / max(|g|, |D|)

The network runs in float64 from the layer concerned to the loss, with the snapshot's own dropout masks and, in a batch, the
batch's own means and variances; penalties are left out, as they are from the gradients of a snapshot. ReLU and max pooling have
kinks; where one lies within h, D(h) and D(h/2) differ, and the comparison says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import ExplainError
from engine.explain import resolve
from engine.layer import Array, Context, Layer, Workspace
from engine.memory import buffer_dtype, of_layer
from engine.snapshot import Snapshot
from engine.spec import Placed
from engine.term import CellRef

H = 1e-5
ALIKE = 1e-4
"""Relative disagreement of D(h) and D(h/2) up to which there is no kink between."""


@dataclass(frozen=True)
class Difference:
    """The gradient g as back-propagation gave it, the central difference D, and whether E is smooth there."""

    gradient: float
    difference: float
    smooth: bool

    @property
    def relative_error(self) -> float:
        """|g − D| / max(|g|, |D|); 0 where both are 0."""
        size = max(abs(self.gradient), abs(self.difference))
        return abs(self.gradient - self.difference) / size if size else 0.0


def can_differ(snapshot: Snapshot, ref: CellRef) -> bool:
    """Whether a cell is a gradient that can be compared: of a parameter, of an output, or of the image."""
    layer, _, name = ref.array.rpartition(".")
    if ref.array == "dimage":
        return True
    placed = next((p for p in snapshot.spec.placed() if p.node.id == layer), None)
    if placed is None or "target" not in snapshot:
        return False
    if name == "dy":
        fused = placed.node.layer.kind in snapshot.loss_function.fused_with
        return placed.index + 1 < len(snapshot.spec) or not fused
    return name.startswith("d") and name[1:] in placed.node.layer.params(placed.x)


@np.errstate(all="ignore")
def finite_difference(snapshot: Snapshot, ref: CellRef) -> Difference:
    """Compare one gradient; raises ExplainError for a cell that is none, or of which the snapshot holds too little."""
    ref = resolve(snapshot, ref)
    if not can_differ(snapshot, ref):
        raise ExplainError("{cell} is no gradient that can be compared.", code="explain.no_gradient", cell=str(ref))
    loss = _Loss(snapshot)
    wide, narrow = loss.slope(ref, H), loss.slope(ref, H / 2)
    size = max(abs(wide), abs(narrow))
    # Below that, the difference of two losses holds nothing but rounding.
    noise = 1e-15 * max(1.0, abs(snapshot.loss or 0.0)) / H
    smooth = abs(wide - narrow) <= max(ALIKE * size, 10 * noise)
    return Difference(float(snapshot[ref.array][ref.index]), narrow, smooth)


class _Loss:
    """The loss of a snapshot's images as a function of one number."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._placed = snapshot.spec.placed()
        self._batch = snapshot.probe == "batch"

    def slope(self, ref: CellRef, h: float) -> float:
        """(E(w + h) − E(w − h)) / 2h."""
        layer, _, name = ref.array.rpartition(".")
        if name in ("dy", "dimage"):
            start = 0 if name == "dimage" else next(p.index for p in self._placed if p.node.id == layer) + 1
            x = self._images(start)
            place = ref.index if self._batch else (0, *ref.index)
            return (self._from(start, _nudged(x, place, h), {}) - self._from(start, _nudged(x, place, -h), {})) / (2 * h)
        parameter = f"{layer}.{name[1:]}"
        start = next(p.index for p in self._placed if p.node.id == layer)
        w, x = self._snapshot[parameter].astype(np.float64), self._images(start)
        above, below = ({parameter: _nudged(w, ref.index, step)} for step in (h, -h))
        return (self._from(start, x, above) - self._from(start, x, below)) / (2 * h)

    def _images(self, start: int) -> Array:
        """What layer `start` reads, in float64 and with an axis of images."""
        name = "image" if start == 0 else f"{self._placed[start - 1].node.id}.y"
        array = self._snapshot[name].astype(np.float64)
        return array if self._batch else array[None]

    def _from(self, start: int, x: Array, changed: Mapping[str, Array]) -> float:
        """The mean loss when layer `start` reads x."""
        z = x
        for p in self._placed[start:]:
            z, x = x, self._forward(p, x, changed)
        loss, head = self._snapshot.loss_function, self._placed[-1].node.layer.kind
        target = self._snapshot["target"].astype(np.float64)
        fused = z if head in loss.fused_with else x
        return float(loss.values(head, fused, x, target if self._batch else target[None]).mean())

    def _forward(self, p: Placed, x: Array, changed: Mapping[str, Array]) -> Array:
        layer: Layer = p.node.layer
        if layer.random:
            mask = self._snapshot[f"{p.node.id}.mask"]
            return np.asarray(x * mask)
        ws = Workspace({name: np.zeros(b.shape, buffer_dtype(b, np.dtype(np.float64)))
                        for name, b in layer.workspace(p.x, len(x)).items()})
        ws.x, ws.y = x, np.zeros((len(x), *p.y))
        names = {name: f"{p.node.id}.{name}" for name in layer.params(p.x)}
        weights = {name: changed.get(full, self._snapshot[full].astype(np.float64)) for name, full in names.items()}
        state = {name: a.astype(np.float64) for name, a in of_layer(self._snapshot.arrays, p.node.id).items()
                 if name in layer.state(p.x)}
        layer.forward(x, ws.y, weights, ws, Context(self._batch, None, state))
        return ws.y


def _nudged(array: Array, place: tuple[int, ...], step: float) -> Array:
    nudged = array.copy()
    nudged[place] += step
    return nudged
