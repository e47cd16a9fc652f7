"""The outline: all blocks as a list that screen readers and the keyboard reach, with the actions of the canvas."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QItemSelectionModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from cnnstudio.canvas.captions import problem_sentence, tooltip_of
from cnnstudio.canvas.icons import layer_icon
from cnnstudio.canvas.view import CanvasView
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.document.words import layer_phrases
from cnnstudio.widgets.numbers import format_count

_ROOT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class OutlineModel(QAbstractListModel):
    """One row for each block: the network from input to output, then the loose blocks."""

    def __init__(self, document: Document, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self.ids = document.graph.ids
        document.graph_changed.connect(self._follow_change)

    @Slot(object, object)
    def _follow_change(self, _before: Graph, after: Graph) -> None:
        if after.ids == self.ids:
            if self.ids:
                self.dataChanged.emit(self.index(0), self.index(len(self.ids) - 1))
            return
        self.beginResetModel()
        self.ids = after.ids
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """The number of blocks."""
        return 0 if parent.isValid() else len(self.ids)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, main options, shape, and what is wrong; the accessible text says the same in a sentence."""
        if not index.isValid() or index.row() >= len(self.ids):
            return None
        block_id = self.ids[index.row()]
        if block_id not in self._document.graph:  # a view asks before the change of the network has come here
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(block_id)
        if role == Qt.ItemDataRole.DecorationRole:
            return layer_icon(self._document.graph[block_id].node.layer.kind)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip_of(self._document, self._document.graph[block_id])
        return None

    def _text(self, block_id: str) -> str:
        derived, block = self._document.derived, self._document.graph[block_id]
        parts = [self._document.name_of(block_id), " · ".join(layer_phrases(block.node.layer))]
        facts, problem = derived.analysis.get(block_id), derived.problem(block_id)
        if facts is not None:
            parts.append(f"→ {facts.y}")
            if facts.parameters:
                parts.append(self.tr("{n} params").format(n=format_count(facts.parameters)))
        if problem is not None:
            parts.append(problem_sentence(self._document, problem))
        return "   ".join(part for part in parts if part)


class _Row(QStyledItemDelegate):
    """As wide as the panel: a long text ends in …, and its tool tip says the rest."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(60, super().sizeHint(option, index).height())


class OutlinePanel(QListView):
    """Shows the model; its selection is the canvas's selection, its keys are the canvas's keys."""

    def __init__(self, view: CanvasView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._blocks = OutlineModel(view.document, self)
        self.setModel(self._blocks)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setItemDelegate(_Row(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setAccessibleName(self.tr("Outline of the network"))
        self._blocks.modelReset.connect(self._show_selection)
        view.canvas.selection_changed.connect(self._show_selection)
        self.selectionModel().selectionChanged.connect(self._select_on_canvas)
        self.activated.connect(self._activate)
        self._show_selection()

    @Slot()
    def _show_selection(self) -> None:
        chosen = self._view.canvas.selected
        if chosen == self._chosen():
            return
        model = self.selectionModel()
        model.blockSignals(True)
        model.clear()
        flag = QItemSelectionModel.SelectionFlag
        for row, block_id in enumerate(self._blocks.ids):
            if block_id in chosen:
                model.select(self._blocks.index(row), flag.Select)
                model.setCurrentIndex(self._blocks.index(row), flag.NoUpdate)
        model.blockSignals(False)
        self.viewport().update()

    def _chosen(self) -> tuple[str, ...]:
        return tuple(self._blocks.ids[row] for row in sorted(i.row() for i in self.selectedIndexes()))

    @Slot()
    def _select_on_canvas(self) -> None:
        self._view.canvas.select(self._chosen())

    @Slot(QModelIndex)
    def _activate(self, index: QModelIndex) -> None:
        self._view.show_block(self._blocks.ids[index.row()])
        self._view.block_activated.emit(self._blocks.ids[index.row()])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete removes, Ctrl with an arrow moves a block along the chain, a letter opens the search menu."""
        key, command = event.key(), event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._view.editor.delete()
        elif command and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._view.editor.move_along(forward=key == Qt.Key.Key_Down)
        elif event.text().isalpha() and not command:
            self._view.open_search_here(event.text())
        else:
            super().keyPressEvent(event)
