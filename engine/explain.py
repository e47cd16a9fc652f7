"""How any number of a snapshot was computed: forward, backward, the loss and the update, as a tree of terms.

    explain(snapshot, CellRef("conv1.y", (0, 3, 4)))       one cell of a feature map
    explain(snapshot, CellRef("conv1.dW", (0, 0, 1, 1)))   one cell of a kernel's gradient

A tree reaches down to cells of the arrays one step before; explaining such a cell goes on from there, so that one can walk from
the loss to a pixel and back. Everything comes from the snapshot, never from live weights. The formulas themselves stand with the
layers, the losses and the optimizers; here is only who is asked.
"""

from __future__ import annotations

import numpy as np

from engine.errors import ExplainError
from engine.explain_update import explain_norm, explain_penalty, explain_update
from engine.snapshot import Snapshot
from engine.spec import Placed
from engine.term import CellRef, Term, constant
from engine.view import View, all_cells_of, array_of, cell_of


@np.errstate(all="ignore")
def explain(snapshot: Snapshot, ref: CellRef) -> Term:
    """How the cell was computed; a leaf if it was given, as pixels, targets and weights are.

    "layer.x" and "layer.dx" may be used for the output and the delta of the layer before. Raises ExplainError when the
    snapshot has no such array or the array no such cell, naming what exists.
    """
    chain = _Chain(snapshot)
    ref = chain.resolve(ref)
    value = float(snapshot[ref.array][ref.index])
    found = chain.formula(ref)
    return Term("cell", value, ref) if found is None else found.at(ref, value)


@np.errstate(all="ignore")
def explain_unfused(snapshot: Snapshot, ref: CellRef) -> Term | None:
    """The longer way to a delta that was computed as y − t: from the loss to the closing softmax or sigmoid, and back through it.

    None for all other cells.
    """
    chain = _Chain(snapshot)
    ref = chain.resolve(ref)
    last = chain.placed[-1]
    if not chain.fused or ref.array != chain.view(last).name("dx"):
        return None
    found = last.node.layer.explain_backward("x", ref.index, chain.view(last))
    return found.at(ref, float(snapshot[ref.array][ref.index]))


def resolve(snapshot: Snapshot, ref: CellRef) -> CellRef:
    """The same cell by the name under which the snapshot holds its array; raises ExplainError when it does not exist."""
    return _Chain(snapshot).resolve(ref)


class _Chain:
    """The layers of a snapshot's network in order, and who explains which array."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.placed = snapshot.spec.placed()
        self.by_id = {p.node.id: p for p in self.placed}
        self.head = self.placed[-1].node.layer.kind
        self.fused = self.head in snapshot.loss_function.fused_with
        self.images = len(snapshot["image"]) if snapshot.probe == "batch" else None

    def resolve(self, ref: CellRef) -> CellRef:
        """As the function of that name."""
        array = ref.array
        layer, _, name = array.rpartition(".")
        if name in ("x", "dx") and layer in self.by_id:
            array = self.view(self.by_id[layer]).name(name)
        shape = array_of(self.snapshot.arrays, array).shape
        if len(ref.index) != len(shape) or any(not 0 <= i < n for i, n in zip(ref.index, shape, strict=True)):
            raise ExplainError("{array} has no cell {index}; its shape is {shape}.", code="explain.no_cell", array=array,
                               index=str(list(ref.index)), shape=str(list(shape)))
        return CellRef(array, tuple(map(int, ref.index)))

    def view(self, p: Placed) -> View:
        """What the layer may look at."""
        before = self.placed[p.index - 1].node.id if p.index else ""
        return View(self.snapshot.arrays, p.node.id, before, p.x, p.y, self.images)

    def formula(self, ref: CellRef) -> Term | None:
        """How a cell was computed, or None when it was given."""
        match ref.array:
            case "loss":
                return self._loss(()) if self.images is None else self._mean_loss()
            case "losses":
                return self._loss(ref.index)
            case "penalty" if self.snapshot.update:
                return explain_penalty(self.snapshot, self.snapshot.update)
            case "gradient_norm" if self.snapshot.update:
                return explain_norm(self.snapshot, self.snapshot.update)
            case "dimage":
                return self._through(self.placed[0], "x", ref.index)
        layer, _, name = ref.array.rpartition(".")
        if layer not in self.by_id:
            return None
        p = self.by_id[layer]
        if name == "y":
            return p.node.layer.explain_forward(ref.index, self.view(p))
        if name == "dy":
            return self._delta(p, ref.index)
        if name.removeprefix("d") in p.node.layer.params(p.x) and name.startswith("d"):
            return self._through(p, name.removeprefix("d"), ref.index)
        return explain_update(self.snapshot, ref)

    def _through(self, p: Placed, target: str, cell: tuple[int, ...]) -> Term:
        return p.node.layer.explain_backward(target, cell, self.view(p))

    def _delta(self, p: Placed, cell: tuple[int, ...]) -> Term:
        """∂E/∂y of a layer: from the next layer, or at the end of the chain from the loss."""
        last, loss = self.placed[-1], self.snapshot.loss_function
        *image, k = cell
        if p is last and self.fused:
            y, t = (self._cells(tuple(image), name) for name in (f"{last.node.id}.y", "target"))
            return self._mean(loss.explain_delta_at_output(self.head, k, y, t))
        if p.index == last.index - self.fused:
            z, y, t = self._at_the_end(tuple(image))
            return self._mean(loss.explain_delta(self.head, k, z, y, t))
        return self._through(self.placed[p.index + 1], "x", cell)

    def _mean(self, delta: Term) -> Term:
        """In a batch a sample's delta divided by the number of images, as the loss is the mean of the samples' losses."""
        return delta if self.images is None else delta / constant(self.images, "N")

    def _loss(self, image: tuple[int, ...]) -> Term:
        """The loss of one image, down to z where a closing layer is fused with it."""
        last = self.placed[-1]
        z, y, t = self._at_the_end(image)
        if self.fused:
            y = [last.node.layer.explain_forward(leaf.place, self.view(last)).at(leaf.ref, leaf.value) for leaf in y if leaf.ref]
        return self.snapshot.loss_function.explain(self.head, z, y, t)

    def _mean_loss(self) -> Term:
        mean = all_cells_of(self.snapshot.arrays, "losses").join("mean")
        return mean + cell_of(self.snapshot.arrays, CellRef("penalty"))

    def _at_the_end(self, image: tuple[int, ...]) -> tuple[list[Term], list[Term], list[Term]]:
        """z, y and t of one image, as the loss takes them."""
        view = self.view(self.placed[-1])
        z, y = view.name("x" if self.fused else "y"), view.name("y")
        return self._cells(image, z), self._cells(image, y), self._cells(image, "target")

    def _cells(self, image: tuple[int, ...], array: str) -> list[Term]:
        outputs = self.placed[-1].y.size
        return [cell_of(self.snapshot.arrays, CellRef(array, (*image, k))) for k in range(outputs)]
