"""Where the winners of a max pooling lie in its input: the picture behind "only this number goes on"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.layer import Shape, Window


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
