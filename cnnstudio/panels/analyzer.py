"""The network analyzer: a table of what every layer puts out, costs and sees; sortable, and copied as CSV or Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QLabel, QPushButton, QTableView, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.selection import Selection
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.csv_text import csv_text
from cnnstudio.widgets.numbers import format_bytes, format_count
from engine.analysis import LayerFacts

SORT = Qt.ItemDataRole.UserRole
_ROOT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex
_NAME, _OUTPUT, _PARAMETERS, _MACS, _MEMORY, _FIELD = range(6)


class AnalyzerModel(QAbstractTableModel):
    """One row for each layer whose shapes are known, in the order of the network."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.layers: tuple[LayerFacts, ...] = document.derived.analysis.layers
        self._headings = (
            self.tr("Layer"),
            self.tr("Output"),
            self.tr("Parameters"),
            self.tr("MACs"),
            self.tr("Memory"),
            self.tr("Receptive field"),
        )
        self._short = {_PARAMETERS: self.tr("Params"), _FIELD: self.tr("Field")}
        """Where a heading would be wider than what stands below it; the whole name is in its explanation."""
        self._explanations = (
            self.tr("In the order of the network"),
            self.tr("Shape behind the layer, height × width × channels"),
            self.tr("Parameters: trained numbers"),
            self.tr("Multiply-accumulate operations for one image, forward"),
            self.tr("Bytes of the output of one image, and of the parameters"),
            self.tr("Receptive field: pixels of the input that one output depends on"),
        )
        document.graph_changed.connect(self._follow)

    @Slot(object, object)
    def _follow(self, _before: Graph, _after: Graph) -> None:
        self.beginResetModel()
        self.layers = self._document.derived.analysis.layers
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """The number of layers."""
        return 0 if parent.isValid() else len(self.layers)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Name, output, parameters, MACs, memory, receptive field."""
        return 0 if parent.isValid() else len(self._headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The headings, with an explanation while the pointer rests on one."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._short.get(section, self._headings[section])
        return self._explanations[section] if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The text of a cell, or with the role SORT the number that it is ordered by."""
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index.row(), index.column())
        if role == SORT:
            return self._key(index.row(), index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        return None

    def text(self, row: int, column: int) -> str:
        """What a cell shows."""
        facts = self.layers[row]
        field = facts.receptive_field
        return (
            self._document.name_of(facts.id),
            str(facts.y),
            format_count(facts.parameters),
            format_count(facts.macs),
            format_bytes(facts.activation_bytes + facts.parameter_bytes),
            str(field) if field is not None else "–",
        )[column]

    def _key(self, row: int, column: int) -> int:
        facts = self.layers[row]
        field = facts.receptive_field
        return (
            row,
            facts.y.size,
            facts.parameters,
            facts.macs,
            facts.activation_bytes + facts.parameter_bytes,
            field.size[0] * field.size[1] if field is not None else -1,
        )[column]

    def totals(self) -> str:
        """The sums over all layers."""
        analysis = self._document.derived.analysis
        return self.tr("{parameters} parameters · {macs} MACs per image · {memory} memory").format(
            parameters=format_count(analysis.parameters),
            macs=format_count(analysis.macs),
            memory=format_bytes(analysis.activation_bytes + analysis.parameter_bytes),
        )

    def plain_row(self, row: int) -> list[str]:
        """A row as other programs read it: whole numbers, memory in bytes."""
        facts = self.layers[row]
        memory = facts.activation_bytes + facts.parameter_bytes
        return [
            self.text(row, _NAME), str(facts.y), str(facts.parameters), str(facts.macs), str(memory), self.text(row, _FIELD)
        ]  # fmt: skip

    def plain_headings(self) -> list[str]:
        """The headings of such rows."""
        return [self.tr("Memory (bytes)") if i == _MEMORY else text for i, text in enumerate(self._headings)]


class AnalyzerPanel(QWidget):
    """The table with its totals; a row chosen here is the block chosen on the canvas."""

    def __init__(self, document: Document, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self.model = AnalyzerModel(document, self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSortRole(SORT)
        self._sorted.setSourceModel(self.model)
        self.table = QTableView()
        self.table.setModel(self._sorted)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(_NAME, Qt.SortOrder.AscendingOrder)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setAccessibleName(self.tr("Network analyzer"))
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self._totals = QLabel()
        self._totals.setProperty("role", "muted")
        self._totals.setWordWrap(True)
        copy_csv = QPushButton(self.tr("Copy as CSV"))
        copy_csv.clicked.connect(self.copy_csv)
        copy_markdown = QPushButton(self.tr("Copy as Markdown"))
        copy_markdown.clicked.connect(self.copy_markdown)
        foot = QHBoxLayout()
        foot.setSpacing(SPACE_S)
        foot.addWidget(copy_csv)
        foot.addWidget(copy_markdown)
        foot.addStretch(1)
        tools = PanelTools(
            self, None, self.tr("Click a row to choose its block; click a heading to sort."),
            self.tr("What every layer puts out, how many numbers it trains, what it costs, and how many pixels of the input one "
                    "of its outputs depends on."),
        )  # fmt: skip
        foot.addWidget(tools)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_S, SPACE_XS, SPACE_S, SPACE_S)
        column.setSpacing(SPACE_S)
        column.addWidget(self.table, 1)
        column.addWidget(self._totals)
        column.addLayout(foot)
        self.model.modelReset.connect(self._follow)
        selection.block_changed.connect(self._show_selection)
        self.table.selectionModel().currentRowChanged.connect(self._select)
        self._follow()

    @Slot()
    def _follow(self) -> None:
        # Numbers stay with what they count.
        self._totals.setText(re.sub(r"(?<=\d) (?=\w)", "\N{NO-BREAK SPACE}", self.model.totals()))
        self._show_selection(self._selection.block)

    @Slot(object)
    def _show_selection(self, block: str | None) -> None:
        row = next((i for i, facts in enumerate(self.model.layers) if facts.id == block), None)
        if row is None:
            self.table.clearSelection()
        elif self._source_row(self.table.currentIndex()) != row or not self.table.selectionModel().hasSelection():
            self.table.selectRow(self._sorted.mapFromSource(self.model.index(row, 0)).row())

    def _source_row(self, index: QModelIndex) -> int:
        return self._sorted.mapToSource(index).row()

    @Slot(QModelIndex, QModelIndex)
    def _select(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            self._selection.select_block(self.model.layers[self._source_row(index)].id)

    # --- copying ---

    def _rows(self) -> list[list[str]]:
        """Headings and rows in the order shown."""
        rows = [self.model.plain_row(self._source_row(self._sorted.index(i, 0))) for i in range(self._sorted.rowCount())]
        return [self.model.plain_headings(), *rows]

    @Slot()
    def copy_csv(self) -> None:
        """Put the table on the clipboard, with commas."""
        QGuiApplication.clipboard().setText(csv_text(self._rows()))

    @Slot()
    def copy_markdown(self) -> None:
        """Put the table on the clipboard, as Markdown reads it."""
        QGuiApplication.clipboard().setText(as_markdown(self._rows()))


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a table of Markdown, the first one as its headings, all but the first column flush right."""
    head, *body = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    rule = [":--", *("--:" for _ in head[1:])]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *body))


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column == _NAME else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter
