"""A network that nobody has arranged yet is laid out for the room that the canvas has."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Slot

from cnnstudio.canvas.view import CanvasView
from cnnstudio.document.graph import COLUMNS, Graph
from cnnstudio.document.layout import is_tidy


class FirstLayout(QObject):
    """Follows the size of the canvas until the first edit; places that a person gave stay."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view, self._document = view, view.document
        self._made: Graph | None = None
        """The layout that was made here last."""
        view.viewport().installEventFilter(self)
        # Later: all others must have seen the new graph before it changes again.
        self._document.graph_changed.connect(self._follow, Qt.ConnectionType.QueuedConnection)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at the room when the canvas is shown and when it is given another size."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Resize):
            self._follow()
        return super().eventFilter(watched, event)

    @Slot()
    def _follow(self, *_: object) -> None:
        graph = self._document.graph
        if not self._view.isVisible() or not self._view.fitted or not self._is_unarranged(graph):
            return
        columns = self._view.preferred_columns(len(graph))
        if columns != graph.columns:
            self._document.lay_out_first(columns)
            self._made = self._document.graph

    def _is_unarranged(self, graph: Graph) -> bool:
        """Whether the network has just begun, and stands as the program has put it."""
        if self._document.undo_stack.count() or graph.loose:
            return False
        usual = graph.columns == COLUMNS or graph is self._made
        return usual and is_tidy(graph.main, graph.columns)
