"""The images of the data set in a grid: filter by part, class and answer, sort, choose the one that all panels show."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QModelIndex, QPoint, QSize, Slot
from PySide6.QtGui import QPainter, QRegion, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QListView, QMenu, QVBoxLayout, QWidget

from cnnstudio.document.words import class_names, say
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.panels.sample_model import SIDE, SampleModel
from cnnstudio.selection import SampleRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.theme import SPACE_S
from cnnstudio.widgets.fields import Choice
from cnnstudio.widgets.numbers import format_count
from cnnstudio.widgets.picture_menu import picture_menu
from engine.datasets.dataset import Dataset, Split
from engine.network import Evaluation

ALL = -1
LOW = 190
"""Pixels of height below which the line about the data set gives its room to the images."""


class SamplesPanel(QWidget):
    """The grid with its filters; it also steps to the next, previous and random sample of what the filters show."""

    def __init__(self, selection: Selection, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._controller = selection, controller
        self._data: Dataset | None = None
        self._random = np.random.default_rng(0)
        self._answers: Evaluation | None = None
        self._make_filters()
        self._make_grid()
        self._lay_out()
        self._split.currentIndexChanged.connect(self._ask)
        self._answer.activated.connect(self._ask)
        self._order.activated.connect(self._ask)
        controller.answered.connect(self._take_answers)
        self._class.currentIndexChanged.connect(self._filter)
        self._grid.selectionModel().currentChanged.connect(self._choose)
        selection.sample_changed.connect(self._mark)

    def _make_filters(self) -> None:
        self._about = QLabel()
        self._about.setWordWrap(True)
        self._about.setProperty("role", "muted")
        self._split = Choice()
        self._split.setAccessibleName(self.tr("Part of the data set"))
        self._class = Choice()
        self._class.setAccessibleName(self.tr("Class"))
        self._answer = Choice()
        self._answer.setAccessibleName(self.tr("Answers of the network"))
        self._answer.setToolTip(self.tr("What the network answers at the moment of the choice; choose again to renew it."))
        for text, right in ((self.tr("All answers"), None), (self.tr("Right"), True), (self.tr("Wrong"), False)):
            self._answer.addItem(text, right)
        self._order = Choice()
        self._order.setAccessibleName(self.tr("Order of the images"))
        self._order.setToolTip(self.tr("How sure: the probability of the class that the network answers."))
        for text, sign in ((self.tr("In order"), 0), (self.tr("Surest first"), -1), (self.tr("Least sure first"), 1)):
            self._order.addItem(text, sign)
        for box in (self._split, self._class, self._answer, self._order):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(6)
        self._count = QLabel()
        self._count.setProperty("role", "muted")

    def _make_grid(self) -> None:
        self._model = SampleModel(self)
        self._grid = QListView()
        self._grid.setModel(self._model)
        self._grid.setProperty("role", "pictures")
        self._grid.setAccessibleName(self.tr("Images"))
        self._grid.setViewMode(QListView.ViewMode.IconMode)
        self._grid.setUniformItemSizes(True)
        self._grid.setResizeMode(QListView.ResizeMode.Adjust)
        self._grid.setMovement(QListView.Movement.Static)
        self._grid.setIconSize(QSize(SIDE, SIDE))
        self._grid.setGridSize(QSize(SIDE + 10, SIDE + 10))
        self._grid.setMinimumHeight(SIDE // 2)

    def _lay_out(self) -> None:
        filters = QHBoxLayout()
        filters.setSpacing(SPACE_S)
        filters.addWidget(self._split, 1)
        filters.addWidget(self._class, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_S, SPACE_S, SPACE_S)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._about)
        layout.addLayout(filters)
        answers = QHBoxLayout()
        answers.setSpacing(SPACE_S)
        answers.addWidget(self._answer, 1)
        answers.addWidget(self._order, 1)
        layout.addLayout(answers)
        counted = QHBoxLayout()
        counted.addWidget(self._count, 1)
        tools = PanelTools(
            self, self, self.tr("Click an image: every panel shows it."),
            self.tr("Point at an image to read its class and what the network takes it for. “Wrong” with “Surest first” shows "
                    "the mistakes of which the network is most certain."),
        )  # fmt: skip
        counted.addWidget(tools)
        layout.addLayout(counted)
        layout.addWidget(self._grid, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The room of a low panel is the images'."""
        super().resizeEvent(event)
        self._about.setVisible(self.height() >= LOW)

    @property
    def model(self) -> SampleModel:
        """The images that the filters let through."""
        return self._model

    def set_data(self, data: Dataset | None) -> None:
        """Offer the images of another data set and choose its first one."""
        self._data, self._answers = data, None
        self._answer.setCurrentIndex(0)
        self._order.setCurrentIndex(0)
        for box in (self._split, self._class):
            box.blockSignals(True)
            box.clear()
        if data is not None:
            parts = (
                ("validation", self.tr("Validation"), data.validation),
                ("train", self.tr("Training"), data.train),
                ("test", self.tr("Test"), data.test),
            )
            for key, title, split in parts:
                if split is not None and len(split):
                    self._split.addItem(title, key)
            self._class.addItem(self.tr("All classes"), ALL)
            for label, name in enumerate(class_names(data)):
                self._class.addItem(name, label)
            about = self.tr("{title}: {train} training, {validation} validation and {test} test images.")
            self._about.setText(
                about.format(
                    title=say(data.title),
                    train=format_count(len(data.train)),
                    validation=format_count(len(data.validation)),
                    test=format_count(len(data.test) if data.test is not None else 0),
                )
            )
        else:
            self._about.clear()
        for box in (self._split, self._class):
            box.blockSignals(False)
        self._filter()

    @Slot()
    def next(self) -> None:
        """Choose the next image of those on display."""
        self._go(self._grid.currentIndex().row() + 1)

    @Slot()
    def previous(self) -> None:
        """Choose the image before."""
        self._go(self._grid.currentIndex().row() - 1)

    @Slot()
    def random(self) -> None:
        """Choose any image of those on display."""
        if self._model.rowCount():
            self._go(int(self._random.integers(self._model.rowCount())))

    def choose_first(self) -> None:
        """Choose the first image on display."""
        self._go(0)

    def choose_order(self, sign: int) -> None:
        """0: as in the data set, −1: surest first, 1: least sure first."""
        self._order.setCurrentIndex(self._order.findData(sign))
        self._ask()

    # --- copying ---

    def context_menu(self) -> QMenu:
        """The menu that copies and saves the images in sight, or the list of all."""
        return picture_menu(self._grid, self, "samples")

    def picture_size(self) -> QSize:
        """The size of the grid on screen."""
        return self._grid.viewport().size() if self._model.rowCount() else QSize()

    def paint_picture(self, painter: QPainter) -> None:
        """Draw the images in sight."""
        self._grid.viewport().render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)

    def values_csv(self) -> str:
        """A row an image on display: its place in the split, its class, and what is known of the answer."""
        part, answers, rows = self._part(), self._answers, ["image,class,predicted,confidence"]
        if self._data is None or part is None:
            return ""
        for row in range(self._model.rowCount()):
            at, names = self._model.position(row), self._data.classes
            said = f"{names[answers.predicted[at]]},{answers.confidence[at]:.6g}" if answers else ","
            rows.append(f"{at},{names[part.labels[at]]},{said}")
        return "\n".join(rows) + "\n"

    # --- inside ---

    def _part(self) -> Split | None:
        part = self._split.currentData()
        return None if self._data is None or part is None else getattr(self._data, part)

    def _go(self, row: int) -> None:
        count = self._model.rowCount()
        if count:
            self._grid.setCurrentIndex(self._model.index(row % count))

    @Slot()
    def _ask(self) -> None:
        """Filter and sort anew; for answers and how sure they are the network has to be asked first."""
        self._answers = None
        if self._wants_answers() and self._split.currentData() is not None:
            self._controller.evaluate(self._split.currentData())
        self._filter()

    @Slot(object, object)
    def _take_answers(self, split: str, evaluation: Evaluation | None) -> None:
        wanted = self._wants_answers() and self._answers is None
        if evaluation is not None and split == self._split.currentData() and wanted:
            self._answers = evaluation
            self._filter()

    def _wants_answers(self) -> bool:
        return self._answer.currentData() is not None or self._order.currentData() != 0

    @Slot()
    def _filter(self) -> None:
        label = self._class.currentData()
        part, right, sign = self._part(), self._answer.currentData(), self._order.currentData()
        answers = self._answers if part is not None and self._answers and len(self._answers.predicted) == len(part) else None
        among = rank = None
        if part is not None and right is not None:
            among = (part.labels == answers.predicted) == right if answers else np.zeros(len(part), np.bool_)
        if answers is not None and sign:
            rank = answers.confidence * sign
        scale = self._grid.devicePixelRatioF()
        self._model.show(self._data, part, ALL if label is None else label, scale, among, rank, answers)
        self._count.setText(self.tr("{count} images").format(count=format_count(self._model.rowCount())))
        self._mark()

    @Slot(QModelIndex)
    def _choose(self, current: QModelIndex) -> None:
        part = self._part()
        if not current.isValid() or part is None:
            return
        position = self._model.position(current.row())
        source = self._split.currentData()
        chosen = self._selection.sample
        if chosen is not None and (chosen.source, chosen.index) == (source, position):
            return
        image, label = part.images[position], int(part.labels[position])
        self._selection.select_sample(SampleRef(source, position, image, label))

    @Slot()
    def _mark(self, *_: object) -> None:
        """Mark the chosen sample in the grid, if it is there."""
        sample = self._selection.sample
        row = None
        if sample is not None and sample.source == self._split.currentData():
            row = self._model.row_of(sample.index)
        if row is None:
            self._grid.selectionModel().clear()
        elif row != self._grid.currentIndex().row():
            self._grid.setCurrentIndex(self._model.index(row))
