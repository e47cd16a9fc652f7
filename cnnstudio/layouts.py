"""Ready-made arrangements of the panels: "Build", "Train", "Inspect" and "Present", in the View menu."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QObject, Qt, QTimer, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow

from cnnstudio.docks import Docks


@dataclass(frozen=True)
class Layout:
    """The panels that are closed, those that come to the front of their tabs, and how the room is shared."""

    title: str
    closed: tuple[str, ...] = ()
    front: tuple[str, ...] = ()
    bottom: float = 0.0
    """The height of the panels at the bottom as a share of the window; 0 leaves it as it is."""
    widths: Mapping[str, float] | None = None
    """The widths of panels at the bottom as shares of the window."""
    large_type: bool = False
    tall_right: bool = False
    """Whether the panels at the right reach down to the bottom of the window."""


LEFT = ("palette", "outline", "history")
RIGHT = ("properties", "explain", "settings", "samples")
BOTTOM = ("training", "kernels", "typed", "confusion", "feature_maps", "dense", "gradients", "runs", "prediction")
LAYOUTS = (
    Layout(str(QT_TRANSLATE_NOOP("Layouts", "Build")), closed=BOTTOM),
    Layout(str(QT_TRANSLATE_NOOP("Layouts", "Train")), closed=LEFT, front=("settings",), bottom=0.4,
           widths={"training": 0.33, "kernels": 0.19, "feature_maps": 0.28, "prediction": 0.2}),
    Layout(str(QT_TRANSLATE_NOOP("Layouts", "Inspect")), closed=(*LEFT, "training"), front=("explain",), bottom=0.5,
           widths={"kernels": 0.22, "feature_maps": 0.35, "prediction": 0.2}, tall_right=True),
    Layout(str(QT_TRANSLATE_NOOP("Layouts", "Present")), closed=(*LEFT, *RIGHT, "kernels", "typed", "confusion"), bottom=0.4,
           widths={"training": 0.32, "feature_maps": 0.4, "prediction": 0.28}, large_type=True),
)  # fmt: skip


class Layouts(QObject):
    """The actions of the layouts; "Present" brings large type, and the next layout takes it away again."""

    def __init__(self, window: QMainWindow, docks: Docks, large_text: QAction) -> None:
        super().__init__(window)
        self._window, self._docks, self._large_text = window, docks, large_text
        self._enlarged = False
        self._waiting: Layout | None = None
        # The room can be shared only once the panels have been shown and hidden.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._share_out)
        self.actions: list[QAction] = []
        for number, layout in enumerate(LAYOUTS, 1):
            action = QAction(QCoreApplication.translate("Layouts", layout.title), self)
            action.setShortcut(f"Ctrl+Alt+{number}")
            action.setData(layout)
            action.triggered.connect(self._choose)
            window.addAction(action)
            self.actions.append(action)

    @Slot()
    def _choose(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.apply(action.data())

    def apply(self, layout: Layout) -> None:
        """Arrange the panels."""
        self._docks.arrange()
        if layout.tall_right:
            self._window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        for name in layout.closed:
            self._docks[name].close()
        for name in layout.front:
            self._docks[name].raise_()
        if layout.large_type and not self._large_text.isChecked():
            self._enlarged = True
            self._large_text.setChecked(True)
        elif not layout.large_type and self._enlarged:
            self._enlarged = False
            self._large_text.setChecked(False)
        self._waiting = layout
        self._soon.start()

    @Slot()
    def _share_out(self) -> None:
        layout, width, height = self._waiting, self._window.width(), self._window.height()
        if layout is None or layout.widths is None:
            return
        docks = [self._docks[name] for name in layout.widths]
        self._window.resizeDocks(docks[:1], [round(layout.bottom * height)], Qt.Orientation.Vertical)
        self._window.resizeDocks(docks, [round(share * width) for share in layout.widths.values()], Qt.Orientation.Horizontal)
