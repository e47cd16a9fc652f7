"""Over which values the colours of a picture reach: of each map, of the layer, or of the whole network."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from cnnstudio.widgets.colormaps import Kind, value_range
from cnnstudio.widgets.map_area import RangeMode
from cnnstudio.widgets.map_view import MapView
from engine.snapshot import Snapshot


class RangeChoice(QObject):
    """Three choices in the menu of a picture; "layer" at first."""

    changed = Signal()

    def __init__(self, view: MapView, parent: QObject) -> None:
        super().__init__(parent)
        self._mode: RangeMode = "layer"
        self._actions = QActionGroup(self)
        for text, mode in (
            (self.tr("Colours: each map its own range"), "unit"),
            (self.tr("Colours: range of the layer"), "layer"),
            (self.tr("Colours: range of the network"), "network"),
        ):
            action = QAction(text, self._actions)
            action.setCheckable(True)
            action.setChecked(mode == self._mode)
            action.setData(mode)
        self._actions.triggered.connect(self._choose)
        view.menu_opening.connect(self._offer)

    @property
    def mode(self) -> RangeMode:
        """What is chosen."""
        return self._mode

    def choose(self, mode: RangeMode) -> None:
        """Choose another range."""
        next(action for action in self._actions.actions() if action.data() == mode).trigger()

    @Slot(object)
    def _offer(self, menu: QMenu) -> None:
        menu.addSeparator()
        menu.addActions(self._actions.actions())

    @Slot(QAction)
    def _choose(self, action: QAction) -> None:
        self._mode = action.data()
        self.changed.emit()


def network_range(snapshot: Snapshot, suffix: str, kind: Kind) -> tuple[float, float] | tuple[None, None]:
    """The range (low, high) of all arrays "layer.suffix" of a snapshot together; no numbers where there are none."""
    ranges = [value_range(array, kind) for name, array in snapshot.arrays.items()
              if name.endswith(f".{suffix}") and not name.startswith("input")]  # fmt: skip
    if not ranges:
        return None, None
    return min(low for low, _ in ranges), max(high for _, high in ranges)
