"""The history of edits: every step by its name; a click goes back or forward to it."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QUndoView, QWidget

from cnnstudio.document.document import Document


class HistoryPanel(QUndoView):
    """Shows the undo stack of a document; the step that is in force is the one selected."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(document.undo_stack, parent)
        self.setEmptyLabel(self.tr("As opened"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("History of edits"))
