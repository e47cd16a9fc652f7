"""The panel of training runs: a table to lay their curves over each other, to rename, note, compare, reopen and delete them."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cnnstudio.icon_button import IconButton
from cnnstudio.panels.compare_runs import CompareRuns
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.panels.run_table import DATA, NAME, OTHERWISE, NameDelegate, RunModel
from cnnstudio.project.state import RunRecord
from cnnstudio.session.run_list import Runs
from cnnstudio.theme import SPACE_S, SPACE_XS

NARROWEST, WIDEST = 68, 190
"""Pixels of the column of changes, which is hidden while there are none, unless it is drawn wider."""


class RunsPanel(QWidget):
    """Shows `Runs`; reopening is left to whoever owns the document."""

    reopen_wanted = Signal(object)
    """The id of a run that is to become the present one."""
    message = Signal(str)

    def __init__(self, runs: Runs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._comparison: CompareRuns | None = None
        self.model = RunModel(runs, self)
        self.table = QTableView()
        self._set_up_table()
        self._reopen = self._action(self.tr("Reopen"), self.tr(
            "Make this run the present one: its network, settings, data, weights and curve. Undo brings back what was there."))
        self._compare = self._action(self.tr("Compare…"), self.tr(
            "Two runs side by side; one is compared with the present run, or with the one before it"))
        self._rename = self._action(self.tr("Rename"), self.tr("Give the run another name"), QKeySequence("F2"))
        self._delete = self._action(self.tr("Delete"), "", QKeySequence(QKeySequence.StandardKey.Delete))
        self._reopen.triggered.connect(self._reopen_current)
        self._compare.triggered.connect(self._compare_chosen)
        self._rename.triggered.connect(self._rename_current)
        self._delete.triggered.connect(self._delete_chosen)
        self._more = IconButton("more", self.tr("Rename or delete the run"), token="muted")
        self._note = QLineEdit()
        self._note.setAccessibleName(self.tr("Note on the run"))
        self._note.setMaxLength(2000)
        self._note.editingFinished.connect(self._keep_note)
        self._listed: list[int] = []
        self._noted = 0
        """The id of the run whose note is in the field."""
        self._stack = QStackedWidget()
        self._lay_out()
        runs.changed.connect(self._follow)
        self.table.selectionModel().selectionChanged.connect(self._follow)
        self.table.selectionModel().currentChanged.connect(self._follow)
        self.model.rowsInserted.connect(self._keep_a_row)
        self.model.rowsRemoved.connect(self._keep_a_row)
        self.model.refused.connect(self.message)
        self._keep_a_row()

    def _set_up_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setItemDelegateForColumn(NAME, NameDelegate(table))
        table.setAccessibleName(self.tr("Training runs"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._open_menu)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(OTHERWISE, QHeaderView.ResizeMode.Interactive)
        # The longest words, which are the same in most rows, have what room the others leave.
        header.setSectionResizeMode(DATA, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setMaximumSectionSize(420)
        table.setColumnWidth(OTHERWISE, NARROWEST)

    def _action(self, text: str, tip: str, keys: QKeySequence | None = None) -> QAction:
        action = QAction(text, self)
        action.setToolTip(tip)
        if keys is not None:
            action.setShortcut(keys)
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            self.table.addAction(action)
        return action

    def _lay_out(self) -> None:
        empty = QLabel(self.tr(
            "Press Train: every run is kept here with its settings, curve and weights. Reset weights, or change the network, "
            "and the next one begins."))  # fmt: skip
        empty.setWordWrap(True)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setProperty("role", "muted")
        tools = PanelTools(
            self, None, self.tr("Tick runs to lay their curves over each other."),
            self.tr("Every training run is kept with its settings, curve and weights. “Reopen” makes one the present run again; "
                    "“Compare” shows in what two or more differ."),
        )  # fmt: skip
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_XS)
        for action in (self._reopen, self._compare):
            button = QToolButton()
            button.setDefaultAction(action)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            buttons.addWidget(button)
        self._more.clicked.connect(self._open_more)
        buttons.addWidget(self._more)
        self._note.setMinimumWidth(24)
        buttons.addWidget(self._note, 1)
        buttons.addWidget(tools)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_XS)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)
        self._stack.addWidget(empty)
        self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_XS, SPACE_S, SPACE_XS)
        layout.addWidget(self._stack)

    def showEvent(self, event: QShowEvent) -> None:
        """Swatches as sharp as the screen."""
        super().showEvent(event)
        self.model.scale = self.devicePixelRatioF()

    # --- what is chosen ---

    @property
    def chosen(self) -> tuple[RunRecord, ...]:
        """The runs of the selected rows, in the order of the table."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        return tuple(self.model.rows[row] for row in rows if row < len(self.model.rows))

    def choose(self, *ids: int) -> None:
        """Select the rows of runs."""
        selection = QItemSelection()
        for id in ids:
            row = self.model.row_of(id)
            if row is not None:
                selection.select(self.model.index(row, 0), self.model.index(row, self.model.columnCount() - 1))
                self.table.setCurrentIndex(self.model.index(row, NAME))
        flag = self.table.selectionModel().SelectionFlag
        self.table.selectionModel().select(selection, flag.ClearAndSelect)

    @Slot()
    def _keep_a_row(self, *_: object) -> None:
        """After a run has come or gone, one is selected: that which has just begun, else the same as before, else the last."""
        self._stack.setCurrentIndex(1 if self.model.rows else 0)
        texts = (str(self.model.index(row, OTHERWISE).data() or "") for row in range(self.model.rowCount()))
        needed = max(map(self.table.fontMetrics().horizontalAdvance, texts), default=0)
        self.table.setColumnHidden(OTHERWISE, not needed)
        if needed:
            self.table.setColumnWidth(OTHERWISE, max(self.table.columnWidth(OTHERWISE), min(needed + 2 * SPACE_S, WIDEST)))
        ids, present = [run.id for run in self.model.rows], self._runs.present
        wanted = [self._noted] if present in self._listed else [present, self._noted]
        self._listed = ids
        if ids:
            self.choose(next((id for id in wanted if id in ids), ids[-1]))
        self._follow()

    @Slot()
    def _follow(self, *_: object) -> None:
        chosen = self.chosen
        one = chosen[0] if len(chosen) == 1 else None
        present = self._runs.present
        self._reopen.setEnabled(one is not None and one.id != present)
        self._rename.setEnabled(one is not None)
        self._compare.setEnabled(self._pair() is not None)
        has_present = any(run.id == present for run in chosen)
        self._delete.setEnabled(bool(chosen) and not has_present)
        self._delete.setToolTip(
            self.tr("The present run stays: its weights are in the network. Reset the weights or reopen another run first.")
            if has_present
            else self.tr("Take the chosen runs out of the list; undo brings them back")
        )
        if not self._note.hasFocus() or one is None or one.id != self._noted:
            self._noted = one.id if one is not None else 0
            self._note.setText(one.note if one is not None else "")
            self._note.setCursorPosition(0)
        self._note.setEnabled(one is not None)
        name = one.name if one is not None else ""
        self._note.setPlaceholderText(self.tr("Note on {run}").format(run=name) if name else self.tr("Choose one run"))

    # --- commands ---

    @Slot()
    def _reopen_current(self) -> None:
        if self.chosen:
            self.reopen_wanted.emit(self.chosen[0].id)

    @Slot()
    def _rename_current(self) -> None:
        row = self.model.row_of(self.chosen[0].id) if self.chosen else None
        if row is not None:
            index = self.model.index(row, NAME)
            self.table.setFocus()
            self.table.setCurrentIndex(index)
            self.table.edit(index)

    @Slot()
    def _delete_chosen(self) -> None:
        chosen = self.chosen
        for run in chosen:
            self._runs.delete(run.id)
        if chosen:
            names = ", ".join(run.name for run in chosen)
            self.message.emit(self.tr("Deleted: {runs}. Undo brings back what was deleted.").format(runs=names))

    def _pair(self) -> tuple[RunRecord, RunRecord] | None:
        """The two runs to compare: those chosen, or the one chosen and the present one, or the one before it."""
        chosen, rows = self.chosen, self.model.rows
        if len(chosen) == 2:
            return chosen[0], chosen[1]
        if len(chosen) != 1 or len(rows) < 2:
            return None
        one = chosen[0]
        at = next(i for i, run in enumerate(rows) if run.id == one.id)
        other = next((run for run in rows if run.id == self._runs.present and run.id != one.id), rows[at - 1] if at else rows[1])
        return (one, other) if one.id < other.id else (other, one)

    @Slot()
    def _compare_chosen(self) -> None:
        pair = self._pair()
        if pair is not None:
            self._comparison = CompareRuns(*pair, self)
            self._comparison.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            self._comparison.open()

    @property
    def comparison(self) -> CompareRuns | None:
        """The comparison that was opened last."""
        return self._comparison

    @Slot()
    def _keep_note(self) -> None:
        if any(run.id == self._noted for run in self.model.rows):
            self._runs.set_note(self._noted, self._note.text())

    @Slot()
    def _open_more(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        menu.addActions([self._rename, self._delete])
        menu.popup(self._more.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    @Slot(QPoint)
    def _open_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self._reopen, self._compare])
        menu.addSeparator()
        menu.addActions([self._rename, self._delete])
        menu.popup(self.table.viewport().mapToGlobal(place))
