"""The two small buttons of every panel: what to do here, and copying or saving the pictures that are shown."""

from __future__ import annotations

from html import escape
from typing import Protocol

from PySide6.QtCore import QPoint, QRect, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolTip, QWidget

from cnnstudio.icon_button import IconButton

READING_TIME = 30_000
"""Milliseconds for which the explanation stays."""
TAB = Qt.FocusPolicy.TabFocus


class WithMenu(Protocol):
    """A picture that can be copied and saved."""

    def isVisible(self) -> bool:
        """Whether it is shown now."""
        ...

    def accessibleName(self) -> str:
        """What it shows, in words."""
        ...

    def context_menu(self) -> QMenu:
        """The menu that does so."""
        ...


class PanelTools(QWidget):
    """A "?" that explains the panel, and "…" with the menu of its picture; of further ones in submenus.

    The first line of the explanation says what to do; the status bar shows it while the pointer is over the panel. A panel
    without a picture has the "?" alone.
    """

    def __init__(self, panel: QWidget, view: WithMenu | None, todo: str, explanation: str = "") -> None:
        super().__init__(panel)
        self._views: tuple[WithMenu, ...] = (view,) if view is not None else ()
        panel.setStatusTip(todo)
        panel.setWhatsThis(f"{todo}\n\n{explanation}" if explanation else todo)
        self._panel = panel
        self._help = self._button("help", self.tr("What to do here"), todo)
        tip = self.tr("Copy picture, copy values, save PNG, SVG or CSV")
        self._more = self._button("more", self.tr("Copy or save this picture"), tip)
        self._help.clicked.connect(self._explain)
        self._more.clicked.connect(self._open_menu)
        self._more.setVisible(bool(self._views))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._help)
        row.addWidget(self._more)

    def set_views(self, *views: WithMenu) -> None:
        """Copy and save other pictures from now on; those that are hidden when the menu opens are left out."""
        self._views = views
        self._more.setVisible(bool(views))

    def put_last(self) -> None:
        """Let the Tab key, and a window that has just opened, come to everything else of the panel first."""
        others = [w for w in self._panel.findChildren(QWidget) if w.focusPolicy() & TAB and not self.isAncestorOf(w)]
        if others:
            self.setTabOrder(others[-1], self._help)
            self.setTabOrder(self._help, self._more)

    @property
    def views(self) -> tuple[WithMenu, ...]:
        """The pictures that the menu copies and saves."""
        return self._views

    def menu(self) -> QMenu:
        """The menu of the first picture in sight, with a submenu for each further one."""
        shown = [view for view in self._views if view.isVisible()] or self._views[:1]
        menu = shown[0].context_menu()
        if len(shown) > 1:
            menu.addSeparator()
        for view in shown[1:]:
            further = view.context_menu()
            further.setTitle(view.accessibleName())
            menu.addMenu(further)
            menu.aboutToHide.connect(further.deleteLater)
        return menu

    @staticmethod
    def _button(drawing: str, name: str, tip: str) -> IconButton:
        button = IconButton(drawing, tip, token="muted")
        button.make_small(16, 24, 24)
        button.setAccessibleName(name)
        return button

    @Slot()
    def _explain(self) -> None:
        """The panel's text as a tool tip that stays: a what's-this window would delete itself while it handles a key."""
        text = "".join(f"<p>{escape(part)}</p>" for part in self._panel.whatsThis().split("\n\n"))
        QToolTip.showText(self._help.mapToGlobal(QPoint(0, self._help.height())), text, self._help, QRect(), READING_TIME)

    @Slot()
    def _open_menu(self) -> None:
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._more.mapToGlobal(QPoint(0, self._more.height())))
