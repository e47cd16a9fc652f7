"""The table of training runs: one row a run, with its colour in the curves, its results, and what it does otherwise."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QFont, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QLineEdit, QStyledItemDelegate, QWidget

from cnnstudio.project.state import RunRecord
from cnnstudio.run_words import data_row, differences
from cnnstudio.session.run_list import MOST_SHOWN, Runs
from cnnstudio.theme import current_theme
from cnnstudio.widgets.numbers import format_count, format_moment, format_percent
from cnnstudio.widgets.training_plot import RUN_COLORS

NAME, ACCURACY, OTHERWISE, STEPS, DATA, SEED, BEGAN = range(7)
_ROOT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
SWATCH = 12
RENEWAL = 1000
"""Milliseconds until the numbers of a run that has grown are shown."""


class RunModel(QAbstractTableModel):
    """The runs in the order in which they began; the name can be edited, and its box lays the run over the present one."""

    refused = Signal(str)
    """Why a box cannot be ticked."""

    def __init__(self, runs: Runs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self.rows: tuple[RunRecord, ...] = ()
        self._otherwise: dict[int, str] = {}
        self.scale = 1.0
        """Device pixels a logical pixel, for the swatches."""
        self._headings = (
            self.tr("Run"), self.tr("Best val. acc."), self.tr("Changed"), self.tr("Steps / epochs"), self.tr("Data"),
            self.tr("Seed"), self.tr("Began"),
        )  # fmt: skip
        self._explanations = (
            self.tr("Tick a run to lay its curves over the present ones; F2 or a double click renames it"),
            self.tr("The best accuracy on the validation images after any epoch"),
            self.tr("What this run does otherwise than the one before it"),
            self.tr("Updates of the weights, and finished epochs"),
            self.tr("The data set"),
            self.tr("The seed from which the weights were drawn"),
            self.tr("When the first batch was trained"),
        )
        # Some networks train through several epochs a second, and a view measures its columns anew at each change.
        self._soon = QTimer(self, interval=RENEWAL, singleShot=True)
        self._soon.timeout.connect(self._renew_numbers)
        runs.changed.connect(self._renew)
        runs.grew.connect(self._has_grown)
        self._renew()

    @Slot()
    def _renew(self) -> None:
        """Rows come and go one by one: where all are made anew, Qt loses a name that is being typed."""
        wanted = self._runs.all
        self._compare(wanted)
        ids = [run.id for run in wanted]
        for row in reversed(range(len(self.rows))):
            if self.rows[row].id not in ids:
                self.beginRemoveRows(_ROOT, row, row)
                self.rows = (*self.rows[:row], *self.rows[row + 1:])
                self.endRemoveRows()
        for row, run in enumerate(wanted):
            if row == len(self.rows) or self.rows[row].id != run.id:
                self.beginInsertRows(_ROOT, row, row)
                self.rows = (*self.rows[:row], run, *self.rows[row:])
                self.endInsertRows()
        self.rows = self._runs.all  # a name that was being typed may have been taken meanwhile
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, len(self._headings) - 1))

    def _compare(self, runs: tuple[RunRecord, ...]) -> None:
        before: RunRecord | None = None
        for run in runs:
            self._otherwise[run.id] = "" if before is None else " · ".join(differences(before, run))
            before = run

    @Slot()
    def _has_grown(self) -> None:
        """The present run has more epochs."""
        if not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _renew_numbers(self) -> None:
        """Show them."""
        row = self.row_of(self._runs.present)
        if row is not None:
            self.dataChanged.emit(self.index(row, ACCURACY), self.index(row, STEPS))

    def row_of(self, id: int) -> int | None:
        """The row of a run."""
        return next((row for row, run in enumerate(self.rows) if run.id == id), None)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """How many runs there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """How much is said of each."""
        return 0 if parent.isValid() else len(self._headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> object:
        """The heading of a column, and what it means."""
        if orientation == Qt.Orientation.Horizontal and role == Role.DisplayRole:
            return self._headings[section]
        if orientation == Qt.Orientation.Horizontal and role == Role.ToolTipRole:
            return self._explanations[section]
        if orientation == Qt.Orientation.Horizontal and role == Role.TextAlignmentRole:
            return _side(section)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """The name can be edited; the present run is always shown."""
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.NoItemFlags
        found = flag.ItemIsEnabled | flag.ItemIsSelectable
        if index.column() == NAME:
            found |= flag.ItemIsEditable
            if self.rows[index.row()].id != self._runs.present:
                found |= flag.ItemIsUserCheckable
        return found

    def data(self, index: Index, role: int = Role.DisplayRole) -> object:
        """What stands in a cell."""
        if not index.isValid():
            return None
        run, column = self.rows[index.row()], index.column()
        present = run.id == self._runs.present
        if role == Role.DisplayRole or (role == Role.EditRole and column == NAME):
            return self._text(run, column)
        if column == NAME and role == Role.CheckStateRole:
            return Qt.CheckState.Checked if run.id in self._runs.colors else Qt.CheckState.Unchecked
        if column == NAME and role == Role.DecorationRole:
            return self._swatch(run.id)
        if column == NAME and role == Role.FontRole and present:
            font = QFont()
            font.setBold(True)
            return font
        if role == Role.TextAlignmentRole:
            return _side(column)
        if role in (Role.ToolTipRole, Role.AccessibleDescriptionRole):
            return self._explanation(run, column, present)
        return None

    def _text(self, run: RunRecord, column: int) -> str:
        history = run.history
        match column:
            case 0:
                return run.name
            case 1:
                return format_percent(max(epoch.val_accuracy for epoch in history.epochs), 2) if history.epochs else "–"
            case 2:
                return self._otherwise[run.id]
            case 3:
                return f"{format_count(len(history))} / {len(history.epochs)}"
            case 4:
                return data_row(run).value
            case 5:
                return str(run.seed)
        return format_moment(run.started)

    def _explanation(self, run: RunRecord, column: int, present: bool) -> str:
        if column == NAME:
            sentences = [run.note] if run.note else []
            if present:
                sentences.append(self.tr("The present run: its weights are in the network."))
            return "\n".join(sentences)
        return self._text(run, column)

    def setData(self, index: Index, value: object, role: int = Role.EditRole) -> bool:
        """Rename a run, or lay it over the present one."""
        run = self.rows[index.row()]
        if role == Role.CheckStateRole:
            if not self._runs.overlay(run.id, Qt.CheckState(value) == Qt.CheckState.Checked):
                self.refused.emit(self.tr("At most {count} runs can be told apart; untick another one first.").format(
                    count=MOST_SHOWN))  # fmt: skip
                return False
            return True
        self._runs.rename(run.id, str(value))
        return True

    def _swatch(self, id: int) -> QIcon:
        """The colour of a run in the curves, or an empty ring."""
        theme, colors = current_theme(), self._runs.colors
        pixmap = QPixmap(QSize(SWATCH, SWATCH) * self.scale)
        pixmap.setDevicePixelRatio(self.scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("control_border"), 1.2))
        if id in colors:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(RUN_COLORS[colors[id]]))
        painter.drawEllipse(QRectF(1, 1, SWATCH - 2, SWATCH - 2))
        painter.end()
        icon = QIcon()
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            icon.addPixmap(pixmap, mode)
        return icon


class NameDelegate(QStyledItemDelegate):
    """Edits the name of a run; news of the runs do not undo what is being typed."""

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Put the name into an editor that nobody has typed into yet."""
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)


def _side(column: int) -> Qt.AlignmentFlag:
    """Numbers stand at the right."""
    right = column in (ACCURACY, STEPS, SEED)
    return Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft)
