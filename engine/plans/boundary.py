"""What lies between two layers of a plan: the values y for all images of a slice, later their deltas.

Maps are given as (H, W, C, N), vectors as (F, N). In memory maps lie row by row, with the images innermost, (H, C, W, N), or with
the channels innermost, (H, N, W, C): whatever suits the network's convolutions (conv_rows.py; conv_winograd.py). Vectors lie as
(F, N) beside the former, as (N, F) beside the latter. Maps without zeros around them whose reader is Flatten lie as (C, H, W, N)
beside the former: they are its vectors as well, and Flatten moves nothing.

Values and deltas stand inside a larger map of zeros: a convolution that reads the values finds its padding there, and the
convolution that made them finds the zeros that its backward pass needs around the deltas.

Values and deltas share their memory. By the time a layer's backward pass writes ∂E/∂x it has made its last use of x, so the
deltas may take the values' place: half the memory, and half the distance to it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from engine.layer import Array, Shape
from engine.memory import aligned_zeros
from engine.plans.calls import Call, Scratch, bind, gate
from engine.windows import Pair, Sides

NOTHING: Sides = (0, 0, 0, 0)


@dataclass(frozen=True)
class Reach:
    """Zeros around a delta (top, bottom, left, right) and the step from cell to cell, with zeros between when it is not 1."""

    sides: Sides = NOTHING
    step: Pair = (1, 1)


def innermost(shape: Shape, n: int) -> tuple[int, ...]:
    """The layout's shape for `n` samples: (H, W, C, N) or (F, N)."""
    return (*shape[1:], shape[0], n) if shape.is_image else (*shape, n)


class Boundary:
    """Values y between two layers and their deltas ∂E/∂y.

    `padding` is the zeros that the reader wants around y, `reach` those that the maker wants around the delta, None where no
    delta is needed. `gated` says that y has gone through a ReLU, so that a delta passes only where y > 0. `rows` says that maps
    lie in memory as (H, C, W, N), not as (H, N, W, C); `vectors` that these had better lie as (C, H, W, N), and afterwards, as an
    attribute, whether they do.
    """

    def __init__(self, shape: Shape, n: int, dtype: DTypeLike, *, padding: Sides = NOTHING, reach: Reach | None = None,
                 shared: bool = True, gated: bool = False, rows: bool = False, vectors: bool = False) -> None:
        self.shape, self.n, self.gated, self.rows = shape, n, gated, rows
        self.has_delta = reach is not None
        cells = innermost(shape, n)
        together = reach is not None and shared and reach.step == (1, 1)
        around = _larger(padding, reach.sides) if together and reach else padding
        self.vectors = vectors and rows and around == NOTHING and (reach is None or together)
        self._axes = (-1, -3) if not rows else (-2, -4) if self.vectors else (-2, -3)
        if self.vectors:
            whole = self.y = aligned_zeros((*shape, n), dtype).transpose(1, 2, 0, 3)
        else:
            whole, self.y = in_zeros(cells, Reach(around), dtype, by_rows=rows)
        self.framed = _cut(whole, around, padding)
        self._dy, self._framed_delta = self.y, whole
        if together and reach:
            self._framed_delta = _cut(whole, around, reach.sides)
        elif reach:
            self._framed_delta, self._dy = in_zeros(cells, reach, dtype, by_rows=self.rows)

    @property
    def dy(self) -> Array:
        """The delta."""
        assert self.has_delta
        return self._dy

    @property
    def framed_delta(self) -> Array:
        """The delta with the zeros around it, and between its cells."""
        assert self.has_delta
        return self._framed_delta

    def as_vectors(self) -> Boundary:
        """The same memory, in which maps lie as (C, H, W, N), as that of vectors, in the plain layer's order of features."""
        flat = copy(self)
        flat.shape = Shape((self.shape.size,))
        values = self.y.transpose(2, 0, 1, 3).reshape(-1, self.n, copy=False)
        flat.y = flat.framed = flat._dy = flat._framed_delta = values
        return flat

    def land(self, source: Array, part: Callable[[Array], Array] = lambda maps: maps) -> list[Call]:
        """The calls that make `source` the delta of a part of the cells. After them, y is gone there."""
        if self.gated:
            return gate(part(self.y), source, part(self.dy))
        return [bind(np.copyto, part(self.dy), source)]

    def landing(self, rows: slice, scratch: Scratch) -> tuple[Array, list[Call]]:
        """Where to write the delta of some rows, pixel beside pixel, and the calls that have to follow."""
        dy = self.ordered(self.dy[rows])
        if not self.gated and dy.strides[-2] == dy.shape[-1] * dy.itemsize:
            return self.dy[rows], []
        source = self.as_maps(scratch.take(dy.shape))
        return source, self.land(source, lambda maps: maps[rows])

    def ordered(self, maps: Array) -> Array:
        """Maps (…, H, W, C, N) or vectors (F, N) with their axes in the order of the memory."""
        if self.shape.is_image:
            return np.moveaxis(maps, *self._axes)
        return maps if self.rows else maps.T

    def as_maps(self, ordered: Array) -> Array:
        """The opposite of `ordered`."""
        if self.shape.is_image:
            return np.moveaxis(ordered, *self._axes[::-1])
        return ordered if self.rows else ordered.T

    def as_samples(self, values: Array) -> Array:
        """`values`, in this layout, seen as (N, *shape)."""
        return values.transpose(3, 2, 0, 1) if self.shape.is_image else values.T


def in_windows(maps: Array, window: Pair) -> Array:
    """(H, W, C, N) seen as (H', kh, W', kw, C, N), window by window; rows and columns that fill no window are left out."""
    (kh, kw), (h, w, *rest) = window, maps.shape
    places = h // kh, w // kw
    return maps[:places[0] * kh, :places[1] * kw].reshape((places[0], kh, places[1], kw, *rest), copy=False)


def clear_uncovered(maps: Array, window: Pair) -> list[Call]:
    """The calls that clear the rows and columns at the end that fill no window."""
    height, width = (cells // k * k for cells, k in zip(maps.shape[:2], window, strict=True))
    return [bind(part.fill, 0) for part in (maps[height:], maps[:height, width:]) if part.size]


def _larger(a: Sides, b: Sides) -> Sides:
    return (max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))


def framed(grid: Array, shape: Shape, reach: Reach, scratch: Scratch, *,
           by_rows: bool = False) -> tuple[Array, Array, list[Call]]:
    """Room for deltas in windows like `grid` (H', kh, W', kw, C, N) inside a map with zeros around: the map, the same windows in
    it, and the calls that make the zeros."""
    (_, kh, _, kw, c, n), (_, height, width) = grid.shape, shape
    (top, bottom, left, right), (down, across) = reach.sides, reach.step
    rows, columns = (height - 1) * down + 1, (width - 1) * across + 1
    size = top + rows + bottom, left + columns + right
    whole = scratch.take((size[0], c, size[1], n)).swapaxes(1, 2) if by_rows else \
        np.moveaxis(scratch.take((size[0], n, size[1], c)), 1, 3)
    inside = in_windows(whole[top:top + rows:down, left:left + columns:across], (kh, kw))
    around = [whole] if reach.step != (1, 1) else [
        whole[:top], whole[top + inside.shape[0] * kh:], whole[:, :left], whole[:, left + inside.shape[2] * kw:]]
    return whole, inside, [bind(part.fill, 0) for part in around if part.size]


def in_zeros(shape: tuple[int, ...], reach: Reach, dtype: DTypeLike, *, by_rows: bool = False) -> tuple[Array, Array]:
    """An array of zeros and the view inside it that has the shape asked for."""
    if len(shape) == 2:
        whole = aligned_zeros(shape, dtype) if by_rows else aligned_zeros(shape[::-1], dtype).T
        return whole, whole
    height, width, c, n = shape
    (top, bottom, left, right), (down, across) = reach.sides, reach.step
    high, wide = top + (height - 1) * down + 1 + bottom, left + (width - 1) * across + 1 + right
    whole = aligned_zeros((high, c, wide, n), dtype).swapaxes(1, 2) if by_rows else \
        np.moveaxis(aligned_zeros((high, n, wide, c), dtype), 1, 3)
    return whole, whole[top:high - bottom:down, left:wide - right:across]


def _cut(whole: Array, around: Sides, wanted: Sides) -> Array:
    """The part of a framed array that has `wanted` cells around it instead of `around`."""
    if around == wanted:
        return whole
    top, bottom, left, right = (a - w for a, w in zip(around, wanted, strict=True))
    return whole[top:whole.shape[0] - bottom, left:whole.shape[1] - right]
