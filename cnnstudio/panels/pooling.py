"""Pooling seen from both sides: which cells of the input each window reads, what goes on, and where the gradient flows back."""

from __future__ import annotations

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


def average_weights(layer: AvgPool2D, x: Shape) -> NDArray[np.float32]:
    """With which weight each cell of an input map (H, W) enters the output: the sum of 1/m over the windows that read it."""
    weights, window = np.zeros(x[1:], np.float32), layer.window(x)
    for (i, j), count in np.ndenumerate(layer.counts(x)):
        rows, columns = window_cells(window, i, j)
        weights[max(rows.start, 0) : rows.stop, max(columns.start, 0) : columns.stop] += np.float32(1 / count)
    return weights


class PoolingLink(QObject):
    """Ties the maps that a pooling reads to those that it makes: the cell pointed at in one is outlined in both, and told."""

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
        """Tie by a pooling layer; `backward` when the maps are deltas. None ties nothing."""
        if pool is None and self._pool is not None:
            self._clear()
        self._pool, self._winner, self._backward = pool, winner, backward

    @Slot(object)
    def _point_at_source(self, cell: Cell | None) -> None:
        self._point_at(cell, in_source=True)

    @Slot(object)
    def _point_at_result(self, cell: Cell | None) -> None:
        self._point_at(cell, in_source=False)

    def _point_at(self, cell: Cell | None, *, in_source: bool) -> None:
        """Outline the window of an output cell, or the first window that reads an input cell."""
        pool = self._pool
        if pool is None or cell is None:
            self._clear()
            return
        window = pool.node.layer.window(pool.x)
        assert window is not None
        row, column = cell.row, cell.col
        if in_source:
            top, _, left, _ = window.padding
            row, column = (row + top) // window.stride[0], (column + left) // window.stride[1]
        self._outline(window, cell.map, min(row, pool.y[1] - 1), min(column, pool.y[2] - 1))

    def _clear(self) -> None:
        if self._pool is not None:
            self._source.clear_highlight()
            self._result.clear_highlight()
            self.said.emit("")

    def _outline(self, window: Window, map: int, row: int, column: int) -> None:
        rows, columns = window_cells(window, row, column)
        self._source.highlight(map, rows, columns)
        self._result.highlight(map, range(row, row + 1), range(column, column + 1))
        self.said.emit(self._words(window, map, row, column))

    def _words(self, window: Window, map: int, row: int, column: int) -> str:
        """What goes through this window, in numbers."""
        assert self._pool is not None
        made, layer = self._result.maps, self._pool.node.layer
        if made is None or made.shape != tuple(self._pool.y):
            return ""
        value = format_value(float(made[map, row, column]), 3)
        if isinstance(layer, AvgPool2D):
            count = int(layer.counts(self._pool.x)[row, column])
            text = self.tr("δ = {value} is shared out: 1/{count} of it to each cell") if self._backward else self.tr(
                "{count} cells, each weighs 1/{count}: {value}")  # fmt: skip
            return text.format(value=value, count=count)
        if self._winner is None or self._winner.shape != tuple(self._pool.y):
            return ""
        u, v = divmod(int(self._winner[map, row, column]), window.kernel[1])
        rows, columns = window_cells(window, row, column)
        text = self.tr("δ = {value} flows to row {row}, column {column} alone") if self._backward else self.tr(
            "{value} goes on, from row {row}, column {column}")  # fmt: skip
        return text.format(value=value, row=rows[u], column=columns[v])
