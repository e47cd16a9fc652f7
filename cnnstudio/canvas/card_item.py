"""A card on the canvas: where it lies, and where wires reach it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtWidgets import QGraphicsItem

from cnnstudio.canvas.face import PORT_Y
from cnnstudio.document.layout import BLOCK_HEIGHT, BLOCK_WIDTH


class CardItem(QGraphicsItem):
    """The geometry of a block, in scene coordinates; what it looks like is up to the items that derive from it."""

    def __init__(self) -> None:
        super().__init__()
        self._height = BLOCK_HEIGHT

    @property
    def card(self) -> QRectF:
        """The whole card."""
        return QRectF(self.pos(), QSizeF(BLOCK_WIDTH, self._height))

    @property
    def in_port(self) -> QPointF:
        """Where wires arrive."""
        return self.pos() + QPointF(0, PORT_Y)

    @property
    def out_port(self) -> QPointF:
        """Where wires leave."""
        return self.pos() + QPointF(BLOCK_WIDTH, PORT_Y)
