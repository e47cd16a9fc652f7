"""The kernels of a layer as one mosaic: weights, gradient of the chosen sample, what training changed; and their spread."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from PySide6.QtCore import QSize, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.panels.along_chain import WITH_KERNELS, Maps, kernels_layer, maps_before_flatten, output_names
from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.panels.range_choice import RangeChoice, network_range
from cnnstudio.panels.spread import CHANGE, GRADIENT, UPDATE, WEIGHTS, Spread
from cnnstudio.selection import CellRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.fields import Choice
from cnnstudio.widgets.histogram_map import HistogramMap
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.numbers import format_shape, format_value
from cnnstudio.widgets.picture_menu import pop_up
from engine.datasets.dataset import Dataset
from engine.snapshot import Snapshot

SPREAD = "spread"
MEAN, RGB = -1, -2
MOST_OFFERED = 16
"""So many weights behind a mean are offered at most."""


class KernelsPanel(LivePanel):
    """All filters of the chosen layer, or of the last one before it that has any.

    A fully connected layer behind Flatten shows each unit's weights as maps over its input; any other shows
    its matrix. Units that stand for classes have their names.
    """

    def __init__(self, document: Document, selection: Selection, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._selection, self._controller = document, selection, controller
        self._data: Dataset | None = None
        self._layer: str | None = None
        self._snapshot: Snapshot | None = None
        self._spread = Spread(self, selection, controller)
        self._make_choices()
        self._make_pictures()
        self._lay_out()
        self._array.currentIndexChanged.connect(self._choose_array)
        self._channel.currentIndexChanged.connect(self._draw)
        self._range.changed.connect(self._choose_array)
        self._view.cell_activated.connect(self._open_cell)
        selection.block_changed.connect(self.follow)
        document.graph_changed.connect(self.follow)
        self._spread.changed.connect(self.needs_changed)
        self.follow()

    def _make_choices(self) -> None:
        self._array = Choice()
        self._array.setAccessibleName(self.tr("What to show of the kernels"))
        self._array.addItem(self.tr("Weights"), WEIGHTS)
        self._array.addItem(self.tr("Gradient of this sample"), GRADIENT)
        self._array.addItem(self.tr("Last update"), UPDATE)
        self._array.addItem(self.tr("Change so far"), CHANGE)
        self._array.addItem(self.tr("Spread"), SPREAD)
        self._array.setToolTip(
            self.tr("The gradient says how the loss of the chosen sample changes with each weight. The last update is what the "
                    "last batch changed; the start is when the weights were drawn or loaded. The spread shows which values any "
                    "of these had at each step of training.")
        )  # fmt: skip
        self._channel = Choice()
        self._channel.setAccessibleName(self.tr("Input channel of the kernels"))
        self._channel.setToolTip(
            self.tr("A kernel has one slice for each channel of its input. In a mean or a coloured picture a double click, or "
                    "Enter, offers the weights of the channels.")
        )  # fmt: skip
        for box in (self._array, self._channel, self._spread.box):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(3)
        self._second = QStackedWidget()
        self._second.addWidget(self._channel)
        self._second.addWidget(self._spread.box)
        self._second.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _make_pictures(self) -> None:
        self._view = MapView(placeholder=self.tr("Choose a Conv or FC block to see its kernels."))
        self._view.setAccessibleName(self.tr("Kernels"))
        self._range = RangeChoice(self, self._view)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._view)
        self._stack.addWidget(self._spread.picture)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._array, 4)
        row.addWidget(self._second, 5)
        self._tools = PanelTools(
            self, self._view, self.tr("Point at a weight to read it; double-click to see what it does, of a mean or a colour "
                                      "after choosing the channel."),
            self.tr("Each square is one kernel of the chosen layer, or its slice for one input channel. The scale bar says which "
                    "colour is positive and which negative; 0 lies in its middle. Choose another block on the canvas to see its "
                    "kernels."),
        )  # fmt: skip
        row.addWidget(self._tools)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, 0, SPACE_S, SPACE_XS)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(row)
        layout.addWidget(self._stack, 1)

    def minimumSizeHint(self) -> QSize:
        """As wide as with both choices: another block must not push the pictures of other panels aside."""
        size = super().minimumSizeHint()
        return size if not self._second.isHidden() else size + QSize(self._second.minimumSizeHint().width() + SPACE_S, 0)

    @property
    def view(self) -> MapView:
        """The picture."""
        return self._view

    @property
    def histogram(self) -> HistogramMap:
        """The spread over the steps."""
        return self._spread.picture

    def set_data(self, data: Dataset | None) -> None:
        """Name the classes of another data set."""
        self._data = data
        self._draw()

    def show_array(self, what: str) -> None:
        """Show WEIGHTS, GRADIENT, UPDATE or CHANGE, or the SPREAD of what was shown before."""
        self._array.setCurrentIndex(self._array.findData(what))

    def show_spread(self, quantity: str) -> None:
        """Show how the WEIGHTS, GRADIENT, UPDATE or CHANGE were spread at each step."""
        self.show_array(SPREAD)
        self._spread.choose(quantity)

    @Slot()
    def follow(self, *_: object) -> None:
        """Show the layer that belongs to the chosen block."""
        layer = kernels_layer(self._document.derived, self._selection.block)
        channels = self._channels(layer)
        if layer == self._layer and self._channel.property("channels") == channels:
            self._tell_heading()
            return
        self._layer = layer
        self._spread.set_layer(layer)
        self._offer_channels(channels)
        self._tell_heading()
        self.needs_changed.emit()
        self._draw()

    def needs(self) -> Needs:
        """The weights of one layer, for a range of the network of all; their gradients only when they are shown."""
        what = self._array.currentData()
        changes = (what if what != SPREAD else self._spread.quantity) in (UPDATE, CHANGE)
        weights = frozenset([self._layer] if self._layer else [])
        if self._range.mode == "network":
            weights = frozenset(p.node.id for p in self._document.derived.placed.values() if p.node.layer.role in WITH_KERNELS)
        return Needs(weights=weights, gradients=what == GRADIENT, changes=changes)

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the kernels of one step."""
        self._snapshot = snapshot
        self._spread.set_snapshot(snapshot)
        if self._array.currentData() != SPREAD:
            self._draw()

    # --- what to show ---

    def _channels(self, layer: str | None) -> int:
        """How many input channels the kernels have; 0 for a plain matrix."""
        placed = self._document.derived.placed.get(layer or "")
        if placed is None:
            return 0
        if placed.node.layer.role == "conv":
            return int(next(iter(placed.node.layer.params(placed.x).values())).shape[1])
        maps = maps_before_flatten(self._document.derived, placed.node.id)
        return 0 if maps is None else maps[0]

    def _offer_channels(self, channels: int) -> None:
        self._channel.blockSignals(True)
        self._channel.clear()
        self._channel.setProperty("channels", channels)
        if channels == 3:
            self._channel.addItem(self.tr("as RGB"), RGB)
        if channels > 1:
            self._channel.addItem(self.tr("channel mean"), MEAN)
        for channel in range(channels):
            self._channel.addItem(self.tr("channel {number}").format(number=channel), channel)
        self._channel.blockSignals(False)
        self._hide_single_channel()

    def _hide_single_channel(self) -> None:
        """A choice of one is none, and leaves its room to the other."""
        self._second.setVisible(self._second.currentWidget() is not self._channel or self._channel.property("channels") > 1)

    def _tell_heading(self) -> None:
        derived = self._document.derived
        placed = derived.placed.get(self._layer or "")
        if placed is None:
            self.heading_changed.emit(self.tr("Kernels"), "")
            return
        name = self._document.name_of(placed.node.id)
        shape = next(iter(placed.node.layer.params(placed.x).values())).shape
        detail = f"{name} · {shape[0]} × {format_shape(shape[1:])}"
        self.heading_changed.emit(self.tr("Kernels"), detail)

    @Slot()
    def _choose_array(self) -> None:
        what = self._array.currentData()
        shows_spread = what == SPREAD
        self._stack.setCurrentIndex(int(shows_spread))
        self._tools.set_views(self._spread.picture if shows_spread else self._view)
        self._second.setCurrentIndex(int(shows_spread))
        self._hide_single_channel()
        if not shows_spread:
            self._spread.choose(what)
        self.needs_changed.emit()
        self._draw()

    @Slot()
    def _draw(self) -> None:
        what = self._array.currentData()
        if what == SPREAD:
            self._spread.draw()
            return
        name = f"{self._layer}.{what}"
        if self._snapshot is None or name not in self._snapshot:
            if self._snapshot is None or self._layer is None or what != WEIGHTS:
                none = self.tr("There is none yet: train a batch, and choose a sample whose class is known.")
                choose = self.tr("Choose a Conv or FC block to see its kernels.")
                self._view.set_placeholder(choose if self._layer is None else none)
                self._view.set_maps(None)
            return
        weights = self._snapshot[name]
        maps, names = self._maps(weights), output_names(self._document.derived, self._layer or "", self._data)
        is_matrix = maps.shape[1:] == weights.shape
        names = names if len(names) == len(weights) else ()
        rows, labels = (names, ()) if is_matrix else ((), names)
        self._view.set_axes(rows, oblong=is_matrix)
        key = (name, self._channel.currentData(), self._snapshot.step, id(weights))
        of_network = self._range.mode == "network"
        low, high = network_range(self._snapshot, what, "weight") if of_network else (None, None)
        self._view.set_maps(maps, low=low, high=high, kind="weight", range_mode=self._range.mode, labels=labels, key=key)

    def _maps(self, weights: Maps) -> Maps:
        if weights.ndim == 2:
            shape = maps_before_flatten(self._document.derived, self._layer or "")
            if shape is None or weights.shape[1] != shape.size:
                return weights[None]
            weights = weights.reshape(len(weights), *shape)
        channel = self._channel.currentData()
        if channel == RGB and weights.shape[1] == 3:
            return np.moveaxis(weights, 1, -1)
        if channel is None or not 0 <= channel < weights.shape[1]:
            return weights.mean(axis=1, dtype=np.float32)
        return weights[:, channel]

    @Slot(object)
    def _open_cell(self, cell: Cell) -> None:
        """Choose the weight that was double-clicked; behind a mean or a colour lie several, which a menu offers."""
        name = f"{self._layer}.{self._array.currentData()}"
        if self._snapshot is None or name not in self._snapshot:
            return
        channel = self._channel.currentData()
        if channel is None:
            self._explain((cell.row, cell.col))
        elif channel >= 0:
            self._explain(self._index(cell, channel))
        else:
            weights = self._snapshot[name]
            places = {k: self._index(cell, k) for k in range(self._channel.property("channels"))}
            if not all(len(place) == weights.ndim and np.less(place, weights.shape).all() for place in places.values()):
                return  # the frame is of the network before an edit; the right one is under way
            menu = self._channel_menu(places, weights)
            pop_up(menu, self._view.viewport().mapToGlobal(self._view.cell_rect(cell.map, cell.row, cell.col).center().toPoint()))

    def _index(self, cell: Cell, channel: int) -> tuple[int, ...]:
        """Where in the array the weight of one channel lies that a cell shows."""
        shape = maps_before_flatten(self._document.derived, self._layer or "")
        if shape is None:
            return cell.map, channel, cell.row, cell.col
        return cell.map, (channel * shape[1] + cell.row) * shape[2] + cell.col

    def _channel_menu(self, places: Mapping[int, tuple[int, ...]], weights: Maps) -> QMenu:
        """The weights at the places of some channels, the largest first; a few of very many. A colour names its own."""
        menu, colors = QMenu(self._view), (self.tr("red"), self.tr("green"), self.tr("blue"))
        of_color = self._channel.currentData() == RGB
        for channel in sorted(places, key=lambda channel: -abs(float(weights[places[channel]])))[:MOST_OFFERED]:
            text = self.tr("{color}, channel {number}: {value}") if of_color else self.tr("channel {number}: {value}")
            value, color = format_value(float(weights[places[channel]])), colors[channel] if of_color else ""
            action = menu.addAction(text.format(number=channel, value=value, color=color))
            action.triggered.connect(partial(self._explain, places[channel]))
        menu.setActiveAction(menu.actions()[0])
        return menu

    def _explain(self, index: tuple[int, ...], *_: object) -> None:
        """Choose a weight, or its gradient where gradients are shown."""
        assert self._snapshot is not None
        array = GRADIENT if self._array.currentData() == GRADIENT else WEIGHTS
        self._selection.select_cell(CellRef(f"{self._layer}.{array}", index, self._snapshot.step, self._snapshot.probe))
