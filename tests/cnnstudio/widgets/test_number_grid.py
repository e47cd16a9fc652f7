"""A matrix of numbers: what it shows, who is pointed at, and what can be typed."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

from cnnstudio.theme import apply_theme
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.cell_editor import CellEditor
from cnnstudio.widgets.colormaps import invert
from cnnstudio.widgets.number_grid import NumberGrid
from cnnstudio.widgets.numbers import parse_number


@pytest.fixture
def grid(qtbot) -> NumberGrid:
    widget = NumberGrid()
    qtbot.addWidget(widget)
    widget.set_values(np.array([[1.0, -2.0, 3.0], [0.25, 0.0, -0.5]]), kind="weight")
    widget.resize(widget.sizeHint())
    widget.show()
    return widget


@pytest.fixture
def typed(grid, qtbot) -> NumberGrid:
    grid.editable = True
    grid.activateWindow()
    grid.setFocus()
    qtbot.waitUntil(grid.hasFocus)
    return grid


def editor_of(grid: NumberGrid) -> CellEditor:
    (editor,) = [e for e in grid.findChildren(CellEditor) if e.isVisible()]
    return editor


def test_the_texts_are_the_numbers(grid):
    for (row, col), value in np.ndenumerate(grid.values):
        assert parse_number(grid.text(row, col)) == value
    assert grid.text(0, 1) == "−2.00"


def test_the_grounds_are_the_numbers(grid):
    shown = grid.grab().toImage()
    for (row, col), value in np.ndenumerate(grid.values):
        corner = grid.cell_rect(row, col).topLeft()
        color = shown.pixelColor(corner.x() + 3, corner.y() + 3)
        rgb = np.array([[color.red(), color.green(), color.blue()]], np.uint8)
        assert invert(rgb, "diverging", -3.0, 3.0)[0] == pytest.approx(value, abs=6 / 256)


def test_whole_numbers_need_no_decimals(grid):
    grid.set_values(np.array([[1, 0], [0, 12]]))
    assert [grid.text(0, 0), grid.text(1, 1)] == ["1", "12"]


@pytest.mark.parametrize("values", [np.array([[np.nan, np.inf]]), np.zeros((0, 0)), np.zeros((3, 0))])
def test_strange_matrices_are_drawn(grid, values):
    grid.set_values(values, kind="activation")
    grid.grab()


def test_a_vector_is_refused(grid):
    with pytest.raises(ValueError, match="must be"):
        grid.set_values(np.zeros(3))


def test_pointer_and_click_name_the_cell(grid, qtbot):
    at = grid.cell_rect(1, 2).center()
    with qtbot.waitSignal(grid.hovered) as hovered:
        qtbot.mouseMove(grid, at)
    with qtbot.waitSignal(grid.cell_clicked) as clicked:
        qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=at)
    with qtbot.waitSignal(grid.cell_activated) as activated:
        qtbot.mouseDClick(grid, Qt.MouseButton.LeftButton, pos=at)
    assert hovered.args == clicked.args == activated.args == [Cell(0, 1, 2, -0.5)]
    assert grid.cell_at(QPointF(grid.width() + 10, 5)) is None


def test_cells_shrink_with_the_widget(grid):
    natural = grid.cell_rect(0, 0).width()
    grid.resize(natural * 2, grid.height())
    assert grid.cell_rect(0, 2).right() <= grid.width()
    grid.resize(natural * 30, grid.height())
    assert grid.cell_rect(0, 0).width() == natural


def test_a_typed_number_is_shown_and_told(typed, qtbot):
    qtbot.keyClick(typed, Qt.Key.Key_Right)
    qtbot.keyClick(typed, "7")
    qtbot.keyClicks(editor_of(typed), ".5")
    with qtbot.waitSignal(typed.value_edited) as told:
        qtbot.keyClick(editor_of(typed), Qt.Key.Key_Return)
    row, col, value = told.args
    assert value == 7.5 == typed.values[row, col]
    assert typed.text(row, col) == "7.50"


def test_tab_moves_on_and_back_through_the_cells(typed, qtbot):
    typed.edit(0, 2, "4")
    qtbot.keyClick(editor_of(typed), Qt.Key.Key_Tab)
    assert editor_of(typed).text() == "0.25"  # the first cell of the next row
    qtbot.keyClick(editor_of(typed), Qt.Key.Key_Backtab)
    assert editor_of(typed).text() == "4"
    qtbot.keyClick(editor_of(typed), Qt.Key.Key_Escape)
    assert typed.values[0].tolist() == [1.0, -2.0, 4.0]


def test_escape_gives_up(typed, qtbot):
    typed.edit(0, 0, "99")
    with qtbot.assertNotEmitted(typed.value_edited):
        qtbot.keyClick(editor_of(typed), Qt.Key.Key_Escape)
    assert typed.values[0, 0] == 1.0
    assert typed.hasFocus()


@pytest.mark.parametrize("text", ["abc", "", "1e999", "--2"])
def test_what_is_no_finite_number_is_not_taken(typed, qtbot, text):
    typed.edit(0, 0, text)
    with qtbot.assertNotEmitted(typed.value_edited):
        qtbot.keyClick(editor_of(typed), Qt.Key.Key_Return)
    assert editor_of(typed).text() == text  # still open, to be corrected
    typed.close_editor()


def test_the_owner_decides_which_numbers_are_allowed(typed, qtbot):
    typed.allowed = lambda value: 0 <= value <= 1
    typed.edit(0, 0, "2")
    qtbot.keyClick(editor_of(typed), Qt.Key.Key_Return)
    editor_of(typed).setText("0.5")
    with qtbot.waitSignal(typed.value_edited) as told:
        qtbot.keyClick(editor_of(typed), Qt.Key.Key_Return)
    assert told.args == [0, 0, 0.5]


def test_a_grid_that_is_not_editable_is_not_typed_into(grid, qtbot):
    qtbot.keyClick(grid, "5")
    assert not grid.findChildren(CellEditor)


def test_winner_and_window_are_drawn(grid):
    plain = grid.grab().toImage()
    grid.set_marks(np.array([[False, False, True], [False] * 3]))
    marked = grid.grab().toImage()
    grid.highlight(range(0, 2), range(0, 2))
    assert plain != marked != grid.grab().toImage()
    grid.clear_highlight()
    grid.set_marks(None)
    assert grid.grab().toImage() == plain


def test_the_matrix_follows_the_theme(grid, qapp: QApplication):
    try:
        before = grid.grab().toImage()
        apply_theme(qapp, "dark")
        assert grid.grab().toImage() != before
    finally:
        apply_theme(qapp, "light")
