"""Any gradient of a snapshot by central differences, to be held beside the value that back-propagation gave.

    ∂E/∂w ≈ (E(w + h) − E(w − h)) / 2h

E, without penalties, is computed in float64 from the snapshot's own arrays: in a sample as in evaluation, in a batch as in that
step of training, with its masks and its batch statistics. Where a ReLU or a maximum changes sides between w − h and w + h the
quotient says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.errors import ExplainError
from engine.explain import resolve
from engine.layer import Array, Context, Workspace
from engine.memory import buffer_dtype
from engine.snapshot import Snapshot
from engine.spec import Placed
from engine.term import CellRef, constant
from engine.view import array_of

CHUNK = 16
"""Images that are run at once."""


def difference(snapshot: Snapshot, ref: CellRef, step: float = 1e-5) -> float:
    """The central difference for one cell of "layer.dy", "dimage" or a parameter's gradient such as "layer.dW".

    `step` is h for numbers up to 1, and in proportion for larger ones. Raises ExplainError when the array is no gradient.
    """
    ref = resolve(snapshot, ref)
    run = _Run(snapshot)
    name, first = run.variable(ref.array)
    array = np.array(array_of(snapshot.arrays, name), np.float64)
    of_image = name == "image" or name.endswith(".y")
    h = step * max(1.0, abs(float(array[ref.index])))
    losses = []
    for moved in (h, -h):
        changed = array.copy()
        changed[ref.index] += moved
        losses.append(run.loss(first, {name: changed}, ref.index[0] if of_image and snapshot.probe == "batch" else None))
    return (losses[0] - losses[1]) / (2 * h)


class _Run:
    """The network of a snapshot, run once more in float64 from some layer on."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.placed = snapshot.spec.placed()
        self.batch = snapshot.probe == "batch"
        self.targets = self.of_images(snapshot.arrays, "target")

    def variable(self, gradient: str) -> tuple[str, int]:
        """The array that a gradient belongs to, and the first layer that reads it; raises ExplainError for other arrays."""
        if gradient == "dimage":
            return "image", 0
        for p in self.placed:
            layer = p.node.id
            if gradient == f"{layer}.dy":
                return f"{layer}.y", p.index + 1
            for name in p.node.layer.params(p.x):
                if gradient == f"{layer}.d{name}":
                    return f"{layer}.{name}", p.index
        raise ExplainError("{array} is no gradient.", code="explain.no_gradient", array=gradient)

    def of_images(self, arrays: Mapping[str, Array], name: str) -> Array:
        """An array with the images on its first axis, in float64."""
        array = np.asarray(array_of(arrays, name), np.float64)
        return array if self.batch else array[None]

    def loss(self, first: int, changed: Mapping[str, Array], image: int | None) -> float:
        """E with some arrays changed, computed from layer `first` on. When only one image's part can change, it is that part."""
        arrays = {**self.snapshot.arrays, **changed}
        rest = self.placed[first:]
        x = self.of_images(arrays, f"{self.placed[first - 1].node.id}.y" if first else "image")
        n = len(x)
        if any(p.node.layer.couples_batch for p in rest) and self.batch:
            parts = [slice(0, n)]
        elif image is not None:
            parts = [slice(image, image + 1)]
        else:
            parts = [slice(start, start + CHUNK) for start in range(0, n, CHUNK)]
        return sum(self.loss_of(rest, x[part], part, arrays) for part in parts) / n

    def loss_of(self, layers: tuple[Placed, ...], x: Array, part: slice, arrays: Mapping[str, Array]) -> float:
        """The summed loss of some images."""
        function, head = self.snapshot.loss_function, self.placed[-1].node.layer.kind
        fused = head in function.fused_with
        z = y = x
        for p in layers:
            z, y = y, self.forward(p, y, part, arrays)
        if layers or not fused:
            return float(function.values(head, z if fused else y, y, self.targets[part]).sum())
        # A loss that is fused with the closing layer computes from z; as a function of y it is known as a formula only.
        terms = ([[constant(v) for v in row] for row in rows] for rows in (y, self.targets[part]))
        return sum(function.explain(head, outputs, outputs, t).fold() for outputs, t in zip(*terms, strict=True))

    def forward(self, p: Placed, x: Array, part: slice, arrays: Mapping[str, Array]) -> Array:
        """The output of one layer."""
        layer, start = p.node.layer, p.node.id + "."
        own = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
        ws = Workspace({name: np.zeros(b.shape, buffer_dtype(b, np.float64)) for name, b in layer.workspace(p.x, len(x)).items()})
        ws.x, ws.y = x, np.zeros((len(x), *p.y))
        rng: Any = _SameMask(own["mask"][part]) if self.batch and layer.random else None
        ctx = Context(self.batch, rng, {name: np.array(own[name], np.float64) for name in layer.state(p.x)})
        parameters = {name: np.asarray(own[name], np.float64) for name in layer.params(p.x)}
        with np.errstate(all="ignore"):
            layer.forward(x, ws.y, parameters, ws, ctx)
        return ws.y


class _SameMask:
    """A random generator whose draws, compared with a rate, give a recorded mask again."""

    def __init__(self, mask: Array) -> None:
        self.mask = mask

    def random(self, *, out: Array, dtype: type) -> None:
        np.copyto(out, self.mask > 0)
