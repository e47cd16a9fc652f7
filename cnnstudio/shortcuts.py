"""The sheet of shortcuts, made from the actions themselves so that it cannot be out of date."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from cnnstudio.theme import SPACE_L, SPACE_S, SPACE_XL, number_font

Group = tuple[str, Sequence[QAction | tuple[str, str]]]
"""A heading, and below it actions or (keys, what they do)."""

_COLUMNS = 3
_GRID_COLUMNS = 3
"""Of the grid, for one column of the sheet: keys, what they do, a gap."""


class ShortcutSheet(QDialog):
    """Columns of headings with keys and what they do."""

    def __init__(self, groups: Sequence[Group], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Shortcuts"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_L)
        grid.setVerticalSpacing(SPACE_S)
        for column, side in enumerate(_columns(groups)):
            row, column = 0, column * _GRID_COLUMNS
            if column:
                grid.setColumnMinimumWidth(column - 1, SPACE_XL)
            for heading, entries in side:
                title = QLabel(heading)
                title.setProperty("role", "section")
                grid.addWidget(title, row, column, 1, 2)
                row += 1
                for keys, text in map(_entry, entries):
                    if keys:
                        label = QLabel(keys)
                        label.setFont(number_font())
                        grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignRight)
                        grid.addWidget(QLabel(text), row, column + 1)
                        row += 1
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_XL, SPACE_L, SPACE_XL, SPACE_L)
        layout.setSpacing(SPACE_L)
        layout.addLayout(grid)
        layout.addWidget(buttons)


def _columns(groups: Sequence[Group]) -> list[list[Group]]:
    """The groups in their order, in columns of about equal length."""
    total = sum(len(entries) + 1 for _, entries in groups)
    columns: list[list[Group]] = [[]]
    length = 0
    for group in groups:
        rows = len(group[1]) + 1
        if columns[-1] and length + rows / 2 > len(columns) * total / _COLUMNS:
            columns.append([])
        columns[-1].append(group)
        length += rows
    return columns


def _entry(entry: QAction | tuple[str, str]) -> tuple[str, str]:
    if isinstance(entry, tuple):
        return entry
    keys = ", ".join(k.toString(QKeySequence.SequenceFormat.NativeText) for k in entry.shortcuts())
    return keys, entry.text().replace("&", "").rstrip("…")
