"""The feature maps of the chosen layer: what it makes of the sample, alone or beside something; a pooling with its windows."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.panels.along_chain import Maps, activation_of, as_maps, as_picture, input_of
from cnnstudio.panels.comparison import OVER_INPUT, Comparison
from cnnstudio.panels.enlargement import Enlargement
from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.panels.pooling import POOLS, PoolingLink
from cnnstudio.panels.pooling_choice import BACK, MASK, OUTPUT, WINDOWS, PoolingChoice, pooling_pictures
from cnnstudio.panels.range_choice import RangeChoice, common_range, network_range
from cnnstudio.panels.shown_maps import Caption, ShownMaps, activity, mean_and_zeros, shown
from cnnstudio.panels.titled_maps import TitledMaps
from cnnstudio.selection import CellRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.numbers import format_shape
from cnnstudio.widgets.running_label import RunningLabel
from engine.datasets.dataset import Dataset
from engine.layer import Array
from engine.snapshot import Snapshot
from engine.spec import Placed

HINT_SIZE = 0.85
"""Of the usual type: two lines are as high as the choice beside them."""


class FeatureMapsPanel(LivePanel):
    """The output of the chosen layer, before or after its activation, with what it is compared with beside it.

    A pooling layer is also shown as the mask of its winners (or the weights of its average), and as the maps that it reads
    beside those that it makes, forward with the numbers and backward with the deltas.
    """

    def __init__(self, document: Document, selection: Selection, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._selection = document, selection
        self._value_range = (0.0, 1.0)
        self._snapshot: Snapshot | None = None
        self._left: ShownMaps | None = None
        self._right: ShownMaps | None = None
        self._enlarged = Enlargement(self)
        self._enlarged.changed.connect(self._draw)
        self._make_widgets()
        self._compare = Comparison(document, selection, controller, self)
        self._lay_out()
        self._connect()
        selection.block_changed.connect(self.follow)
        document.graph_changed.connect(self.follow)
        self.follow()

    # --- widgets ---

    def _make_widgets(self) -> None:
        self._after = QCheckBox(self.tr("After activation"))
        self._after.setToolTip(self.tr("Show the maps behind the activation that follows this layer."))
        self._pooling = PoolingChoice()
        self._sorted = self._switch(self.tr("Most active first"))
        self._captions = self._switch(self.tr("Mean and zeros above each map"))
        # What the hint says comes and goes with the pointer; were room made for it, the pictures would move away from under it.
        self._hint = RunningLabel(lines=2, size=HINT_SIZE)
        self._hint.setProperty("role", "muted")
        self._main = TitledMaps(MapView(placeholder=self.tr("Choose a block to see what it makes of the sample.")))
        self._main.view.setAccessibleName(self.tr("Feature maps"))
        self._beside = TitledMaps(MapView(placeholder=self.tr("Not there yet.")))
        self._beside.view.setAccessibleName(self.tr("What the feature maps are compared with"))
        self._beside.view.follow_columns(self._main.view)
        self._range = RangeChoice(self, self._main.view, self._beside.view)
        self._link = PoolingLink(self._main.view, self._beside.view, self)

    def _switch(self, text: str) -> QAction:
        action = QAction(text, self)
        action.setCheckable(True)
        action.toggled.connect(self._choose)
        return action

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._after)
        row.addWidget(self._pooling)
        row.addWidget(self._compare.box)
        row.addWidget(self._compare.classes)
        row.addWidget(self._hint, 1)
        tools = PanelTools(
            self, self.view, self.tr("Click a map to enlarge it; double-click a cell to see how it was computed."),
            self.tr("Each picture is one output of the chosen layer for the chosen sample. Of a max pooling, the marked "
                    "cells of its input are the largest of their windows: only they go on, and only to them the gradient "
                    "flows back. “…” sorts the maps by activity, and sets the range of the colours."),
        )  # fmt: skip
        tools.set_views(self.view, self.beside)
        row.addWidget(tools)
        pictures = QHBoxLayout()
        pictures.setSpacing(SPACE_S)
        pictures.addWidget(self._main, 1)
        pictures.addWidget(self._beside, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, 0, SPACE_S, SPACE_XS)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(row)
        layout.addLayout(pictures, 1)

    def _connect(self) -> None:
        self._after.toggled.connect(self._choose)
        self._pooling.currentIndexChanged.connect(self._choose)
        self._range.changed.connect(self._choose)
        self._compare.changed.connect(self._choose)
        self._compare.averaged.connect(self._draw)
        view, beside = self.view, self.beside
        view.menu_opening.connect(self._offer_switches)
        view.cell_activated.connect(self._open_cell)
        view.cell_clicked.connect(self._click)
        view.hovered.connect(self._show_statistics)
        beside.cell_activated.connect(self._open_beside)
        beside.cell_clicked.connect(self._click_beside)
        beside.hovered.connect(self._show_statistics_beside)
        self._link.said.connect(self._say)

    @Slot(object)
    def _offer_switches(self, menu: QMenu) -> None:
        menu.addSeparator()
        menu.addActions([self._sorted, self._captions])

    @property
    def view(self) -> MapView:
        """The picture."""
        return self._main.view

    @property
    def beside(self) -> MapView:
        """What the maps are compared with, or the output of a pooling."""
        return self._beside.view

    @property
    def compare(self) -> Comparison:
        """The choice of what the maps are compared with."""
        return self._compare

    @property
    def shows_winners(self) -> bool:
        """Whether the picture shows the input of a pooling and what becomes of it."""
        return self._mode() != OUTPUT

    def show_pooling(self, mode: str) -> None:
        """Show a pooling as MASK, WINDOWS, BACK or OUTPUT."""
        self._pooling.choose(mode)

    def set_data(self, data: Dataset | None) -> None:
        """Compare with averages over the classes of another data set."""
        self._value_range = data.value_range if data is not None else (0.0, 1.0)
        self._compare.set_data(data)

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what has changed while hidden."""
        super().showEvent(event)
        self._compare.see()

    # --- what to show ---

    @Slot()
    def follow(self, *_: object) -> None:
        """Show the chosen block."""
        block = self._selection.block
        derived = self._document.derived
        self._enlarged.show_all()
        choices = (self._after, self._pooling, self._compare.box)
        focused = next((choice for choice in choices if choice.hasFocus()), None)
        if focused is not None:
            focused.clearFocus()  # Qt hands on the focus of what is hidden as Tab does, at which a map shows its first cell
        self._after.setVisible(block is not None and activation_of(derived, block) is not None)
        self._pooling.offer(self._pool())
        self._choose()
        if focused is not None:
            next((choice for choice in (focused, *choices) if not choice.isHidden()), self.view).setFocus()

    def needs(self) -> Needs:
        """The outputs of the layer and of what stands beside it; deltas where they flow back; for a range of the network all."""
        layer, pool = self._layer(), self._pool()
        before = input_of(self._document.derived, pool.node.id) if pool is not None else None
        layers = frozenset(name for name in (layer, before) if name)
        if self._range.mode == "network":
            layers |= frozenset(self._document.derived.placed)
        own = Needs(layers, deltas=layers if self._mode() == BACK else frozenset())
        return own if self.shows_winners or layer is None else own | self._compare.needs(layer)

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the maps of one step."""
        self._snapshot = snapshot
        self._draw()

    def _layer(self) -> str | None:
        block, derived = self._selection.block, self._document.derived
        if block is None or block not in derived.placed:
            return None
        after = activation_of(derived, block) if self._after.isChecked() else None
        return after if after in derived.placed else block

    def _pool(self) -> Placed | None:
        placed = self._document.derived.placed.get(self._selection.block or "")
        return placed if placed is not None and placed.node.layer.kind in POOLS else None

    def _mode(self) -> str:
        return OUTPUT if self._pool() is None else self._pooling.mode

    @Slot()
    def _choose(self, *_: object) -> None:
        self._tell_heading()
        pool_sides = self._mode() in (WINDOWS, BACK)
        self._compare.show_for(None if self.shows_winners else self._layer())
        self._beside.setVisible(pool_sides or self._compare.has_picture)
        self._sorted.setEnabled(not self.shows_winners)
        self._link.tie(self._pool() if pool_sides else None)
        self.view.clear_highlight()
        self.needs_changed.emit()
        self._draw()

    def _tell_heading(self) -> None:
        layer = self._layer()
        placed = self._document.derived.placed.get(layer or "")
        if placed is None or layer is None:
            self._hint.setText("")
            self.heading_changed.emit(self.tr("Feature maps"), "")
            return
        name = self._document.name_of(layer)
        shape = placed.x if self.shows_winners else placed.y
        if self._mode() in (WINDOWS, BACK):
            template = self.tr("{name} · {count} maps of {shape} → {made}")
            detail = template.format(
                name=name, count=shape[0], shape=format_shape(shape[1:]), made=format_shape(placed.y[1:]))  # fmt: skip
        elif shape.is_image:
            template = self.tr("{name} · {count} maps of {shape}")
            detail = template.format(name=name, count=shape[0], shape=format_shape(shape[1:]))
        else:
            detail = self.tr("{name} · {count} numbers").format(name=name, count=shape.size)
        self._say("")
        self.heading_changed.emit(self.tr("Feature maps"), detail)

    @Slot(str)
    def _say(self, text: str) -> None:
        self._hint.setText(text or ("" if self._pool() is None else self._pooling.hint()))

    # --- drawing ---

    @Slot()
    def _draw(self, *_: object) -> None:
        snapshot, layer = self._snapshot, self._layer()
        if snapshot is None or layer is None:
            self._left = self._right = None
            self.view.set_maps(None)
            self.view.set_grid(None)
            self.beside.set_maps(None)
            return
        pool = self._pool()
        if pool is not None and self.shows_winners:
            self._draw_pooling(snapshot, pool)
        elif (array := snapshot.arrays.get(f"{layer}.y")) is not None:
            self._draw_maps(snapshot, layer, array)
        # Otherwise the frame was made for another choice; the right one is under way.

    def _draw_maps(self, snapshot: Snapshot, layer: str, array: Array) -> None:
        left = self._left = shown(f"{layer}.y", array, order=self._order(array), caption=self._caption())
        self._right, title = self._compare.picture(snapshot, left, self._caption())
        same = self._right if self._compare.is_of_same_layer else None
        self._main.set_title(self._document.name_of(layer) if self._compare.has_picture else "")
        over = self._compare.choice == OVER_INPUT and left.kind != "image"
        self.view.set_backdrop(picture_of(snapshot["image"]) if over else None, *self._value_range)
        self.view.set_grid(None)
        self._show(self.view, left, snapshot, *self._bounds(snapshot, left, "y", same))
        if self._compare.has_picture:
            self._beside.set_title(title)
            if self._right is None:
                self.beside.set_maps(None)
            else:
                other = left if same is not None else None
                self._show(self.beside, self._right, snapshot, *self._bounds(snapshot, self._right, "y", other))

    def _draw_pooling(self, snapshot: Snapshot, pool: Placed) -> None:
        mode = self._mode()
        if mode == BACK and "loss" not in snapshot:
            self._left = self._right = None
            self.view.set_placeholder(self.tr("Nobody knows the true class of this sample, so there is no loss to go back from."))
            self.view.set_maps(None)
            self.beside.set_maps(None)
            return
        before, order = input_of(self._document.derived, pool.node.id), self._only()
        pictures = pooling_pictures(snapshot, pool, before, mode, order, self._numbered if order is not None else None)
        if pictures is None:
            return  # the frame was made for another choice; the right one is under way
        suffix = "dy" if mode == BACK else "y"
        deltas, maps = (self.tr("δ of the input"), self.tr("δ of the output")), (self.tr("input"), self.tr("output"))
        title, beside = deltas if mode == BACK else maps
        self._left, right = pictures
        self._main.set_title(title if mode != MASK else "")
        self.view.set_backdrop(None)
        self._show(self.view, self._left, snapshot, *self._bounds(snapshot, self._left, suffix))
        self._show_grid(pool)
        if right is not None:
            self._right = right
            self._beside.set_title(beside)
            self._show(self.beside, right, snapshot, *self._bounds(snapshot, right, suffix))
            winner = snapshot.arrays.get(f"{pool.node.id}.winner")
            self._link.tie(pool, winner[right.order] if winner is not None else None, backward=mode == BACK)

    def _show(self, view: MapView, what: ShownMaps, snapshot: Snapshot, low: float | None, high: float | None) -> None:
        key = (what.array, what.kind, what.marks is None, self._sorted.isChecked(), self._enlarged.number, what.labels,
               snapshot.step, id(snapshot), id(what.maps.base))  # fmt: skip
        view.set_maps(what.maps, low=low, high=high, kind=what.kind, range_mode=self._range.mode, labels=what.labels,
                      marks=what.marks, key=key)  # fmt: skip

    def _bounds(self, snapshot: Snapshot, what: ShownMaps, suffix: str, other: ShownMaps | None = None,
                ) -> tuple[float, float] | tuple[None, None]:  # fmt: skip
        """Given bounds of the colours: those of the network where they are chosen, of averaging weights 0 to the largest.

        Maps beside `other` ones of the same layer share a range with them: the same colour is the same number on both sides.
        """
        if what.kind in ("image", "mask"):
            return None, None
        if self._mode() == MASK:
            return 0.0, max(float(what.maps.max()), 1e-9)
        if self._range.mode == "network":
            return network_range(snapshot, suffix, what.kind)
        if self._range.mode == "unit" or other is None:
            return None, None
        return common_range((what.maps, other.maps), what.kind)

    def _only(self) -> Array | None:
        """The map that is shown enlarged, None where all are shown."""
        number = self._enlarged.number
        return None if number is None else np.array([number])

    def _order(self, array: Array) -> Array:
        maps, only = as_maps(array), self._only()
        if only is not None and only[0] < len(maps):
            return only
        return np.argsort(activity(maps))[::-1] if self._sorted.isChecked() else np.arange(len(maps))

    def _caption(self) -> Caption | None:
        if self._captions.isChecked():
            return self._statistics
        return self._numbered if self._sorted.isChecked() or self._enlarged.number is not None else None

    def _numbered(self, number: int, _: Maps) -> str:
        return self.tr("map {number}").format(number=number)

    def _statistics(self, number: int, one: Maps) -> str:
        mean, zeros = mean_and_zeros(one)
        return self.tr("map {number}: mean {mean}, {share} zero").format(number=number, mean=mean, share=zeros)

    def _show_grid(self, pool: Placed) -> None:
        """Draw the windows where they lie side by side."""
        window = pool.node.layer.window(pool.x)
        assert window is not None
        side_by_side = window.stride == window.kernel and window.padding[::2] == (0, 0)
        self.view.set_grid(*(window.kernel if side_by_side else (None,)))

    # --- pointer ---

    @Slot(object)
    def _show_statistics(self, cell: Cell | None) -> None:
        """Say how active the map under the pointer is."""
        self._tell_statistics(self._left, cell)

    @Slot(object)
    def _show_statistics_beside(self, cell: Cell | None) -> None:
        self._tell_statistics(self._right, cell)

    def _tell_statistics(self, what: ShownMaps | None, cell: Cell | None) -> None:
        if self.shows_winners:
            return  # the link between the two sides says more
        if cell is None or what is None or what.maps.ndim != 3 or what.maps[0].size == 1 or cell.map >= len(what.maps):
            self._say("")
        else:
            self._say(self._statistics(int(what.order[cell.map]), what.maps[cell.map]))

    @Slot(object)
    def _click(self, cell: Cell) -> None:
        left = self._left
        if left is not None and left.maps.ndim == 3 and left.maps[0].size > 1:
            self._enlarged.click(int(left.order[cell.map]))

    @Slot(object)
    def _click_beside(self, cell: Cell) -> None:
        """Beside other maps of the same channels a click does the same as on these."""
        if self._mode() in (WINDOWS, BACK) or self._compare.is_of_same_layer:
            self._click(cell)

    @Slot(object)
    def _open_cell(self, cell: Cell) -> None:
        self._enlarged.forget_click()
        if self._snapshot is not None and self._left is not None and self._left.array in self._snapshot:
            ref = CellRef(self._left.array, self._left.index(cell), self._snapshot.step, self._snapshot.probe)
            self._selection.select_cell(ref)

    @Slot(object)
    def _open_beside(self, cell: Cell) -> None:
        """Explain a cell of the other half; of another sample, or of a class, after choosing that or an image of it."""
        self._enlarged.forget_click()
        right, snapshot = self._right, self._snapshot
        if right is None or snapshot is None:
            return
        name = self._compare.explainable(right)
        self._selection.select_cell(CellRef(name, right.index(cell), snapshot.step, snapshot.probe))


def picture_of(image: Array) -> Maps:
    """A raw image (C, H, W) as a grey (H, W) or RGB (H, W, 3) picture; of other numbers of channels the first one."""
    return as_picture(image)[0]
