"""A label for numbers that run: changing its text moves nothing around it."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget


class RunningLabel(QLabel):
    """One line that asks for more room when it needs it and never gives any back.

    A QLabel has the whole window laid out anew at each change, which takes longer than drawing a picture.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = ""
        self._room = 0

    def text(self) -> str:
        """What is shown."""
        return self._line

    def setText(self, text: str) -> None:
        """Show another line."""
        if text == self._line:
            return
        self._line = text
        self.setAccessibleName(text)
        width = self.fontMetrics().horizontalAdvance(text)
        if width > self._room:
            self._room = width
            self.updateGeometry()
        self.update()

    def clear(self) -> None:
        """Show nothing."""
        self.setText("")

    def sizeHint(self) -> QSize:
        """The room of the longest line so far."""
        margins = self.contentsMargins()
        width = max(self._room, self.fontMetrics().horizontalAdvance(self._line))
        return QSize(width + margins.left() + margins.right(), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """A line can be cut off at its end."""
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground and frame as a label does, then the line."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        room: QRect = self.contentsRect()
        line = painter.fontMetrics().elidedText(self._line, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, self.alignment(), line)
