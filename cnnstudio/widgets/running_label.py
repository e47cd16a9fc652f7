"""A label for numbers that run: changing its text moves nothing around it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from cnnstudio.theme import theme_changed, ui_font
from cnnstudio.widgets.numbers import unbroken


class RunningLabel(QLabel):
    """A line that asks for more room when it needs it and never gives any back; several lines take the width that there is.

    A QLabel has the whole window laid out anew at each change, which takes longer than drawing a picture.
    """

    def __init__(self, parent: QWidget | None = None, *, lines: int = 1, size: float = 1.0) -> None:
        super().__init__(parent)
        self._size = size
        self._text = ""
        self._room = 0
        self._lines = lines
        if lines > 1:
            self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        if size != 1.0:
            theme_changed.connect(self._resize_type)
            self._resize_type()

    @Slot()
    def _resize_type(self, *_: object) -> None:
        """Keep to its share of the usual type."""
        self.setFont(ui_font(self._size))

    def text(self) -> str:
        """What is shown, as far as there is room."""
        return self._text

    def setText(self, text: str) -> None:
        """Show another text."""
        if text == self._text:
            return
        self._text = text
        self.setAccessibleName(text)
        width = self.fontMetrics().horizontalAdvance(text)
        if width > self._room:
            self._room = width
            if self._lines == 1:
                self.updateGeometry()
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Measure anew in another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._room = self.fontMetrics().horizontalAdvance(self._text)
            self.updateGeometry()

    def clear(self) -> None:
        """Show nothing."""
        self.setText("")

    def sizeHint(self) -> QSize:
        """The room of the longest text so far."""
        empty, height = super().sizeHint(), self.fontMetrics().height()
        return QSize(self._room + empty.width(), max(empty.height(), empty.height() - height + self._lines * height))

    def minimumSizeHint(self) -> QSize:
        """A line can be cut off at its end."""
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground and frame as a label does, then the text."""
        super().paintEvent(event)
        painter, room = QPainter(self), self.contentsRect()
        painter.setPen(self.palette().color(self.foregroundRole()))
        if self._lines > 1:
            painter.drawText(room, int(self.alignment() | Qt.TextFlag.TextWordWrap), unbroken(self._text))
        else:
            painter.drawText(room, self.alignment(), self.fitting(room.width()))

    def fitting(self, width: int) -> str:
        """What is seen of the text at a width."""
        return self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, width)
