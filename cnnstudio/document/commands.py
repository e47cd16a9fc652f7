"""The one undo command: a graph before and a graph after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from cnnstudio.document.graph import Graph

if TYPE_CHECKING:
    from cnnstudio.document.document import Document

_ANY_EDIT = 1


class Edit(QUndoCommand):
    """One step of the history.

    Edits with the same merge key that follow each other become one step, so that a number that is spun
    through twenty values is undone at once; a step that ends where it began vanishes.
    """

    def __init__(self, document: Document, before: Graph, after: Graph, text: str, merge_key: str = "") -> None:
        super().__init__(text)
        self._document = document
        self._before = before
        self._after = after
        self._merge_key = merge_key

    def id(self) -> int:
        """Qt offers only commands of equal id for merging."""
        return _ANY_EDIT if self._merge_key else -1

    def redo(self) -> None:
        """Show the graph after the edit."""
        self._document.show_graph(self._after)

    def undo(self) -> None:
        """Show the graph before the edit."""
        self._document.show_graph(self._before)

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in a later edit of the same thing."""
        if not isinstance(other, Edit) or other._merge_key != self._merge_key:
            return False
        self._after = other._after
        self.setObsolete(self._before == self._after)
        return True
