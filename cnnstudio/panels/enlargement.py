"""Which one of many maps is shown alone, large."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication


class Enlargement(QObject):
    """A click on a map enlarges it, one more click brings all back. A double click opens a cell and changes nothing here."""

    changed = Signal()
    """Another map is to be shown alone, or all are."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._number: int | None = None
        self._clicked: int | None = None
        # Only a click that stays single counts.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._change)

    @property
    def number(self) -> int | None:
        """The map that is shown alone; None where all are shown."""
        return self._number

    def click(self, number: int) -> None:
        """A map has been clicked."""
        self._clicked = number
        self._soon.start(QApplication.doubleClickInterval())

    def forget_click(self) -> None:
        """The click was the first half of a double click."""
        self._soon.stop()

    def show_all(self) -> None:
        """All maps are shown, those of another layer."""
        self._number = None

    @Slot()
    def _change(self) -> None:
        self._number = self._clicked if self._number is None else None
        self.changed.emit()
