"""Over which values the colours of a picture reach: of each map, of the layer, or of the whole network."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from cnnstudio.widgets.colormaps import Kind, value_range
from cnnstudio.widgets.map_area import RangeMode
from cnnstudio.widgets.map_view import MapView
from engine.layer import Array
from engine.snapshot import Snapshot


class RangeChoice(QObject):
    """Three choices in the menus of a panel's pictures."""

    changed = Signal()

    def __init__(self, parent: QObject, *views: MapView, first: RangeMode = "layer", unit: str = "") -> None:
        """`first` is chosen at first; `unit` says what has a range of its own where that is not each map."""
        super().__init__(parent)
        self._mode = first
        self._actions = QActionGroup(self)
        for text, mode in (
            (unit or self.tr("Colours: each map its own range"), "unit"),
            (self.tr("Colours: range of the layer"), "layer"),
            (self.tr("Colours: range of the network"), "network"),
        ):
            action = QAction(text, self._actions)
            action.setCheckable(True)
            action.setChecked(mode == self._mode)
            action.setData(mode)
        self._actions.triggered.connect(self._choose)
        for view in views:
            view.menu_opening.connect(self._offer)

    @property
    def mode(self) -> RangeMode:
        """What is chosen."""
        return self._mode

    def allow_network(self, allowed: bool) -> None:
        """Offer the range of the network only where it has a meaning."""
        self._action("network").setEnabled(allowed)

    def choose(self, mode: RangeMode) -> None:
        """Choose another range."""
        self._action(mode).trigger()

    def _action(self, mode: RangeMode) -> QAction:
        return next(action for action in self._actions.actions() if action.data() == mode)

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
    arrays = [array for name, array in snapshot.arrays.items()
              if name.endswith(f".{suffix}") and not name.startswith("input")]  # fmt: skip
    return common_range(arrays, kind) if arrays else (None, None)


def common_range(arrays: Iterable[Array], kind: Kind) -> tuple[float, float]:
    """The range (low, high) of all arrays together: the same colour is the same number in all of them."""
    lows, highs = zip(*(value_range(array, kind) for array in arrays), strict=True)
    return min(lows), max(highs)
