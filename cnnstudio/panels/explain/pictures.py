"""The two pictures of a layer at work: what a number was read from, what it was written to, and the window between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cnnstudio.panels.explain.subject import Subject, fold
from cnnstudio.panels.shown_maps import kind_of
from cnnstudio.widgets.colormaps import Kind, value_range
from engine.layer import Array, Window
from engine.layers.conv import Conv2D
from engine.layers.pool import Pool2D
from engine.term import CellRef
from engine.windows import extent

Spot = tuple[int, int, int]
"""Map, row and column in a picture."""
Block = tuple[range, range]
"""Rows and columns; they may reach beyond the map."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Maps (N, H, W) cut from one array; `cell_of` gives the array's cell at a spot, None where it holds none (padding)."""

    name: str
    maps: Array
    cell_of: Callable[[Spot], CellRef | None]
    kind: Kind
    bounds: tuple[float, float]
    """Of the colours: the range of the whole layer, in which other panels show the same map at first."""
    rotated: bool = False
    """By 180°."""
    padded: bool = False
    """With zeros around the array's cells."""


@dataclass(frozen=True, eq=False)
class Pair:
    """`here` is the explained cell in `result`; `window` gives the block of `source` that a cell of `result` reads (None: all
    of it); `reader` gives the cell of `result` to show for a cell of `source`."""

    source: Picture
    result: Picture
    here: Spot
    window: Callable[[Spot], tuple[int | None, Block] | None]
    reader: Callable[[Spot], Spot]
    whole: tuple[Block, Block] | None = None
    """Blocks of source and result to outline while nothing is pointed at, for a weight that serves many cells."""
    kernel: Picture | None = None
    """What a convolution slides over the source: the kernel, rotated on the way back, or δ for the kernel's gradient."""


def pair_of(subject: Subject, part: int = 0) -> Pair | None:
    """The pictures for a subject, with partial sum number `part` (a channel, filter or image) in view; None for single numbers
    of no picture, such as the loss."""
    if subject.kind in ("new", "new slot"):
        before = subject.ref.array.removesuffix("_after")
        return _same_place(subject, before, subject.cell)
    if subject.kind == "parameter":
        return _served(subject)
    if subject.by is None:
        return None
    layer = subject.by.node.layer
    if subject.target == "y":
        return _forward(subject, part)
    if subject.target == "x":
        if isinstance(layer, Conv2D):
            return _spread_delta(subject, layer, part)
        return _backward(subject)
    if isinstance(layer, Conv2D) and subject.target == "W":
        return _kernel_gradient(subject, layer, part)
    if layer.kind == "dense" and subject.target == "W":
        _, width = fold(subject.by.x.size)
        return _linked(subject, subject.before, (subject.cell[1],), lambda spot: (0, *divmod(spot[2], width)),
                       lambda spot: (0, subject.cell[0], spot[1] * width + spot[2]), image=part)
    delta = f"{subject.by.node.id}.dy"
    whole = _picture(subject, delta, (subject.cell[0], 0, 0)[:subject.snapshot[delta].ndim - subject.has_images(delta)], part)
    result = _picture(subject, subject.ref.array, subject.cell)
    return Pair(whole, result, _spot(result, subject.cell), lambda spot: None, lambda spot: _spot(result, subject.cell))


def _picture(subject: Subject, name: str, cell: tuple[int, ...], image: int | None = None) -> Picture:
    """The map of an array in which a cell lies: the last two axes, a whole matrix, or a vector folded to a map."""
    shown = subject.image if image is None or subject.image is not None else image
    array = subject.snapshot[name]
    if subject.has_images(name):
        array = array[shown or 0]
    kind = _kind(name, array)
    bounds = value_range(array, kind)
    if array.ndim == 1:
        rows, columns = fold(array.size)
        return Picture(name, array.reshape(1, rows, columns),
                       lambda spot: subject.place(name, (spot[1] * columns + spot[2],), shown), kind, bounds)
    if array.ndim == 2:
        return Picture(name, array[None], lambda spot: subject.place(name, spot[1:], shown), kind, bounds)
    front = tuple(cell[:array.ndim - 2])
    return Picture(name, np.asarray(array[front])[None], lambda spot: subject.place(name, (*front, *spot[1:]), shown), kind,
                   bounds)


def _kind(name: str, array: Array) -> Kind:
    if name == "image":
        return "image"
    return kind_of(name, array) if name.endswith(".y") else "weight"


def _spot(picture: Picture, cell: tuple[int, ...]) -> Spot:
    row, column = divmod(cell[0], picture.maps.shape[2]) if len(cell) == 1 else cell[-2:]
    return 0, row, column


def _same_place(subject: Subject, source: str, cell: tuple[int, ...]) -> Pair:
    """Source and result of one shape, read element by element."""
    result = _picture(subject, subject.ref.array, subject.cell)
    picture = _picture(subject, source, cell)
    return Pair(picture, result, _spot(result, subject.cell), _one_cell, lambda spot: spot)


def _one_cell(spot: Spot) -> tuple[int | None, Block]:
    return spot[0], (range(spot[1], spot[1] + 1), range(spot[2], spot[2] + 1))


def _linked(subject: Subject, source: str, cell: tuple[int, ...], to_source: Callable[[Spot], Spot],
            to_result: Callable[[Spot], Spot], image: int | None = None) -> Pair:
    """Each cell of the result reads one cell of the source, elsewhere."""
    result = _picture(subject, subject.ref.array, subject.cell)
    return Pair(_picture(subject, source, cell, image), result, _spot(result, subject.cell),
                lambda spot: _one_cell(to_source(spot)), to_result)


def _in_map(number: int, height: int, width: int) -> Spot:
    """Where the cell with a running number lies in a map, or the nearest to it."""
    row, column = divmod(min(max(number, 0), height * width - 1), width)
    return 0, row, column


def _all_of_it(subject: Subject, source: str, cell: tuple[int, ...]) -> Pair:
    """The result reads the whole source."""
    result = _picture(subject, subject.ref.array, subject.cell)
    here = _spot(result, subject.cell)
    return Pair(_picture(subject, source, cell), result, here, lambda spot: None, lambda spot: here)


def _forward(subject: Subject, part: int) -> Pair:
    assert subject.by is not None
    layer, x, y, cell = subject.by.node.layer, subject.by.x, subject.by.y, subject.cell
    window = layer.window(x)
    if window is not None:
        channel = cell[0]
        if isinstance(layer, Conv2D):
            group = x[0] // layer.groups
            channel = cell[0] // (layer.depth // layer.groups) * group + min(part, group - 1)
        result = _picture(subject, subject.ref.array, cell)
        return Pair(_picture(subject, subject.before, (channel, 0, 0)), result, _spot(result, cell),
                    lambda spot: (0, window_block(window, spot)), lambda spot: _reader(window, spot, y[1:]),
                    kernel=_kernel(subject, cell[0], part) if isinstance(layer, Conv2D) else None)
    if x == y and layer.kind != "softmax" and len(x) == len(subject.at(subject.before).shape):
        return _same_place(subject, subject.before, cell)
    if layer.kind == "flatten":
        place = tuple(map(int, np.unravel_index(cell[0], x)))
        _, height, width = x
        first, folded = place[0] * height * width, fold(x.size)[1]
        return _linked(subject, subject.before, place,
                       lambda spot: _in_map(spot[1] * folded + spot[2] - first, height, width),
                       lambda spot: (0, *divmod(first + spot[1] * width + spot[2], folded)))
    channel = min(cell[0], x[0] - 1)  # a component of PCA has no channel: the first ones stand for all
    return _all_of_it(subject, subject.before, (channel, 0, 0)[:len(x)])


def _backward(subject: Subject) -> Pair:
    """∂E/∂x of every layer but convolution."""
    assert subject.by is not None
    layer, x, y, cell = subject.by.node.layer, subject.by.x, subject.by.y, subject.cell
    delta = f"{subject.by.node.id}.dy"
    if isinstance(layer, Pool2D):
        window = layer.window(x)
        result = _picture(subject, subject.ref.array, cell)
        return Pair(_picture(subject, delta, (cell[0], 0, 0)), result, _spot(result, cell),
                    lambda spot: (0, readers_block(window, spot, y[1:])),
                    lambda spot: (0, *_centre(window, spot, x[1:])))
    if layer.kind == "flatten":
        channel, height, width = cell[0], x[1], x[2]
        first, folded = channel * height * width, fold(x.size)[1]
        return _linked(subject, delta, (0,), lambda spot: (0, *divmod(first + spot[1] * width + spot[2], folded)),
                       lambda spot: _in_map(spot[1] * folded + spot[2] - first, height, width))
    if x == y and layer.kind != "softmax":
        return _same_place(subject, delta, cell)
    return _all_of_it(subject, delta, (min(cell[0], y[0] - 1), 0, 0)[:len(y)])


def _spread_delta(subject: Subject, layer: Conv2D, part: int) -> Pair:
    """∂E/∂x of a convolution: δ of one filter, spread by the stride and zero-padded, under the rotated kernel."""
    assert subject.by is not None
    x, y, cell = subject.by.x, subject.by.y, subject.cell
    of_group = layer.depth // layer.groups
    f = cell[0] // (x[0] // layer.groups) * of_group + min(part, of_group - 1)
    (sh, sw), (top, _, left, _) = layer.stride, layer.window(x).padding
    fh, fw = (extent(k, d) - 1 for k, d in zip(layer.kernel_size, layer.dilation, strict=True))
    name = f"{subject.by.node.id}.dy"
    delta = subject.at(name)[f]
    # Cell (row, column) of the spread δ stands at row + fh − top, so that the window of x's cell (i, j) begins at i, j.
    spread = np.zeros((x[1] + fh, x[2] + fw), delta.dtype)
    rows, columns = np.arange(y[1]) * sh + fh - top, np.arange(y[2]) * sw + fw - left
    seen = np.ix_((rows >= 0) & (rows < spread.shape[0]), (columns >= 0) & (columns < spread.shape[1]))
    spread[np.ix_(rows[seen[0].ravel()], columns[seen[1].ravel()])] = delta[seen]

    def cell_of(spot: Spot) -> CellRef | None:
        (i, row), (j, column) = divmod(spot[1] - fh + top, sh), divmod(spot[2] - fw + left, sw)
        inside = row == column == 0 and 0 <= i < y[1] and 0 <= j < y[2]
        return subject.place(name, (f, i, j)) if inside else None

    result = _picture(subject, subject.ref.array, cell)
    return Pair(
        Picture(name, spread[None], cell_of, "weight", value_range(subject.at(name), "weight"),
                padded=spread.shape != delta.shape), result, _spot(result, cell),
        lambda spot: (0, (range(spot[1], spot[1] + fh + 1), range(spot[2], spot[2] + fw + 1))),
        lambda spot: (0, min(max(spot[1] - fh // 2, 0), x[1] - 1), min(max(spot[2] - fw // 2, 0), x[2] - 1)),
        kernel=_kernel(subject, f, cell[0] % (x[0] // layer.groups), rotated=True))


def _kernel_gradient(subject: Subject, layer: Conv2D, part: int) -> Pair:
    """∂E/∂W: the input under a window as large as δ."""
    assert subject.by is not None
    x, y = subject.by.x, subject.by.y
    (sh, sw), (dh, dw), (top, _, left, _) = layer.stride, layer.dilation, layer.window(x).padding
    f, c, _, _ = subject.cell
    channel = f // (layer.depth // layer.groups) * (x[0] // layer.groups) + c
    result = _picture(subject, subject.ref.array, subject.cell)
    height, width = (y[1] - 1) * sh + 1, (y[2] - 1) * sw + 1

    def window(spot: Spot) -> tuple[int | None, Block]:
        row, column = spot[1] * dh - top, spot[2] * dw - left
        return 0, (range(row, row + height), range(column, column + width))

    def reader(spot: Spot) -> Spot:
        row = min(max(round((spot[1] + top - height / 2) / dh), 0), layer.kernel_size[0] - 1)
        column = min(max(round((spot[2] + left - width / 2) / dw), 0), layer.kernel_size[1] - 1)
        return 0, row, column

    delta = _picture(subject, f"{subject.by.node.id}.dy", (f, 0, 0), part)
    return Pair(_picture(subject, subject.before, (channel, 0, 0), part), result, _spot(result, subject.cell), window, reader,
                kernel=delta)


def _kernel(subject: Subject, f: int, c: int, *, rotated: bool = False) -> Picture:
    """One channel of filter f, as it slides over the source."""
    assert subject.by is not None
    name = f"{subject.by.node.id}.W"
    weights = subject.snapshot[name][f, min(c, subject.snapshot[name].shape[1] - 1)]
    height, width = weights.shape

    def cell_of(spot: Spot) -> CellRef:
        row, column = (height - 1 - spot[1], width - 1 - spot[2]) if rotated else spot[1:]
        return CellRef(name, (f, min(c, subject.snapshot[name].shape[1] - 1), row, column))

    return Picture(name, (weights[::-1, ::-1] if rotated else weights)[None], cell_of, "weight",
                   value_range(subject.snapshot[name], "weight"), rotated=rotated)


def _served(subject: Subject) -> Pair | None:
    """A weight of a convolution: the input cells that it meets, and the map of which it serves every cell.

    The first frame of a changed network may have only one of the two: it was asked for before the change.
    """
    assert subject.owner is not None
    layer, x, y = subject.owner.node.layer, subject.owner.x, subject.owner.y
    before, output = (f"{subject.snapshot.spec.nodes[i].id}.y" for i in (subject.owner.index - 1, subject.owner.index))
    if not isinstance(layer, Conv2D) or subject.target != "W" or not {before, output} <= set(subject.snapshot.arrays):
        return None
    f, c, u, v = subject.cell
    channel = f // (layer.depth // layer.groups) * (x[0] // layer.groups) + c
    (sh, sw), (dh, dw), (top, _, left, _) = layer.stride, layer.dilation, layer.window(x).padding

    def met(spot: Spot) -> Spot:
        return 0, spot[1] * sh + u * dh - top, spot[2] * sw + v * dw - left

    def server(spot: Spot) -> Spot:
        row, column = (spot[1] + top - u * dh) // sh, (spot[2] + left - v * dw) // sw
        return 0, min(max(row, 0), y[1] - 1), min(max(column, 0), y[2] - 1)

    first, last = met((0, 0, 0)), met((0, y[1] - 1, y[2] - 1))
    whole = (range(first[1], last[1] + 1), range(first[2], last[2] + 1)), (range(y[1]), range(y[2]))
    return Pair(_picture(subject, before, (channel, 0, 0)), _picture(subject, output, (f, 0, 0)), (0, 0, 0),
                lambda spot: _one_cell(met(spot)), server, whole)


def window_block(window: Window, spot: Spot) -> Block:
    """The rows and columns that an output cell reads, dilation included."""
    top, _, left, _ = window.padding
    row, column = spot[1] * window.stride[0] - top, spot[2] * window.stride[1] - left
    return (range(row, row + extent(window.kernel[0], window.dilation[0])),
            range(column, column + extent(window.kernel[1], window.dilation[1])))


def readers_block(window: Window, spot: Spot, places: tuple[int, ...]) -> Block:
    """The output cells whose windows hold an input cell."""
    blocks = []
    for axis, size in enumerate(places):
        place = spot[1 + axis] + window.padding[2 * axis]
        reach, stride = extent(window.kernel[axis], window.dilation[axis]), window.stride[axis]
        first = max(0, -(-(place - reach + 1) // stride))
        blocks.append(range(first, max(first, min(place // stride, size - 1) + 1)))
    return blocks[0], blocks[1]


def _reader(window: Window, spot: Spot, places: tuple[int, ...]) -> Spot:
    """The output cell in the middle of whose window an input cell lies, or the nearest to it."""
    found = []
    for axis, size in enumerate(places):
        middle = (extent(window.kernel[axis], window.dilation[axis]) - 1) // 2
        place = round((spot[1 + axis] + window.padding[2 * axis] - middle) / window.stride[axis])
        found.append(min(max(place, 0), size - 1))
    return 0, found[0], found[1]


def _centre(window: Window, spot: Spot, places: tuple[int, ...]) -> tuple[int, int]:
    """An input cell in the middle of an output cell's window."""
    rows, columns = window_block(window, spot)
    return (min(max(rows[len(rows) // 2], 0), places[0] - 1), min(max(columns[len(columns) // 2], 0), places[1] - 1))
