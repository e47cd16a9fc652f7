"""How errors are shown: those of the engine in a sentence with their cure, unexpected ones with copyable details."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QWidget,
)

from cnnstudio.document.words import error_sentence, fix_sentence
from cnnstudio.message_box import MessageBox
from cnnstudio.theme import number_font
from cnnstudio.widgets.dialog_column import dialog_column
from engine.errors import EngineError

Choice = tuple[str, Callable[[], object]]
"""The label of a button, and what it does."""


def error_text(error: EngineError, place: str = "") -> str:
    """Where, what and the fixes, in the language of the program."""
    where = f"{place or error.layer}: " if place or error.layer else ""
    parts = [where + error_sentence(error), *(fix_sentence(fix) for fix in error.fixes)]
    return " ".join(parts)


def show_error(parent: QWidget | None, what: str, error: EngineError | OSError, *choices: Choice) -> None:
    """Say what could not be done and why, in a dialog that does not hold up the program; `choices` are what can be done now."""
    why = error_text(error) if isinstance(error, EngineError) else _system_text(error)
    box = MessageBox(QMessageBox.Icon.Warning, what, what, why, parent)
    for label, action in choices:
        box.addButton(label, QMessageBox.ButtonRole.AcceptRole).clicked.connect(action)
    box.addButton(QCoreApplication.translate("Errors", "Close"), QMessageBox.ButtonRole.RejectRole)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def _system_text(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)


class UnexpectedErrorDialog(QDialog):
    """One dialog for errors that nobody foresaw: the work goes on, and the details can be copied.

    An error that comes again and again, as one in a timer does, is shown once.
    """

    def __init__(self, log_file: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: list[str] = []
        self.setWindowTitle(self.tr("Unexpected error"))
        self.resize(640, 400)
        text = QLabel(
            self.tr(
                "Something went wrong that should not have. The program goes on, and nothing of your work is lost; "
                "saving under a new name is a good idea. These details help to mend it:"
            )
        )
        text.setWordWrap(True)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setFont(number_font(0.95))
        self._details.setAccessibleName(self.tr("Details"))
        where = QLabel(self.tr("Log file: {path}").format(path=log_file))
        where.setProperty("role", "muted")
        where.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setText(self.tr("Close"))
        copy = buttons.addButton(self.tr("Copy details"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy_details)
        buttons.rejected.connect(self.reject)
        dialog_column(self, text, self._details, where, buttons)

    @property
    def shown(self) -> tuple[str, ...]:
        """The details of all errors so far."""
        return tuple(self._shown)

    def add(self, details: str) -> None:
        """Add one more error and show the dialog, unless that very error is known already."""
        if details in self._shown:
            return
        self._shown.append(details)
        self._details.appendPlainText(details)
        if not self.isVisible():
            self.open()

    def copy_details(self) -> None:
        """Put the details on the clipboard."""
        QGuiApplication.clipboard().setText(self._details.toPlainText())
