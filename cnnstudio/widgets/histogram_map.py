"""How a spread of values changes over time: a column a record, a row a bin, the colour the share of the values in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QWidget

from cnnstudio.theme import Theme, current_theme, number_font, theme_changed
from cnnstudio.widgets.colormaps import colorize_packed, default_colormap
from cnnstudio.widgets.map_overlays import draw_readout, outline
from cnnstudio.widgets.numbers import format_count, format_percent, format_value
from cnnstudio.widgets.picture_menu import picture_menu, pop_up
from cnnstudio.widgets.scale_bar import ScaleBar

_GAP = 6
_SMALL = 0.85
"""The size of the axes' numbers, of the usual one."""


class HistogramMap(QWidget):
    """The axis of steps runs to the right, that of the values upwards, symmetric about 0.

    Between two records the nearer one is shown. Colours span 0 to the largest share of each record: values that lay close
    together at first would otherwise leave all later records dark.
    """

    bin_clicked = Signal(float, float)
    """The edges (low, high) of the bin clicked, or chosen with Enter or Space."""

    def __init__(self, parent: QWidget | None = None, *, placeholder: str = "") -> None:
        super().__init__(parent)
        self._placeholder = placeholder
        self._shares: NDArray[np.float64] = np.zeros((0, 0))
        self._steps: NDArray[np.int64] = np.zeros(0, np.int64)
        self._reach = 1.0
        self._pointer: QPointF | None = None
        self._cursor: tuple[int, int] | None = None
        """(bin, record) that the keyboard is at."""
        self._scale_bar = ScaleBar(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme_changed.connect(self._retheme)

    def set_shares(self, shares: NDArray[np.float64] | None, reach: float = 1.0, steps: NDArray[np.int64] | None = None) -> None:
        """Show shares (bins, records) over [−reach, +reach], each record with its step, rising; None shows the placeholder."""
        if shares is None or steps is None or not shares.size:
            shares, steps = np.zeros((0, 0)), np.zeros(0, np.int64)
        self._shares, self._steps, self._reach = shares, steps, reach
        self._show_scale()
        if self._cursor is not None:
            bins, records = shares.shape
            self._cursor = (min(self._cursor[0], bins - 1), min(self._cursor[1], records - 1)) if shares.size else None
        self.setAccessibleDescription("" if not len(steps) else self._tr_range())
        self.update()

    def _show_scale(self) -> None:
        if not self._shares.size:
            self._scale_bar.clear()
            return
        self._scale_bar.set_scale(
            default_colormap("activation"), 0.0, 1.0, whole=True, note=self.tr("1 = fullest bin of each step"),
            short_note=self.tr("1 = fullest bin"))  # fmt: skip

    def _tr_range(self) -> str:
        return self.tr("Values from {low} to {high}, steps {first} to {last}").format(
            low=format_value(-self._reach, 3), high=format_value(self._reach, 3),
            first=format_count(int(self._steps[0])), last=format_count(int(self._steps[-1])))  # fmt: skip

    @property
    def shares(self) -> NDArray[np.float64]:
        """What is shown."""
        return self._shares

    def sizeHint(self) -> QSize:
        """A panel's usual size."""
        return QSize(260, 180)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the scale bar below the picture."""
        super().resizeEvent(event)
        height = self._scale_bar.sizeHint().height()
        self._scale_bar.setGeometry(0, self.height() - height, self.width(), height)

    def area(self) -> QRect:
        """Where the shares are painted, in logical pixels."""
        line = self.fontMetrics().height()
        left = QFontMetrics(number_font(_SMALL)).horizontalAdvance(self._label(-self._reach)) + 2 * _GAP
        below = 2 * line + self._scale_bar.height()
        return QRect(left, line // 2, max(1, self.width() - left - _GAP), max(1, self.height() - below))

    def place(self, bin_: int, record: int) -> QPointF:
        """The middle of a bin at the step of its record, in logical pixels."""
        area, last = self.area(), len(self._steps) - 1
        span = max(int(self._steps[-1] - self._steps[0]), 1)
        share = (self._steps[record] - self._steps[0]) / span if last else 0.0
        x = min(area.left() + float(share) * area.width(), area.right())
        return QPointF(x, area.top() + (len(self._shares) - bin_ - 0.5) * area.height() / len(self._shares))

    def _label(self, value: float) -> str:
        return format_value(value, 3) if value else "0"

    def _record_at(self, share: NDArray[np.float64]) -> NDArray[np.intp]:
        """The record on display at a share 0…1 of the width."""
        step = self._steps[0] + share * (self._steps[-1] - self._steps[0])
        return np.searchsorted((self._steps[1:] + self._steps[:-1]) / 2, step, "right")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture, and the share under the pointer."""
        painter = QPainter(self)
        if not self._shares.size:
            painter.setPen(current_theme().color("muted"))
            painter.drawText(self.rect().adjusted(8, 8, -8, -8),
                             int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self._placeholder)  # fmt: skip
            return
        self._paint_shares(painter)
        point = self._pointer
        if self.hasFocus() and self._cursor is not None and point is None:
            point = self.place(*self._cursor)
            outline(painter, QRectF(point, point).adjusted(-3, -3, 3, 3), current_theme().color("accent"), 1.5)
        if point is not None and QRectF(self.area()).contains(point):
            draw_readout(painter, self.rect(), QRectF(point, point).adjusted(-4, -4, 4, 4), self.readout(point))

    def picture_size(self) -> QSize:
        """As large as it is on screen; empty while there is nothing to see."""
        return self.size() if self._shares.size else QSize()

    def paint_picture(self, painter: QPainter) -> None:
        """Draw shares and axes, and what the colours mean."""
        self._paint_shares(painter)
        painter.translate(self._scale_bar.pos())
        self._scale_bar.draw(painter)

    def _paint_shares(self, painter: QPainter) -> None:
        area, theme = self.area(), current_theme()
        # One column of pixels shows one record: many of them are thinned, few of them repeated.
        columns = self._record_at((np.arange(area.width()) + 0.5) / area.width())
        shares = self._shares[::-1, columns]
        fullest = shares.max(axis=0)
        shown = np.ascontiguousarray(shares / np.where(fullest > 0, fullest, 1.0))
        pixels = np.zeros(shown.shape, np.uint32)
        colorize_packed(shown, default_colormap("activation"), 0.0, 1.0, pixels)
        height, width = shown.shape
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(area, QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32))
        painter.setFont(number_font(_SMALL))
        painter.setPen(theme.color("muted"))
        line, flags = painter.fontMetrics().height(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value, y in ((self._reach, area.top()), (0.0, area.center().y()), (-self._reach, area.bottom())):
            box = QRect(0, y - line // 2, area.left() - _GAP, line)
            painter.drawText(box, flags, self._label(value))
        below = QRect(area.left(), area.bottom() + 2, area.width(), line)
        first, last = (format_count(int(self._steps[at])) for at in (0, -1))
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, first)
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, last)
        # Chinese comes from another font, which is higher.
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextDontClip, self.tr("step"))
        painter.setPen(QPen(theme.color("control_border"), 1))
        painter.drawRect(QRectF(area).adjusted(-0.5, -0.5, 0.5, 0.5))

    def readout(self, point: QPointF) -> str:
        """What a point of the picture shows, in words."""
        bin_, record = self._hit(point)
        low, high = self._edges(bin_)
        return self.tr("step {step} · {low} to {high}: {share} of the values").format(
            step=format_count(int(self._steps[record])), low=format_value(low, 2), high=format_value(high, 2),
            share=format_percent(float(self._shares[bin_, record])))  # fmt: skip

    def _hit(self, point: QPointF) -> tuple[int, int]:
        """(bin, record) at a point of the picture."""
        area, bins = self.area(), len(self._shares)
        record = int(self._record_at(np.array([(point.x() - area.left()) / area.width()]))[0])
        return min(max(bins - 1 - int((point.y() - area.top()) * bins / area.height()), 0), bins - 1), record

    def _edges(self, bin_: int) -> tuple[float, float]:
        low, high = ((2 * edge / len(self._shares) - 1) * self._reach for edge in (bin_, bin_ + 1))
        return low, high

    def values_csv(self) -> str:
        """A row a record: its step, then the share of each bin; the first row has the lower edges of the bins."""
        if not self._shares.size:
            return ""
        bins = len(self._shares)
        edges = ((2 * edge / bins - 1) * self._reach for edge in range(bins))
        rows = [",".join(["step", *(f"{edge:.6g}" for edge in edges)])]
        for step, column in zip(self._steps.tolist(), self._shares.T.tolist(), strict=True):
            rows.append(",".join([str(step), *(f"{share:.6g}" for share in column)]))
        return "\n".join(rows) + "\n"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the share under the pointer."""
        self._pointer = event.position()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose a bin, when the button is let go: pressing or letting go takes away what a tool tip said before it."""
        if event.button() == Qt.MouseButton.LeftButton and self._shares.size and QRectF(self.area()).contains(event.position()):
            self._cursor = self._hit(event.position())
            self.bin_clicked.emit(*self._edges(self._cursor[0]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go from bin to bin and from record to record, beginning at 0 and the last one; Enter and Space choose."""
        steps = {Qt.Key.Key_Up: (1, 0), Qt.Key.Key_Down: (-1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}
        key = Qt.Key(event.key())
        if not self._shares.size or key not in (*steps, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            super().keyPressEvent(event)
            return
        bins, records = self._shares.shape
        bin_, record = self._cursor or (bins // 2, records - 1)
        up, right = steps.get(key, (0, 0))
        self._cursor = min(max(bin_ + up, 0), bins - 1), min(max(record + right, 0), records - 1)
        self._pointer = None
        self.update()
        if key not in steps:
            self.bin_clicked.emit(*self._edges(self._cursor[0]))

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the pointer."""
        self._pointer = None
        self.update()

    def context_menu(self) -> QMenu:
        """The menu with the copy and save actions."""
        return picture_menu(self, self, "histograms")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu."""
        pop_up(self.context_menu(), event.globalPos())

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        self._show_scale()
        self.update()
