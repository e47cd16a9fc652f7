"""A quiet button with an icon in the colour of the theme."""

from __future__ import annotations

from PySide6.QtCore import QSize, Slot
from PySide6.QtWidgets import QToolButton, QWidget

from cnnstudio.icons import icon
from cnnstudio.theme import Theme, in_type, theme_changed

SIDE = 16
"""Of a drawing, in pixels at normal type."""


class IconButton(QToolButton):
    """Shows the drawing of a name in a colour of the theme; `text` says what the button does."""

    def __init__(self, drawing: str, text: str, parent: QWidget | None = None, *, token: str = "text") -> None:
        super().__init__(parent)
        self._token = token
        self._side, self._around = SIDE, QSize()
        self.setProperty("role", "quiet")
        theme_changed.connect(self._retheme)
        self.show_as(drawing, text)

    def show_as(self, drawing: str, text: str) -> None:
        """Show another drawing with another text."""
        self._drawing = drawing
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._retheme()

    def make_small(self, side: int, width: int, height: int) -> None:
        """Stand in a title or at the foot of a panel, of a size in pixels at normal type; in larger type the drawing grows."""
        self._side, self._around = side, QSize(width - side, height - side)
        self.setProperty("small", True)
        self._retheme()

    @Slot()
    def _retheme(self, _theme: Theme | None = None) -> None:
        self.setIcon(icon(self._drawing, self._token))
        drawing = QSize(in_type(self._side), in_type(self._side))
        self.setIconSize(drawing)
        if not self._around.isEmpty():
            self.setFixedSize(drawing + self._around)
