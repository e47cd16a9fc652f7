"""Pooling with the images innermost, for windows that stand side by side.

Max pooling goes along one axis at a time: the first maximum of each row of the window, then the first row with the largest one,
is the first maximum in row-major order. Along an axis, cell by cell:

    won_o = x_o > y   (strictly, so that the first maximum wins)          y = max(y, x_o)

    backward, from the last cell to the first:   the delta goes to o where won_o, and what is left goes on to the cells before

Why it is fast: every operation runs over long contiguous runs; won_o is the sign of y − x_o, spread over all bits of the number,
so that the delta is routed by `and` and `xor` without a branch, a multiplication or a scattered write; won_o is kept in the place
of x_o, which nobody needs any more, and the delta later takes the same place.

The bias and the ReLU of the convolution before the pooling may come after it, on a quarter of the numbers: max(relu(x + b)) =
relu(max(x) + b), since both are monotone; the delta that the ReLU stops would have stopped before the winner as well.
"""

from __future__ import annotations

import numpy as np

from engine.layer import Array, Layer
from engine.layers.pool import AvgPool2D, MaxPool2D, Pool2D
from engine.memory import aligned_zeros
from engine.plans.boundary import Boundary
from engine.plans.calls import BLOCK, Call, Scratch, bias_and_relu, bind, bits_of, sign_over_all_bits
from engine.plans.forms import BiasGradient, Form, Named
from engine.spec import Placed


def serves(layer: Layer, placed: Placed) -> bool:
    """Windows that stand side by side inside the map."""
    if not isinstance(layer, MaxPool2D | AvgPool2D) or layer.kernel_size != layer.stride or any(layer.window(placed.x).padding):
        return False
    return all(places * k <= cells for places, k, cells in zip(placed.y[1:], layer.kernel_size, placed.x[1:], strict=True))


class MaxPoolForm(Form):
    """y = max over the window, then perhaps the bias of the convolution before it and a ReLU.

    With `in_place` the values of x are used up; otherwise the form works on a copy.
    """

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, scratch: Scratch, *, in_place: bool,
                 bias: tuple[Named, Named] | None = None) -> None:
        super().__init__()
        layer = placed.node.layer
        assert isinstance(layer, Pool2D)
        kh, kw = layer.kernel_size
        _, oh, ow = placed.y
        _, _, c, n = y.y.shape
        cells = x.y if in_place else aligned_zeros(x.y.shape, x.y.dtype)
        self.forward = [] if in_place else [bind(np.copyto, cells, x.y)]
        wide_bias: Array | None = None
        if bias is not None and "b" in bias[0]:
            wide_bias = aligned_zeros((c, n), cells.dtype)
            self.forward.append(bind(np.copyto, wide_bias, bias[0]["b"][:, None]))
            if y.has_delta:
                self.backward += BiasGradient(y.dy, bias[1]["b"]).calls
        height = max(1, BLOCK // (kh * ow * c * n))
        for i in range(0, oh, height):
            rows = slice(i, min(i + height, oh))
            of_rows = [cells[rows.start * kh:rows.stop * kh, v:ow * kw:kw] for v in range(kw)]
            of_columns = [of_rows[0][u::kh] for u in range(kh)]
            out = y.y[rows]
            mark = scratch.mark()
            difference = scratch.take(of_rows[0].shape) if y.has_delta else None
            self.forward += first_maximum(of_rows, of_rows[0], difference)
            self.forward += first_maximum(of_columns, out, None if difference is None else difference[:len(out)])
            self.forward += bias_and_relu(out, wide_bias, y.gated, scratch)
            scratch.release(mark)
            if x.has_delta:
                self.backward += to_first_maximum(y.dy[rows], of_columns) + to_first_maximum(of_rows[0], of_rows)
        if x.has_delta:
            self.backward += clear_uncovered(cells, oh * kh, ow * kw) + ([] if cells is x.dy else x.land(cells))


def first_maximum(cells: list[Array], out: Array, difference: Array | None) -> list[Call]:
    """out = the largest of the cells; with `difference` to work in, each cell but the first becomes the mask "has won so far"."""
    calls: list[Call] = []
    largest = cells[0]
    for cell in cells[1:]:
        if difference is not None:
            calls += [bind(np.subtract, largest, cell, out=difference), bind(np.maximum, largest, cell, out=out),
                      sign_over_all_bits(difference, out=cell)]
        else:
            calls.append(bind(np.maximum, largest, cell, out=out))
        largest = out
    return calls if len(cells) > 1 or out is largest else [bind(np.copyto, out, largest)]


def to_first_maximum(delta: Array, cells: list[Array]) -> list[Call]:
    """Each cell becomes the delta where it was the first maximum, otherwise 0."""
    first, *others = (bits_of(cell) for cell in cells)
    left = bits_of(delta)
    calls: list[Call] = []
    for cell in reversed(others):
        calls += [bind(np.bitwise_and, cell, left, out=cell), bind(np.bitwise_xor, left, cell, out=first)]
        left = first
    return calls if others or delta is cells[0] else [bind(np.copyto, cells[0], delta)]


def clear_uncovered(cells: Array, height: int, width: int) -> list[Call]:
    """Rows and columns at the end that no window reads get no delta."""
    rest = (cells[height:], cells[:height, width:])
    return [bind(part.fill, 0) for part in rest if part.size]


class AvgPoolForm(Form):
    """y = the mean over the window; every cell gets the same share of the delta."""

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, scratch: Scratch) -> None:
        super().__init__()
        layer = placed.node.layer
        assert isinstance(layer, Pool2D)
        kh, kw = layer.kernel_size
        _, oh, ow = placed.y
        places = [np.s_[u:oh * kh:kh, v:ow * kw:kw] for u in range(kh) for v in range(kw)]
        first, *others = (x.y[place] for place in places)
        self.forward = [bind(np.add, first, others[0], out=y.y) if others else bind(np.copyto, y.y, first)]
        self.forward += [bind(np.add, y.y, cell, out=y.y) for cell in others[1:]]
        self.forward += [bind(np.multiply, y.y, 1 / len(places), out=y.y), *bias_and_relu(y.y, None, y.gated, scratch)]
        if x.has_delta:
            self.backward = [bind(np.multiply, y.dy, 1 / len(places), out=y.dy)]
            self.backward += [call for place in places for call in x.land(y.dy, place)]
            self.backward += clear_uncovered(x.dy, oh * kh, ow * kw)
