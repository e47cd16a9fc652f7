"""The dialog that shows how much room the checkpoints of a project take, and sets how much they may."""

from __future__ import annotations

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QWidget

from cnnstudio.project.thinning import Kept
from cnnstudio.settings import CHECKPOINT_ROOM
from cnnstudio.theme import SPACE_S
from cnnstudio.widgets.dialog_column import dialog_column
from cnnstudio.widgets.fields import IntField

MEGABYTE = 2**20


class CheckpointsDialog(QDialog):
    """`megabytes` is what the user has set."""

    def __init__(self, kept: list[Kept], room: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Checkpoints"))
        taken = sum(checkpoint.size for checkpoint in kept) / MEGABYTE
        summary = QLabel(
            self.tr("{count} checkpoints of the weights are kept, {size} MB in all.").format(
                count=QLocale().toString(len(kept)), size=QLocale().toString(taken, "f", 1)
            )
        )
        explained = QLabel(
            self.tr(
                "While training runs, the weights are kept every 10 seconds. When they take more room than this, some in "
                "between are removed, so that the rest is spread evenly over each run. The newest is always kept, and the "
                "project file holds the same ones."
            )
        )
        explained.setProperty("role", "muted")
        explained.setWordWrap(True)
        self._field = IntField(low=CHECKPOINT_ROOM[0], high=CHECKPOINT_ROOM[-1], value=room)
        self._field.setSuffix(self.tr(" MB"))
        self._field.setAccessibleName(self.tr("Room for checkpoints"))
        label = QLabel(self.tr("Room for checkpoints"))
        label.setBuddy(self._field)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(label)
        row.addWidget(self._field)
        row.addStretch()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        dialog_column(self, summary, explained, row, buttons)
        self.setMinimumWidth(460)
        self._field.setFocus()

    @property
    def megabytes(self) -> int:
        """How much room checkpoints may take."""
        return self._field.value()
