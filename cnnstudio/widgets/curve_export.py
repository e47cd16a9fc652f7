"""Curves as files: CSV text, pictures, SVG."""

from collections.abc import Iterable

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView

from cnnstudio.theme import current_theme
from cnnstudio.widgets.curve_series import CurveSeries


def curves_csv(curves: Iterable[tuple[str, CurveSeries]]) -> str:
    """All points as CSV with the columns series, step and value."""
    rows = ["series,step,value"]
    for name, data in curves:
        rows += [f"{name},{x:g},{y!r}" for x, y in zip(data.x.tolist(), data.y.tolist(), strict=True)]
    return "\n".join(rows) + "\n"


def chart_image(chart: QGraphicsView, scale: float) -> QImage:
    """A chart as an image of `scale` pixels a logical pixel."""
    image = QImage(chart.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(current_theme().color("surface"))
    painter = QPainter(image)
    chart.render(painter)
    painter.end()
    return image


def save_chart_svg(chart: QGraphicsView, path: str) -> None:
    """Write a chart as SVG; OSError if the file cannot be written."""
    with open(path, "wb"):  # QSvgGenerator would fail without a word
        pass
    generator = QSvgGenerator()
    generator.setFileName(path)
    generator.setSize(chart.size())
    generator.setViewBox(QRect(0, 0, chart.width(), chart.height()))
    painter = QPainter(generator)
    chart.render(painter)
    painter.end()
