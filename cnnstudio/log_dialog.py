"""The dialog behind Help, Open log: the end of the log file, to read and to copy."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication, QTextCursor
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QWidget

from cnnstudio.theme import number_font
from cnnstudio.widgets.dialog_column import dialog_column

SHOWN = 200_000
"""Bytes of the end of the log that are shown."""


class LogDialog(QDialog):
    """Shows what the program has noted: starts, warnings of Qt, unexpected errors and crashes."""

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self.setWindowTitle(self.tr("Log"))
        self.resize(760, 460)
        self._text = QPlainTextEdit(self._end_of_log())
        self._text.setReadOnly(True)
        self._text.setFont(number_font(0.95))
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setAccessibleName(self.tr("Log"))
        self._text.moveCursor(QTextCursor.MoveOperation.End)
        self._text.moveCursor(QTextCursor.MoveOperation.StartOfLine)
        where = QLabel(self.tr("Log file: {path}").format(path=path))
        where.setProperty("role", "muted")
        where.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setText(self.tr("Close"))
        copy = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        show = buttons.addButton(self.tr("Show in folder"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy)
        show.clicked.connect(self._show_folder)
        buttons.rejected.connect(self.reject)
        dialog_column(self, self._text, where, buttons)

    @property
    def text(self) -> str:
        """What is shown."""
        return self._text.toPlainText()

    @Slot()
    def copy(self) -> None:
        """Put it on the clipboard."""
        QGuiApplication.clipboard().setText(self.text)

    @Slot()
    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))

    def _end_of_log(self) -> str:
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - SHOWN))
                return file.read().decode("utf-8", "replace").rstrip()
        except OSError as error:
            return self.tr("The log cannot be read: {reason}").format(reason=error.strerror or error)
