"""Winner marks against a plain loop over windows, with padding, overlap and ties."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from cnnstudio.panels.pooling import PoolingLink, cells_reading, window_cells, winner_marks
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.map_view import MapView
from engine.layer import Context, Shape, Workspace
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D, MaxPool2D, Pool2D
from engine.spec import NetworkSpec, Placed


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [((2, 2), (2, 2), (0, 0, 0, 0)), ((3, 2), (1, 2), (1, 0, 1, 0)), ((3, 3), (2, 2), (1, 1, 1, 1))],
)
def test_marks_are_the_first_maxima_of_the_windows(
    kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int, int, int]
) -> None:
    layer = MaxPool2D(kernel_size=kernel, stride=stride, padding=padding)
    x = np.random.default_rng(3).integers(0, 5, (2, 7, 8)).astype(np.float32)
    shape = Shape(x.shape)
    y_shape = layer.output_shape(shape)
    dtypes = {"float": np.float32}
    ws = Workspace(
        {name: np.zeros(b.shape, dtypes.get(b.dtype, b.dtype)) for name, b in layer.workspace(shape, 1).items()}
    )
    layer.forward(x[None], np.zeros((1, *y_shape), np.float32), {}, ws, Context())
    window = layer.window(shape)
    expected = np.zeros(x.shape, bool)
    for c in range(2):
        for i in range(y_shape[1]):
            for j in range(y_shape[2]):
                rows, columns = window_cells(window, i, j)
                cells = [(r, q) for r in rows for q in columns if 0 <= r < 7 and 0 <= q < 8]
                best = max(x[c, r, q] for r, q in cells)
                expected[c][next((r, q) for r, q in cells if x[c, r, q] == best)] = True
    np.testing.assert_array_equal(winner_marks(ws["winner"][0], window, shape), expected)


def placed(layer: Pool2D, shape: tuple[int, int, int]) -> Placed:
    """A pooling layer behind an Input block."""
    return NetworkSpec.of([Input(*shape), layer]).placed()[1]


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [((2, 2), (2, 2), (0, 0, 0, 0)), ((3, 2), (1, 2), (1, 0, 1, 0)), ((2, 1), (3, 3), (0, 0, 0, 0)),
     ((3, 3), (2, 2), (1, 1, 1, 1))],
)
def test_the_cells_that_read_an_input_cell_are_those_whose_window_holds_it(
    kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int, int, int]
) -> None:
    pool = placed(AvgPool2D(kernel_size=kernel, stride=stride, padding=padding), (1, 7, 8))
    window = pool.node.layer.window(pool.x)
    assert window is not None
    for r, q in np.ndindex(7, 8):
        readers = [place for place in np.ndindex(*pool.y[1:]) if all(
            at in cells for at, cells in zip((r, q), window_cells(window, *place), strict=True))]  # fmt: skip
        rows, columns = cells_reading(pool, r, q)
        assert [(i, j) for i in rows for j in columns] == readers


@pytest.fixture
def said(qtbot: QtBot) -> Callable[[Pool2D, NDArray[np.generic] | None, Cell], tuple[str, int, int]]:
    """What a link says of an input cell of a pooling over 1×6×6, and how many outlines it draws in (input, output)."""
    parent, source, result = QObject(), MapView(), MapView()
    qtbot.addWidget(source)
    qtbot.addWidget(result)

    def point(layer: Pool2D, winner: NDArray[np.generic] | None, cell: Cell) -> tuple[str, int, int]:
        pool = placed(layer, (1, 6, 6))
        link, words = PoolingLink(source, result, parent), []
        link.said.connect(words.append)
        result.set_maps(np.zeros(tuple(pool.y), np.float32))
        link.tie(pool, winner)
        source.hovered.emit(cell)
        return words[-1], len(source._highlights), len(result._highlights)

    return point


def test_a_cell_between_the_windows_has_none(said: Callable[..., tuple[str, int, int]]) -> None:
    layer = AvgPool2D(kernel_size=(2, 2), stride=(3, 3))
    assert said(layer, None, Cell(0, 2, 0, 0.0)) == ("no window reads this cell", 0, 0)
    assert said(layer, None, Cell(0, 1, 3, 0.0)) == ("4 cells, each weighs 1/4: 0", 1, 1)


def test_of_overlapping_windows_all_that_read_a_cell_are_outlined_and_those_it_wins_are_counted(
    said: Callable[..., tuple[str, int, int]]
) -> None:
    winner = np.array([[[2 * 3 + 2, 1 * 3 + 0], [1, 0]]])  # the first and the last window are won by row 2, column 2
    layer = MaxPool2D(kernel_size=(3, 3), stride=(2, 2))
    assert said(layer, winner, Cell(0, 2, 2, 0.0)) == ("4 windows read this cell; it wins 2", 4, 1)
    mean = AvgPool2D(kernel_size=(3, 3), stride=(2, 2))
    assert said(mean, None, Cell(0, 2, 2, 0.0)) == ("4 windows read this cell", 4, 1)
