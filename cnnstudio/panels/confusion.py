"""The confusion matrix of the validation images: which class is taken for which, and the images behind each cell."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cnnstudio.document.words import class_names
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.selection import SampleRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.numbers import closed_up, format_count, format_percent
from engine.datasets.dataset import Dataset
from engine.layer import Array
from engine.network import Evaluation

MOST_IMAGES = 60
NUMBER_CELL = 24
"""Logical pixels of a cell from which its count, of few digits, is written in it."""
SOON = 60
"""Milliseconds after which the matrix is asked for: a burst of events is one question."""


class ConfusionPanel(QWidget):
    """Row: the true class, column: the predicted one. Asked of the session after each epoch and at rest, only while visible."""

    heading_changed = Signal(str, str)

    def __init__(self, selection: Selection, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._controller = selection, controller
        self._data: Dataset | None = None
        self._predicted: Array | None = None
        self._cell: tuple[int, int] | None = None
        self._shown: Array = np.zeros(0, np.int64)
        self._at = -1
        """The step of the matrix on display."""
        self._view = MapView(number_cell=NUMBER_CELL, placeholder=self.tr("The matrix comes with the first validation."))
        self._view.setAccessibleName(self.tr("Confusion matrix"))
        self._images = MapView(scale_bar=False, max_cell=3, placeholder=self.tr("Click a cell to see its images."))
        self._images.setAccessibleName(self.tr("Images of the chosen cell"))
        self._note = QLabel(self.tr("Rows: true class. Columns: predicted class."))
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        pictures = QHBoxLayout()
        pictures.setSpacing(SPACE_S)
        pictures.addWidget(self._view, 3)
        pictures.addWidget(self._images, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_XS, SPACE_S, SPACE_XS)
        layout.setSpacing(SPACE_XS)
        top = QHBoxLayout()
        top.addWidget(self._note, 1)
        tools = PanelTools(
            self, self._view, self.tr("Click a cell to see its images; click an image to show it in every panel."),
            self.tr("A good network fills the diagonal. Bright cells beside it are the classes that it mixes up."),
        )  # fmt: skip
        tools.set_views(self._view, self._images)
        top.addWidget(tools)
        layout.addLayout(top)
        layout.addLayout(pictures, 1)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON)
        self._soon.timeout.connect(self._ask)
        self._view.cell_clicked.connect(self._choose)
        self._view.hovered.connect(self._say)
        self._images.cell_clicked.connect(self._choose_image)
        controller.answered.connect(self._take)
        controller.state_changed.connect(self._follow)
        controller.history_replaced.connect(self._renew)

    @property
    def view(self) -> MapView:
        """The matrix."""
        return self._view

    @property
    def images(self) -> MapView:
        """The images of the chosen cell."""
        return self._images

    def set_data(self, data: Dataset | None) -> None:
        """Show another data set."""
        self._data, self._predicted, self._cell, self._at = data, None, None, -1
        self._view.set_maps(None)
        self._view.set_axes(class_names(data), class_names(data))
        self._images.set_maps(None)
        self._renew()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what has changed while hidden."""
        super().showEvent(event)
        self._renew()

    @Slot(object)
    def _follow(self, state: RunState) -> None:
        if state.phase not in (RunPhase.RUNNING, RunPhase.EMPTY) and state.step != self._at:
            self._renew()

    @Slot()
    def _renew(self, *_: object) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _ask(self) -> None:
        state, data = self._controller.state, self._data
        seen = self.isVisible() and not self.visibleRegion().isEmpty()
        if seen and state.phase != RunPhase.EMPTY and data is not None and len(data.validation):
            self._at = state.step
            self._controller.evaluate("validation")

    @Slot(object, object)
    def _take(self, split: str, evaluation: Evaluation | None) -> None:
        data = self._data
        if split != "validation" or evaluation is None or data is None or not len(data.validation):
            return
        if len(evaluation.predicted) != len(data.validation) or not self.isVisible():
            return  # of other data; hidden, the panel asks when it is shown
        self._predicted = evaluation.predicted
        matrix = confusion(data.validation.labels, evaluation.predicted, len(data.classes))
        self._view.set_maps(matrix[None], kind="counts", low=0.0, high=float(max(1, matrix.max())))
        state, epochs = self._controller.state, self._controller.history.epochs
        # While training runs, only the end of an epoch is told.
        step = epochs[-1].step if state.phase == RunPhase.RUNNING and epochs else state.step
        told = self.tr("validation {accuracy} · step {step}").format(
            accuracy=format_percent(evaluation.accuracy), step=format_count(step))  # fmt: skip
        self.heading_changed.emit(self.tr("Confusion matrix"), told)
        self._show_images()

    @Slot(object)
    def _say(self, cell: Cell | None) -> None:
        if cell is None or self._data is None:
            self._note.setText(self.tr("Rows: true class. Columns: predicted class."))
            return
        names = class_names(self._data)
        text = self.tr("{count} images of {truth} are taken for {predicted}.")
        count = format_count(int(cell.value)) if isinstance(cell.value, float) else ""
        self._note.setText(closed_up(text.format(count=count, truth=names[cell.row], predicted=names[cell.col])))

    @Slot(object)
    def _choose(self, cell: Cell) -> None:
        self._cell = (cell.row, cell.col)
        self._show_images()

    def _show_images(self) -> None:
        data, predicted, cell = self._data, self._predicted, self._cell
        if data is None or predicted is None or cell is None:
            return
        rows = np.flatnonzero((data.validation.labels == cell[0]) & (predicted == cell[1]))[:MOST_IMAGES]
        self._shown = rows
        if not len(rows):
            truth, taken_for = (class_names(data)[place] for place in cell)
            text = self.tr("No image of {truth} is taken for {predicted}.")
            self._images.set_placeholder(closed_up(text.format(truth=truth, predicted=taken_for)))
            self._images.set_maps(None)
            return
        images = data.validation.images[rows]
        maps = np.moveaxis(images, 1, -1) if images.shape[1] == 3 else images[:, 0]
        low, high = data.value_range
        self._images.set_maps(maps, kind="image", low=low, high=high, key=(id(data), tuple(rows)))

    @Slot(object)
    def _choose_image(self, cell: Cell) -> None:
        if self._data is not None and cell.map < len(self._shown):
            index = int(self._shown[cell.map])
            part = self._data.validation
            self._selection.select_sample(SampleRef("validation", index, part.images[index], int(part.labels[index])))


def confusion(labels: Array, predicted: Array, classes: int) -> Array:
    """Counts (classes, classes): row the true class, column the predicted one; labels beyond the classes are left out."""
    inside = (labels < classes) & (predicted < classes)
    return np.bincount(labels[inside] * classes + predicted[inside], minlength=classes * classes).reshape(classes, classes)
