"""Pooling as plain loops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.layer import Array, Context, Shape
from engine.layers.pool import AvgPool2D, GlobalAvgPool, MaxPool2D, Pool2D
from engine.reference.dispatch import Gradients, Named, backward, empty_output, forward


def pool_cells(layer: Pool2D, x: Array, i: int, j: int) -> Iterator[tuple[int, int]]:
    """(row, column) of the input cells in window i, j, row by row; the padding is left out."""
    _, _, height, width = x.shape
    top, _, left, _ = layer.window(Shape(x.shape[1:])).padding
    for u in range(layer.kernel_size[0]):
        for v in range(layer.kernel_size[1]):
            row, column = i * layer.stride[0] + u - top, j * layer.stride[1] + v - left
            if 0 <= row < height and 0 <= column < width:
                yield row, column


def pool_count(layer: AvgPool2D, x: Array, i: int, j: int) -> int:
    """How many cells the mean of window i, j counts: with `count_padding` those of the padding too."""
    if not layer.count_padding:
        return len(list(pool_cells(layer, x, i, j)))
    _, _, height, width = x.shape
    top, bottom, left, right = layer.window(Shape(x.shape[1:])).padding
    count = 0
    for u in range(layer.kernel_size[0]):
        for v in range(layer.kernel_size[1]):
            inside_rows = i * layer.stride[0] + u < top + height + bottom
            inside_columns = j * layer.stride[1] + v < left + width + right
            count += inside_rows and inside_columns
    return count


def winner(layer: MaxPool2D, x: Array, n: int, c: int, i: int, j: int) -> tuple[int, int]:
    """(row, column) of the largest number in a window; of equal ones the first."""
    best: tuple[int, int] | None = None
    for row, column in pool_cells(layer, x, i, j):
        if best is None or x[n, c, row, column] > x[n, c, best[0], best[1]]:
            best = row, column
    assert best is not None, "a window reads at least one cell"
    return best


@forward.register
def max_pool_forward(layer: MaxPool2D, x: Array, p: Named, ctx: Context) -> Array:
    """y[n, c, i, j] = the winner's number."""
    y = empty_output(layer, x)
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = x[n, c, *winner(layer, x, n, c, i, j)]
    return y


@backward.register
def max_pool_backward(layer: MaxPool2D, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """The whole δ goes to the winner."""
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        dx[n, c, *winner(layer, x, n, c, i, j)] += dy[n, c, i, j]
    return dx, {}


@forward.register
def avg_pool_forward(layer: AvgPool2D, x: Array, p: Named, ctx: Context) -> Array:
    """y[n, c, i, j] = Σ x / count."""
    y = empty_output(layer, x)
    for n, c, i, j in np.ndindex(y.shape):
        total = 0.0
        for row, column in pool_cells(layer, x, i, j):
            total += x[n, c, row, column]
        y[n, c, i, j] = total / pool_count(layer, x, i, j)
    return y


@backward.register
def avg_pool_backward(layer: AvgPool2D, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """Every cell of a window gets the same share of δ."""
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        for row, column in pool_cells(layer, x, i, j):
            dx[n, c, row, column] += dy[n, c, i, j] / pool_count(layer, x, i, j)
    return dx, {}


@forward.register
def global_forward(layer: GlobalAvgPool, x: Array, p: Named, ctx: Context) -> Array:
    """y[n, c] = Σ x / (H·W)."""
    y = empty_output(layer, x)
    _, _, height, width = x.shape
    for n, c, i, j in np.ndindex(x.shape):
        y[n, c] += x[n, c, i, j] / (height * width)
    return y


@backward.register
def global_backward(layer: GlobalAvgPool, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """Every cell of a map gets the same share of δ."""
    dx = np.zeros_like(x)
    _, _, height, width = x.shape
    for n, c, i, j in np.ndindex(x.shape):
        dx[n, c, i, j] = dy[n, c] / (height * width)
    return dx, {}
