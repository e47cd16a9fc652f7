"""Who holds the arrays: one flat vector of parameters with named views, and the scratch memory that layers share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from engine.layer import Array, Buffer, Param

CACHE_LINE = 64
HUGE_PAGE = 2**21
"""Bytes whose address the processor finds with one entry of its table, if the system has them in one piece; otherwise 512."""
_DTYPES: dict[str, DTypeLike] = {"bool": np.bool_, "int": np.int64, "int32": np.int32, "uint8": np.uint8}


def buffer_dtype(buffer: Buffer, dtype: DTypeLike) -> np.dtype[Any]:
    """The dtype of a buffer in a network of that dtype."""
    return np.dtype(_DTYPES.get(buffer.dtype, dtype))


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Zeros that begin at a cache line, so that no vector register is loaded from two of them.

    Large ones begin at a huge page. NumPy asks the system for such pages from 4 MB on, and with the room to begin at one an array
    of 2 MB takes as much.
    """
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    step = HUGE_PAGE if size >= HUGE_PAGE else CACHE_LINE
    block: Array = np.zeros(size + step, np.uint8)
    start = -block.ctypes.data % step
    return block[start:start + size].view(kind).reshape(shape)


def named_views(flat: Array, wanted: Mapping[str, Param]) -> dict[str, Array]:
    """A view of a flat vector for each name, one behind the other in the order of `wanted`."""
    views: dict[str, Array] = {}
    start = 0
    for name, param in wanted.items():
        stop = start + math.prod(param.shape)
        views[name] = flat[start:stop].reshape(param.shape)
        start = stop
    return views


class Parameters:
    """All trained parameters in one flat vector, with a view for each name such as "conv1.W".

    An optimizer is then a few in-place lines over the flat vector, and a checkpoint is a few vectors. The vector may be given,
    for example in memory that processes share.
    """

    def __init__(self, wanted: Mapping[str, Param], dtype: DTypeLike, flat: Array | None = None) -> None:
        self.wanted = dict(wanted)
        self.size = sum(int(np.prod(p.shape)) for p in wanted.values())
        self.flat = aligned_zeros((self.size,), dtype) if flat is None else flat
        self.gradient = aligned_zeros((self.size,), dtype)
        self.penalised = aligned_zeros((self.size,), dtype)
        for name, view in self.views(self.penalised).items():
            view[...] = wanted[name].penalised
        self.named = self.views(self.flat)
        self.named_gradient = self.views(self.gradient)

    def views(self, flat: Array) -> dict[str, Array]:
        """The named views of any vector that is laid out as the parameters are, for example of an optimizer's slot."""
        return named_views(flat, self.wanted)


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
        layouts: list[dict[str, tuple[int, Buffer, np.dtype[Any]]]] = []
        for buffers in requests:
            offset, layout = 0, {}
            for name, buffer in buffers.items():
                kind = buffer_dtype(buffer, dtype)
                layout[name] = (offset, buffer, kind)
                offset += -(-int(np.prod(buffer.shape)) * kind.itemsize // 64) * 64
            layouts.append(layout)
            if offset > self._block.size:
                self._block = np.empty(offset, np.uint8)
        return [{name: self._block[start:start + int(np.prod(b.shape)) * kind.itemsize].view(kind).reshape(b.shape)
                 for name, (start, b, kind) in layout.items()} for layout in layouts]
