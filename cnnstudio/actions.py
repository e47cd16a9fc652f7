"""Every command of the program once: its name, icon, shortcut and what it says it does."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow

from cnnstudio.icons import icon
from cnnstudio.theme import Theme, theme_changed

Keys = QKeySequence.StandardKey | str | None


class Actions(QObject):
    """The QActions of the main window; menus, bars and the sheet of shortcuts are made from them."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._icons: list[tuple[QAction, str, str]] = []
        std = QKeySequence.StandardKey
        self.new = self._make(
            self.tr("New…"), std.New, "new", self.tr("Begin with a template or an empty canvas")
        )
        self.open = self._make(self.tr("Open…"), std.Open, "open", self.tr("Open a project"))
        self.save = self._make(
            self.tr("Save"), std.Save, "save", self.tr("Save the project with its weights and history")
        )
        self.save_as = self._make(self.tr("Save as…"), "Ctrl+Shift+S")
        self.save_copy = self._make(self.tr("Save a copy…"), None)
        self.checkpoints = self._make(self.tr("Checkpoints…"), None)
        self.export = self._make(self.tr("Export drawing…"), "Ctrl+Shift+E", tip=self.tr("The drawing as SVG, PDF or PNG"))
        self.quit = self._make(self.tr("Quit"), std.Quit)
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)
        self.train = self._make(
            self.tr("Train"), "F5", "train", self.tr("Train the network; again to pause"), ink="on_ok"
        )
        self.batch = self._make(self.tr("Batch"), "F10", "batch", self.tr("Train one batch, then pause"))
        self.layer = self._make(
            self.tr("Layer"), "F11", "layer", self.tr("Go one layer further through forward and backward")
        )
        self.walk = self._make(
            self.tr("Walk through a step"), "F8",
            tip=self.tr("See one training step computed, number by number: forward, backward, update"),
        )  # fmt: skip
        self.stop = self._make(
            self.tr("Stop"), "Shift+F5", "stop", self.tr("End the run and keep the weights")
        )
        self.reset = self._make(
            self.tr("Reset weights"), "Ctrl+R", "reset", self.tr("Draw all weights anew from the seed")
        )
        self.previous_sample = self._make(self.tr("Previous sample"), "Ctrl+[", "previous")
        self.next_sample = self._make(self.tr("Next sample"), "Ctrl+]", "next")
        self.random_sample = self._make(self.tr("Random sample"), "Ctrl+Shift+R", "random")
        self.language = self._make("中 / EN", None, tip=self.tr("Switch between English and Chinese"))
        self.theme = self._make(self.tr("Light or dark"), "Ctrl+Shift+D", "theme", self.tr("Light or dark"))
        self.large_text = self._make(self.tr("Large type"), "Ctrl+Shift+L", tip=self.tr("For a projector"))
        self.large_text.setCheckable(True)
        self.full_screen = self._make(self.tr("Full screen"), "Shift+F11")
        self.full_screen.setCheckable(True)
        self.reset_layout = self._make(self.tr("Default layout"), None)
        self.shortcuts = self._make(self.tr("Shortcuts"), std.HelpContents, "help")
        self.open_log = self._make(self.tr("Open log"), None)
        self.about = self._make(self.tr("About CNN Studio"), None)
        self.about.setMenuRole(QAction.MenuRole.AboutRole)
        theme_changed.connect(self._retheme)
        self._retheme()

    def train_texts(self) -> tuple[str, str, str]:
        """What the button of the run says before, during and inside a run."""
        return self.tr("Train"), self.tr("Pause"), self.tr("Resume")

    def adopt_undo(self, undo: QAction, redo: QAction) -> None:
        """Give the document's undo and redo their icons, keys and tips."""
        std = QKeySequence.StandardKey
        for action, name, keys, tip in (
            (undo, "undo", std.Undo, self.tr("Undo")),
            (redo, "redo", std.Redo, self.tr("Redo")),
        ):
            action.setShortcut(QKeySequence(keys))
            action.setToolTip(tip)
            self.set_icon(action, name)
            self._window.addAction(action)

    def set_icon(self, action: QAction, name: str, ink: str = "text") -> None:
        """Give an action another drawing."""
        if (action, name, ink) in self._icons:
            return
        self._icons = [row for row in self._icons if row[0] is not action]
        self._icons.append((action, name, ink))
        action.setIcon(icon(name, ink))

    def _make(self, text: str, keys: Keys, name: str = "", tip: str = "", ink: str = "text") -> QAction:
        action = QAction(text, self._window)
        if keys is not None:
            action.setShortcut(QKeySequence(keys))
        self._window.addAction(action)
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        plain = tip or text.rstrip("…")
        action.setToolTip(f"{plain} ({shown})" if shown else plain)
        action.setStatusTip("")
        if name:
            self._icons.append((action, name, ink))
        return action

    @Slot()
    def _retheme(self, _theme: Theme | None = None) -> None:
        for action, name, ink in self._icons:
            action.setIcon(icon(name, ink))
