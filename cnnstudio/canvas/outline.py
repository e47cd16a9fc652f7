"""The outline: all blocks as a list that screen readers and the keyboard reach, with the actions of the canvas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Slot,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from cnnstudio.canvas.captions import problem_sentence, tooltip_of
from cnnstudio.canvas.icons import layer_icon
from cnnstudio.canvas.view import CanvasView
from cnnstudio.document.derived import Derived
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.document.words import layer_phrases
from cnnstudio.theme import SPACE_L, SPACE_M, SPACE_S, current_theme
from cnnstudio.widgets.numbers import format_count

_ROOT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex
PARTS = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class RowParts:
    """What a row says of a block; what is unknown is empty."""

    name: str
    options: str
    output: str
    parameters: str
    problem: str


class OutlineModel(QAbstractListModel):
    """One row for each block: the network from input to output, then the loose blocks."""

    def __init__(self, document: Document, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self.ids = document.graph.ids
        self._known: tuple[Derived, dict[str, RowParts]] = document.derived, {}
        """What rows say of the network as it was derived last: a row that is drawn asks all of them for the columns."""
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
            return self._text(self._parts(block_id))
        if role == PARTS:
            return self._parts(block_id)
        if role == Qt.ItemDataRole.DecorationRole:
            return layer_icon(self._document.graph[block_id].node.layer.kind)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip_of(self._document, self._document.graph[block_id])
        return None

    def _parts(self, block_id: str) -> RowParts:
        if self._known[0] is not self._document.derived:
            self._known = self._document.derived, {}
        known = self._known[1]
        if block_id not in known:
            known[block_id] = self._composed(block_id)
        return known[block_id]

    def _composed(self, block_id: str) -> RowParts:
        derived, block = self._document.derived, self._document.graph[block_id]
        facts, problem = derived.analysis.get(block_id), derived.problem(block_id)
        output = str(facts.y) if facts is not None else ""
        counted = facts is not None and facts.parameters
        return RowParts(
            self._document.name_of(block_id),
            " · ".join(phrase for phrase in layer_phrases(block.node.layer) if phrase != output),
            output,
            self.tr("{n} params").format(n=format_count(counted)) if counted else "",
            problem_sentence(self._document, problem) if problem is not None else "",
        )

    @staticmethod
    def _text(parts: RowParts) -> str:
        shown = parts.name, parts.options, parts.output and f"→ {parts.output}", parts.parameters, parts.problem
        return "   ".join(text for text in shown if text)


class _Row(QStyledItemDelegate):
    """Name and options, then output and parameters in columns of their own; where there is no room for these, the tool tip
    says them.
    """

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(60, super().sizeHint(option, index).height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, parts = QStyleOptionViewItem(option), index.data(PARTS)
        self.initStyleOption(row, index)
        row.text = ""  # only ground and icon are drawn by the style
        widget = row.widget
        style = widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, row, painter, widget)
        if parts is None:
            return
        icon = style.subElementRect(QStyle.SubElement.SE_ItemViewItemDecoration, row, widget)
        room = row.rect.adjusted(icon.right() + SPACE_S - row.rect.left(), 0, -SPACE_S, 0)
        painter.save()
        painter.setFont(row.font)
        every = [index.model().index(i, 0).data(PARTS) for i in range(index.model().rowCount())]
        self._write(painter, room, parts, [each for each in every if each is not None])
        painter.restore()

    def _write(self, painter: QPainter, room: QRect, parts: RowParts, every: Sequence[RowParts]) -> None:
        """The texts of a row; the widest of `every` row gives the widths of the columns."""
        theme, advance = current_theme(), painter.fontMetrics().horizontalAdvance
        left, right = room.left() + advance(parts.name) + SPACE_M, room.right()
        self._draw(painter, room, room.left(), right, parts.name, theme.text)
        if parts.problem:
            self._draw(painter, room, left, right, parts.problem, theme.danger)
            return
        outputs, counts = (max(advance(text) for text in texts) for texts in
                           ([each.output for each in every], [each.parameters for each in every]))  # fmt: skip
        free = room.width() - max(advance(each.name) for each in every) - SPACE_M
        if counts and free >= outputs + SPACE_L + counts:
            self._draw(painter, room, right - counts, right, parts.parameters, theme.muted, Qt.AlignmentFlag.AlignRight)
            right -= counts + SPACE_L
        if free >= outputs:
            self._draw(painter, room, right - outputs, right, parts.output, theme.muted, Qt.AlignmentFlag.AlignRight)
            right -= outputs + SPACE_L
        self._draw(painter, room, left, right, parts.options, theme.muted)

    @staticmethod
    def _draw(painter: QPainter, room: QRect, left: int, right: int, text: str, color: str,
              side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> None:  # fmt: skip
        painter.setPen(QColor(color))
        box = QRect(left, room.top(), right - left + 1, room.height())
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, text)


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
