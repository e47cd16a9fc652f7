"""Where the panels lie: tabs at the left and right, live pictures along the bottom, the rest in windows of their own."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHoverEvent, QMouseEvent
from PySide6.QtWidgets import QMainWindow, QTabBar, QWidget

from cnnstudio.dock import Dock
from cnnstudio.help_line import with_help_line
from cnnstudio.tab_corner import TabCorner

translate = QCoreApplication.translate

Titles = Mapping[str, str]
"""Name in the saved layout -> title."""

LEFT_WIDTH, RIGHT_WIDTH, BOTTOM_HEIGHT = 164, 290, 230
"""Least sizes in pixels at the first arrangement."""
SHARES = {"training": 0.25, "kernels": 0.21, "feature_maps": 0.32, "prediction": 0.22}
"""How the bottom is divided."""
FLOATING = QSize(660, 480)
"""Size of a panel that first comes as a window of its own."""


class Docks(QObject):
    """Makes a dock for every panel, and arranges them when asked."""

    visibility_changed = Signal()
    """A dock has been shown, hidden, or has come to the front of its tabs."""

    def __init__(self, window: QMainWindow, *, left: Titles, right: Titles, bottom: Titles, behind: Mapping[str, Titles],
                 below: Titles, floating: Titles) -> None:  # fmt: skip
        """`behind` has tabs behind a panel at the bottom; those `below` the left ones and `floating` come when asked for."""
        super().__init__(window)
        self._window = window
        # An arrangement moves every dock many times over; who lies among tabs is looked up once at its end.
        self._tabs_soon = QTimer(self)
        self._tabs_soon.setSingleShot(True)
        self._tabs_soon.setInterval(0)
        self._tabs_soon.timeout.connect(self.note_tabs)
        self._lift_soon = QTimer(self)
        self._lift_soon.setSingleShot(True)
        self._lift_soon.setInterval(0)
        self._lift_soon.timeout.connect(self._lift)
        self._behind = {
            front: [self._make(name, title) for name, title in titles.items()]
            for front, titles in behind.items()
        }
        self._left, self._right, self._bottom, self._below, self._floating = (
            [self._make(name, title) for name, title in titles.items()]
            for titles in (left, right, bottom, below, floating)
        )
        tabs = [dock for docks in self._behind.values() for dock in docks]
        self.all = (*self._left, *self._right, *self._bottom, *tabs, *self._below, *self._floating)

    def __getitem__(self, name: str) -> Dock:
        return next(dock for dock in self.all if dock.objectName() == name)

    def bring_up(self, name: str) -> None:
        """Show a panel, in front of its tabs."""
        self[name].show()
        self[name].raise_()

    def lift_floating(self) -> None:
        """Bring floating panels in front of the window that has just been shown.

        Those that were shown before it belonged to no window, and window managers put it over them.
        """
        self._lift_soon.start()

    @Slot()
    def _lift(self) -> None:
        for dock in self.all:
            if dock.isFloating() and dock.isVisible():
                dock.hide()
                dock.show()

    def fill(self, name: str, panel: QWidget) -> None:
        """Put a panel into its dock, whose title follows what the panel says it shows."""
        dock = self[name]
        dock.setWidget(with_help_line(name, panel))
        dock.put_help_last()
        if hasattr(panel, "heading_changed"):
            panel.heading_changed.connect(dock.set_heading)

    def _make(self, name: str, title: str) -> Dock:
        dock = Dock(name, title, self._window)
        dock.dockLocationChanged.connect(self._note_tabs_soon)
        dock.topLevelChanged.connect(self._note_tabs_soon)
        dock.visibilityChanged.connect(self._note_tabs_soon)
        dock.visibilityChanged.connect(self.visibility_changed)
        return dock

    @Slot()
    def _note_tabs_soon(self, *_: object) -> None:
        self._tabs_soon.start()

    @Slot()
    def note_tabs(self) -> None:
        """Tell every dock whether it lies among tabs, hold the tabs where they are, and put their corners there.

        Qt crashes when a tab is dragged on a bar that an earlier arrangement left behind; which bars these are it does not say.
        """
        for dock in self.all:
            dock.set_tabbed(bool(self._window.tabifiedDockWidgets(dock)))
        for bar in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setMovable(False)
            corner = bar.findChild(TabCorner) or TabCorner(bar, self.all)
            corner.follow()

    @Slot()
    def arrange(self) -> None:
        """Put all docks to their first places."""
        window, area = self._window, Qt.DockWidgetArea
        self._let_go_of_separators()
        for corner, side in (
            (Qt.Corner.BottomLeftCorner, area.BottomDockWidgetArea),
            (Qt.Corner.BottomRightCorner, area.BottomDockWidgetArea),
            (Qt.Corner.TopLeftCorner, area.LeftDockWidgetArea),
            (Qt.Corner.TopRightCorner, area.RightDockWidgetArea),
        ):
            window.setCorner(corner, side)
        for dock in self.all:
            window.removeDockWidget(dock)  # otherwise Qt leaves the tab bars of the last arrangement where they were
        for side, docks in ((area.LeftDockWidgetArea, self._left), (area.RightDockWidgetArea, self._right)):
            window.addDockWidget(side, docks[0])
            for before, after in pairwise(docks):
                window.tabifyDockWidget(before, after)
        window.addDockWidget(area.BottomDockWidgetArea, self._bottom[0])
        for before, after in pairwise(self._bottom):
            window.splitDockWidget(before, after, Qt.Orientation.Horizontal)
        for front, docks in self._behind.items():
            for dock in docks:
                window.tabifyDockWidget(self[front], dock)
        for dock in self.all:
            dock.setFloating(False)
            dock.show()
        for front in self._behind:
            self[front].raise_()
        for dock in self._below:
            window.addDockWidget(area.LeftDockWidgetArea, dock)
            dock.hide()
        for dock in self._floating:
            window.addDockWidget(area.RightDockWidgetArea, dock)
            dock.setFloating(True)
            dock.resize(FLOATING)
            dock.hide()
        self._left[0].raise_()
        self._right[0].raise_()
        self._share_out(window.width(), window.height())

    def _let_go_of_separators(self) -> None:
        """Qt keeps the separator under the mouse, and one that is being moved, as a path through the arrangement.

        In another arrangement that path leads nowhere, and the next move of the mouse would crash.
        """
        nowhere = QPointF(-1, -1)
        none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
        release = QMouseEvent(QEvent.Type.MouseButtonRelease, nowhere, nowhere, left, none, Qt.KeyboardModifier.NoModifier)
        for event in (release, QHoverEvent(QEvent.Type.HoverLeave, nowhere, nowhere, nowhere)):
            QCoreApplication.sendEvent(self._window, event)

    def _share_out(self, width: int, height: int) -> None:
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        sides = [self._left[0], self._right[0]]
        self._window.resizeDocks(sides, [max(LEFT_WIDTH, width // 10), max(RIGHT_WIDTH, width * 23 // 100)], horizontal)
        widths = [round(width * SHARES[dock.objectName()]) for dock in self._bottom]
        self._window.resizeDocks(self._bottom, widths, horizontal)
        self._window.resizeDocks(self._bottom[:1], [max(BOTTOM_HEIGHT, round(height * 0.29))], vertical)


def panel_docks(window: QMainWindow) -> Docks:
    """The docks of the program's panels, empty, each with its title and its first place."""
    return Docks(
        window,
        left={
            "palette": translate("Docks", "Blocks"),
            "outline": translate("Docks", "Outline"),
        },
        right={
            "properties": translate("Docks", "Properties"),
            "explain": translate("Docks", "Explain"),
            "settings": translate("Docks", "Settings"),
            "samples": translate("Docks", "Dataset"),
        },
        bottom={
            "training": translate("Docks", "Training"),
            "kernels": translate("Docks", "Kernels"),
            "feature_maps": translate("Docks", "Feature maps"),
            "prediction": translate("Docks", "Prediction"),
        },
        behind={
            "kernels": {
                "typed": translate("Docks", "By hand"),
                "confusion": translate("Docks", "Confusion"),
            },
            "feature_maps": {
                "dense": translate("Docks", "FC and softmax"),
                "gradients": translate("Docks", "Gradients"),
                "runs": translate("Docks", "Runs"),
            },
        },
        below={"history": translate("Docks", "History")},
        floating={"analyzer": translate("Docks", "Network analyzer")},
    )
