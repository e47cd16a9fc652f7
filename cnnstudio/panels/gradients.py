"""How the loss of the shown sample runs back through the chain: deltas of a layer, their size along the chain and over time."""

from __future__ import annotations

from itertools import cycle, product

import numpy as np
from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.panels.along_chain import as_maps
from cnnstudio.panels.comparison import NARROWEST
from cnnstudio.panels.curve_options_button import CurveOptionsButton
from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.panels.range_choice import RangeChoice, network_range
from cnnstudio.selection import CellRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.curve_plot import CurvePlot
from cnnstudio.widgets.fields import Choice
from cnnstudio.widgets.flow_bars import FlowBar, FlowBars
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.numbers import format_shape
from cnnstudio.widgets.training_plot import RUN_COLORS
from engine.layer import Array
from engine.snapshot import Snapshot

DELTAS = "deltas"
DASHES: tuple[tuple[int, ...], ...] = ((), (6, 2), (2, 2))
"""Where layers are more than there are colours, these come again with dashes."""
LOW = 190
"""Pixels of height below which there is room for the deltas or for the bars, not for both."""
FRAME = 250
"""Milliseconds between two drawings of the norms."""


class GradientsPanel(LivePanel):
    """Above a bar for each layer's delta; below the delta maps of the chosen layer, or norms of all layers over time."""

    def __init__(
        self, document: Document, selection: Selection, controller: Controller, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._selection, self._controller = document, selection, controller
        self._snapshot: Snapshot | None = None
        self._drawn: tuple[str, ...] = ()
        """The layers whose norms are drawn."""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(FRAME)
        self._soon.timeout.connect(self._draw_norms)
        self._make_widgets()
        self._lay_out()
        self._what.currentIndexChanged.connect(self._choose)
        self._flow.bar_clicked.connect(selection.select_block)
        self._view.cell_activated.connect(self._open_cell)
        self._range.changed.connect(self._draw)
        controller.norms_recorded.connect(self._norms_have_grown)
        selection.block_changed.connect(self.follow)
        selection.sample_changed.connect(self.follow)
        document.graph_changed.connect(self.follow)
        self.follow()

    def _make_widgets(self) -> None:
        self._what = Choice()
        self._what.setAccessibleName(self.tr("What to show of the gradients"))
        for text, key in (
            (self.tr("Deltas of this sample"), DELTAS),
            (self.tr("Size of the gradient over time"), "gradient"),
            (self.tr("Size of the weights over time"), "weights"),
            (self.tr("Update ratio over time"), "update_ratio"),
        ):
            self._what.addItem(text, key)
        self._what.setToolTip(
            self.tr("A delta says how the loss of the shown sample changes with one number of a map. "
                    "The update ratio is the length of an update by that of the weights; about 1/1000 is healthy.")
        )  # fmt: skip
        self._what.setMinimumWidth(NARROWEST)
        self._flow = FlowBars()
        self._view = MapView()
        self._view.setAccessibleName(self.tr("Deltas"))
        self._range = RangeChoice(self, self._view)
        self._plot = CurvePlot()
        for widget in (self._plot, self._plot.chart):
            widget.setAccessibleName(self.tr("Norms over the steps"))
        self._options = CurveOptionsButton(self._plot, self.tr("Smoothing, epochs or steps, logarithm"))
        self._options.hide()
        self._stack = QStackedWidget()
        self._stack.addWidget(self._view)
        self._stack.addWidget(self._plot)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self._what)
        row.addStretch(1)
        row.addWidget(self._options)
        tools = PanelTools(
            self, self._view,
            self.tr("Click a bar to see the deltas of that layer; double-click a delta to see how it came about."),
            self.tr("The loss of the shown sample is sent back from the last layer to the first. Where the bars become ever "
                    "smaller towards the left, the first layers hardly learn."),
        )  # fmt: skip
        tools.set_views(self._view, self._plot, self._flow)
        row.addWidget(tools)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, 0, SPACE_S, SPACE_XS)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self._flow)
        layout.addLayout(row)
        layout.addWidget(self._stack, 1)

    @property
    def view(self) -> MapView:
        """The delta maps."""
        return self._view

    @property
    def flow(self) -> FlowBars:
        """The bars along the chain."""
        return self._flow

    @property
    def plot(self) -> CurvePlot:
        """The norms over time."""
        return self._plot

    def show_quantity(self, key: str) -> None:
        """Show "deltas", "gradient", "weights" or "update_ratio"."""
        self._what.setCurrentIndex(self._what.findData(key))

    def needs(self) -> Needs:
        """The deltas of all layers; norms over time are recorded anyway."""
        if self._what.currentData() != DELTAS:
            return Needs()
        return Needs(deltas=frozenset(node.id for node in self._document.spec))

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the deltas of one step."""
        self._snapshot = snapshot
        self._draw()

    @Slot()
    def follow(self, *_: object) -> None:
        """Show the chosen block and sample."""
        sample = self._selection.sample
        labelled = sample is not None and sample.label is not None
        self._view.set_placeholder(
            self.tr("Choose a block to see its deltas.") if labelled
            else self.tr("Nobody knows the true class of this sample, so there is no loss to go back from.")
        )  # fmt: skip
        if not labelled:
            self._snapshot = None
        self._tell_heading()
        self.needs_changed.emit()
        self._draw()

    # --- what to show ---

    def _tell_heading(self) -> None:
        placed = self._document.derived.placed.get(self._selection.block or "")
        if placed is None or self._what.currentData() != DELTAS:  # over time all layers are shown
            self.heading_changed.emit(self.tr("Gradients"), "")
            return
        name, shape = self._document.name_of(placed.node.id), format_shape(tuple(placed.y))
        self.heading_changed.emit(self.tr("Gradients"), self.tr("{name} · delta {shape}").format(name=name, shape=shape))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The room of a low panel is the deltas'."""
        super().resizeEvent(event)
        self._show_flow()

    def _show_flow(self) -> None:
        self._flow.setVisible(self._what.currentData() == DELTAS and self.height() >= LOW)

    @Slot()
    def _choose(self) -> None:
        over_time = self._what.currentData() != DELTAS
        self._stack.setCurrentIndex(int(over_time))
        self._show_flow()
        self._options.setVisible(over_time)
        self._tell_heading()
        self._draw_norms() if over_time else self._draw()
        self.needs_changed.emit()

    @Slot()
    def _draw(self) -> None:
        snapshot, block = self._snapshot, self._selection.block
        if snapshot is None or "loss" not in snapshot:
            self._view.set_maps(None)
            self._flow.set_bars(())
            return
        deltas = {node.id: snapshot.arrays.get(f"{node.id}.dy") for node in self._document.spec}
        self._flow.set_bars(
            [FlowBar(node.id, self._document.name_of(node.id), node.layer.role, rms(delta))
             for node in self._document.spec if (delta := deltas[node.id]) is not None],
            block,
        )  # fmt: skip
        delta = deltas.get(block or "")
        if delta is None:
            self._view.set_maps(None)
        else:
            mode = self._range.mode
            low, high = network_range(snapshot, "dy", "weight") if mode == "network" else (None, None)
            key = (block, snapshot.step, id(snapshot))
            self._view.set_maps(as_maps(delta), low=low, high=high, kind="weight", range_mode=mode, key=key)

    @Slot()
    def _norms_have_grown(self) -> None:
        if self.isVisible() and self._what.currentData() != DELTAS and not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _draw_norms(self) -> None:
        what, norms = self._what.currentData(), self._controller.norms
        if what == DELTAS:
            return
        shown = tuple(layer for layer in norms.layers if layer in self._document.graph)
        if shown != self._drawn:
            for layer in self._drawn:
                self._plot.remove(layer)
            # Not in the colours of their blocks, which all layers of a kind share.
            looks = product(DASHES, RUN_COLORS)
            for layer, (dashes, color) in zip(shown, cycle(looks), strict=False):
                self._plot.define(layer, self._document.name_of(layer), color=color, dashes=dashes)
            self._drawn = shown
        self._plot.set_epoch_length(self._controller.state.batches or None)
        steps = norms.steps
        for layer in shown:
            self._plot.set_series(layer, steps, norms.column(what, layer))

    @Slot(object)
    def _open_cell(self, cell: Cell) -> None:
        block, snapshot = self._selection.block, self._snapshot
        if snapshot is None or f"{block}.dy" not in snapshot:
            return
        name = f"{block}.dy"
        index = (cell.map, cell.row, cell.col) if snapshot[name].ndim == 3 else (cell.map,)
        self._selection.select_cell(CellRef(name, index, snapshot.step, snapshot.probe))


def rms(array: Array) -> float:
    """√(mean of squares); the squares of a float32 need a float64."""
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))
