"""File → Examples: the worked examples of the course, opened ready-made."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu

from cnnstudio.document.words import say
from cnnstudio.examples import Example
from cnnstudio.file_actions import FileActions
from cnnstudio.selection import CellRef
from cnnstudio.studio import Studio


class ExampleActions(QObject):
    """Fills the menu; opening an example asks about unsaved work first, then explains the example's first cell."""

    def __init__(self, menu: QMenu, studio: Studio, files: FileActions, examples: Sequence[Example], parent: QObject) -> None:
        super().__init__(parent)
        self._studio, self._files = studio, files
        menu.setToolTipsVisible(True)
        for example in examples:
            action = menu.addAction(say(example.title))
            action.setToolTip(say(example.description))
            action.triggered.connect(lambda _checked=False, example=example: self.open(example))

    def open(self, example: Example) -> None:
        """Open an example, after asking about unsaved work."""
        self._files.when_safe(lambda: self._open_now(example))

    def _open_now(self, example: Example) -> None:
        self._studio.begin_example(example)
        self._studio.selection.select_cell(CellRef(example.cell.array, example.cell.index, 0, "sample"))
