"""The maps that the chosen layer makes of the chosen sample; for a max pooling also where its winners lie."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.panels.along_chain import Maps, activation_of, as_maps, as_picture, input_of
from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.panels.pooling import window_cells, winner_marks
from cnnstudio.selection import CellRef, Selection
from cnnstudio.theme import SPACE_M, SPACE_S, SPACE_XS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.colormaps import Kind
from cnnstudio.widgets.map_area import RangeMode
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.numbers import format_percent, format_shape, format_value
from engine.layer import Window
from engine.snapshot import Snapshot
from engine.spec import Placed

MASK, INPUT, OUTPUT = "mask", "input", "output"
SMALLEST_WINDOW = 14
"""Pixels that a pooling window must span for its outline to help more than it hides."""
EACH_MAP: RangeMode = "unit"
ALL_MAPS: RangeMode = "layer"


class FeatureMapsPanel(LivePanel):
    """The output of the chosen layer, before or after its activation.

    A max pooling layer can also be shown as its winner mask, which marks in the maps that it reads the one
    number of each window that goes on, or as those maps themselves with the winners dotted.
    """

    def __init__(self, document: Document, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._selection = document, selection
        self._snapshot: Snapshot | None = None
        self._after = QCheckBox(self.tr("After activation"))
        self._after.setToolTip(self.tr("Show the maps behind the activation that follows this layer."))
        self._pooling = QComboBox()
        self._pooling.addItem(self.tr("Winner mask"), MASK)
        self._pooling.addItem(self.tr("Input with winners"), INPUT)
        self._pooling.addItem(self.tr("Output"), OUTPUT)
        self._pooling.setAccessibleName(self.tr("What to show of the pooling"))
        self._pooling.setToolTip(
            self.tr("The winner of each window, its largest number, goes on; every other number is dropped.")
        )
        self._own_range = QCheckBox(self.tr("Own range"))
        self._own_range.setToolTip(self.tr("Colour each map over its own range instead of one for all maps."))
        self._sorted = QCheckBox(self.tr("Most active first"))
        self._sorted.setToolTip(self.tr("Order the maps by the mean of their absolute values; each keeps its number."))
        self._order: Maps = np.zeros(0, np.int64)
        self._alone: int | None = None
        # A double click opens a cell; only a click that stays single enlarges.
        self._enlarge_soon = QTimer(self)
        self._enlarge_soon.setSingleShot(True)
        self._enlarge_soon.timeout.connect(self._enlarge)
        self._clicked: int | None = None
        self._hint = QLabel()
        self._hint.setProperty("role", "muted")
        # What the hint says comes and goes with the pointer; were room made for it, the pictures would move away from under it.
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._view = MapView(placeholder=self.tr("Choose a block to see what it makes of the sample."))
        self._view.setAccessibleName(self.tr("Feature maps"))
        row = QHBoxLayout()
        row.setSpacing(SPACE_M)
        row.addWidget(self._after)
        row.addWidget(self._pooling)
        row.addWidget(self._own_range)
        row.addWidget(self._sorted)
        row.addWidget(self._hint, 1)
        tools = PanelTools(
            self, self._view, self.tr("Click a map to enlarge it; double-click a cell to see how it was computed."),
            self.tr("Each picture is one output of the chosen layer for the chosen sample. Of a max pooling, the marked "
                    "cells of its input are the largest of their windows: only they go on, and only to them the gradient "
                    "flows back."),
        )  # fmt: skip
        row.addWidget(tools)
        self._after.toggled.connect(self._choose)
        self._pooling.currentIndexChanged.connect(self._choose)
        self._own_range.toggled.connect(self._choose)
        self._sorted.toggled.connect(self._choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, 0, SPACE_S, SPACE_XS)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(row)
        layout.addWidget(self._view, 1)
        self._view.cell_activated.connect(self._open_cell)
        self._view.cell_clicked.connect(self._click)
        self._view.hovered.connect(self._show_window)
        self._view.hovered.connect(self._show_statistics)
        selection.block_changed.connect(self.follow)
        document.graph_changed.connect(self.follow)
        self.follow()

    @property
    def view(self) -> MapView:
        """The picture."""
        return self._view

    @property
    def shows_winners(self) -> bool:
        """Whether the picture shows where the winners of a max pooling lie in its input."""
        return self._pool() is not None and self._pooling.currentData() != OUTPUT

    @Slot()
    def follow(self, *_: object) -> None:
        """Show the chosen block."""
        block = self._selection.block
        derived = self._document.derived
        self._alone = None
        self._after.setVisible(block is not None and activation_of(derived, block) is not None)
        self._pooling.setVisible(self._pool() is not None)
        self._choose()

    def _shows_mask(self) -> bool:
        return self._pool() is not None and self._pooling.currentData() == MASK

    def needs(self) -> Needs:
        """The outputs of the layer shown, and for the winners those of the layer before."""
        layer = self._layer()
        pool = self._pool()
        before = input_of(self._document.derived, pool.node.id) if pool is not None else None
        return Needs(frozenset(name for name in (layer, before) if name))

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the maps of one step."""
        self._snapshot = snapshot
        self._draw()

    # --- what to show ---

    def _layer(self) -> str | None:
        block, derived = self._selection.block, self._document.derived
        if block is None or block not in derived.placed:
            return None
        after = activation_of(derived, block) if self._after.isChecked() else None
        return after if after in derived.placed else block

    def _pool(self) -> Placed | None:
        placed = self._document.derived.placed.get(self._selection.block or "")
        return placed if placed is not None and placed.node.layer.kind == "max_pool" else None

    def _window(self) -> Window | None:
        pool = self._pool()
        return None if pool is None else pool.node.layer.window(pool.x)

    def _shown_name(self) -> str:
        """The array on display."""
        if not self.shows_winners:
            return f"{self._layer()}.y"
        before = input_of(self._document.derived, self._selection.block or "")
        return f"{before}.y"

    @Slot()
    def _choose(self) -> None:
        self._tell_heading()
        self._own_range.setVisible(not self._shows_mask())
        self._sorted.setVisible(not self.shows_winners)
        if self.shows_winners:
            self._alone = None
        self._view.clear_highlight()
        self.needs_changed.emit()
        self._draw()

    def _tell_heading(self) -> None:
        layer = self._layer()
        placed = self._document.derived.placed.get(layer or "")
        if placed is None or layer is None:
            self._hint.clear()
            self.heading_changed.emit(self.tr("Feature maps"), "")
            return
        name = self._document.name_of(layer)
        shape = placed.x if self.shows_winners else placed.y
        if shape.is_image:
            template = self.tr("{name} · {count} maps of {shape}")
            detail = template.format(name=name, count=shape[0], shape=format_shape(shape[1:]))
        else:
            detail = self.tr("{name} · {count} numbers").format(name=name, count=shape.size)
        self._hint.setText(self.tr("marked cells go on") if self.shows_winners else "")
        self.heading_changed.emit(self.tr("Feature maps"), detail)

    @Slot()
    def _draw(self) -> None:
        name, snapshot = self._shown_name(), self._snapshot
        if snapshot is None or name not in snapshot:
            if snapshot is None or self._layer() is None:
                self._view.set_maps(None)
                self._view.set_grid(None)
            return
        array, kind = snapshot[name], _kind(name)
        marks = None
        window = self._window() if self.shows_winners else None
        pool = self._pool()
        if window is not None and pool is not None:
            winner = snapshot.arrays.get(f"{pool.node.id}.winner")
            if winner is None or winner.shape != tuple(pool.y) or array.shape != tuple(pool.x):
                return  # the frame was made for another choice; the right one is under way
            marks = winner_marks(winner, window, pool.x)
            if self._shows_mask():
                array, marks, kind = marks, None, "mask"
        maps = as_picture(array) if kind == "image" else as_maps(array)
        labels: tuple[str, ...] = ()
        self._order = np.arange(len(maps))
        if window is None and kind != "image":
            if self._sorted.isChecked():
                self._order = np.argsort(activity(maps))[::-1]
            if self._alone is not None and self._alone < len(maps):
                self._order = np.array([self._alone])
            if array.ndim == 3 and (self._sorted.isChecked() or self._alone is not None):
                labels = tuple(self.tr("map {number}").format(number=k) for k in self._order)
            if len(self._order) < len(maps) or self._sorted.isChecked():
                maps = maps[self._order]
        self._view.set_maps(
            maps,
            kind=kind,
            range_mode=EACH_MAP if self._own_range.isChecked() else ALL_MAPS,
            labels=labels,
            marks=marks,
            key=(name, kind, marks is None, self._sorted.isChecked(), self._alone, snapshot.step, id(snapshot)),
        )
        self._show_grid(window)

    def _show_grid(self, window: Window | None) -> None:
        """Draw the windows where they lie side by side and are large enough to see into."""
        side_by_side = window is not None and window.stride == window.kernel and window.padding[::2] == (0, 0)
        if window is None or not side_by_side:
            self._view.set_grid(None)
            return
        cell = self._view.cell_rect(0, 0, 0).width()
        self._view.set_grid(*(window.kernel if cell * min(window.kernel) >= SMALLEST_WINDOW else (None,)))

    @Slot(object)
    def _show_window(self, cell: Cell | None) -> None:
        """Outline the pooling window that reads the cell under the pointer."""
        window, pool = self._window(), self._pool()
        if cell is None or window is None or pool is None or not self.shows_winners:
            self._view.clear_highlight()
            return
        top, _, left, _ = window.padding
        row = min((cell.row + top) // window.stride[0], pool.y[1] - 1)
        column = min((cell.col + left) // window.stride[1], pool.y[2] - 1)
        self._view.highlight(cell.map, *window_cells(window, row, column))

    @Slot(object)
    def _show_statistics(self, cell: Cell | None) -> None:
        """Say how active the map under the pointer is."""
        maps = self._view.maps
        if cell is None or maps is None or self.shows_winners or maps.ndim != 3 or maps[0].size == 1:
            self._hint.setText(self.tr("marked cells go on") if self.shows_winners else "")
            return
        text = self.tr("map {number}: mean {mean}, {share} zero")
        number, one = int(self._order[cell.map]), maps[cell.map]
        share = format_percent(float(np.mean(one == 0)), 0)
        self._hint.setText(text.format(number=number, mean=format_value(float(one.mean()), 3), share=share))

    @Slot(object)
    def _click(self, cell: Cell) -> None:
        maps = self._view.maps
        if maps is not None and maps.ndim == 3 and maps[0].size > 1 and not self.shows_winners:
            self._clicked = int(self._order[cell.map])
            self._enlarge_soon.start(QApplication.doubleClickInterval())

    @Slot()
    def _enlarge(self) -> None:
        """Show the clicked map alone; clicked once more, all of them again."""
        self._alone = self._clicked if self._alone is None else None
        self._draw()

    @Slot(object)
    def _open_cell(self, cell: Cell) -> None:
        self._enlarge_soon.stop()
        if self._snapshot is None or self._view.maps is None:
            return
        name = self._shown_name()
        array = self._snapshot.arrays.get(name)
        if array is None:
            return
        number = int(self._order[cell.map])
        index = (number, cell.row, cell.col) if array.ndim == 3 else (number,)
        self._selection.select_cell(CellRef(name, index, self._snapshot.step, self._snapshot.probe))


def activity(maps: Maps) -> Maps:
    """The mean of the absolute values of each map (N, …)."""
    return np.abs(maps.astype(np.float32)).reshape(len(maps), -1).mean(axis=1)


def _kind(name: str) -> Kind:
    """The image itself is grey or coloured as it is; everything else has the colours of activations."""
    return "image" if name == "input.y" else "activation"
