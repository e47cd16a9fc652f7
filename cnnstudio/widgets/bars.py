"""Class probabilities as horizontal bars, the chosen and the true class marked."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QMenu, QToolTip, QWidget

from cnnstudio.theme import Theme, current_theme, number_font, theme_changed, ui_font
from cnnstudio.widgets.csv_text import csv_text
from cnnstudio.widgets.numbers import format_percent
from cnnstudio.widgets.picture_menu import picture_menu, pop_up

_PADDING = 3
_MARK = 16
_WIDEST_NAME = 0.4
_SHORTEST_BAR, _THIN = 28, 3
"""A bar that would have less room beside its texts lies below them, thin, over the whole row."""
_TIGHT = 0.88
"""The least height of a row, by the height of a line."""
_NARROW = 190
"""Pixels of width below which the bars need the room of the decimals."""


class ProbabilityBars(QAbstractScrollArea):
    """One row a class: mark, name, bar, percent.

    A triangle and bold text mark the most probable class, a tick and a frame the true one.
    """

    class_clicked = Signal(int)
    """Index of the class clicked, or chosen with Enter or Space."""
    class_hovered = Signal(object)
    """Index of the class under the pointer, or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: list[str] = []
        self._values = np.zeros(0)
        self._truth: int | None = None
        self._pointer: int | None = None
        self._cursor = 0
        self._in_one_line = (0, 0)
        """(room of the names, room of the bars between them and the percentages)"""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().installEventFilter(self)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Class probabilities"))
        theme_changed.connect(self._retheme)
        self._retheme(current_theme())

    def set_classes(self, names: Sequence[str]) -> None:
        """Name the classes; the probabilities become unknown."""
        self._names = list(names)
        self._values = np.full(len(self._names), np.nan)
        self._truth = self._pointer = None
        self._cursor = 0
        self._measure()

    def set_probabilities(self, values: NDArray[np.generic] | None, truth: int | None = None) -> None:
        """Show probabilities (C,) and which class is true, if that is known; None empties the bars.

        ValueError if their number is not that of the classes.
        """
        if values is None:
            values = np.full(len(self._names), np.nan)
        if values.shape != (len(self._names),):
            raise ValueError(f"{len(self._names)} classes, but probabilities {values.shape}")
        new = np.asarray(values, float)
        if self._truth == truth and np.array_equal(new, self._values, equal_nan=True):
            return
        before = self._looks()
        self._values, self._truth = new, truth
        if not self.isVisible():
            return
        self._describe()
        for index, (look, now) in enumerate(zip(before, self._looks(), strict=True)):
            if look != now:
                self.viewport().update(self.row_rect(index))

    def _looks(self) -> list[tuple[object, ...]]:
        """All that each row shows: rows that keep it are not painted again."""
        top, width = self.top, self._track(0).width()
        return [
            (format_percent(value), round(value * width), index == top, index == self._truth)
            if math.isfinite(value)
            else ("–", index == self._truth)
            for index, value in enumerate(self._values.tolist())
        ]

    @property
    def top(self) -> int | None:
        """The most probable class (the first of equals), None while unknown."""
        known = self._values.size and np.isfinite(self._values).all()
        return int(self._values.argmax()) if known else None

    def _describe(self) -> None:
        if self.top is None:
            self.setAccessibleDescription("")
        elif self._truth is None:
            text = self.tr("Most probable: {name}, {percent}.")
            self.setAccessibleDescription(text.format(name=self._names[self.top], percent=format_percent(self._values[self.top])))
        else:
            text = self.tr("Most probable: {name}, {percent}. True class: {truth}.")
            self.setAccessibleDescription(
                text.format(
                    name=self._names[self.top],
                    percent=format_percent(self._values[self.top]),
                    truth=self._names[self._truth],
                )
            )

    # --- geometry ---------------------------------------------------------------------------------------

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        self._fonts = (ui_font(0.95), ui_font(0.95, bold=True), number_font(0.95))
        self._digit = QFontMetricsF(self._fonts[0]).capHeight()
        self._measure()

    def _measure(self) -> None:
        painter_width = self.fontMetrics().horizontalAdvance
        line = self.fontMetrics().height()
        # A low panel takes the air out of the rows before it scrolls, also that between lines.
        fitting = self.viewport().height() // max(len(self._names), 1)
        self._row = min(max(fitting, round(_TIGHT * line)), line + 2 * _PADDING)
        self._decimals = 1 if self.viewport().width() >= _NARROW else 0
        self._percent = painter_width("100.0 %" if self._decimals else "100 %") + 12
        self._name = max((painter_width(name) for name in self._names), default=0) + 12
        name = min(self._name, int(self.viewport().width() * _WIDEST_NAME))
        self._in_one_line = name, self.viewport().width() - _MARK - name - self._percent - 4
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, len(self._names) * self._row - self.viewport().height()))
        bar.setPageStep(max(1, self.viewport().height()))
        bar.setSingleStep(self._row)
        self.updateGeometry()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scroll over what does not fit."""
        super().resizeEvent(event)
        self._measure()

    # --- copying ---

    def picture_size(self) -> QSize:
        """The size of all rows; empty while there are no classes."""
        return QSize(self.viewport().width(), self._row * len(self._names)) if self._names else QSize()

    def paint_picture(self, painter: QPainter) -> None:
        """Draw all rows, also those out of sight."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(0, self.verticalScrollBar().value())
        for index in range(len(self._names)):
            self._draw_row(painter, index, index == self.top)

    def values_csv(self) -> str:
        """A row a class: its name and probability."""
        return csv_text([("class", "probability"), *zip(self._names, self._values.tolist(), strict=True)])

    def context_menu(self) -> QMenu:
        """The menu with the copy and save actions."""
        return picture_menu(self, self, "prediction")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu."""
        pop_up(self.context_menu(), event.globalPos())

    def sizeHint(self) -> QSize:
        """Up to twelve classes at once."""
        return QSize(220, (self.fontMetrics().height() + 2 * _PADDING) * min(max(len(self._names), 2), 12))

    def row_rect(self, index: int) -> QRect:
        """The row of a class in the viewport, as scrolled now."""
        y = index * self._row - self.verticalScrollBar().value()
        return QRect(0, y, self.viewport().width(), self._row)

    def bar_rect(self, index: int) -> QRectF:
        """The bar of a class, as long as its probability."""
        track = self._track(index)
        value = float(self._values[index])
        share = min(max(value, 0.0), 1.0) if np.isfinite(value) else 0.0
        return QRectF(track.x(), track.y(), track.width() * share, track.height())

    def _track(self, index: int) -> QRectF:
        row = self.row_rect(index)
        if self._bars_below:
            return QRectF(_MARK, row.bottom() - _THIN - 2, max(8, row.width() - _MARK - 8), _THIN)
        name, width = self._in_one_line
        height = max(8, self._row - 10)
        return QRectF(_MARK + name, row.center().y() - height / 2 + 0.5, width, height)

    @property
    def _bars_below(self) -> bool:
        return self._in_one_line[1] < _SHORTEST_BAR

    def _name_width(self) -> int:
        name, bar = self._in_one_line
        return name + bar if self._bars_below else name

    def _hit(self, point: QPointF | QPoint) -> int | None:
        index = int((point.y() + self.verticalScrollBar().value()) // self._row)
        return index if 0 <= index < len(self._names) else None

    # --- painting ---------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows in sight that are to be painted anew."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top, offset = self.top, self.verticalScrollBar().value()
        last = (offset + self.viewport().height()) // self._row + 1
        for index in range(offset // self._row, min(last, len(self._names))):
            if event.region().intersects(self.row_rect(index)):
                self._draw_row(painter, index, index == top)

    def _draw_row(self, painter: QPainter, index: int, top: bool) -> None:
        theme, row = current_theme(), self.row_rect(index)
        if index == self._pointer:
            painter.fillRect(row, theme.color("hover"))
        if index == self._truth:
            painter.setPen(QPen(theme.color("ok"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(row).adjusted(0.5, 1.5, -0.5, -1.5), 4, 4)
        self._draw_mark(painter, row, top, index == self._truth)
        plain, bold, numbers = self._fonts
        painter.setFont(bold if top else plain)
        painter.setPen(theme.color("text"))
        # On one base line, in the middle of the bar: two fonts that are centred each by its own measures do not stand in a row.
        height = row.height() - (_THIN if self._bars_below else 0)
        base = round(row.y() + (height + self._digit) / 2)
        name = painter.fontMetrics().elidedText(self._names[index], Qt.TextElideMode.ElideRight, self._name_width() - 8)
        painter.drawText(QPoint(_MARK, base), name)
        track, bar = self._track(index), self.bar_rect(index)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("pressed"))
        painter.drawRoundedRect(track, 3, 3)
        if bar.width() > 0.25:
            painter.setBrush(theme.color("winner") if top else theme.color("wire"))
            if bar.width() >= 6:
                painter.drawRoundedRect(bar, 3, 3)
            else:
                painter.drawRect(bar)
        painter.setFont(numbers)
        painter.setPen(theme.color("text" if top else "muted"))
        value = float(self._values[index])
        text = format_percent(value, self._decimals) if np.isfinite(value) else "–"
        painter.drawText(QPoint(row.width() - 4 - painter.fontMetrics().horizontalAdvance(text), base), text)
        if self.hasFocus() and index == self._cursor:
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(row).adjusted(1, 1, -1, -1), 4, 4)

    def _draw_mark(self, painter: QPainter, row: QRect, top: bool, true: bool) -> None:
        """A tick for the true class, a triangle for the most probable one (a tick if it is both)."""
        theme, y = current_theme(), row.center().y() + 1.0
        path = QPainterPath()
        if true:
            path.moveTo(4, y)
            path.lineTo(7, y + 3)
            path.lineTo(12, y - 4)
            painter.setPen(QPen(theme.color("ok"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(path)
        elif top:
            path.moveTo(5, y - 4)
            path.lineTo(11, y)
            path.lineTo(5, y + 4)
            path.closeSubpath()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("text"))
            painter.drawPath(path)

    # --- pointer and keyboard ---------------------------------------------------------------------------

    def _point_at(self, index: int | None) -> None:
        if index != self._pointer:
            self._pointer = index
            self.class_hovered.emit(index)
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        self._point_at(self._hit(event.position()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Forget the pointer when it leaves; show a shortened name in full."""
        if watched is not self.viewport():
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.Leave:
            self._point_at(None)
        if isinstance(event, QHelpEvent):
            index = self._hit(event.pos())
            if index is not None:
                text = f"{self._names[index]}: {format_percent(float(self._values[index]), 3)}"
                QToolTip.showText(event.globalPos(), text, self)
            return True
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor here."""
        index = self._hit(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self._cursor = index
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose a class, if press and release were on the same one."""
        index = self._hit(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index == self._cursor:
            self.class_clicked.emit(index)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the cursor."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the cursor."""
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up, Down, Home and End move, Enter and Space choose."""
        last = len(self._names) - 1
        moves = {
            Qt.Key.Key_Up: max(self._cursor - 1, 0),
            Qt.Key.Key_Down: min(self._cursor + 1, last),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        key = Qt.Key(event.key())
        if last >= 0 and key in moves:
            self._cursor = moves[key]
            bar, row = self.verticalScrollBar(), self.row_rect(self._cursor)
            if row.top() < 0:
                bar.setValue(bar.value() + row.top())
            elif row.bottom() >= self.viewport().height():
                bar.setValue(bar.value() + row.bottom() - self.viewport().height() + 1)
            self.viewport().update()
        elif last >= 0 and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.class_clicked.emit(self._cursor)
        else:
            super().keyPressEvent(event)
