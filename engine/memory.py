"""Who holds the arrays: one flat vector of parameters with named views, and the buffers of a slice of the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike

from engine.layer import Array, Buffer, Context, Param, Workspace
from engine.spec import Placed

_DTYPES: dict[str, DTypeLike] = {"bool": np.bool_, "int": np.int64, "int32": np.int32, "uint8": np.uint8}


class Parameters:
    """All trained parameters in one flat vector, with a view for each name such as "conv1.W".

    An optimizer is then a few in-place lines over the flat vector, and a checkpoint is a few vectors.
    """

    def __init__(self, wanted: Mapping[str, Param], dtype: DTypeLike) -> None:
        self.wanted = dict(wanted)
        self.size = sum(int(np.prod(p.shape)) for p in wanted.values())
        self.flat: Array = np.zeros(self.size, dtype)
        self.gradient: Array = np.zeros(self.size, dtype)
        self.penalised: Array = np.zeros(self.size, dtype)
        for name, view in self.views(self.penalised).items():
            view[...] = wanted[name].penalised
        self.named = self.views(self.flat)
        self.named_gradient = self.views(self.gradient)

    def views(self, flat: Array) -> dict[str, Array]:
        """The named views of any vector that is laid out as the parameters are, for example of an optimizer's slot."""
        views: dict[str, Array] = {}
        start = 0
        for name, param in self.wanted.items():
            stop = start + int(np.prod(param.shape))
            views[name] = flat[start:stop].reshape(param.shape)
            start = stop
        return views


def of_layer(named: Mapping[str, Array], layer_id: str) -> dict[str, Array]:
    """The arrays "layer_id.name" of one layer, by their short names."""
    prefix = layer_id + "."
    return {name[len(prefix):]: array for name, array in named.items() if name.startswith(prefix)}


class Arena:
    """One block of memory that scratch buffers share, since a scratch buffer lasts for one call only."""

    def __init__(self) -> None:
        self._block: Array = np.empty(0, np.uint8)

    def place(self, requests: Sequence[Mapping[str, Buffer]], dtype: DTypeLike) -> list[dict[str, Array]]:
        """The scratch buffers of each layer, all beginning at the start of the block, 64-byte aligned."""
        layouts: list[dict[str, tuple[int, Buffer, np.dtype[np.generic]]]] = []
        for buffers in requests:
            offset, layout = 0, {}
            for name, buffer in buffers.items():
                kind = np.dtype(_DTYPES.get(buffer.dtype, dtype))
                layout[name] = (offset, buffer, kind)
                offset += -(-int(np.prod(buffer.shape)) * kind.itemsize // 64) * 64
            layouts.append(layout)
            if offset > self._block.size:
                self._block = np.empty(offset, np.uint8)
        return [{name: self._block[start:start + int(np.prod(b.shape)) * kind.itemsize].view(kind).reshape(b.shape)
                 for name, (start, b, kind) in layout.items()} for layout in layouts]


class Lane:
    """The arrays of one slice of `n` images: every layer's input, output, buffers and delta.

    `deltas[i]` is ∂E/∂y of layer i, which is ∂E/∂x of layer i + 1. In training the deltas alternate between two blocks,
    because each is needed for one layer only; with `record` every layer keeps its own, so that it can be looked at.
    """

    def __init__(self, placed: Sequence[Placed], n: int, dtype: DTypeLike, states: Sequence[dict[str, Array]], *,
                 record: bool = False) -> None:
        self.n = n
        self.placed = placed
        requests = [p.node.layer.workspace(p.x, n) for p in placed]
        scratch = Arena().place([{k: b for k, b in r.items() if b.scratch} for r in requests], dtype)
        self.images: Array = np.zeros((n, *placed[0].x), dtype)
        self.workspaces: list[Workspace] = []
        x = self.images
        for p, request, shared in zip(placed, requests, scratch, strict=True):
            ws = Workspace(shared)
            ws.update({name: np.zeros(b.shape, _DTYPES.get(b.dtype, dtype)) for name, b in request.items() if not b.scratch})
            ws.x, ws.y = x, np.zeros((n, *p.y), dtype)
            self.workspaces.append(ws)
            x = ws.y
        self.contexts = [Context(state=state) for state in states]
        self.deltas = self._deltas(record, dtype)
        self.images_delta: Array | None = np.zeros_like(self.images) if record else None

    def _deltas(self, record: bool, dtype: DTypeLike) -> list[Array]:
        if record:
            return [np.zeros_like(ws.y) for ws in self.workspaces]
        largest = max(ws.y.size for ws in self.workspaces)
        blocks = [np.zeros(largest, dtype) for _ in range(2)]
        return [blocks[i % 2][:ws.y.size].reshape(ws.y.shape) for i, ws in enumerate(self.workspaces)]

    def begin(self, images: Array, *, training: bool, rng: np.random.Generator | None = None) -> None:
        """Take the raw images in and set the mode; uint8 pixels become the network's dtype here."""
        np.copyto(self.images, images, casting="unsafe")
        for ctx in self.contexts:
            ctx.training, ctx.rng = training, rng

    @property
    def output(self) -> Array:
        """The network's output, (n, outputs)."""
        return self.workspaces[-1].y
