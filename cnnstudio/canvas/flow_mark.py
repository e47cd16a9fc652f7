"""The moving part of the step mode on the canvas: arrow heads on a wire that say which way the numbers go."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from cnnstudio.canvas.wire_item import WireItem
from cnnstudio.theme import current_theme

_SIZE = 8.0


class FlowMark(QGraphicsItem):
    """Two chevrons in the middle of a wire, pointing along it or back."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(6)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def place(self, wire: WireItem, *, forward: bool) -> None:
        """Lie on the longest straight part of a wire."""
        pairs = list(zip(wire.points, wire.points[1:], strict=False))
        start, end = max(pairs, key=lambda pair: math.hypot(*(pair[1] - pair[0]).toTuple()))
        way = end - start
        self.setPos((start + end) / 2)
        self.setRotation(math.degrees(math.atan2(way.y(), way.x())) + (0 if forward else 180))

    def boundingRect(self) -> QRectF:
        """Both chevrons with their line."""
        return QRectF(-2 * _SIZE, -1.5 * _SIZE, 4 * _SIZE, 3 * _SIZE)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw »."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        for x in (-_SIZE, 0.0):
            path.moveTo(QPointF(x, -_SIZE))
            path.lineTo(QPointF(x + _SIZE, 0))
            path.lineTo(QPointF(x, _SIZE))
        for color, width in (("canvas", 7.0), ("highlight", 3.0)):
            painter.setPen(QPen(current_theme().color(color), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPath(path)
