"""The scale bar below every picture of arrays: which colour stands for which value."""

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from cnnstudio.theme import Theme, current_theme, ink_on, number_font, theme_changed, ui_font
from cnnstudio.widgets.colormaps import NAN_COLOR, lut
from cnnstudio.widgets.numbers import format_count, format_value

_BAR_HEIGHT = 12
_LONGEST = 160
_INDENT = 3  # in line with the maps above


class ScaleBar(QWidget):
    """A strip of the colour map with the values at its ends and a tick at 0 where 0 lies inside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._range: tuple[float, float] | None = None
        self._colormap = "viridis"
        self._nonfinite = 0
        self._note = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Scale bar"))
        theme_changed.connect(self._retheme)
        self._retheme(current_theme())

    def set_scale(self, colormap: str, low: float, high: float, *, nonfinite: int = 0, note: str = "") -> None:
        """Show a map over [low, high]; `nonfinite` cells are counted, `note` says whose range it is."""
        state = ((low, high), colormap, nonfinite, note)
        if state == (self._range, self._colormap, self._nonfinite, self._note):
            return
        self._range, self._colormap, self._nonfinite, self._note = state
        self.setAccessibleDescription(
            self.tr("Colours from {low} to {high}").format(low=format_value(low, 3), high=format_value(high, 3))
        )
        self.update()

    def clear(self) -> None:
        """Show nothing."""
        self._range = None
        self.update()

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The values at the two ends."""
        return self._range

    def sizeHint(self) -> QSize:
        """One line of small text."""
        return QSize(240, QFontMetrics(self._font).height() + 4)

    def minimumSizeHint(self) -> QSize:
        """As high as needed, but narrow."""
        return QSize(80, self.sizeHint().height())

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        self._font = number_font(0.85)
        self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw low, strip, high, and the notes, from left to right."""
        if self._range is None:
            return
        low, high = self._range
        theme = current_theme()
        painter = QPainter(self)
        painter.setFont(self._font)
        metrics = painter.fontMetrics()
        low_text = format_value(low, 3)
        high_text = format_value(high, 3, sign=low < 0)
        # The usual room for a number, so that the strip seldom jumps while values change.
        side = max(metrics.horizontalAdvance("\u22120.000"), metrics.horizontalAdvance(low_text)) + _INDENT
        length = max(24, min(_LONGEST, self.width() - 2 * side - 16))
        bar = QRect(side + 6, (self.height() - _BAR_HEIGHT) // 2, length, _BAR_HEIGHT)
        painter.setPen(theme.color("muted"))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRect(_INDENT, 0, side, self.height()), middle, low_text)
        painter.drawText(QRect(bar.right() + 7, 0, side + 20, self.height()), middle, high_text)
        self._draw_strip(painter, bar)
        if low < 0 < high:
            self._draw_zero(painter, bar, -low / (high - low))
        self._draw_notes(painter, bar.right() + 7 + metrics.horizontalAdvance(high_text) + 14)

    def _draw_strip(self, painter: QPainter, bar: QRect) -> None:
        painter.drawImage(bar, _strip(self._colormap))
        painter.setPen(QPen(current_theme().color("control_border"), 1))
        painter.drawRect(QRectF(bar).adjusted(-0.5, -0.5, 0.5, 0.5))

    def _draw_zero(self, painter: QPainter, bar: QRect, share: float) -> None:
        x = bar.left() + share * bar.width()
        ground = QColor(*(int(c) for c in lut(self._colormap)[min(255, int(share * 256))]))
        painter.setPen(QColor(ink_on(ground.name())))
        if 8 < x - bar.left() < bar.width() - 8:
            painter.drawText(QRectF(x - 10, 0, 20, self.height()), Qt.AlignmentFlag.AlignCenter, "0")
        else:
            painter.drawLine(int(x), bar.top(), int(x), bar.bottom())

    def _draw_notes(self, painter: QPainter, x: float) -> None:
        notes = [self._note] if self._note else []
        if self._nonfinite:
            swatch = QRectF(x, (self.height() - 10) / 2, 10, 10)
            painter.fillRect(swatch, QColor(*NAN_COLOR))
            painter.setPen(QPen(Qt.GlobalColor.white, 1.2))
            painter.drawLine(swatch.topLeft(), swatch.bottomRight())
            painter.drawLine(swatch.topRight(), swatch.bottomLeft())
            x += 16
            notes.insert(0, self.tr("{count} not finite").format(count=format_count(self._nonfinite)))
        painter.setPen(current_theme().color("muted"))
        room = QRectF(x, 0, max(0.0, self.width() - x), self.height())
        painter.setFont(ui_font(0.85))
        whole, right = " · ".join(notes), Qt.TextElideMode.ElideRight
        text = painter.fontMetrics().elidedText(whole, right, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)


@lru_cache
def _strip(colormap: str) -> QImage:
    """A colour map from left to right."""
    colors = np.ascontiguousarray(lut(colormap))
    return QImage(colors.data, 256, 1, 768, QImage.Format.Format_RGB888).copy()
