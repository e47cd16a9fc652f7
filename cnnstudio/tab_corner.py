"""What stands at the free end of a bar of tabs: what the panel in front shows, and buttons to float and close it.

Where there is no room for the first, it stands in a line of its own above the panel.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Slot
from PySide6.QtWidgets import QTabBar
from shiboken6 import getCppPointer

from cnnstudio.dock import Dock, DockButtons
from cnnstudio.theme import SPACE_S
from cnnstudio.widgets.elided_label import ElidedLabel
from cnnstudio.widgets.picture_menu import pop_up


class TabCorner(DockButtons):
    """A child of the bar, since Qt has no place for it there; hidden where the tabs leave no room.

    Each tab also has a menu with the same two actions, and a double click on it makes its panel a window of its own.
    """

    def __init__(self, bar: QTabBar, docks: Iterable[Dock]) -> None:
        super().__init__(bar)
        self._bar = bar
        # A main window notes at each tab where in memory its dock lies.
        self._docks = {getCppPointer(dock)[0]: dock for dock in docks}
        self._detail = ElidedLabel()
        self._detail.setProperty("role", "muted")
        self._detail.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.row.insertWidget(0, self._detail, 1)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        bar.customContextMenuRequested.connect(self._offer)
        bar.tabBarDoubleClicked.connect(self._float)
        bar.currentChanged.connect(self.follow)
        bar.installEventFilter(self)
        self.follow()

    @property
    def detail(self) -> str:
        """What is said of the panel in front."""
        return self._detail.text()

    @Slot()
    def follow(self, *_: object) -> None:
        """Belong to the panel in front, and take the room that the tabs leave."""
        dock = self._dock_at(self._bar.currentIndex())
        if dock is not self._dock:
            if self._dock is not None:
                self._dock.detail_changed.disconnect(self._tell)
            self.act_on(dock)
            if dock is not None:
                dock.detail_changed.connect(self._tell)
        self._tell(dock.detail if dock is not None else "")

    @Slot(str)
    def _tell(self, detail: str) -> None:
        self._detail.setText(detail)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the bar when it is arranged anew."""
        if watched is self._bar and event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest, QEvent.Type.Show):
            self.follow()
        return super().eventFilter(watched, event)

    def _dock_at(self, index: int) -> Dock | None:
        return self._docks.get(self._bar.tabData(index))

    def _place(self) -> None:
        tabs = self._bar.tabRect(self._bar.count() - 1).right() + 1
        room, needed = self._bar.width() - tabs, self.buttons_width
        self.setVisible(self._dock is not None and room >= needed)
        has_room = room >= needed + SPACE_S + self._detail.least_width
        self._detail.setVisible(has_room)
        if self._dock is not None:
            self._dock.show_detail(not has_room)
        self.setGeometry(tabs, 0, max(room, 0), self._bar.height())

    @Slot(QPoint)
    def _offer(self, at: QPoint) -> None:
        dock = self._dock_at(self._bar.tabAt(at))
        if dock is not None:
            pop_up(dock.menu(), self._bar.mapToGlobal(at))

    @Slot(int)
    def _float(self, index: int) -> None:
        dock = self._dock_at(index)
        if dock is not None:
            dock.float_or_dock()
