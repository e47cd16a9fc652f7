"""A dock with a slim title: a heading, what is shown at the moment, and buttons to float and close it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QToolButton, QWidget

from cnnstudio.icons import icon
from cnnstudio.theme import SPACE_S, SPACE_XS, Theme, theme_changed
from cnnstudio.widgets.elided_label import ElidedLabel


class Dock(QDockWidget):
    """A panel that can be moved, floated, closed, and that comes back as it was left."""

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setObjectName(name)
        self._title = DockTitle(title, self)
        self._tabbed = False
        self._no_title = QWidget(self)
        self.setTitleBarWidget(self._title)
        self.topLevelChanged.connect(self._show_title)

    def showEvent(self, event: QShowEvent) -> None:
        """A window of its own first comes in the middle of the program's window, not in a corner of the screen."""
        super().showEvent(event)
        window = self.parentWidget()
        if window is not None and self.isFloating() and self.pos().isNull():
            self.move(window.geometry().center() - self.rect().center())

    @Slot(str, str)
    def set_heading(self, heading: str, detail: str) -> None:
        """Say what the panel shows at the moment."""
        self._title.set_heading(heading, detail)

    def set_tabbed(self, tabbed: bool) -> None:
        """Among tabs, the tab is title enough."""
        if tabbed != self._tabbed:
            self._tabbed = tabbed
            self._show_title()

    @Slot()
    def _show_title(self, *_: object) -> None:
        wanted = self._no_title if self._tabbed and not self.isFloating() else self._title
        if self.titleBarWidget() is not wanted:
            self.setTitleBarWidget(wanted)
            self._title.setVisible(wanted is self._title)


class DockTitle(QWidget):
    """The title bar; mouse events pass through to the dock, which can be dragged by it."""

    def __init__(self, title: str, dock: Dock) -> None:
        super().__init__(dock)
        self._heading = QLabel(title)
        self._heading.setProperty("role", "heading")
        self._detail = ElidedLabel()
        self._detail.setProperty("role", "muted")
        self._float = self._button("float", self.tr("Float or dock this panel"))
        self._close = self._button("close", self.tr("Close this panel; the View menu brings it back"))
        self._float.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        self._close.clicked.connect(dock.close)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_S + 2, SPACE_XS + 1, SPACE_XS, SPACE_XS)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._heading)
        layout.addWidget(self._detail, 1)
        layout.addWidget(self._float)
        layout.addWidget(self._close)
        theme_changed.connect(self._retheme)
        self._retheme()

    def set_heading(self, heading: str, detail: str) -> None:
        """Change the texts."""
        self._heading.setText(heading)
        self._detail.setText(detail)

    def _button(self, name: str, text: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "quiet")
        button.setProperty("icon", name)
        button.setIconSize(QSize(12, 12))
        button.setFixedSize(22, 20)
        button.setProperty("small", True)
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button

    @Slot()
    def _retheme(self, _theme: Theme | None = None) -> None:
        self._float.setIcon(icon("float", "muted"))
        self._close.setIcon(icon("close", "muted"))
