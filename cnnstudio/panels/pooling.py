"""Pooling seen from both sides: which cells of the input each window reads, what goes on, and where the gradient flows back."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.numbers import format_value
from engine.layer import Array, Shape, Window
from engine.layers.pool import AvgPool2D
from engine.spec import Placed

POOLS = ("max_pool", "avg_pool")


def winner_marks(winner: NDArray[np.generic], window: Window, x: Shape) -> NDArray[np.bool_]:
    """Cells of the input maps (C, H, W) that won at least one window.

    `winner` (C, H', W') holds u·kw + v, the place inside each window; winners in the padding (a window of
    padding alone) are left out.
    """
    channels, height, width = x
    _, rows, columns = winner.shape
    top, _, left, _ = window.padding
    u, v = np.divmod(winner.astype(np.int64), window.kernel[1])
    row = np.arange(rows)[None, :, None] * window.stride[0] + u - top
    column = np.arange(columns)[None, None, :] * window.stride[1] + v - left
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    marks = np.zeros((channels, height, width), np.bool_)
    of_map = np.broadcast_to(np.arange(channels)[:, None, None], winner.shape)
    marks[of_map[inside], row[inside], column[inside]] = True
    return marks


def window_cells(window: Window, row: int, column: int) -> tuple[range, range]:
    """The rows and columns of the input that the output cell (row, column) reads; may reach into the padding."""
    top, _, left, _ = window.padding
    first_row, first_column = row * window.stride[0] - top, column * window.stride[1] - left
    return range(first_row, first_row + window.kernel[0]), range(first_column, first_column + window.kernel[1])


def cells_reading(pool: Placed, row: int, column: int) -> tuple[range, range]:
    """The rows and columns of the output whose windows read the input cell (row, column); empty where it lies between them."""
    window = pool.node.layer.window(pool.x)
    assert window is not None
    top, _, left, _ = window.padding
    rows, columns = (
        range(max(-(-(at - kernel + 1) // stride), 0), min(at // stride + 1, count))
        for at, kernel, stride, count in zip((row + top, column + left), window.kernel, window.stride, pool.y[1:], strict=True)
    )
    return rows, columns


def average_weights(layer: AvgPool2D, x: Shape) -> NDArray[np.float32]:
    """With which weight each cell of an input map (H, W) enters the output: the sum of 1/m over the windows that read it."""
    weights, window = np.zeros(x[1:], np.float32), layer.window(x)
    for (i, j), count in np.ndenumerate(layer.counts(x)):
        rows, columns = window_cells(window, i, j)
        weights[max(rows.start, 0) : rows.stop, max(columns.start, 0) : columns.stop] += np.float32(1 / count)
    return weights


class PoolingLink(QObject):
    """Ties the maps that a pooling reads to those that it makes: pointing at a cell of either outlines cells in both.

    To an output cell belongs its window, to an input cell every window that reads it; in words, too.
    """

    said = Signal(str)
    """What becomes of the window that is pointed at; empty when none is."""

    def __init__(self, source: MapView, result: MapView, parent: QObject) -> None:
        super().__init__(parent)
        self._source, self._result = source, result
        self._pool: Placed | None = None
        self._winner: Array | None = None
        self._backward = False
        source.hovered.connect(self._point_at_source)
        result.hovered.connect(self._point_at_result)

    def tie(self, pool: Placed | None, winner: Array | None = None, *, backward: bool = False) -> None:
        """Tie by a pooling layer, `winner` being those of the maps on display; `backward` when the maps are deltas. None ties
        nothing.
        """
        if pool is None and self._pool is not None:
            self._clear()
        self._pool, self._winner, self._backward = pool, winner, backward

    @Slot(object)
    def _point_at_source(self, cell: Cell | None) -> None:
        if self._pool is None or cell is None:
            self._clear()
            return
        rows, columns = cells_reading(self._pool, cell.row, cell.col)
        self._outline(self._pool, cell.map, rows, columns)
        if len(rows) * len(columns) == 1:
            self.said.emit(self._about_window(self._pool, cell.map, rows.start, columns.start))
        else:
            self.said.emit(self._about_cell(self._pool, cell, rows, columns))

    @Slot(object)
    def _point_at_result(self, cell: Cell | None) -> None:
        if self._pool is None or cell is None:
            self._clear()
            return
        self._outline(self._pool, cell.map, range(cell.row, cell.row + 1), range(cell.col, cell.col + 1))
        self.said.emit(self._about_window(self._pool, cell.map, cell.row, cell.col))

    def _clear(self) -> None:
        if self._pool is not None:
            self._source.clear_highlight()
            self._result.clear_highlight()
            self.said.emit("")

    def _outline(self, pool: Placed, map: int, rows: range, columns: range) -> None:
        """Outline a block of output cells, and the window of each."""
        self._source.clear_highlight()
        self._result.clear_highlight()
        if not rows or not columns:
            return
        window = pool.node.layer.window(pool.x)
        assert window is not None
        self._result.highlight(map, rows, columns)
        for row, column in product(rows, columns):
            self._source.highlight(map, *window_cells(window, row, column), add=True)

    def _about_window(self, pool: Placed, map: int, row: int, column: int) -> str:
        """What goes through the window of an output cell, in numbers."""
        made, layer = self._result.maps, pool.node.layer
        window = layer.window(pool.x)
        if made is None or made.shape[1:] != tuple(pool.y[1:]) or window is None:
            return ""
        value = format_value(float(made[map, row, column]), 3)
        if isinstance(layer, AvgPool2D):
            count = int(layer.counts(pool.x)[row, column])
            text = self.tr("δ = {value}: 1/{count} of it to each cell") if self._backward else self.tr(
                "{count} cells, each weighs 1/{count}: {value}")  # fmt: skip
            return text.format(value=value, count=count)
        if self._winner is None or self._winner.shape != made.shape:
            return ""
        at_row, at_column = self._winning_cell(window, map, row, column)
        text = self.tr("δ = {value} goes to row {row}, column {column}") if self._backward else self.tr(
            "{value} goes on, from row {row}, column {column}")  # fmt: skip
        return text.format(value=value, row=at_row, column=at_column)

    def _about_cell(self, pool: Placed, cell: Cell, rows: range, columns: range) -> str:
        """How many windows read an input cell, none or several, and how many of them it wins."""
        count, window = len(rows) * len(columns), pool.node.layer.window(pool.x)
        if not count:
            return self.tr("no window reads this cell")
        if self._winner is None or window is None or cell.map >= len(self._winner):
            return self.tr("{count} windows read this cell").format(count=count)
        winners = [self._winning_cell(window, cell.map, *place) for place in product(rows, columns)]
        wins = winners.count((cell.row, cell.col))
        return self.tr("{count} windows read this cell; it wins {wins}").format(count=count, wins=wins)

    def _winning_cell(self, window: Window, map: int, row: int, column: int) -> tuple[int, int]:
        """Row and column of the input cell that wins a window."""
        assert self._winner is not None
        rows, columns = window_cells(window, row, column)
        u, v = divmod(int(self._winner[map, row, column]), window.kernel[1])
        return rows[u], columns[v]
