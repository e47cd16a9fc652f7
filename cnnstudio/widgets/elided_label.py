"""A label that never asks for room: its text ends in … where there is none."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QSizePolicy

from cnnstudio.widgets.running_label import RunningLabel


class ElidedLabel(RunningLabel):
    """One line of text that ends in … where there is no room, with the whole text as its tool tip then."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(0)
        self.setText(text)
        self.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the tool tip only where something is cut off."""
        if event.type() == QEvent.Type.ToolTip:
            cut = self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()
            self.setToolTip(self.text() if cut else "")
        return super().eventFilter(watched, event)
