"""The program: one QApplication, one studio, and a window that can be made anew in another language."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QApplication

from cnnstudio import theme
from cnnstudio.error_dialog import UnexpectedErrorDialog, show_error
from cnnstudio.error_log import ErrorLog, log_path
from cnnstudio.garbage import GarbageCollector
from cnnstudio.icons import app_icon
from cnnstudio.log_dialog import LogDialog
from cnnstudio.mainwindow import MainWindow
from cnnstudio.overrides import mend_overrides
from cnnstudio.project.folder import working_folder
from cnnstudio.project.recovery import Abandoned, find_abandoned
from cnnstudio.recovery_dialog import RecoveryDialog
from cnnstudio.resources import resource_path
from cnnstudio.settings import APPLICATION, ORGANIZATION, Settings
from cnnstudio.studio import FIRST_TEMPLATE, Studio
from cnnstudio.translation import current_language, system_language, use_language
from engine.errors import EngineError, StorageError
from engine.templates import load_templates

LARGE_TEXT = 1.35


class Program(QObject):
    """Owns everything that outlives a window.

    With `at_once` False the window is painted as soon as its frame is there: panels and data follow.
    """

    def __init__(self, app: QApplication, parent: QObject | None = None, *, at_once: bool = True) -> None:
        super().__init__(parent)
        self._app = app
        self._garbage = GarbageCollector(self)
        self.settings = Settings()
        self.log = ErrorLog(self)
        self.log.caught.connect(self._show_unexpected)
        self._error_dialog: UnexpectedErrorDialog | None = None
        self.templates = load_templates(resource_path("templates"))
        use_language(app, self.settings.language or system_language())
        self._apply_look()
        self.studio = Studio(self)
        if not at_once:
            self.studio.hold_data()
        self.studio.begin(next(t for t in self.templates if t.name == FIRST_TEMPLATE))
        self.window = self._make_window(at_once=at_once)
        self.window.furnished.connect(self.studio.release_data)

    def show(self, path: Path | None = None) -> None:
        """Show the window, with a project if one is given."""
        self.window.show()
        if path is not None:
            self.window.furnish()
            self.window.files.open_path(path)

    @Slot()
    def offer_recovery(self) -> None:
        """Show the unsaved work that a crash left behind, if there is any."""
        try:
            found = find_abandoned(working_folder())
        except StorageError as error:
            show_error(self.window, self.tr("Unsaved work of the last time cannot be looked for"), error)
            return
        if found:
            dialog = RecoveryDialog(found, self.window)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.wanted.connect(self._recover)
            dialog.open()

    @Slot(object)
    def _recover(self, abandoned: Abandoned) -> None:
        self.window.files.when_safe(lambda: self._recover_now(abandoned), otherwise=abandoned.release)

    def _recover_now(self, abandoned: Abandoned) -> None:
        try:
            self.studio.recover(abandoned)
        except EngineError as error:
            abandoned.release()
            show_error(self.window, self.tr("The unsaved work cannot be restored"), error)

    def _make_window(self, *, at_once: bool = True) -> MainWindow:
        window = MainWindow(self.studio, self.settings, self.templates, at_once=at_once)
        window.language_wanted.connect(self.use_language)
        window.theme_wanted.connect(self.use_theme)
        window.large_text_wanted.connect(self.use_large_text)
        window.log_wanted.connect(self._open_log)
        window.closed.connect(self._app.quit)
        return window

    @Slot(str)
    def use_language(self, language: str) -> None:
        """Speak another language: the window is made anew, training goes on."""
        if language == current_language():
            return
        self.settings.language = language
        use_language(self._app, language)
        old, errors = self.window, self._error_dialog
        old.remember()
        self.window = self._make_window()
        self.window.show()
        self._error_dialog = None  # it goes with its window
        for details in errors.shown if errors is not None and errors.isVisible() else ():
            self._show_unexpected(details)
        old.discard()

    @Slot(bool)
    def use_theme(self, dark: bool) -> None:
        """Take the light or the dark look."""
        self.settings.theme = "dark" if dark else "light"
        self._apply_look()

    @Slot(bool)
    def use_large_text(self, large: bool) -> None:
        """Take large or normal type."""
        self.settings.large_text = large
        self._apply_look()

    def _apply_look(self) -> None:
        scale = LARGE_TEXT if self.settings.large_text else 1.0
        theme.apply_theme(self._app, self.settings.theme, text_scale=scale)

    @Slot(str)
    def _show_unexpected(self, details: str) -> None:
        if self._error_dialog is None:
            self._error_dialog = UnexpectedErrorDialog(str(log_path()), self.window)
        self._error_dialog.add(details)

    @Slot()
    def _open_log(self) -> None:
        dialog = LogDialog(log_path(), self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def close(self) -> None:
        """End all threads and give the hooks back."""
        self.studio.close()
        self._garbage.stop()
        self.settings.flush()
        self.log.uninstall()


def make_application(arguments: list[str]) -> QApplication:
    """The QApplication with the program's name and icon."""
    mend_overrides()
    app = QApplication(arguments)
    app.setOrganizationName(ORGANIZATION)
    app.setApplicationName(APPLICATION)
    app.setWindowIcon(app_icon())
    return app


def run(path: Path | None = None) -> int:
    """Open the program, with a project if one is given, and stay until it is closed."""
    app = make_application(sys.argv[:1])
    program = Program(app, at_once=False)
    program.log.install()
    program.window.furnished.connect(program.offer_recovery)
    program.show(path)
    if program.log.failure is not None:
        program.studio.failed.emit(program.log.failure)
    code = app.exec()
    program.close()
    return code
