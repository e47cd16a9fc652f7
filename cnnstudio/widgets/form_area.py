"""A scroll area for a form that is replaced while it is in use."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class FormArea(QScrollArea):
    """Shows a form as wide as itself; another one may be asked for by a signal of the form on show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_form(self, form: QWidget) -> None:
        """Show another form; what is typed but not finished in the one before goes with it."""
        # setWidget alone would destroy the form on the spot, and with it the box whose signal led here and which has not ended
        # emitting. Taken out, its fields lose the focus: that must not count as having finished what they say.
        if (before := self.widget()) is not None:
            for part in before.findChildren(QObject):
                part.blockSignals(True)
            self.takeWidget()
            before.deleteLater()
        self.setWidget(form)
