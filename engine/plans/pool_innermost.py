"""Pooling with the images innermost, for windows that stand side by side.

    cells (kw, kh, H', W', C, N)        the same cell of all windows lies side by side

Max pooling goes along one axis at a time: the first maximum of each row of the window, then the first row with the largest one,
is the first maximum in row-major order. Along an axis, cell by cell:

    m_o = max(m_{o−1}, x_o)          lost_o = m_{o−1} − m_o: 0 unless x_o is the larger (strictly, so that the first maximum wins)

    backward, from the last cell to the first:   where lost_o is 0 the delta goes on to the cells before, elsewhere to o

Why it is fast: NumPy computes with whole contiguous blocks five times as fast as with every second pixel, and the convolution
before the pooling may just as well write its pixels in this order; the delta is routed without a branch, a mask, a
multiplication or a scattered write: δ >> lost_o shifts its bits by as many places as the bits of lost_o say, read as a whole
number. That is 0, or for a negative number far more than there are places, so that 0 is left. Every result takes the place of
an operand that nobody needs any more, m_o that of x_o, lost_o that of m_{o−1}, and the deltas at last those of their cells.

Where maps lie as (H, N, W, C), the cells are (H', kh, kw, N, W', C), since there the convolution before writes whole rows.

The bias and the ReLU of the convolution before the pooling may come after it, on a quarter of the numbers: max(relu(x + b)) =
relu(max(x) + b), since both are monotone; the delta that the ReLU stops would have stopped before the winner as well.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np

from engine.layer import Array, Layer
from engine.layers.pool import AvgPool2D, MaxPool2D, Pool2D
from engine.memory import aligned_zeros
from engine.plans.boundary import Boundary, clear_uncovered, in_windows
from engine.plans.calls import BLOCK, Call, Form, Scratch, bias_and_relu, bind, bits_of
from engine.spec import Placed


def serves(layer: Layer, placed: Placed) -> bool:
    """Windows that stand side by side inside the map."""
    if not isinstance(layer, MaxPool2D | AvgPool2D) or layer.kernel_size != layer.stride or any(layer.window(placed.x).padding):
        return False
    return all(places * k <= cells for places, k, cells in zip(placed.y[1:], layer.kernel_size, placed.x[1:], strict=True))


class Maximum:
    """y = max over the windows of maps whose values are written to `cells` or, in the order of the map, to `grid`.

    With `side_by_side` the cells of a window's row lie next to each other, row of the map by row.
    """

    def __init__(self, place: Placed, y: Boundary, scratch: Scratch, *, side_by_side: bool = False) -> None:
        layer = place.node.layer
        assert isinstance(layer, MaxPool2D)
        self.window = layer.kernel_size
        self._y, self._scratch = y, scratch
        first, *others = y.ordered(y.y).shape
        (kh, kw), dtype = self.window, y.y.dtype
        # What no backward pass asks for lasts only until the next form runs.
        passing = not y.has_delta and kh * kw * y.y.size <= BLOCK
        make = scratch.take if passing else partial(aligned_zeros, dtype=dtype)
        if not y.rows:
            ordered = make((first, kh, kw, *others)).transpose(2, 1, 0, 3, 4, 5)
        elif side_by_side and y.vectors:
            ordered = make((kh, kw, first, *others)).swapaxes(0, 1)
        elif side_by_side:
            ordered = make((kh, first, kw, *others)).transpose(2, 0, 1, 3, 4, 5)
        else:
            ordered = make((kw, kh, first, *others))
        self.cells = y.as_maps(ordered)
        self.grid = self.cells.transpose(2, 1, 3, 0, 4, 5)

    def blocks(self) -> list[slice]:
        """The rows of y in blocks."""
        height, rows = max(1, BLOCK // self.cells[:, :, 0].size), len(self._y.y)
        return [slice(i, min(i + height, rows)) for i in range(0, rows, height)]

    def forward(self, rows: slice) -> list[Call]:
        """The calls that make rows of y; where y has a delta, they leave in the cells who has lost."""
        cells, out = self._y.ordered(self.cells[:, :, rows]), self._y.ordered(self._y.y[rows])
        across, down = list(cells), list(cells[-1])
        return first_maximum(across, across[-1], self._y.has_delta) + first_maximum(down, out, self._y.has_delta)

    def backward(self, inside: Array | None = None) -> list[Call]:
        """The calls that leave in the cells their deltas, and copy them to the same windows elsewhere, if wanted."""
        calls: list[Call] = []
        for rows in self.blocks():
            cells = self._y.ordered(self.cells[:, :, rows])
            across, down = list(cells), list(cells[-1])
            calls += to_first_maximum(self._y.ordered(self._y.dy[rows]), down) + to_first_maximum(across[-1], across)
            calls += [] if inside is None else [bind(np.copyto, inside[rows], self.grid[rows])]
        return calls


class MaxPoolForm(Form):
    """y = max over the window, perhaps with a ReLU, where no convolution comes right before."""

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, scratch: Scratch) -> None:
        super().__init__()
        maximum = Maximum(placed, y, scratch)
        self.forward = [bind(np.copyto, maximum.grid, in_windows(x.y, maximum.window))]
        for rows in maximum.blocks():
            self.forward += maximum.forward(rows) + bias_and_relu(y.ordered(y.y[rows]), None, y.gated, scratch)
        if x.has_delta:
            self.backward = maximum.backward() + x.land(maximum.grid, lambda maps: in_windows(maps, maximum.window))
            self.backward += clear_uncovered(x.dy, maximum.window)


def first_maximum(cells: list[Array], out: Array, kept: bool) -> list[Call]:
    """out = the largest of the cells; if `kept`, each cell but the last becomes what those so far have lost by to the next."""
    calls: list[Call] = []
    largest = cells[0]
    for cell in cells[1:]:
        larger = out if cell is cells[-1] else cell
        calls.append(bind(np.maximum, largest, cell, out=larger))
        calls += [bind(np.subtract, largest, larger, out=largest)] if kept else []
        largest = larger
    return calls if len(cells) > 1 or out is largest else [bind(np.copyto, out, largest)]


def to_first_maximum(delta: Array, cells: list[Array]) -> list[Call]:
    """Each cell becomes the delta where it was the first maximum, otherwise 0."""
    places = [bits_of(cell) for cell in cells]
    left = bits_of(delta)
    calls: list[Call] = []
    for before, place in reversed(list(pairwise(places))):
        calls += [bind(np.right_shift, left, before, out=before), bind(np.bitwise_xor, left, before, out=place)]
        left = before
    return calls if len(cells) > 1 or delta is cells[0] else [bind(np.copyto, cells[0], delta)]


class AvgPoolForm(Form):
    """y = the mean over the window; every cell gets the same share of the delta."""

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, scratch: Scratch) -> None:
        super().__init__()
        layer = placed.node.layer
        assert isinstance(layer, Pool2D)
        kh, kw = layer.kernel_size
        x_grid = in_windows(x.y, (kh, kw))
        places = [(u, v) for u in range(kh) for v in range(kw)]
        first, *others = (x_grid[:, u, :, v] for u, v in places)
        self.forward = [bind(np.add, first, others[0], out=y.y) if others else bind(np.copyto, y.y, first)]
        self.forward += [bind(np.add, y.y, cell, out=y.y) for cell in others[1:]]
        self.forward += [bind(np.multiply, y.y, 1 / len(places), out=y.y), *bias_and_relu(y.ordered(y.y), None, y.gated, scratch)]
        if x.has_delta:
            share = y.dy[:, None, :, None]
            self.backward = [bind(np.multiply, y.dy, 1 / len(places), out=y.dy)]
            self.backward += x.land(np.broadcast_to(share, x_grid.shape), lambda maps: in_windows(maps, (kh, kw)))
            self.backward += clear_uncovered(x.dy, (kh, kw))
