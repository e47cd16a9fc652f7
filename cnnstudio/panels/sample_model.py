"""The images of one part of a data set as the rows of a list."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QWidget

from cnnstudio.document.words import class_names
from cnnstudio.widgets.numbers import closed_up, format_percent
from engine.datasets.dataset import Dataset, Split
from engine.network import Evaluation

SIDE = 44
"""The side of a picture in the grid, in logical pixels."""


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
            self._classes, self._range = class_names(data), data.value_range
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
            text = self.tr("Image {number} · class {name}").format(number=position, name=name)
            answers = self._answers
            if answers is None or len(answers.predicted) != len(self._split):
                return text
            answer, share = self._classes[answers.predicted[position]], format_percent(float(answers.confidence[position]))
            return f"{text} · {closed_up(self.tr('taken for {name}, {share}').format(name=answer, share=share))}"
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
