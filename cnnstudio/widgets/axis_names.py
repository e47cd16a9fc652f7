"""Names of the rows and columns of a single map, as of the classes of a confusion matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from cnnstudio.theme import current_theme, ui_font
from cnnstudio.widgets.mosaic import Layout

_SIZE = 0.8
_GAP = 4
_LONGEST = 72
"""Logical pixels after which a name is cut off."""


@dataclass(frozen=True)
class AxisNames:
    """Names to the left of the rows and above the columns; either may be missing. Long names of columns stand upright."""

    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def arrange(self, plain: Layout, place: Callable[[tuple[int, int]], Layout], scale: float) -> Layout:
        """The layout that `place` makes with room for the names (device pixels), else the plain one where cells would be too
        small for a line of text.
        """
        if not self.rows and not self.columns:
            return plain
        layout = plain
        for _ in range(2):  # the room that names take may make them stand upright
            left, above = self._room(layout.cell / scale)
            layout = place((round(left * scale), round(above * scale)))
        line = QFontMetricsF(ui_font(_SIZE)).height() * scale
        high, wide = layout.cell * layout.aspect >= line, layout.cell >= line
        return layout if (high or not self.rows) and (wide or not self.columns) else plain

    def _room(self, cell: float) -> tuple[float, float]:
        """(to the left, above), in logical pixels, beside cells of a width."""
        metrics = QFontMetricsF(ui_font(_SIZE))
        left = min(_widest(metrics, self.rows), _LONGEST) + _GAP if self.rows else 0.0
        upright = min(_widest(metrics, self.columns), _LONGEST)
        above = (upright if self._stand_upright(metrics, cell) else metrics.height()) + _GAP if self.columns else 0.0
        return left, above

    def draw(self, painter: QPainter, layout: Layout, scale: float) -> None:
        """Write the names beside the map, in device pixels."""
        font = ui_font(_SIZE)
        upright = self._stand_upright(QFontMetricsF(font), layout.cell / scale)
        font.setPointSizeF(font.pointSizeF() * scale)
        painter.setFont(font)
        painter.setPen(current_theme().color("muted"))
        metrics, middle = QFontMetricsF(font, painter.device()), Qt.AlignmentFlag.AlignVCenter
        for row, name in enumerate(self.rows):
            cell = layout.cells_rect(0, range(row, row + 1), range(1))
            box = QRectF(layout.margin, cell.top(), layout.left - _GAP * scale, cell.height())
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, box.width() + 1)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | middle, text)
        for column, name in enumerate(self.columns):
            cell = layout.cells_rect(0, range(1), range(column, column + 1))
            height = layout.top - _GAP * scale
            if upright:
                painter.save()
                painter.translate(cell.center().x(), layout.margin + height)
                painter.rotate(-90)
                box = QRectF(0, -cell.width() / 2, height, cell.width())
                text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, height + 1)
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft | middle, text)
                painter.restore()
            else:
                box = QRectF(cell.left(), layout.margin, cell.width(), height)
                painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | middle, name)

    def _stand_upright(self, metrics: QFontMetricsF, cell: float) -> bool:
        return _widest(metrics, self.columns) > cell - 2


def _widest(metrics: QFontMetricsF, names: tuple[str, ...]) -> float:
    return max(map(metrics.horizontalAdvance, names), default=0.0)
