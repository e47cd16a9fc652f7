"""A line over the foot of the canvas that says what has happened and offers what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from cnnstudio.icon_button import IconButton
from cnnstudio.icons import icon
from cnnstudio.theme import SPACE_M, SPACE_S, Theme, theme_changed
from cnnstudio.widgets.numbers import closed_up

Kind = Literal["info", "warning", "error"]
Choice = tuple[str, Callable[[], None]]

_LOOK = {"info": ("info", "accent"), "warning": ("warning", "warning"), "error": ("error", "danger")}
_ROLE = {"info": "info", "warning": "note", "error": "alert"}


class Banner(QFrame):
    """Shows one message at a time, with buttons; the next message takes its place."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind: Kind = "info"
        self._about = ""
        self._icon = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons: list[QPushButton] = []
        self._close = IconButton("close", self.tr("Close this message"), token="muted")
        self._close.clicked.connect(self.clear)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(SPACE_M, SPACE_S - 2, SPACE_S, SPACE_S - 2)
        self._row.setSpacing(SPACE_S)
        self._row.addWidget(self._icon)
        self._row.addWidget(self._text, 1)
        self._row.addWidget(self._close)
        theme_changed.connect(self._retheme)
        self.hide()

    @property
    def text(self) -> str:
        """The message on display, or an empty string."""
        return "" if self.isHidden() else self._text.text()

    @property
    def about(self) -> str:
        """What the message is about, as `show_message` was told."""
        return self._about

    @property
    def buttons(self) -> Sequence[QPushButton]:
        """The buttons of the message."""
        return tuple(self._buttons)

    def show_message(self, kind: Kind, text: str, choices: Sequence[Choice] = (), *, about: str = "") -> None:
        """Show a message; `about` names its subject, so that `clear_about` can take it back."""
        self._kind, self._about = kind, about
        self._text.setText(closed_up(text))
        self.setProperty("role", _ROLE[kind])
        self.style().polish(self)
        for button in self._buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = []
        for label, action in choices:
            button = QPushButton(label)
            button.clicked.connect(lambda _checked=False, act=action: self._choose(act))
            self._row.insertWidget(self._row.count() - 1, button)
            self._buttons.append(button)
        self.setAccessibleName(text)
        self._retheme()
        self.show()

    @Slot()
    def clear(self) -> None:
        """Take the message away."""
        self._about = ""
        self.hide()

    def clear_about(self, about: str) -> None:
        """Take the message away if it is about this."""
        if self._about == about:
            self.clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes the message."""
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
        else:
            super().keyPressEvent(event)

    def _choose(self, action: Callable[[], None]) -> None:
        self.clear()
        action()

    @Slot()
    def _retheme(self, _theme: Theme | None = None) -> None:
        name, token = _LOOK[self._kind]
        self._icon.setPixmap(icon(name, token).pixmap(18, 18))
