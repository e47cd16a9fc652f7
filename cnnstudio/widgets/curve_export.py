"""Curves as files: CSV text, pictures, SVG."""

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from cnnstudio.theme import current_theme
from cnnstudio.widgets.curve_series import CurveSeries


def curves_csv(curves: Iterable[tuple[str, CurveSeries]]) -> str:
    """All points as CSV with the columns series, step and value."""
    rows = ["series,step,value"]
    for name, data in curves:
        rows += [f"{name},{x:g},{y!r}" for x, y in zip(data.x.tolist(), data.y.tolist(), strict=True)]
    return "\n".join(rows) + "\n"


def widget_image(widget: QWidget, scale: float) -> QImage:
    """A widget as an image of `scale` pixels a logical pixel."""
    image = QImage(widget.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(current_theme().color("surface"))
    painter = QPainter(image)
    widget.render(painter, QPoint())
    painter.end()
    return image


def save_widget_svg(widget: QWidget, path: str) -> None:
    """Write a widget as SVG; OSError if the file cannot be written."""
    with open(path, "wb"):  # QSvgGenerator would fail without a word
        pass
    generator = QSvgGenerator()
    generator.setFileName(path)
    generator.setSize(widget.size())
    generator.setViewBox(QRect(0, 0, widget.width(), widget.height()))
    painter = QPainter(generator)
    widget.render(painter, QPoint())
    painter.end()
