"""One bar for each layer along the chain, on a logarithmic scale: how far a signal gets on its way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from cnnstudio.theme import Theme, current_theme, layer_color, theme_changed, ui_font
from cnnstudio.widgets.csv_text import csv_text
from cnnstudio.widgets.numbers import format_value
from cnnstudio.widgets.picture_menu import picture_menu, pop_up

LEAST_DECADES = 2
_SMALL = 0.8
"""The size of captions and names, of the usual one."""
_GAP = 2
"""Pixels between two names."""
_ALONE = 2.0
"""Decades from the next one on which an outermost value lies alone, and would leave the others no room to differ."""


@dataclass(frozen=True, slots=True)
class FlowBar:
    """A layer's id, its name and role on screen, and its value, which is positive or 0."""

    key: str
    name: str
    role: str
    value: float


class Name(NamedTuple):
    """A name as far as there is room, empty where too little is left; its left edge and width in logical pixels."""

    text: str
    left: float
    width: float


class FlowBars(QWidget):
    """Bars from the first to the last layer; the signal runs from right to left, as the words above them say."""

    bar_clicked = Signal(str)
    """The id of the layer whose bar was clicked, or chosen with the arrow keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: tuple[FlowBar, ...] = ()
        self._scale = (0.0, LEAST_DECADES)
        """(logarithm of the largest value that does not lie alone, decades down to below the smallest)"""
        self._chosen: str | None = None
        self._names: tuple[Name, ...] = ()
        self._staggered = False
        """Whether every second name stands on a line of its own, where one line has no room for all."""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Flow of the gradient"))
        self.installEventFilter(self)
        theme_changed.connect(self._retheme)

    def set_bars(self, bars: Sequence[FlowBar], chosen: str | None = None) -> None:
        """Show other values; `chosen` is the layer to mark."""
        if (tuple(bars), chosen) == (self._bars, self._chosen):
            return
        renamed = [bar.name for bar in bars] != [bar.name for bar in self._bars]
        self._bars, self._chosen, self._scale = tuple(bars), chosen, _scale_of(bars)
        if renamed:
            self._arrange_names()
        self.setAccessibleDescription(", ".join(f"{bar.name} {format_value(bar.value, 2)}" for bar in self._bars))
        self.update()

    @property
    def bars(self) -> tuple[FlowBar, ...]:
        """What is shown."""
        return self._bars

    def share(self, value: float) -> float:
        """The length of a bar, 0 to 1: whole decades below the largest value that is not alone fill the height, 0 has none."""
        if not value > 0:
            return 0.0
        if math.isinf(value):
            return 1.0
        top, decades = self._scale
        return min(max(1.0 - (top - math.log10(value)) / decades, 0.02), 1.0)

    def sizeHint(self) -> QSize:
        """Bars, names and the line above."""
        line = self.fontMetrics().height()
        return QSize(300, (4 if self._staggered else 3) * line + 34)

    def minimumSizeHint(self) -> QSize:
        """Lower bars, where a panel has little room."""
        return QSize(100, self.sizeHint().height() - 30)

    def bar_rect(self, index: int) -> QRectF:
        """The bar of a layer."""
        return self._bar(index, self._area())

    def _bar(self, index: int, area: QRectF) -> QRectF:
        slot = self._slot(index)
        height = area.height() * self.share(self._bars[index].value)
        return QRectF(slot.left() + slot.width() * 0.14, area.bottom() - height, slot.width() * 0.72, height)

    def _area(self) -> QRectF:
        line = self.fontMetrics().height()
        names = 2 * line if self._staggered else line
        return QRectF(0, line + 2, self.width(), max(8, self.height() - line - names - 6))

    def _slot(self, index: int) -> QRectF:
        width = self.width() / max(1, len(self._bars))
        return QRectF(index * width, 0, width, self.height())

    def _hit(self, point: QPointF) -> FlowBar | None:
        index = int(point.x() * len(self._bars) / max(1, self.width()))
        return self._bars[index] if 0 <= index < len(self._bars) else None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture."""
        if self._bars:
            self.paint_picture(QPainter(self))

    def paint_picture(self, painter: QPainter) -> None:
        """Draw the words on the scale, the bars, and as much of the names as there is room for."""
        theme = current_theme()
        painter.setFont(ui_font(_SMALL))
        painter.setPen(theme.color("muted"))
        metrics = painter.fontMetrics()
        line, below = metrics.height(), metrics.ascent() + 2
        painter.drawText(QRectF(2, 0, self.width(), line), self._caption(metrics))
        area = self._area()
        painter.setPen(QPen(theme.color("border"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        for index, bar in enumerate(self._bars):
            box = self._bar(index, area)
            painter.fillRect(box, QColor(layer_color(bar.role)))
            if self._is_beyond(bar):
                _cut(painter, box)
            if bar.key == self._chosen:
                painter.setPen(QPen(theme.color("accent"), 2))
                painter.drawRect(box.adjusted(-1, -1, 1, 1))
            painter.setPen(theme.color("text" if bar.key == self._chosen else "muted"))
            name = self._names[index]
            lower = line if self._staggered and index % 2 else 0
            painter.drawText(QPointF(name.left, area.bottom() + lower + below), name.text)

    def _caption(self, metrics: QFontMetrics) -> str:
        """What is measured and on which scale, and, where there is room for it, the way of the signal."""
        top, decades = self._scale
        low, high = format_value(10 ** (top - decades), 2), format_value(10**top, 2)
        scale = self.tr("RMS of δ, log scale: {low} … {high}").format(low=low, high=high)
        whole, room = f"{self.tr('← from the loss back')} · {scale}", self.width() - 4
        fits = metrics.horizontalAdvance(whole) <= room
        return whole if fits else metrics.elidedText(scale, Qt.TextElideMode.ElideRight, room)

    def _is_beyond(self, bar: FlowBar) -> bool:
        """Whether a bar is longer than the scale."""
        return bar.value > 1.001 * 10 ** self._scale[0]

    def tip(self, bar: FlowBar) -> str:
        """Name and value of a bar, and why it is cut if it is."""
        text = f"{bar.name}: {format_value(bar.value, 3)}"
        return self.tr("{text}, beyond the scale").format(text=text) if self._is_beyond(bar) else text

    @property
    def names(self) -> tuple[Name, ...]:
        """What is written below the bars."""
        return self._names

    def _arrange_names(self) -> None:
        """Below its bar a name has its own room, or, where that is too little for any, half that of its neighbours as well."""
        metrics, count = QFontMetrics(ui_font(_SMALL)), max(1, len(self._bars))
        room = self.width() / count - _GAP
        staggered = any(metrics.horizontalAdvance(bar.name) > room for bar in self._bars)
        if staggered != self._staggered:
            self._staggered = staggered
            self.updateGeometry()
        self._names = tuple(self._arranged(index, bar.name, metrics) for index, bar in enumerate(self._bars))

    def _arranged(self, index: int, name: str, metrics: QFontMetrics) -> Name:
        slot = self._slot(index)
        beside = slot.width() / 2 if self._staggered else 0.0
        left, right = max(slot.left() - beside, 0.0) + _GAP / 2, min(slot.right() + beside, float(self.width())) - _GAP / 2
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(right - left))
        width = metrics.horizontalAdvance(text)
        legible = len(text) > 2 or text == name
        return Name(text if legible else "", max(left, min(slot.center().x() - width / 2, right - width)), width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names for the new width."""
        super().resizeEvent(event)
        self._arrange_names()

    def picture_size(self) -> QSize:
        """As large as it is on screen; empty while there are no bars."""
        return self.size() if self._bars else QSize()

    def values_csv(self) -> str:
        """A row a layer: its name and value."""
        return csv_text([("layer", "value"), *((bar.name, bar.value) for bar in self._bars)])

    def context_menu(self) -> QMenu:
        """The menu with the copy and save actions."""
        return picture_menu(self, self, "gradient-flow")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu."""
        pop_up(self.context_menu(), event.globalPos())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a layer."""
        bar = self._hit(event.position())
        if bar is not None and event.button() == Qt.MouseButton.LeftButton:
            self.bar_clicked.emit(bar.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right go from layer to layer."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not self._bars:
            super().keyPressEvent(event)
            return
        keys = [bar.key for bar in self._bars]
        at = keys.index(self._chosen) + step if self._chosen in keys else 0
        self.bar_clicked.emit(keys[min(max(at, 0), len(keys) - 1)])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Say name and value of the bar under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            bar = self._hit(QPointF(event.pos()))
            if bar is not None:
                QToolTip.showText(event.globalPos(), self.tip(bar), self)
            return True
        return False

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        self._arrange_names()
        self.updateGeometry()
        self.update()


def _cut(painter: QPainter, bar: QRectF) -> None:
    """Two gaps across a bar that is longer than the scale."""
    painter.save()
    painter.setClipRect(bar)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(current_theme().color("surface"), 2.5))
    for down in (4, 10):
        painter.drawLine(QPointF(bar.left() - 2, bar.top() + down + 5), QPointF(bar.right() + 2, bar.top() + down))
    painter.restore()


def _scale_of(bars: Sequence[FlowBar]) -> tuple[float, int]:
    logs = sorted(math.log10(bar.value) for bar in bars if 0 < bar.value < math.inf)
    while len(logs) > 2 and logs[-1] - logs[-2] > _ALONE:
        logs.pop()
    while len(logs) > 2 and logs[1] - logs[0] > _ALONE:
        logs.pop(0)
    top, low = max(logs, default=0.0), min(logs, default=0.0)
    return top, max(LEAST_DECADES, math.ceil(top - low + 0.2))
