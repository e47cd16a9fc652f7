"""What the Help menu shows: the sheet of shortcuts, and what the program is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from cnnstudio import __version__
from cnnstudio.actions import Actions
from cnnstudio.menus import Menus

if TYPE_CHECKING:
    from cnnstudio.shortcuts import Group


class HelpActions(QObject):
    """Answers the actions of the Help menu with dialogs."""

    def __init__(self, window: QWidget, actions: Actions, menus: Menus) -> None:
        super().__init__(window)
        self._window, self._actions, self._menus = window, actions, menus
        actions.shortcuts.triggered.connect(self._show_shortcuts)
        actions.about.triggered.connect(self._show_about)

    @Slot()
    def _show_shortcuts(self) -> None:
        from cnnstudio.shortcuts import ShortcutSheet

        ShortcutSheet(self.shortcut_groups(), self._window).open()

    def shortcut_groups(self) -> list[Group]:
        """What the sheet of shortcuts lists."""
        a, menus = self._actions, self._menus
        return [
            (self.tr("File"), [a.new, a.open, a.save, a.save_as, a.export, a.quit]),
            (self.tr("Train"), [a.train, a.batch, a.layer, a.stop, a.reset]),
            (self.tr("Sample"), [a.previous_sample, a.next_sample, a.random_sample]),
            (self.tr("View"), [*menus.zoom, a.theme, a.large_text, a.full_screen, a.shortcuts]),
            (self.tr("Edit"), [*menus.undo, *menus.canvas]),
            (
                self.tr("Canvas"),
                [
                    (self.tr("Letters, Space"), self.tr("search for a block and put it in")),
                    (self.tr("Arrows, Tab"), self.tr("from block to block")),
                    (self.tr("Enter"), self.tr("open the block")),
                    ("F2", self.tr("rename the block")),
                    (self.tr("Wheel"), self.tr("zoom at the pointer")),
                    (self.tr("Space + drag"), self.tr("move the canvas")),
                    (self.tr("Alt or Ctrl + drag"), self.tr("take a block out of its chain")),
                ],
            ),
        ]

    @Slot()
    def _show_about(self) -> None:
        QMessageBox.about(
            self._window,
            self.tr("About CNN Studio"),
            self.tr(
                "CNN Studio {version}: build, train and understand convolutional networks, down to the single "
                "multiplication.\n\nThe lessons follow neuzhaoxin, “Convolutional neural networks (principles)”, "
                "2019."
            ).format(version=__version__),
        )
