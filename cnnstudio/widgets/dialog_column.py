"""How all dialogs are laid out: their parts below each other, with room around them."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QLayout, QVBoxLayout, QWidget

from cnnstudio.theme import SPACE_L, SPACE_M


def dialog_column(dialog: QDialog, *parts: QWidget | QLayout, grows: QWidget | None = None) -> None:
    """Put parts into a dialog from top to bottom; `grows`, one of them, takes the room that the others leave."""
    column = QVBoxLayout(dialog)
    column.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
    column.setSpacing(SPACE_M)
    for part in parts:
        if isinstance(part, QLayout):
            column.addLayout(part)
        else:
            column.addWidget(part, part is grows)
