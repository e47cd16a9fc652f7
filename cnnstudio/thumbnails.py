"""The small live pictures on the blocks: each layer's maps of the chosen sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from cnnstudio.canvas.face import THUMBNAIL
from cnnstudio.canvas.scene import CanvasScene
from cnnstudio.canvas.view import LARGEST_FIT, CanvasView
from cnnstudio.document.document import Document
from cnnstudio.document.words import class_names
from cnnstudio.panels.along_chain import as_maps, as_picture
from cnnstudio.panels.live_panel import Needs
from cnnstudio.theme import current_theme, number_font, theme_changed, ui_font
from cnnstudio.widgets.colormaps import Kind
from cnnstudio.widgets.mosaic import mosaic_thumbnail
from cnnstudio.widgets.numbers import format_percent
from engine.datasets.dataset import Dataset
from engine.snapshot import Snapshot

SHOWN_CLASSES = 3
"""Bars of probabilities on a block."""
_WIDEST_NAME = 0.42
"""Share of the width that names of classes take at most; the rest of a longer one is left out."""

Array = NDArray[np.generic]


class Thumbnails(QObject):
    """Draws the thumbnails of all blocks of the network while the canvas can be seen."""

    interval = 0.2
    """A thumbnail need not be as lively as a panel."""

    def __init__(
        self, document: Document, scene: CanvasScene, view: CanvasView, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._scene, self._view = document, scene, view
        self._drawn: Snapshot | None = None
        self._classes: tuple[str, ...] = ()
        theme_changed.connect(self._draw_again)

    def set_data(self, data: Dataset | None) -> None:
        """Name the classes of another data set."""
        self._classes = class_names(data)
        self._draw_again()

    def can_be_seen(self) -> bool:
        """Whether the canvas can be seen."""
        return self._view.isVisible()

    def is_attended(self) -> bool:
        """Thumbnails come when it is their turn; the canvas itself is as quick as ever."""
        return False

    def needs(self) -> Needs:
        """The outputs of all layers."""
        return Needs(frozenset(node.id for node in self._document.spec))

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Draw the maps of one step."""
        self._drawn = snapshot
        if snapshot is None:
            self._scene.clear_thumbnails()
            return
        scale, pictures = self._view.devicePixelRatioF(), {}
        for block_id, placed in self._document.derived.placed.items():
            array = snapshot.arrays.get(f"{block_id}.y")
            if array is not None and array.shape == tuple(placed.y):
                pictures[block_id] = thumbnail(array, placed.node.layer.role, scale, len(placed.y) == 1, self._classes)
        self._scene.set_thumbnails(pictures)

    @Slot()
    def _draw_again(self, *_: object) -> None:
        if self._drawn is not None:
            self.show_snapshot(self._drawn)


def thumbnail(array: Array, role: str, scale: float, is_vector: bool, classes: Sequence[str] = ()) -> QImage:
    """The picture of one layer's output for its block, at a device pixel ratio; outputs are named by the classes."""
    size = THUMBNAIL.size().toSize()
    if role == "output" and is_vector:
        names = classes if len(classes) == len(array) else [str(number) for number in range(len(array))]
        return _bars(array, names, size, scale * LARGEST_FIT)  # letters that were enlarged would be ragged
    if is_vector:
        return mosaic_thumbnail(as_maps(array), "activation", size, device_pixel_ratio=scale)
    theme = current_theme()
    outline = theme.color("control_border") if theme.dark else None
    kind: Kind = "image" if role == "input" else "activation"
    maps = as_picture(array) if role == "input" else array
    return mosaic_thumbnail(maps, kind, size, device_pixel_ratio=scale, outline=outline)


def _bars(values: Array, names: Sequence[str], size: QSize, scale: float) -> QImage:
    """The largest probabilities as bars, each with the name of its class and its percentage: large enough to be read."""
    image = QImage(size * scale, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    theme = current_theme()
    row = size.height() / SHOWN_CLASSES
    fonts = ui_font(), number_font()
    for font in fonts:
        font.setPixelSize(int(row * 0.72))
    metrics, digits = QFontMetrics(fonts[0]), QFontMetrics(fonts[1])
    widest = min(max(map(metrics.horizontalAdvance, names), default=0), int(size.width() * _WIDEST_NAME))
    name, percent = widest + 6, digits.horizontalAdvance("100 %") + 6
    order = np.argsort(-values.astype(np.float32), kind="stable")[:SHOWN_CLASSES].tolist()
    for place, index in enumerate(order):
        line = QRectF(0, place * row, size.width(), row)
        painter.setPen(theme.color("muted" if place else "text"))
        painter.setFont(fonts[0])
        shown = metrics.elidedText(names[index], Qt.TextElideMode.ElideRight, widest)
        base = line.center().y() + metrics.capHeight() / 2
        painter.drawText(QPointF(0, base), shown)
        share = float(np.clip(values[index], 0.0, 1.0))
        bar = QRectF(name, line.top() + row * 0.2, max(1.0, (size.width() - name - percent) * share), row * 0.6)
        painter.fillRect(bar, theme.color("wire" if place else "winner"))
        painter.setFont(fonts[1])
        text = format_percent(share, 0)
        painter.drawText(QPointF(line.right() - digits.horizontalAdvance(text), base), text)
    painter.end()
    return image
