"""What is being explained: one cell of a snapshot, which layer computed it, and the partial sums it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.explain import explain, explain_unfused, resolve
from engine.layer import Array
from engine.snapshot import Snapshot
from engine.spec import Placed
from engine.term import CellRef, Term

WITHOUT_LAYER = ("image", "target", "loss", "losses", "penalty", "gradient_norm")
"""Arrays of a snapshot that belong to no layer; "dimage" is the delta of the first layer's input."""


MOST_IN_MATRIX = 1024
"""A unit that reads more inputs than this has its largest products in the tree only: matrices of them would take too long."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One cell and its explanation.

    `kind` is "forward", "delta", "parameter", "gradient", "new", "slot", "new slot", "other", or the array itself where no
    layer owns it ("image", "loss" …). `owner` is the layer in whose array the cell lies; `by` is the layer whose formula
    computed it, None where a loss or an optimizer did; `target` says what of that layer: "y", "x" or a parameter. `cell` is
    the index without the image.
    """

    snapshot: Snapshot
    ref: CellRef
    kind: str
    owner: Placed | None
    by: Placed | None
    target: str
    image: int | None
    cell: tuple[int, ...]
    apart: bool = False
    """Whether a delta that the loss gave at once is explained as loss and closing layer one after the other."""

    @cached_property
    def term(self) -> Term:
        """How it was computed."""
        longer = explain_unfused(self.snapshot, self.ref) if self.apart else None
        return longer if longer is not None else explain(self.snapshot, self.ref)

    def taken_apart(self) -> Subject | None:
        """The same delta by the longer way through the closing layer; None where there is only one way."""
        last = self.snapshot.spec.placed()[-1]
        if self.kind != "delta" or self.by is not None or self.owner is None or self.owner.index != last.index - 1:
            return None
        return replace(self, by=last, apart=True) if f"{last.node.id}.dy" in self.snapshot else None

    @property
    def value(self) -> float:
        """The number itself."""
        return float(self.snapshot[self.ref.array][self.ref.index])

    @property
    def before(self) -> str:
        """The array that the computing layer reads: "relu1.y", or "image" in front of the first."""
        if self.by is None or self.by.index == 0:
            return "image"
        return f"{self.snapshot.spec.nodes[self.by.index - 1].id}.y"

    @property
    def batch(self) -> bool:
        """Whether it belongs to the last training batch."""
        return self.snapshot.probe == "batch"

    @cached_property
    def parts(self) -> tuple[Term, ...]:
        """The partial sums, one for each channel, filter or image; a sum of products without such parts is its only one."""
        children = self.term.children
        parts = tuple(child for child in children if child.part is not None)
        if parts:
            return parts
        if self.kind in ("forward", "delta", "gradient") and self.by is not None and (
                self.by.node.layer.role in ("conv", "pool") or (self.by.node.layer.role == "dense" and self.target in "xy")):
            return (window_sum(self.term),)
        return ()

    @property
    def grid_shape(self) -> tuple[int, int] | None:
        """Rows and columns of the window that a partial sum runs over, or None when it runs over no window."""
        if self.by is None:
            return None
        layer = self.by.node.layer
        if layer.role == "dense" and self.target in ("x", "y"):
            read = self.by.x.size if self.target == "y" else self.by.y.size
            return fold(read) if read <= MOST_IN_MATRIX else None
        window = layer.window(self.by.x)
        if window is None:
            return None
        if self.target == "y" or (self.target == "x" and layer.role == "conv"):
            return window.kernel
        if self.target == "W" and self.by.y.is_image:
            return self.by.y[1], self.by.y[2]
        return None

    def at(self, name: str) -> Array:
        """An array of the snapshot, that of this subject's image alone."""
        array = self.snapshot[name]
        return array if self.image is None or not self.has_images(name) else np.asarray(array[self.image])

    def has_images(self, name: str) -> bool:
        """Whether the first axis of an array runs over the images of a batch."""
        return self.batch and not is_parameter_like(self.snapshot, name) and self.snapshot[name].ndim > 0

    def place(self, name: str, cell: Sequence[int], image: int | None = None) -> CellRef:
        """The reference of a cell of an array, in this subject's image."""
        shown = self.image if image is None else image
        front = (shown or 0,) if self.has_images(name) else ()
        return CellRef(name, (*front, *map(int, cell)))


def fold(count: int) -> tuple[int, int]:
    """Rows and columns in which a vector is drawn as a map: as nearly square as the count allows."""
    rows = next(n for n in range(int(count**0.5), 0, -1) if count % n == 0)
    return rows, count // rows


def window_sum(term: Term) -> Term:
    """The sum (or maximum) over the window itself, without what is added or divided afterwards."""
    first = term.children[0] if term.children else term
    return first if term.op in ("quotient", "sum") and first.op == "sum" else term


def is_parameter_like(snapshot: Snapshot, name: str) -> bool:
    """Whether an array is a parameter, its gradient, its slots, or state: without an axis of images."""
    layer, _, short = name.rpartition(".")
    if not layer:
        return name in ("loss", "penalty", "gradient_norm")
    placed = next((p for p in snapshot.spec.placed() if p.node.id == layer), None)
    if placed is None:
        return False
    if short in ("y", "dy"):
        return False
    buffers = placed.node.layer.workspace(placed.x, 1), placed.node.layer.workspace(placed.x, 2)
    if short in buffers[0]:
        return buffers[0][short].shape == buffers[1][short].shape
    return True


def subject_of(snapshot: Snapshot, ref: CellRef) -> Subject:
    """Classify a cell; raises ExplainError when the snapshot does not hold it."""
    ref = resolve(snapshot, ref)
    placed = snapshot.spec.placed()
    has_images = snapshot.probe == "batch" and not is_parameter_like(snapshot, ref.array) and bool(ref.index)
    image = ref.index[0] if has_images else None
    cell = ref.index[1:] if has_images else ref.index

    def made(kind: str, owner: Placed | None, by: Placed | None, target: str) -> Subject:
        return Subject(snapshot, ref, kind, owner, by, target, image, cell)

    if ref.array in WITHOUT_LAYER:
        return made(ref.array, None, None, "")
    if ref.array == "dimage":
        return made("delta", None, placed[0], "x")
    layer, _, name = ref.array.rpartition(".")
    owner = next(p for p in placed if p.node.id == layer)
    kind, parameter, _ = array_kind(owner, name)
    match kind:
        case "forward":
            return made(kind, owner, owner, "y")
        case "delta":
            head_fused = placed[-1].node.layer.kind in snapshot.loss_function.fused_with
            from_loss = owner.index >= len(placed) - 1 - head_fused
            return made(kind, owner, None if from_loss else placed[owner.index + 1], "x")
        case "gradient":
            return made(kind, owner, owner, parameter)
        case "other":
            return made(kind, owner, None, name)
    return made(kind, owner, None, parameter)


def array_kind(owner: Placed, name: str) -> tuple[str, str, str]:
    """What an array of a layer is: (kind as in `Subject`, the parameter concerned, the optimizer's slot)."""
    parameters = owner.node.layer.params(owner.x)
    if name in ("y", "dy"):
        return "forward" if name == "y" else "delta", "", ""
    if name in parameters:
        return "parameter", name, ""
    if name.removeprefix("d") in parameters:
        return "gradient", name.removeprefix("d"), ""
    parameter, _, rest = name.partition("_")
    if parameter not in parameters or not rest:
        return "other", "", ""
    if rest == "after":
        return "new", parameter, ""
    return "new slot" if rest.endswith("_after") else "slot", parameter, rest.removesuffix("_after")


def counterparts(snapshot: Snapshot, ref: CellRef) -> dict[str, CellRef]:
    """The same place looked at "forward", "backward" and in the "update"; only those that the snapshot holds."""
    layer, dot, name = ref.array.rpartition(".")
    base = name.removesuffix("_after").partition("_")[0]
    plain = base[1:] if base in ("dy", "dimage") or (base.startswith("d") and f"{layer}.{base[1:]}" in snapshot) else base
    ways = {"forward": f"{layer}{dot}{plain}", "backward": f"{layer}{dot}d{plain}", "update": f"{layer}{dot}{plain}_after"}
    if plain in ("loss", "losses", "target", "penalty", "gradient_norm"):
        ways = {"forward": ref.array}
    return {way: CellRef(array, ref.index) for way, array in ways.items()
            if array in snapshot and snapshot[array].ndim == len(ref.index)}
