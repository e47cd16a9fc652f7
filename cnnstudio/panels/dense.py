"""A fully connected layer: its outputs as bars, and what each input contributes to the chosen one."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.panels.along_chain import WITH_KERNELS, Maps, as_maps, input_of, maps_before_flatten, output_names
from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.panels.range_choice import RangeChoice, network_range
from cnnstudio.selection import CellRef, Selection
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.colormaps import value_range
from cnnstudio.widgets.fields import Choice
from cnnstudio.widgets.map_area import RangeMode
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.numbers import format_percent, format_value
from cnnstudio.widgets.running_label import RunningLabel
from cnnstudio.widgets.signed_bars import SignedBars
from engine.datasets.dataset import Dataset
from engine.layer import Array
from engine.snapshot import Snapshot

CONTRIBUTIONS, WEIGHTS = "contributions", "weights"


class DensePanel(LivePanel):
    """The chosen FC layer, else the last one. Contribution j to unit k is W[k, j] · x[j]; with the bias they add up to z[k].

    Behind Flatten, weights and contributions are arranged as the maps that were flattened.
    """

    interval = 0.1

    def __init__(self, document: Document, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._selection = document, selection
        self._data: Dataset | None = None
        self._snapshot: Snapshot | None = None
        self._unit: int | None = None
        self._what = Choice()
        self._what.setAccessibleName(self.tr("What to show of the layer"))
        self._what.addItem(self.tr("Contributions"), CONTRIBUTIONS)
        self._what.addItem(self.tr("Weights"), WEIGHTS)
        self._what.setToolTip(self.tr("A contribution is a weight times the number that it meets."))
        self._bars = SignedBars()
        self._bars.setAccessibleName(self.tr("Outputs of the layer"))
        self._view = MapView(placeholder=self.tr("The network has no FC layer."))
        self._view.setAccessibleName(self.tr("Contributions to the chosen output"))
        self._range = RangeChoice(self, self._view, first="unit", unit=self.tr("Colours: range of this output"))
        self._range.allow_network(False)
        self._range.changed.connect(self._choose)
        self._sum = RunningLabel(lines=2)
        self._sum.setProperty("role", "muted")
        left = QVBoxLayout()
        left.setSpacing(SPACE_XS)
        top = QHBoxLayout()
        top.setSpacing(SPACE_XS)
        top.addWidget(self._what, 1)
        tools = PanelTools(
            self, self._view, self.tr("Click an output to see what contributes to it."),
            self.tr("Inputs in the colour of positive numbers speak for the chosen output, those in the colour of negative ones "
                    "against it. All contributions and the bias add up to its value; Softmax turns the values of the last layer "
                    "into probabilities."),
        )  # fmt: skip
        tools.set_views(self._view, self._bars)
        top.addWidget(tools)
        left.addLayout(top)
        left.addWidget(self._view, 1)
        left.addWidget(self._sum)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_XS, SPACE_S, SPACE_XS)
        layout.setSpacing(SPACE_S)
        layout.addLayout(left, 5)
        layout.addWidget(self._bars, 4)
        self._what.currentIndexChanged.connect(self._choose)
        self._bars.row_clicked.connect(self.choose_unit)
        self._view.cell_activated.connect(self._open_cell)
        selection.block_changed.connect(self.follow)
        document.graph_changed.connect(self.follow)
        self.follow()

    @property
    def view(self) -> MapView:
        """The contributions or weights."""
        return self._view

    @property
    def bars(self) -> SignedBars:
        """The outputs."""
        return self._bars

    def set_data(self, data: Dataset | None) -> None:
        """Name the classes of another data set."""
        self._data = data
        self._draw()

    def needs(self) -> Needs:
        """Input, weights and output of the layer, and the output of the network; for a range of the network all weights."""
        layer, nodes = self._layer(), self._document.spec.nodes
        before = input_of(self._document.derived, layer) if layer else None
        outputs = frozenset(name for name in (layer, before, nodes[-1].id if nodes else None) if name)
        weights = frozenset([layer] if layer else [])
        if self._of_network:
            weights |= frozenset(p.node.id for p in self._document.derived.placed.values() if p.node.layer.role in WITH_KERNELS)
        return Needs(outputs, weights)

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the layer of one step."""
        self._snapshot = snapshot
        self._draw()

    @Slot()
    def follow(self, *_: object) -> None:
        """Show the layer that belongs to the chosen block."""
        layer = self._layer()
        self._unit = None
        detail = "" if layer is None else self._document.name_of(layer)
        self.heading_changed.emit(self.tr("FC and softmax"), detail)
        self.needs_changed.emit()
        self._draw()

    @Slot(int)
    def choose_unit(self, unit: int) -> None:
        """Show what contributes to one output."""
        self._unit = unit
        self._draw()

    # --- what to show ---

    def _layer(self) -> str | None:
        """The chosen FC layer, else the last one."""
        placed = self._document.derived.placed
        dense = [node.id for node in self._document.spec if node.layer.role == "dense" and node.id in placed]
        block = self._selection.block
        return block if block in dense else dense[-1] if dense else None

    @Slot()
    def _draw(self) -> None:
        layer, snapshot = self._layer(), self._snapshot
        before = input_of(self._document.derived, layer) if layer else None
        names = (f"{before}.y", f"{layer}.W", f"{layer}.y")
        if layer is None or snapshot is None or any(name not in snapshot for name in names):
            if layer is None or snapshot is None:
                self._view.set_maps(None)
                self._bars.set_values((), np.zeros(0))
                self._sum.clear()
            return
        x, weights, z = (snapshot[name] for name in names)
        if weights.shape != (z.size, x.size):
            return  # the frame was made for another network; the right one is under way
        unit = self._unit if self._unit is not None and self._unit < z.size else int(z.argmax())
        units, notes = self._texts(layer, z, snapshot)
        self._bars.set_values(units, z, notes, unit)
        shown = weights[unit] * x.ravel() if self._what.currentData() == CONTRIBUTIONS else weights[unit]
        key = (layer, unit, self._what.currentData(), snapshot.step, id(snapshot))
        low, high = self._bounds(snapshot, weights, x.ravel())
        mode: RangeMode = "network" if self._of_network else "layer"
        self._view.set_maps(self._as_maps(layer, shown), low=low, high=high, kind="weight", range_mode=mode, key=key)
        self._say_sum(units[unit], weights[unit] * x.ravel(), snapshot.arrays.get(f"{layer}.b"), unit, z)

    def _bounds(self, snapshot: Snapshot, weights: Array, x: Array) -> tuple[float, float] | tuple[None, None]:
        """Given bounds of the colours: those of all outputs of the layer, or of all weights of the network."""
        if self._range.mode == "unit":
            return None, None
        if self._of_network:
            return network_range(snapshot, "W", "weight")
        return value_range(weights if self._what.currentData() == WEIGHTS else np.abs(weights).max(axis=0) * x, "weight")

    @property
    def _of_network(self) -> bool:
        """Whether colours reach over the network; contributions, which only this layer has, then reach over the layer."""
        return self._range.mode == "network" and self._what.currentData() == WEIGHTS

    @Slot()
    def _choose(self) -> None:
        self._range.allow_network(self._what.currentData() == WEIGHTS)
        self.needs_changed.emit()
        self._draw()

    def _texts(self, layer: str, z: Array, snapshot: Snapshot) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(names of the outputs, their probabilities where there are any)."""
        names = output_names(self._document.derived, layer, self._data)
        if len(names) != z.size:
            return tuple(self.tr("unit {number}").format(number=k) for k in range(z.size)), ()
        last = self._document.spec.nodes[-1]
        y = snapshot.arrays.get(f"{last.id}.y")
        softmax = last.layer.kind == "softmax" and y is not None and y.shape == z.shape
        return names, tuple(format_percent(float(p)) for p in y) if softmax and y is not None else ()

    def _as_maps(self, layer: str, row: Maps) -> Maps:
        shape = maps_before_flatten(self._document.derived, layer)
        return row.reshape(shape) if shape is not None and shape.size == row.size else as_maps(row)

    def _say_sum(self, name: str, contributions: Array, bias: Array | None, unit: int, z: Array) -> None:
        total, b = float(contributions.sum()), 0.0 if bias is None else float(bias[unit])
        text = self.tr("{name}: sum of contributions {total} + bias {bias} = {value}")
        value = format_value(float(z[unit]), 4)
        self._sum.setText(text.format(name=name, total=format_value(total, 4), bias=format_value(b, 3), value=value))

    @Slot(object)
    def _open_cell(self, cell: Cell) -> None:
        """Choose the output whose contributions are shown, or the weight that was double-clicked."""
        layer, snapshot, maps = self._layer(), self._snapshot, self._view.maps
        if layer is None or snapshot is None or maps is None:
            return
        unit = self._bars.chosen
        if self._what.currentData() == CONTRIBUTIONS:
            ref = CellRef(f"{layer}.y", (unit,), snapshot.step, snapshot.probe)
        else:
            _, height, width = maps.shape
            ref = CellRef(f"{layer}.W", (unit, (cell.map * height + cell.row) * width + cell.col), snapshot.step, snapshot.probe)
        self._selection.select_cell(ref)
