"""Maps as files and clipboard contents: CSV text and pictures."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtGui import QColor, QImage, QPainter

from cnnstudio.theme import current_theme
from cnnstudio.widgets.axis_names import AxisNames
from cnnstudio.widgets.map_overlays import draw_captions
from cnnstudio.widgets.mosaic import Layout, Maps, Picture


def maps_csv(maps: Maps, labels: Sequence[str] = ()) -> str:
    """The values as CSV: for each map a line "# name", then its rows; colour pictures give a block a channel.

    Values are written so that reading them gives the same number again.
    """
    blocks = []
    for index, values in enumerate(maps):
        name = labels[index] if index < len(labels) else str(index)
        channels = [(name, values)]
        if values.ndim == 3:
            channels = [(f"{name} {channel}", values[..., i]) for i, channel in enumerate("RGB")]
        for title, matrix in channels:
            rows = [",".join(np.format_float_positional(v, trim="0") for v in row) for row in matrix]
            blocks.append("\n".join([f"# {title}", *rows]))
    return "\n".join(blocks) + "\n"


def maps_image(picture: Picture, layout: Layout, labels: Sequence[str], names: AxisNames, scale: float) -> QImage:
    """The whole mosaic with its captions or names on the ground of the theme, also what is scrolled out of sight."""
    image = QImage(layout.size, QImage.Format.Format_RGB32)
    image.fill(QColor(current_theme().surface))
    painter = QPainter(image)
    everything = range(layout.count)
    picture.draw(painter, layout, everything)
    if layout.caption:
        draw_captions(painter, layout, labels, everything, scale)
    if layout.left or layout.top:
        names.draw(painter, layout, scale)
    painter.end()
    image.setDevicePixelRatio(scale)
    return image
