"""Two training runs side by side: results, settings, data and layers, with what differs marked."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from cnnstudio.project.state import RunRecord
from cnnstudio.run_words import data_row, layer_rows, setting_rows
from cnnstudio.theme import current_theme
from cnnstudio.widgets.dialog_column import dialog_column
from cnnstudio.widgets.numbers import format_count, format_moment, format_percent, format_value

DIFFERENT = "≠"


@dataclass(frozen=True)
class Line:
    """One row: what is compared, and its two values. A section has no values."""

    label: str
    one: str = ""
    two: str = ""
    section: bool = False

    @property
    def differs(self) -> bool:
        """Whether the runs are not alike here."""
        return self.one != self.two


class CompareRuns(QDialog):
    """Shows at first only what differs."""

    def __init__(self, one: RunRecord, two: RunRecord, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("{one} and {two}").format(one=one.name, two=two.name))
        self.lines = self._lines(one, two)
        self.table = QTableWidget(0, 4)
        self.table.setHorizontalHeaderLabels(["", "", one.name, two.name])
        self.table.setAccessibleName(self.tr("Two runs side by side"))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.only = QCheckBox(self.tr("Only what differs"))
        self.only.setChecked(True)
        self.only.toggled.connect(self._fill)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        bottom = QHBoxLayout()
        bottom.addWidget(self.only)
        bottom.addStretch()
        bottom.addWidget(buttons)
        dialog_column(self, self.table, bottom, grows=self.table)
        self.resize(680, 460)
        self._fill()

    def _lines(self, one: RunRecord, two: RunRecord) -> list[Line]:
        lines = [Line(self.tr("Results"), section=True), *self._results(one, two)]
        lines.append(Line(self.tr("Settings and data"), section=True))
        both = zip([*setting_rows(one), data_row(one)], [*setting_rows(two), data_row(two)], strict=True)
        lines += [Line(a.label, a.value, b.value) for a, b in both]
        lines.append(Line(self.tr("Layers"), section=True))
        return lines + [Line(*row) for row in layer_rows(one, two)]

    def _results(self, one: RunRecord, two: RunRecord) -> list[Line]:
        def of(run: RunRecord) -> list[str]:
            epochs = run.history.epochs
            best = max(epochs, key=lambda epoch: epoch.val_accuracy, default=None)
            last = epochs[-1] if epochs else None
            return [
                "–" if best is None else f"{format_percent(best.val_accuracy, 2)} "
                + self.tr("(epoch {epoch})").format(epoch=best.epoch),
                "–" if last is None else format_percent(last.val_accuracy, 2),
                "–" if last is None else format_value(last.val_loss),
                "–" if last is None else format_value(last.train_loss),
                f"{format_count(len(run.history))} / {len(epochs)}",
                format_moment(run.started),
                run.note or "–",
            ]  # fmt: skip

        labels = (
            self.tr("Best validation accuracy"), self.tr("Last validation accuracy"), self.tr("Last validation loss"),
            self.tr("Last training loss"), self.tr("Steps / epochs"), self.tr("Began"), self.tr("Note"),
        )  # fmt: skip
        return [Line(*row) for row in zip(labels, of(one), of(two), strict=True)]

    @Slot()
    def _fill(self, *_: object) -> None:
        only = self.only.isChecked()
        shown = [line for line in self.lines if line.section or line.differs or not only]
        # A section of which nothing is left goes too.
        shown = [line for i, line in enumerate(shown) if not line.section or (i + 1 < len(shown) and not shown[i + 1].section)]
        self.table.clearSpans()
        self.table.setRowCount(len(shown))
        for row, line in enumerate(shown):
            for column, text in enumerate((DIFFERENT if line.differs else "", line.label, line.one, line.two)):
                self.table.setItem(row, column, self._item(line, column, text))
        self.table.resizeRowsToContents()

    def _item(self, line: Line, column: int, text: str) -> QTableWidgetItem:
        item = QTableWidgetItem(text)
        item.setToolTip(text if column > 1 else "")
        font = QFont()
        font.setBold(line.section or (line.differs and column > 1))
        item.setFont(font)
        if line.section or column == 1:
            item.setForeground(current_theme().color("muted"))
        return item
