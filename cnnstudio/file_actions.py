"""New, open, save, recent files, and the question before unsaved work would be lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QMessageBox

from cnnstudio.actions import Actions
from cnnstudio.banner import Banner
from cnnstudio.checkpoints_dialog import CheckpointsDialog
from cnnstudio.error_dialog import show_error
from cnnstudio.file_watch import FileWatch
from cnnstudio.message_box import MessageBox
from cnnstudio.new_dialog import NewDialog
from cnnstudio.project.files import SUFFIX
from cnnstudio.settings import Settings
from cnnstudio.studio import Studio
from engine.errors import EngineError
from engine.templates import Template

FILE = "file"
"""What the banner about a changed or missing file is about."""


class FileActions(QObject):
    """Connects the file actions with the studio; keeps the window's title and the list of recent files."""

    def __init__(
        self,
        window: QMainWindow,
        studio: Studio,
        settings: Settings,
        templates: Sequence[Template],
        actions: Actions,
        recent: QMenu,
        banner: Banner,
    ) -> None:
        super().__init__(window)
        self._window, self._studio, self._settings = window, studio, settings
        self._templates, self._recent, self._banner = templates, recent, banner
        self._question: QMessageBox | None = None
        self._new_dialog: NewDialog | None = None
        actions.new.triggered.connect(self.new)
        actions.open.triggered.connect(self.open)
        actions.save.triggered.connect(self.save)
        actions.save_as.triggered.connect(self.save_as)
        actions.save_copy.triggered.connect(self.save_copy)
        actions.checkpoints.triggered.connect(self.show_checkpoints)
        studio.autosave.set_budget(settings.checkpoint_room)
        recent.aboutToShow.connect(self._fill_recent)
        studio.document.modified_changed.connect(self._show_title)
        studio.document.graph_changed.connect(self._show_title)
        studio.file_changed.connect(self._show_title)
        studio.file_changed.connect(self._follow_file)
        self._told = ""
        """What the user knows of the file: that it is "missing", or was "changed" by another program."""
        self._watch = FileWatch(self)
        self._watch.touched.connect(self.look_at_file)
        self._watch.follow(studio.path)
        # Not all drives tell what happens on them.
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.applicationStateChanged.connect(self.look_at_file)
        self._show_title()

    # --- commands ---

    @Slot()
    def new(self) -> None:
        """Ask what to begin with, and begin."""
        self._new_dialog = NewDialog(self._templates, self._window)
        self._new_dialog.accepted.connect(self._begin_chosen)
        self._new_dialog.open()

    @Slot()
    def _begin_chosen(self) -> None:
        assert self._new_dialog is not None
        template = self._new_dialog.chosen
        if template is None:
            self.when_safe(self._studio.begin_empty)
        else:
            self.when_safe(lambda: self._studio.begin(template))

    @Slot()
    def open(self) -> None:
        """Ask for a project and open it."""
        path, _ = QFileDialog.getOpenFileName(
            self._window, self.tr("Open a project"), self._settings.last_folder, self._kinds()
        )
        if path:
            self.open_path(Path(path))

    def open_path(self, path: Path) -> None:
        """Open a project, after asking about unsaved work; a file that cannot be opened costs no question."""
        if not self._studio.document.modified or self._goes_well(path, self._studio.check_project):
            self.when_safe(lambda: self._open_now(path))

    def _open_now(self, path: Path) -> None:
        if self._goes_well(path, self._studio.open_project):
            self._remember(path)

    def _goes_well(self, path: Path, read: Callable[[Path], None]) -> bool:
        """Whether a project could be read; if not, it is said why."""
        try:
            read(path)
        except EngineError as error:
            show_error(self._window, self.tr("{name} cannot be opened").format(name=path.name), error)
            return False
        return True

    @Slot()
    def save(self) -> bool:
        """Save to the project's file, or ask for one; whether it was saved."""
        path = self._studio.path
        return self.save_as() if path is None else self.save_path(path)

    @Slot()
    def save_as(self) -> bool:
        """Ask for a file and save there; whether it was saved."""
        path = self._ask_for_file(self.tr("Save the project"))
        return path is not None and self.save_path(path)

    @Slot()
    def save_copy(self) -> None:
        """Ask for a file and write a copy of the project there; the project itself stays where it is."""
        path = self._ask_for_file(self.tr("Save a copy"))
        if path is None:
            return
        try:
            self._studio.save_copy(path)
        except EngineError as error:
            self._say_unsaved(path, error, self.tr("Save a copy…"), self.save_copy)

    def _ask_for_file(self, title: str) -> Path | None:
        name = (self._studio.path or Path(f"{self._studio.document.title or 'network'}{SUFFIX}")).name
        start = str(Path(self._settings.last_folder) / name)
        path, _ = QFileDialog.getSaveFileName(self._window, title, start, self._kinds())
        if not path:
            return None
        if Path(path).suffix.lower() == SUFFIX:
            return Path(path)
        # The file dialog has asked about the name as it was typed, not about the one that it becomes.
        whole = Path(path + SUFFIX)
        return whole if not whole.exists() or self._may_replace(whole) else None

    def _may_replace(self, path: Path) -> bool:
        text = self.tr("“{name}” is already there. Replace it?").format(name=path.name)
        box = MessageBox(QMessageBox.Icon.Question, self.tr("A file of this name is already there"), text,
                         self.tr("Its present content is lost then."), self._window)  # fmt: skip
        replace = box.addButton(self.tr("Replace"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole))
        box.exec()
        chosen = box.clickedButton() is replace
        box.deleteLater()
        return chosen

    def save_path(self, path: Path, *, overwrite: bool = False) -> bool:
        """Save to a file; whether it was saved."""
        try:
            self._studio.save_project(path, overwrite=overwrite)
        except EngineError as error:
            if error.code == "project.changed":
                self._ask_before_overwriting(path)
                return False
            self._say_unsaved(path, error, self.tr("Save as…"), self.save_as)
            return False
        self._remember(path)
        return True

    def _say_unsaved(self, path: Path, error: EngineError, elsewhere: str, action: Callable[[], object]) -> None:
        show_error(self._window, self.tr("{name} cannot be saved").format(name=path.name), error, (elsewhere, action))

    @Slot()
    def look_at_file(self, *_: object) -> None:
        """Say it once when the project's file was changed by another program, as by a synchronised folder, or is not there."""
        kept = self._studio.autosave
        found = "missing" if kept.missing_on_disk() else "changed" if kept.changed_on_disk() else ""
        self._studio.document.mark_file_missing(found == "missing")
        if found == self._told:
            return
        self._told = found
        self._watch.follow(self._studio.path)  # there may be another file now, and another folder
        save_as = self.tr("Save as…"), self._save_beside
        if found == "changed":
            text = self.tr("“{name}” was changed by another program. This window still shows your own work. Saving will ask "
                           "before it overwrites the other changes.").format(name=self._name())  # fmt: skip
            again = self.tr("Open the changed file"), self._open_again
            self._banner.show_message("warning", text, [again, save_as], about=FILE)
        elif found == "missing":
            text = self.tr("“{name}” is not where it was: it was deleted, moved or renamed, or its drive is gone. All your work "
                           "is still in this window; saving writes the file anew.").format(name=self._name())  # fmt: skip
            self._banner.show_message("warning", text, [(self.tr("Save"), self._save_anew), save_as], about=FILE)
        else:
            self._banner.clear_about(FILE)

    def _save_anew(self) -> None:
        self.save()

    def _open_again(self) -> None:
        if self._studio.path is not None:
            self.open_path(self._studio.path)

    def _save_beside(self) -> None:
        self.save_as()

    @Slot()
    def _follow_file(self) -> None:
        self._told = ""
        self._banner.clear_about(FILE)
        self._watch.follow(self._studio.path)

    def _ask_before_overwriting(self, path: Path) -> None:
        """The file is not the one that was opened: somebody else's work may be in it."""
        text = self.tr("“{name}” was changed by another program since it was opened here.").format(name=path.name)
        more = self.tr("If you overwrite it, those changes are lost. Nothing has been saved yet.")
        box = MessageBox(QMessageBox.Icon.Warning, self.tr("The file has changed"), text, more, self._window)
        role = QMessageBox.ButtonRole
        save_as = box.addButton(self.tr("Save as…"), role.AcceptRole)
        overwrite = box.addButton(self.tr("Overwrite"), role.DestructiveRole)
        box.addButton(self.tr("Cancel"), role.RejectRole)
        box.setDefaultButton(save_as)
        save_as.clicked.connect(self.save_as)
        overwrite.clicked.connect(lambda: self.save_path(path, overwrite=True))
        self._question = box
        box.open()

    @Slot()
    def show_checkpoints(self) -> None:
        """Show how much room the checkpoints take, and let the user set how much they may."""
        dialog = CheckpointsDialog(self._studio.autosave.working.checkpoints(), self._settings.checkpoint_room, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def set_room() -> None:
            self._settings.checkpoint_room = dialog.megabytes
            self._studio.autosave.set_budget(dialog.megabytes)

        dialog.accepted.connect(set_room)
        dialog.open()

    # --- unsaved work ---

    def when_safe(self, action: Callable[[], object], otherwise: Callable[[], object] | None = None) -> None:
        """Do something that would lose unsaved work, after asking what shall become of it; or else `otherwise`."""
        if not self._studio.document.modified:
            action()
            return
        box = MessageBox(QMessageBox.Icon.Question, self.tr("Unsaved work"),
                         self.tr("Save the changes to “{name}”?").format(name=self._name()),
                         self.tr("Otherwise the network's edits and trained weights are lost."), self._window)  # fmt: skip
        button = QMessageBox.StandardButton
        box.setStandardButtons(button.Save | button.Discard | button.Cancel)
        box.setDefaultButton(button.Save)
        box.button(button.Save).setText(self.tr("Save"))
        box.button(button.Discard).setText(self.tr("Discard"))
        box.button(button.Cancel).setText(self.tr("Cancel"))

        def decide(choice: int) -> None:
            if choice == button.Discard or (choice == button.Save and self.save()):
                action()
            elif otherwise is not None:
                otherwise()

        box.finished.connect(decide)
        self._question = box
        box.open()

    @property
    def question(self) -> QMessageBox | None:
        """The question that was asked last."""
        return self._question

    # --- title and recent files ---

    def _name(self) -> str:
        path = self._studio.path
        return path.name if path is not None else self._studio.document.title or self.tr("Untitled")

    @Slot()
    def _show_title(self, *_: object) -> None:
        self._window.setWindowTitle(f"{self._name()}[*] — CNN Studio")
        self._window.setWindowModified(self._studio.document.modified)
        path = self._studio.path
        self._window.setWindowFilePath("" if path is None else str(path))

    def _remember(self, path: Path) -> None:
        self._settings.add_recent(path)
        self._settings.last_folder = str(path.absolute().parent)

    @Slot()
    def _fill_recent(self) -> None:
        self._recent.clear()
        for path in self._settings.recent_files:
            action = self._recent.addAction(path.name)
            action.setToolTip(str(path))
            action.triggered.connect(lambda _checked=False, path=path: self.open_path(path))
        if self._recent.isEmpty():
            self._recent.addAction(self.tr("No recent projects")).setEnabled(False)
        else:
            self._recent.addSeparator()
            self._recent.addAction(self.tr("Clear the list"), self._settings.clear_recent)

    def _kinds(self) -> str:
        return self.tr("CNN Studio projects (*{suffix})").format(suffix=SUFFIX)
