"""The field that appears over a block's header to edit its name in place."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from cnnstudio.document.document import Document

LONGEST = 40


class NameEditor(QLineEdit):
    """Enter or a click elsewhere takes the name, Esc leaves the old one."""

    def __init__(self, document: Document, block_id: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._document = document
        self._block_id = block_id
        self._done = False
        self.setMaxLength(LONGEST)
        self.setAccessibleName(self.tr("Name of the block"))
        self.setPlaceholderText(document.name_of(block_id))
        self.setText(document.graph[block_id].node.name)
        self.editingFinished.connect(self._take)

    def open_over(self, rect: QRect) -> None:
        """Show the field over a rectangle of its parent."""
        height = self.sizeHint().height()
        self.setGeometry(rect.x(), rect.center().y() - height // 2, max(rect.width(), 120), height)
        self.selectAll()
        self.show()
        self.setFocus()

    @Slot()
    def _take(self) -> None:
        if self._done:
            return
        self._done = True
        if self._block_id in self._document.graph:
            self._document.rename(self._block_id, self.text())
        self._close()

    def _close(self) -> None:
        self._done = True
        if (parent := self.parentWidget()) is not None and self.hasFocus():
            parent.setFocus()
        self.hide()
        self.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes without a change."""
        if event.key() == Qt.Key.Key_Escape:
            self._close()
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A click elsewhere takes the name."""
        super().focusOutEvent(event)
        self._take()
