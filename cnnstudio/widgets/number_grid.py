"""A matrix of numbers on coloured cells: read, point at, or type into."""

from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from cnnstudio.theme import Theme, current_theme, ink_on, number_font, theme_changed
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.cell_editor import CellEditor
from cnnstudio.widgets.colormaps import Kind, colorize, default_colormap, value_range
from cnnstudio.widgets.csv_text import csv_text
from cnnstudio.widgets.map_overlays import fitted_font, outline
from cnnstudio.widgets.numbers import format_fixed, format_shape, matrix_decimals
from cnnstudio.widgets.picture_menu import picture_menu, pop_up

_PADDING_X, _PADDING_Y, _SMALLEST_CELL, _EDGE = 6, 4, 16, 2


class NumberGrid(QWidget):
    """Numbers (R, C) in cells coloured as in a `MapView`; without `kind` the cells stay plain.

    Cells take their natural size and shrink with the widget. In an editable grid typing, F2, Enter or a
    double click open a cell; Enter accepts, Tab also moves on, Escape gives up; only numbers are taken.
    """

    hovered = Signal(object)
    """`Cell` (map 0) under the pointer or the keyboard's, or None."""
    cell_clicked = Signal(object)
    cell_activated = Signal(object)
    value_edited = Signal(int, int, float)
    """Row, column and the number just typed; the grid already shows it."""

    def __init__(self, parent: QWidget | None = None, *, editable: bool = False, decimals: int | None = None) -> None:
        super().__init__(parent)
        self._values: NDArray[np.float64] = np.zeros((0, 0))
        self._fixed_decimals, self._decimals = decimals, 0
        self._kind: Kind | None = None
        self._bounds: tuple[float, float] | None = None
        self._key: Hashable = None
        self._colors: NDArray[np.uint8] | None = None
        self._texts: list[list[str]] = []
        self._longest = 1
        self._natural = QSize()
        self._laid_out = (0, 0)
        self._pointer: tuple[int, int] | None = None
        self._cursor: tuple[int, int] | None = None
        self._highlight: tuple[range, range] | None = None
        self._marks: NDArray[np.bool_] | None = None
        self._editor: CellEditor | None = None
        self.editable = editable
        self.allowed: Callable[[float], bool] = np.isfinite
        """Which typed numbers are accepted."""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Matrix"))
        theme_changed.connect(self._retheme)

    def set_values(
        self,
        values: NDArray[np.generic],
        *,
        kind: Kind | None = None,
        low: float | None = None,
        high: float | None = None,
        key: Hashable = None,
    ) -> None:
        """Show a matrix (R, C), coloured over [low, high] or its own range; ValueError for another shape.

        A call with the same `key` does nothing. Without fixed decimals the largest number gets three digits.
        """
        if values.ndim != 2:
            raise ValueError(f"a matrix must be (R, C), not {values.shape}")
        if key is not None and key == self._key:
            return
        if values.shape != self._values.shape:
            self._pointer = self._cursor = self._highlight = self._marks = None
            self.close_editor()
        self._values = np.array(values, float)
        self._kind, self._key = kind, key
        self._bounds = (low, high) if low is not None and high is not None else None
        self._restyle()

    def _restyle(self) -> None:
        """Colours, decimals and natural size follow from the values."""
        values = self._values
        self._colors = None
        if self._kind is not None and values.size:
            name = default_colormap(self._kind, dark=current_theme().dark)
            self._colors = colorize(values, name, *(self._bounds or value_range(values, self._kind)))
        self._decimals = matrix_decimals(values) if self._fixed_decimals is None else self._fixed_decimals
        self._texts = [[format_fixed(value, self._decimals) for value in row] for row in values.tolist()]
        self._longest = max((len(text) for row in self._texts for text in row), default=1)
        metrics = QFontMetricsF(number_font(0.95))
        width = max(metrics.horizontalAdvance("0" * self._longest), metrics.height()) + 2 * _PADDING_X
        natural, before = QSize(int(width), int(metrics.height() + 2 * _PADDING_Y)), (self._natural, self._laid_out)
        self._natural, self._laid_out = natural, values.shape
        self.setAccessibleDescription(self.tr("Matrix of {shape} numbers").format(shape=format_shape(values.shape)))
        if before != (natural, values.shape):
            self.updateGeometry()
        self.update()

    @property
    def values(self) -> NDArray[np.float64]:
        """A copy of the numbers shown, with what has been typed."""
        return self._values.copy()

    def text(self, row: int, col: int) -> str:
        """The number as it is written in a cell."""
        return self._texts[row][col]

    def highlight(self, rows: range, cols: range) -> None:
        """Outline a block of cells."""
        self._highlight = (rows, cols)
        self.update()

    def clear_highlight(self) -> None:
        """Take the outline away."""
        self._highlight = None
        self.update()

    def set_marks(self, marks: NDArray[np.bool_] | None) -> None:
        """Ring the cells whose mark (R, C) is true and print them bold: the winner of a pooling window."""
        self._marks = marks
        self.update()

    # --- geometry ---------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """All cells at their natural size."""
        rows, cols = self._values.shape
        return QSize(cols * self._natural.width() + 2 * _EDGE, rows * self._natural.height() + 2 * _EDGE)

    def minimumSizeHint(self) -> QSize:
        """Cells shrink in width only."""
        return QSize(self._values.shape[1] * _SMALLEST_CELL + 2 * _EDGE, self.sizeHint().height())

    def _cell_width(self) -> int:
        cols = max(1, self._values.shape[1])
        return max(_SMALLEST_CELL, min(self._natural.width(), (self.width() - 2 * _EDGE) // cols))

    def cell_rect(self, row: int, col: int) -> QRect:
        """The rectangle of a cell in the widget."""
        width, height = self._cell_width(), self._natural.height()
        return QRect(_EDGE + col * width, _EDGE + row * height, width, height)

    def cell_at(self, point: QPointF) -> Cell | None:
        """The cell at a point of the widget."""
        place = self._hit(point)
        return None if place is None else self._cell(place)

    def _hit(self, point: QPointF) -> tuple[int, int] | None:
        row = int((point.y() - _EDGE) // max(1, self._natural.height()))
        col = int((point.x() - _EDGE) // self._cell_width())
        rows, cols = self._values.shape
        return (row, col) if 0 <= row < rows and 0 <= col < cols else None

    def _cell(self, place: tuple[int, int]) -> Cell:
        return Cell(0, *place, float(self._values[place]))

    # --- painting ---------------------------------------------------------------------------------------

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        self._restyle()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture with its outlines."""
        painter = QPainter(self)
        self._draw_cells(painter, event.rect())
        if self._highlight is not None:
            rows, cols = self._highlight
            box = self.cell_rect(rows.start, cols.start)
            box.setSize(QSize(box.width() * len(cols), box.height() * len(rows)))
            outline(painter, QRectF(box).adjusted(1, 1, -1, -1), current_theme().color("highlight"), 2)
        place = self._place()
        if place is not None:
            box = self.cell_rect(*place)
            outline(painter, QRectF(box).adjusted(1, 1, -1, -1), current_theme().color("accent"), 1.5)

    def _draw_cells(self, painter: QPainter, part: QRect) -> None:
        """Draw the cells in a part of the widget with their numbers, the lines and the marks."""
        theme = current_theme()
        font = fitted_font(self._cell_width() - _PADDING_X, "0" * self._longest)
        bold = number_font(bold=True)
        bold.setPointSizeF(font.pointSizeF())
        colors = None if self._colors is None else self._colors.tolist()
        for row, col in np.ndindex(self._values.shape):
            box = self.cell_rect(row, col)
            if not part.intersects(box):
                continue
            ground = theme.surface
            if colors is not None:
                red, green, blue = colors[row][col]
                ground = f"#{red:02x}{green:02x}{blue:02x}"
            painter.fillRect(box, QColor(ground))
            painter.setPen(QColor(ink_on(ground) if colors is not None else theme.text))
            painter.setFont(bold if self._marked(row, col) else font)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.text(row, col))
        self._draw_lines(painter)
        for row, col in np.ndindex(self._values.shape):
            if self._marked(row, col):
                painter.setPen(QPen(theme.color("text"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self.cell_rect(row, col).adjusted(2, 2, -2, -2))

    def _marked(self, row: int, col: int) -> bool:
        return self._marks is not None and bool(self._marks[row, col])

    def _draw_lines(self, painter: QPainter) -> None:
        rows, cols = self._values.shape
        if not rows or not cols:
            return
        painter.setPen(QPen(current_theme().color("control_border"), 1))
        last = self.cell_rect(rows - 1, cols - 1)
        for row in range(rows + 1):
            y = self.cell_rect(row, 0).top()
            painter.drawLine(_EDGE, y, last.right() + 1, y)
        for col in range(cols + 1):
            x = self.cell_rect(0, col).left()
            painter.drawLine(x, _EDGE, x, last.bottom() + 1)

    # --- copying ----------------------------------------------------------------------------------------

    def picture_size(self) -> QSize:
        """The size of all cells; empty while there are none."""
        rows, cols = self._values.shape
        corner = self.cell_rect(rows, cols).topLeft()
        return QSize(corner.x() + _EDGE, corner.y() + _EDGE) if self._values.size else QSize()

    def paint_picture(self, painter: QPainter) -> None:
        """Draw all cells."""
        self._draw_cells(painter, QRect(QPoint(), self.picture_size()))

    def values_csv(self) -> str:
        """The matrix, a line a row."""
        return csv_text(self._values.tolist())

    def context_menu(self) -> QMenu:
        """The menu with the copy and save actions."""
        return picture_menu(self, self, "matrix")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu."""
        pop_up(self.context_menu(), event.globalPos())

    # --- pointer, keyboard, typing ----------------------------------------------------------------------

    def _place(self) -> tuple[int, int] | None:
        return self._pointer or (self._cursor if self.hasFocus() else None)

    def _moved(self) -> None:
        place = self._place()
        self.hovered.emit(None if place is None else self._cell(place))
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        place = self._hit(event.position())
        if place != self._pointer:
            self._pointer = place
            self._moved()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the pointer."""
        if self._pointer is not None:
            self._pointer = None
            self._moved()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the keyboard cursor here."""
        place = self._hit(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self._cursor = place
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click, if press and release were on the same cell."""
        place = self._hit(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None and place == self._cursor:
            self.cell_clicked.emit(self._cell(place))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the cell: for typing if the grid is editable."""
        place = self._hit(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self._open(place)

    def _open(self, place: tuple[int, int]) -> None:
        if self.editable:
            self.edit(*place)
        else:
            self.cell_activated.emit(self._cell(place))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Coming with the Tab key, the cursor starts at the first cell."""
        if self._cursor is None and self._values.size and event.reason() != Qt.FocusReason.MouseFocusReason:
            self._cursor = (0, 0)
        self._moved()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The cursor shows only while the grid has the keyboard."""
        self._moved()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move; Enter and F2 open; Space clicks; in an editable grid typing begins a new number."""
        rows, cols = self._values.shape
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        key = Qt.Key(event.key())
        if not self._values.size:
            super().keyPressEvent(event)
            return
        row, col = self._cursor or (0, 0)
        if key in steps:
            down, right = steps[key]
            self._cursor = min(max(row + down, 0), rows - 1), min(max(col + right, 0), cols - 1)
            self._pointer = None
            self._moved()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2):
            self._open((row, col))
        elif key == Qt.Key.Key_Space:
            self.cell_clicked.emit(self._cell((row, col)))
        elif self.editable and event.text() and event.text() in "0123456789.+-\u2212":
            self.edit(row, col, event.text())
        else:
            super().keyPressEvent(event)

    def edit(self, row: int, col: int, text: str | None = None) -> None:
        """Open a cell for typing, with its number selected or with `text` already typed."""
        self.close_editor()
        self._cursor = (row, col)
        editor = CellEditor(self, self.cell_rect(row, col), self.allowed)
        editor.finished.connect(self._edited)
        self._editor = editor
        if text is None:
            editor.setText(f"{self._values[row, col]:.6g}")
            editor.selectAll()
        else:
            editor.setText(text)
        editor.show()
        editor.setFocus()

    def close_editor(self) -> None:
        """Give up what is being typed."""
        editor, self._editor = self._editor, None
        if editor is not None:
            editor.dismiss()

    @Slot(object, int)
    def _edited(self, value: float | None, step: int) -> None:
        """Take the typed number, then move on by `step` cells and, if it is not 0, go on typing there."""
        assert self._editor is not None and self._cursor is not None
        by_keyboard = self._editor.hasFocus()
        self.close_editor()
        row, col = self._cursor
        if value is not None and value != self._values[row, col]:
            self._values[row, col] = value
            self._key = None
            self._restyle()
            self.value_edited.emit(row, col, value)
        if by_keyboard:  # otherwise the focus has gone where the user wanted it
            self.setFocus()
        if step:
            flat = (row * self._values.shape[1] + col + step) % self._values.size
            self.edit(*divmod(flat, self._values.shape[1]))
