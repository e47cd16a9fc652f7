"""Message boxes with room for a sentence: Qt's own are as narrow as their title, and break every path."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QMessageBox, QWidget

LINE = 52
"""Characters that fit into one line of the text."""


class MessageBox(QMessageBox):
    """Says what has happened in `text` and what that means in `more`; buttons are added by whoever asks."""

    def __init__(self, icon: QMessageBox.Icon, title: str, text: str, more: str, parent: QWidget | None) -> None:
        super().__init__(icon, title, text, QMessageBox.StandardButton.NoButton, parent)
        self.setInformativeText(more)
        label = self.findChild(QLabel, "qt_msgbox_informativelabel")
        if isinstance(label, QLabel):
            label.setMinimumWidth(LINE * label.fontMetrics().averageCharWidth())
