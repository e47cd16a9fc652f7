"""A label that never asks for room: where there is little, its text is shorter."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QSizePolicy

from cnnstudio.widgets.parted_label import PARTED
from cnnstudio.widgets.running_label import RunningLabel


class ElidedLabel(RunningLabel):
    """One line of text, of which the last parts are left out where there is no room; the tool tip has the whole text then."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(0)
        self.setText(text)
        self.installEventFilter(self)

    def fitting(self, width: int) -> str:
        """As many of the parts, which " · " joins, as there is room for; the first one ends in … if it has none."""
        parts = self.text().split(PARTED)
        starts = (PARTED.join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((start for start in starts if self.fontMetrics().horizontalAdvance(start) <= width), super().fitting(width))

    @property
    def least_width(self) -> int:
        """The width from which on the first part is whole."""
        return self.fontMetrics().horizontalAdvance(self.text().split(PARTED)[0])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the tool tip only where something is cut off."""
        if event.type() == QEvent.Type.ToolTip:
            cut = self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()
            self.setToolTip(self.text() if cut else "")
        return super().eventFilter(watched, event)
