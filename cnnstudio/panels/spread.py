"""How a layer's weights, their gradient and their changes were spread at each step; and the weight behind a bin."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QToolTip

from cnnstudio.panels.live_panel import LivePanel
from cnnstudio.selection import CellRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.widgets.fields import Choice
from cnnstudio.widgets.histogram_map import HistogramMap
from engine.layer_histograms import QUANTITIES
from engine.snapshot import Snapshot

WEIGHTS, GRADIENT, UPDATE, CHANGE = QUANTITIES
FRAME = 250
"""Milliseconds between two drawings."""


class Spread(QObject):
    """The picture, and the choice of what it shows. It is drawn while the picture can be seen."""

    changed = Signal()
    """Something else is shown: other arrays are needed."""

    def __init__(self, panel: LivePanel, selection: Selection, controller: Controller) -> None:
        super().__init__(panel)
        self._selection, self._controller = selection, controller
        self._layer: str | None = None
        self._snapshot: Snapshot | None = None
        self._bin: tuple[float, float] | None = None
        """The edges of the bin that is looked for in the last batch, which is under way."""
        self.box = Choice()
        self.box.setAccessibleName(self.tr("What to show the spread of"))
        for text, quantity in (
            (self.tr("Weights"), WEIGHTS),
            (self.tr("Gradients"), GRADIENT),
            (self.tr("Updates"), UPDATE),
            (self.tr("Change so far"), CHANGE),
        ):
            self.box.addItem(text, quantity)
        self.box.setToolTip(
            self.tr("The gradient is that of each batch, as its update used it: after penalties and clipping. The change so far "
                    "counts from when the weights were drawn or loaded.")
        )  # fmt: skip
        self.picture = HistogramMap(placeholder=self.tr("The spread is recorded while training runs."))
        self.picture.setAccessibleName(self.tr("Spread over the steps"))
        self.picture.setToolTip(
            self.tr("Click a bin, or go there with the arrow keys and press Enter: the weight in the middle of it is explained.")
            + "\n"
            + self.tr("Each step has colours of its own: its fullest bin is the brightest.")
        )
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(FRAME)
        self._soon.timeout.connect(self.draw)
        self.box.currentIndexChanged.connect(self._choose)
        self.picture.bin_clicked.connect(self._open_bin)
        controller.histograms_recorded.connect(self._has_grown)
        controller.batch_probed.connect(self._open_bin_of_batch)

    @property
    def quantity(self) -> str:
        """WEIGHTS, GRADIENT, UPDATE or CHANGE."""
        return str(self.box.currentData())

    def choose(self, quantity: str) -> None:
        """Show another quantity."""
        self.box.setCurrentIndex(self.box.findData(quantity))

    def set_layer(self, layer: str | None) -> None:
        """Show another layer from the next drawing on."""
        self._layer = layer

    def set_snapshot(self, snapshot: Snapshot | None) -> None:
        """The arrays in which the numbers of a bin are looked up."""
        self._snapshot = snapshot

    @Slot()
    def draw(self) -> None:
        """Show all that has been recorded."""
        history, quantity = self._controller.histograms, self.quantity
        if self._layer not in history.layers:
            self.picture.set_shares(None)
        else:
            self.picture.set_shares(*history.shares(quantity, self._layer), history.steps_of(quantity))

    # --- inside ---

    @Slot()
    def _choose(self) -> None:
        self.changed.emit()
        self.draw()

    @Slot()
    def _has_grown(self) -> None:
        if self.picture.isVisible() and not self.picture.visibleRegion().isEmpty() and not self._soon.isActive():
            self._soon.start()

    @Slot(float, float)
    def _open_bin(self, low: float, high: float) -> None:
        """Choose the weight whose number is nearest to the middle of a bin; behind gradients lies the last batch."""
        if self.quantity == GRADIENT:
            self._bin = low, high
            self._controller.probe_batch()
        elif self._snapshot is not None:
            self._choose_nearest(self._snapshot, self.quantity, WEIGHTS, (low, high))

    @Slot(object)
    def _open_bin_of_batch(self, batch: Snapshot | None) -> None:
        if self._bin is None:
            return
        bin_, self._bin = self._bin, None
        if batch is not None:
            self._choose_nearest(batch, GRADIENT, GRADIENT, bin_)

    def _choose_nearest(self, snapshot: Snapshot, quantity: str, explained: str, bin_: tuple[float, float]) -> None:
        """Choose the weight (or gradient) nearest to the middle of a bin; say so where there is none in it any more."""
        name = f"{self._layer}.{quantity}"
        if name not in snapshot:
            return  # the frame is of another network or choice; the right one is under way
        numbers, (low, high) = snapshot[name], bin_
        index = np.unravel_index(int(np.abs(numbers - (low + high) / 2).argmin()), numbers.shape)
        if low <= float(numbers[index]) <= high:
            place = tuple(int(i) for i in index)
            self._selection.select_cell(CellRef(f"{self._layer}.{explained}", place, snapshot.step, snapshot.probe))
        else:
            where = self.picture.mapToGlobal(self.picture.rect().center())
            QToolTip.showText(where, self.tr("No weight lies in this bin at present."), self.picture)
