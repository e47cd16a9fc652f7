"""The scale bar below every picture of arrays: which colour stands for which value."""

import math
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QEvent, QObject, QRect, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from cnnstudio.theme import Theme, current_theme, ink_on, number_font, theme_changed, ui_font
from cnnstudio.widgets.colormaps import NAN_COLOR, lut
from cnnstudio.widgets.numbers import format_count, format_fixed, format_value

_BAR_HEIGHT = 12
_LONGEST, _GOOD, _SHORTEST = 160, 60, 24
"""Lengths of the strip: at most, with words behind it, and at least."""
_INDENT = 3  # in line with the maps above
_GAP = 6
_SWATCH = 10
_PLAIN = (0.01, 1e5)
"""Sizes of numbers that are written with a fixed number of decimals where room is short."""
_SMALL = 0.85
"""The size of numbers and words, of the usual one."""


class ScaleBar(QWidget):
    """A strip of the colour map with the values at its ends and a tick at 0 where 0 lies inside.

    What is to be said besides stands behind it; in a narrow one the strip gives way, then the words are fewer. The tool tip
    says everything.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._range: tuple[float, float] | None = None
        self._colormap = "viridis"
        self._nonfinite = 0
        self._whole = False
        self._note, self._short_note = "", ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Scale bar"))
        self.installEventFilter(self)
        theme_changed.connect(self._retheme)
        self._retheme(current_theme())

    def set_scale(
        self,
        colormap: str,
        low: float,
        high: float,
        *,
        nonfinite: int = 0,
        whole: bool = False,
        note: str = "",
        short_note: str = "",
    ) -> None:
        """Show a map over [low, high], which are counts if `whole`; `nonfinite` cells are counted, `note` says whose range it is,
        `short_note` in a word.
        """
        state = ((low, high), colormap, nonfinite, whole, note, short_note)
        if state == (self._range, self._colormap, self._nonfinite, self._whole, self._note, self._short_note):
            return
        self._range, self._colormap, self._nonfinite, self._whole, self._note, self._short_note = state
        colors = self.tr("Colours from {low} to {high}").format(low=self._number(low, 3), high=self._number(high, 3))
        self.setAccessibleDescription(" · ".join(filter(None, (colors, self._words()))))
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
        return QSize(240, self._measure.height() + 4)

    def minimumSizeHint(self) -> QSize:
        """As high as needed, but narrow."""
        return QSize(80, self.sizeHint().height())

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        self._font, self._letters = number_font(_SMALL), ui_font(_SMALL)
        self._measure, self._measure_letters = QFontMetrics(self._font), QFontMetrics(self._letters)
        self._usual = self._measure.horizontalAdvance("\u22120.000")
        """The usual room for a number."""
        self.updateGeometry()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Say everything in the tool tip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._range is not None:
            QToolTip.showText(event.globalPos(), self.accessibleDescription(), self)
            return True
        return super().eventFilter(watched, event)

    def _words(self, *, short: bool = False) -> str:
        """What is said behind the strip: how many cells are not finite, and whose range it is."""
        count = format_count(self._nonfinite)
        cells = (count if short else self.tr("{count} not finite").format(count=count)) if self._nonfinite else ""
        return " · ".join(filter(None, (cells, self._short_note if short else self._note)))

    def words_for(self, room: int) -> str:
        """The words that leave the strip a good part of so many pixels; cut off where even the short ones do not."""
        for short in (False, True):
            words = self._words(short=short)
            if self._measure_letters.horizontalAdvance(words) + _GOOD <= room:
                return words
        return self._measure_letters.elidedText(words, Qt.TextElideMode.ElideRight, max(room - _SHORTEST, 0))

    def numbers_for(self, width: int) -> tuple[str, str]:
        """The ends of the range in three digits, or in fewer where a piece of the strip has no room between them otherwise."""
        return self._numbers_for(width)[0]

    def _numbers_for(self, width: int) -> tuple[tuple[str, str], tuple[int, int]]:
        """(the numbers, how wide they are)"""
        low, high = self._range or (0.0, 1.0)
        texts, sides = ("", ""), (0, 0)
        for digits in (3, 2, 1):
            texts = self._ends(low, high, digits)
            sides = self._measure.horizontalAdvance(texts[0]), self._measure.horizontalAdvance(texts[1])
            if sum(sides) + _SHORTEST + 2 * (_INDENT + _GAP) <= width:
                break
        return texts, sides

    def _ends(self, low: float, high: float, digits: int) -> tuple[str, str]:
        """The ends; with fewer than three digits as many decimals at both, enough for the smaller one."""
        sizes = [abs(end) for end in (low, high) if end]
        if digits < 3 and not self._whole and sizes and _PLAIN[0] <= min(sizes) and max(sizes) < _PLAIN[1]:
            decimals = max(0, digits - 1 - math.floor(math.log10(max(sizes))), -math.floor(math.log10(min(sizes))))
            first, last = (format_fixed(end, decimals, sign=low < 0) if end else "0" for end in (low, high))
            return first, last
        return self._number(low, digits), self._number(high, digits, sign=low < 0)

    def _number(self, value: float, digits: int, *, sign: bool = False) -> str:
        return format_count(round(value)) if self._whole else format_value(value, digits, sign=sign)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar."""
        self.draw(QPainter(self))

    def draw(self, painter: QPainter) -> None:
        """Draw low, strip, high, and the words, from left to right: on the screen, or below a picture that is saved."""
        if self._range is None:
            return
        low, high = self._range
        theme = current_theme()
        painter.setFont(self._font)
        (low_text, high_text), sides = self._numbers_for(self.width())
        # The usual room for a number where there is so much, so that the strip seldom jumps while values change.
        usual = max(sides[0], self._usual), max(sides[1], self._usual)
        if sum(usual) + _SHORTEST + 2 * (_INDENT + _GAP) <= self.width():
            sides = usual
        before, behind = _INDENT + sides[0] + _GAP, _GAP + sides[1]
        swatch = _SWATCH + _GAP if self._nonfinite else 0
        says = bool(self._note or self._nonfinite)
        room = self.width() - before - behind - (2 * _GAP + swatch if says else 0) - _INDENT
        words = self.words_for(room) if says else ""
        length = min(_LONGEST, room - self._measure_letters.horizontalAdvance(words))
        bar = QRect(before, (self.height() - _BAR_HEIGHT) // 2, max(_SHORTEST, length), _BAR_HEIGHT)
        painter.setPen(theme.color("muted"))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRect(_INDENT, 0, sides[0], self.height()), middle | Qt.AlignmentFlag.AlignRight, low_text)
        painter.drawText(QRect(bar.right() + 1 + _GAP, 0, behind + _GAP, self.height()), middle, high_text)
        self._draw_strip(painter, bar)
        if low < 0 < high:
            self._draw_zero(painter, bar, -low / (high - low))
        left = bar.right() + 1 + behind + 2 * _GAP
        if self._nonfinite:
            self._draw_swatch(painter, left)
        painter.setPen(theme.color("muted"))
        painter.setFont(self._letters)
        painter.drawText(QRect(left + swatch, 0, max(0, self.width() - left - swatch), self.height()), middle, words)

    def _draw_strip(self, painter: QPainter, bar: QRect) -> None:
        painter.drawImage(bar, _strip(self._colormap))
        painter.setPen(QPen(current_theme().color("control_border"), 1))
        painter.drawRect(QRectF(bar).adjusted(-0.5, -0.5, 0.5, 0.5))

    def _draw_zero(self, painter: QPainter, bar: QRect, share: float) -> None:
        x = bar.left() + share * bar.width()
        painter.setPen(_ink(self._colormap, min(255, int(share * 256))))
        if 8 < x - bar.left() < bar.width() - 8:
            painter.drawText(QRectF(x - 10, 0, 20, self.height()), Qt.AlignmentFlag.AlignCenter, "0")
        else:
            painter.drawLine(int(x), bar.top(), int(x), bar.bottom())

    def _draw_swatch(self, painter: QPainter, left: int) -> None:
        """A cell that is not finite."""
        box = QRectF(left, (self.height() - _SWATCH) / 2, _SWATCH, _SWATCH)
        painter.fillRect(box, QColor(*NAN_COLOR))
        painter.setPen(QPen(Qt.GlobalColor.white, 1.2))
        painter.drawLine(box.topLeft(), box.bottomRight())
        painter.drawLine(box.topRight(), box.bottomLeft())


@lru_cache
def _strip(colormap: str) -> QImage:
    """A colour map from left to right."""
    colors = np.ascontiguousarray(lut(colormap))
    return QImage(colors.data, 256, 1, 768, QImage.Format.Format_RGB888).copy()


@lru_cache(512)  # of both themes and some colour maps
def _ink(colormap: str, row: int) -> QColor:
    """What is read on a colour of a map."""
    return QColor(ink_on(QColor(*lut(colormap)[row].tolist()).name()))
