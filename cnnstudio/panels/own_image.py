"""An image of the user's own: drawn on the pad, pasted, dropped or opened from a file, as a sample for every panel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QRect, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage, QImageReader, QPainter
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMessageBox, QVBoxLayout, QWidget

from cnnstudio.icon_button import IconButton
from cnnstudio.selection import SampleRef, Source
from cnnstudio.theme import SPACE_XS
from cnnstudio.widgets.draw_pad import DrawPad
from cnnstudio.widgets.drawing import MNIST, manner_of
from cnnstudio.widgets.picture_input import read_picture
from engine.datasets.dataset import Dataset
from engine.layer import Array

MEASURED = 500
"""Images of a data set that show how its drawings lie in their pictures."""


class OwnImage(QWidget):
    """The drawing pad with its buttons. Pictures for a data set in colour are taken in colour, not as ink."""

    chosen = Signal(object)
    """A `SampleRef` "drawn" or "file", of the shape and value range of the data set; at every stroke."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: Dataset | None = None
        self._manner = MNIST
        self.pad = DrawPad()
        self.pad.drawn.connect(self._take_drawing)
        self.pad.picture_taken.connect(self._take_picture)
        self.pad.unreadable.connect(self._refuse)
        row = QHBoxLayout()
        row.setSpacing(SPACE_XS)
        for name, text, act in (
            ("undo", self.tr("Take back the last stroke"), self.pad.undo),
            ("erase", self.tr("Clear the pad"), self.pad.clear),
            ("open", self.tr("Open an image file…"), self.open_file),
        ):
            button = IconButton(name, text)
            button.clicked.connect(act)
            row.addWidget(button)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self.pad, 1)
        layout.addLayout(row)

    def set_data(self, data: Dataset | None) -> None:
        """Make samples for another data set."""
        self._data = data
        if data is not None:
            _, height, width = data.shape
            low, high = data.value_range
            every = max(1, len(data.train) // MEASURED)
            pictures = data.train.images[::every].mean(axis=1, dtype=np.float32)
            self._manner = manner_of((pictures - low) / max(high - low, 1e-9))
            self.pad.set_target(height, width, self._manner)

    @Slot()
    def send(self) -> None:
        """Choose what is on the pad."""
        self._take_drawing(self.pad.array())

    @Slot()
    def open_file(self) -> None:
        """Ask for an image file and take it."""
        kinds = " ".join(f"*.{bytes(kind.data()).decode()}" for kind in QImageReader.supportedImageFormats())
        title = self.tr("Open an image")
        path, _ = QFileDialog.getOpenFileName(self, title, str(Path.home()), self.tr("Images ({kinds})").format(kinds=kinds))
        if not path:
            return
        image = read_picture(path)
        if image.isNull():
            self._refuse(path)
        else:
            self.pad.set_picture(image)

    @Slot(str)
    def _refuse(self, path: str) -> None:
        """Say that a file is no picture, without holding up the program that it was dragged from."""
        text = self.tr("{path} is no image that can be read.").format(path=path)
        box = QMessageBox(QMessageBox.Icon.Warning, self.tr("Open an image"), text, parent=self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def takes(self, event: QDragEnterEvent | QDropEvent) -> bool:
        """Whether something dragged over the panel is an image; if so the event is accepted."""
        return self.pad.accepts(event)

    @Slot(object)
    def _take_drawing(self, ink: Array) -> None:
        data = self._data
        if data is None or (self._in_colour and self.pad.has_picture):
            return
        low, high = data.value_range[::-1] if self._manner.dark else data.value_range
        plane = (low + ink * (high - low)).astype(np.float32)
        source: Source = "file" if self.pad.has_picture else "drawn"
        self.chosen.emit(SampleRef(source, 0, np.repeat(plane[None], data.shape[0], axis=0), None))

    @Slot(object)
    def _take_picture(self, picture: QImage) -> None:
        if self._data is not None and self._in_colour:
            self.chosen.emit(SampleRef("file", 0, as_sample(picture, self._data.shape, self._data.value_range), None))

    @property
    def _in_colour(self) -> bool:
        return self._data is not None and self._data.shape[0] == 3


def as_sample(picture: QImage, shape: tuple[int, int, int], value_range: tuple[float, float]) -> Array:
    """The middle of a picture as an array (3, H, W) over the value range; the longer side is cut, nothing is squeezed."""
    _, height, width = shape
    scale = max(width / picture.width(), height / picture.height())
    cut_width, cut_height = round(width / scale), round(height / scale)
    left, top = (picture.width() - cut_width) // 2, (picture.height() - cut_height) // 2
    cut = picture.copy(QRect(left, top, cut_width, cut_height))
    small = cut.scaled(width, height, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    rgb = QImage(small.size(), QImage.Format.Format_RGB888)
    rgb.fill(Qt.GlobalColor.white)  # transparent ground counts as paper
    painter = QPainter(rgb)
    painter.drawImage(0, 0, small)
    painter.end()
    pixels = np.frombuffer(rgb.constBits(), np.uint8).reshape(height, rgb.bytesPerLine())[:, : 3 * width]
    low, high = value_range
    channels = np.moveaxis(pixels.reshape(height, width, 3), -1, 0).astype(np.float32)
    return np.ascontiguousarray(low + channels * np.float32((high - low) / 255.0))
