"""The chosen block is the same on the canvas, in its properties and in every panel."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from cnnstudio.canvas.view import CanvasView
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.panels.properties import PropertiesPanel
from cnnstudio.selection import Selection


class ChosenBlock(QObject):
    """Joins what is selected on the canvas with the `Selection` that the panels follow."""

    def __init__(self, document: Document, selection: Selection, view: CanvasView, properties: PropertiesPanel,
                 parent: QObject | None = None) -> None:  # fmt: skip
        super().__init__(parent)
        self._document, self._selection, self._view, self._properties = document, selection, view, properties
        view.canvas.selection_changed.connect(self._follow_canvas)
        selection.block_changed.connect(self._follow_selection)
        document.graph_changed.connect(self._meet_network)

    def choose_first(self) -> None:
        """Choose what was chosen, else the first convolution, so that every panel has something to show."""
        graph, block = self._document.graph, self._selection.block
        first = next((b.id for b in graph.main if b.node.layer.role == "conv"), None)
        shown = block if block in graph else first
        if shown is not None:
            self._view.canvas.select([shown])

    @Slot(object, object)
    def _meet_network(self, before: Graph, after: Graph) -> None:
        if not set(before.ids) & set(after.ids):
            self.choose_first()

    @Slot(object)
    def _follow_canvas(self, ids: tuple[str, ...]) -> None:
        self._properties.show_blocks(ids)
        self._selection.select_block(ids[0] if len(ids) == 1 else None)

    @Slot(object)
    def _follow_selection(self, block: str | None) -> None:
        if block is not None and self._view.canvas.selected != (block,):
            self._view.show_block(block)
