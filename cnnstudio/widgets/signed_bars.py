"""Numbers of either sign as bars from a line at 0, in the colours of weights, with a second column of text; one row is chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QMenu, QWidget

from cnnstudio.theme import Theme, current_theme, number_font, theme_changed, ui_font
from cnnstudio.widgets.colormaps import sign_colors
from cnnstudio.widgets.csv_text import csv_text
from cnnstudio.widgets.numbers import format_value
from cnnstudio.widgets.picture_menu import picture_menu, pop_up

_PADDING = 2
_WIDEST_NAME = 0.34
_NARROW = 150
"""Pixels of width below which the second column is left out."""


class SignedBars(QAbstractScrollArea):
    """One row a unit: name, bar, value, and what else is to be said of it."""

    row_clicked = Signal(int)
    """The row clicked, or chosen with Up and Down."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._notes: tuple[str, ...] = ()
        self._values: NDArray[np.float64] = np.zeros(0)
        self._chosen = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        theme_changed.connect(self._retheme)
        self._retheme(current_theme())

    def set_values(self, names: Sequence[str], values: NDArray[np.generic], notes: Sequence[str] = (), chosen: int = 0) -> None:
        """Show one row for each name, another number of rows from where the chosen one is in sight; ValueError if values or notes
        are not as many.
        """
        if len(names) != len(values) or (notes and len(notes) != len(names)):
            raise ValueError(f"{len(names)} names, {len(values)} values, {len(notes)} notes")
        state = (tuple(names), tuple(notes), chosen)
        if state == (self._names, self._notes, self._chosen) and np.array_equal(values, self._values):
            return
        resized = len(names) != len(self._names)
        self._names, self._notes, self._chosen = state
        self._values = np.asarray(values, float)
        if resized:
            self._measure()
            self.verticalScrollBar().setValue(chosen * self._row - (self.viewport().height() - self._row) // 2)
        self.viewport().update()

    @property
    def values(self) -> NDArray[np.float64]:
        """What is shown."""
        return self._values

    @property
    def chosen(self) -> int:
        """The row that is marked."""
        return self._chosen

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        self._fonts = (ui_font(0.9), ui_font(0.9, bold=True), number_font(0.9))
        self._measure()

    def _measure(self) -> None:
        self._row = self.fontMetrics().height() + 2 * _PADDING
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, len(self._names) * self._row - self.viewport().height()))
        bar.setPageStep(max(1, self.viewport().height()))
        bar.setSingleStep(self._row)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scroll over what does not fit."""
        super().resizeEvent(event)
        self._measure()

    def sizeHint(self) -> QSize:
        """Ten rows."""
        return QSize(240, self._row * 10)

    def row_rect(self, index: int) -> QRect:
        """The row in the viewport, as scrolled now."""
        return QRect(0, index * self._row - self.verticalScrollBar().value(), self.viewport().width(), self._row)

    def bar_rect(self, index: int) -> QRectF:
        """The bar of a row, from the line at 0 to its value; the longest number fills its side."""
        return self._bar(index, *self._columns()[1:])

    def _bar(self, index: int, zero: float, unit: float) -> QRectF:
        row, end = self.row_rect(index), zero + float(self._values[index]) * unit
        return QRectF(min(zero, end), row.top() + 4, abs(end - zero), row.height() - 8)

    def _columns(self) -> tuple[int, float, float]:
        """(left edge of the bars, position of 0, pixels for 1), the same in all rows."""
        width, metrics = self.viewport().width(), self.fontMetrics()
        names = max((metrics.horizontalAdvance(name) for name in self._names), default=0)
        left = min(names, int(width * _WIDEST_NAME)) + 14
        right = metrics.horizontalAdvance("−0.0000") + (metrics.horizontalAdvance("100.0 %") + 8 if self._shows_notes else 0)
        finite = self._values[np.isfinite(self._values)]
        low, high = min(0.0, float(finite.min(initial=0))), max(0.0, float(finite.max(initial=0)))
        unit = max(10, width - left - right - 8) / max(high - low, 1e-30)
        return left, left - low * unit, unit

    @property
    def _shows_notes(self) -> bool:
        """Where there is little room, it is the bars' and the values'."""
        return bool(self._notes) and self.viewport().width() >= _NARROW

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows in sight."""
        painter, offset = QPainter(self.viewport()), self.verticalScrollBar().value()
        last = (offset + self.viewport().height()) // self._row + 1
        self._draw_rows(painter, range(offset // self._row, min(last, len(self._names))))
        if self.hasFocus():
            painter.setPen(QPen(current_theme().color("accent"), 2))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))

    def _draw_rows(self, painter: QPainter, rows: range) -> None:
        theme, middle = current_theme(), Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | middle
        left, zero, unit = self._columns()
        negative, positive = sign_colors(dark=theme.dark)
        for index in rows:
            row = self.row_rect(index)
            if index == self._chosen:
                painter.fillRect(row, theme.color("accent_soft"))
            plain, bold, numbers = self._fonts
            painter.setFont(bold if index == self._chosen else plain)
            painter.setPen(theme.color("text"))
            name = painter.fontMetrics().elidedText(self._names[index], Qt.TextElideMode.ElideRight, left - 10)
            painter.drawText(QRect(6, row.top(), left, row.height()), middle, name)
            painter.fillRect(self._bar(index, zero, unit), QColor(negative if self._values[index] < 0 else positive))
            painter.setPen(QPen(theme.color("control_border"), 1))
            painter.drawLine(QPointF(zero, row.top()), QPointF(zero, row.bottom() + 1))
            painter.setFont(numbers)
            painter.setPen(theme.color("text"))
            metrics, edge = painter.fontMetrics(), row.width() - 6
            if self._shows_notes:
                painter.drawText(QRect(0, row.top(), edge, row.height()), right, self._notes[index])
                edge -= metrics.horizontalAdvance("100.0 %") + 8
            painter.drawText(QRect(0, row.top(), edge, row.height()), right, format_value(float(self._values[index]), 3))

    # --- copying ---

    def picture_size(self) -> QSize:
        """The size of all rows; empty while there are none."""
        return QSize(self.viewport().width(), self._row * len(self._names)) if self._names else QSize()

    def paint_picture(self, painter: QPainter) -> None:
        """Draw all rows, also those out of sight."""
        painter.translate(0, self.verticalScrollBar().value())
        self._draw_rows(painter, range(len(self._names)))

    def values_csv(self) -> str:
        """A row a unit: its name and value."""
        return csv_text([("name", "value"), *zip(self._names, self._values.tolist(), strict=True)])

    def context_menu(self) -> QMenu:
        """The menu with the copy and save actions."""
        return picture_menu(self, self, "outputs")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu."""
        pop_up(self.context_menu(), event.globalPos())

    # --- pointer and keyboard ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a row."""
        index = int(event.position().y() + self.verticalScrollBar().value()) // self._row
        if event.button() == Qt.MouseButton.LeftButton and 0 <= index < len(self._names):
            self.row_clicked.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down choose the row above and below."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is None or not self._names:
            super().keyPressEvent(event)
            return
        index = min(max(self._chosen + step, 0), len(self._names) - 1)
        row = self.row_rect(index)
        if row.top() < 0 or row.bottom() > self.viewport().height():
            self.verticalScrollBar().setValue(self.verticalScrollBar().value() + step * self._row)
        self.row_clicked.emit(index)
