"""The images of the data set in a grid: filter by part, class and answer, sort, choose the one that all panels show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt, Slot
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap, QRegion
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QListView, QMenu, QVBoxLayout, QWidget

from cnnstudio.document.words import say
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.selection import SampleRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.theme import SPACE_S
from cnnstudio.widgets.fields import Choice
from cnnstudio.widgets.numbers import format_count, format_percent
from cnnstudio.widgets.picture_menu import picture_menu
from engine.datasets.dataset import Dataset, Split
from engine.network import Evaluation

SIDE = 44
"""The side of a picture in the grid, in logical pixels."""
ALL = -1


class SampleModel(QAbstractListModel):
    """The rows of one split that have a class; pictures are made when they are painted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._split: Split | None = None
        self._classes: tuple[str, ...] = ()
        self._range = (0.0, 1.0)
        self._rows: NDArray[np.int64] = np.zeros(0, np.int64)
        self._places: dict[int, int] = {}
        self._scale = 1.0
        self._answers: Evaluation | None = None

    def show(self, data: Dataset | None, split: Split | None, label: int, scale: float,
             among: NDArray[np.bool_] | None = None, rank: NDArray[np.generic] | None = None,
             answers: Evaluation | None = None) -> None:  # fmt: skip
        """Offer the images of a split with one label, or with all of them; `among` leaves out the others.

        They come in the order of the data set, or with `rank` from the lowest number (of each image one) to the highest.
        `answers` are what the network makes of them.
        """
        self._answers = answers
        self.beginResetModel()
        self._split, self._scale = split, scale
        if data is None or split is None:
            self._rows = np.zeros(0, np.int64)
        else:
            self._classes, self._range = data.classes, data.value_range
            wanted = split.labels == label if label >= 0 else np.ones(len(split), np.bool_)
            self._rows = np.flatnonzero(wanted if among is None else wanted & among)
            if rank is not None:
                self._rows = self._rows[np.argsort(rank[self._rows], kind="stable")]
        self._places = {int(position): row for row, position in enumerate(self._rows)}
        self.endResetModel()

    def position(self, row: int) -> int:
        """The position in the split of a row on display."""
        return int(self._rows[row])

    def row_of(self, position: int) -> int | None:
        """The row on display of a position in the split, or None when the filter hides it."""
        return self._places.get(position)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        """How many images the filter lets through."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Picture, tool tip and accessible text of an image."""
        if self._split is None or not index.isValid():
            return None
        position = self.position(index.row())
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icon(self._split.images[position])
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            name = self._classes[self._split.labels[position]]
            text = self.tr("Image {number}: {name}").format(number=position, name=name)
            answers = self._answers
            if answers is None or len(answers.predicted) != len(self._split):
                return text
            answer, share = self._classes[answers.predicted[position]], format_percent(float(answers.confidence[position]))
            return f"{text} · {self.tr('taken for {name}, {share}').format(name=answer, share=share)}"
        return None

    def _icon(self, image: NDArray[np.generic]) -> QIcon:
        low, high = self._range
        bytes_ = np.clip((image.astype(np.float32) - low) * (255.0 / max(high - low, 1e-9)), 0, 255).astype(np.uint8)
        channels, height, width = image.shape
        if channels == 3:
            pixels = np.ascontiguousarray(np.moveaxis(bytes_, 0, -1))
            picture = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        else:
            pixels = np.ascontiguousarray(bytes_[0])
            picture = QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
        side = round(SIDE * self._scale)
        scaled = picture.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)  # nearest neighbour
        scaled.setDevicePixelRatio(self._scale)
        icon = QIcon()
        # Chosen images keep their colours: the frame around them says enough.
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            icon.addPixmap(QPixmap.fromImage(scaled), mode)
        return icon


class SamplesPanel(QWidget):
    """The grid with its filters; it also steps to the next, previous and random sample of what the filters show."""

    def __init__(self, selection: Selection, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._controller = selection, controller
        self._data: Dataset | None = None
        self._random = np.random.default_rng(0)
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
        self._answers: Evaluation | None = None
        self._count = QLabel()
        self._count.setProperty("role", "muted")
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
        self._split.currentIndexChanged.connect(self._ask)
        self._answer.activated.connect(self._ask)
        self._order.activated.connect(self._ask)
        controller.answered.connect(self._take_answers)
        self._class.currentIndexChanged.connect(self._filter)
        self._grid.selectionModel().currentChanged.connect(self._choose)
        selection.sample_changed.connect(self._mark)

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
            for label, name in enumerate(data.classes):
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
