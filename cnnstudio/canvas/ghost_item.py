"""The outline of a block that is not there yet: where a drop would put it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from cnnstudio.canvas.card_item import CardItem
from cnnstudio.canvas.face import HEADER, PADDING, RADIUS, pixel_font
from cnnstudio.document.layout import BLOCK_HEIGHT, BLOCK_WIDTH
from cnnstudio.theme import current_theme, layer_stroke


class GhostItem(CardItem):
    """A pale card with a dashed outline in the colour of the layer."""

    def __init__(self, title: str, role: str) -> None:
        super().__init__()
        self._title = title
        self._role = role
        self.setZValue(4)

    def boundingRect(self) -> QRectF:
        """The card with its outline."""
        return QRectF(-2, -2, BLOCK_WIDTH + 4, BLOCK_HEIGHT + 4)

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Paint the card."""
        theme = current_theme()
        color = QColor(layer_stroke(self._role, theme))
        ground = theme.color("surface")
        ground.setAlphaF(0.85)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, 2, Qt.PenStyle.DashLine))
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(0, 0, BLOCK_WIDTH, BLOCK_HEIGHT), RADIUS, RADIUS)
        header = QPainterPath()
        header.addRoundedRect(QRectF(0, 0, BLOCK_WIDTH, BLOCK_HEIGHT), RADIUS, RADIUS)
        painter.setClipRect(QRectF(0, 0, BLOCK_WIDTH, HEADER))
        tint = QColor(color)
        tint.setAlphaF(0.35)
        painter.fillPath(header, tint)
        painter.setPen(theme.color("text"))
        painter.setFont(pixel_font(12.5, True))
        painter.drawText(QRectF(PADDING, 0, BLOCK_WIDTH - 2 * PADDING, HEADER), Qt.AlignmentFlag.AlignVCenter, self._title)
