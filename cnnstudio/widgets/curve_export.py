"""Curves as files: CSV text, pictures, SVG."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QGraphicsItem, QGraphicsScene, QGraphicsView, QMenu, QMessageBox, QWidget

import pyqtgraph as pg  # isort: skip  (after PySide6)

from cnnstudio.theme import current_theme, ui_font
from cnnstudio.widgets.curve_series import CurveSeries
from cnnstudio.widgets.line_style import LineStyle

Keys = Sequence[LineStyle]
"""A legend."""
_MARGIN, _LINE, _GAP = 8.0, 26.0, 18.0


def curves_csv(curves: Iterable[tuple[Sequence[str], CurveSeries]], columns: Sequence[str] = ("series",)) -> str:
    """All points as CSV with `columns`, which name a curve, then step and value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, "step", "value"])
    for names, data in curves:
        writer.writerows([*names, f"{x:g}", repr(y)] for x, y in zip(data.x.tolist(), data.y.tolist(), strict=True))
    return text.getvalue()


def _places(keys: Keys, width: float) -> tuple[list[QPointF], float]:
    """Where each key of the legend begins, wrapped like words, and the height of all."""
    metrics = QFontMetricsF(ui_font(0.85))
    line = metrics.height() * 1.4
    places, x, y = [], _MARGIN, _MARGIN
    for style in keys:
        needed = _LINE + 6 + metrics.horizontalAdvance(style.label)
        if x > _MARGIN and x + needed > width - _MARGIN:
            x, y = _MARGIN, y + line
        places.append(QPointF(x, y))
        x += needed + _GAP
    return places, y + line if keys else 0.0


def _size(chart: QGraphicsView, keys: Keys) -> QSize:
    return QSize(chart.width(), chart.height() + round(_places(keys, chart.width())[1]))


def _paint(painter: QPainter, chart: QGraphicsView, keys: Keys) -> None:
    """The legend above, the chart below it."""
    places, height = _places(keys, chart.width())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(ui_font(0.85))
    line = QFontMetricsF(ui_font(0.85)).height()
    for style, place in zip(keys, places, strict=True):
        middle = place.y() + line / 2
        painter.setPen(style.pen(2.0))
        painter.drawLine(QPointF(place.x(), middle), QPointF(place.x() + _LINE, middle))
        painter.setPen(current_theme().color("text"))
        words = QRectF(place.x() + _LINE + 6, place.y(), chart.width(), line)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, style.label)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    chart.render(painter, QRectF(0, round(height), chart.width(), chart.height()), chart.viewport().rect())


def chart_image(chart: QGraphicsView, scale: float, keys: Keys = ()) -> QImage:
    """A chart with its legend as an image of `scale` pixels a logical pixel."""
    image = QImage(_size(chart, keys) * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(current_theme().color("surface"))
    painter = QPainter(image)
    _paint(painter, chart, keys)
    painter.end()
    return image


def save_chart_svg(chart: QGraphicsView, path: str, keys: Keys = ()) -> None:
    """Write a chart with its legend as SVG; OSError if the file cannot be written."""
    with open(path, "wb"):  # QSvgGenerator would fail without a word
        pass
    size = _size(chart, keys)
    generator = QSvgGenerator()
    generator.setFileName(path)
    generator.setResolution(96)  # a pixel of SVG is 1/96 inch
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    painter = QPainter(generator)
    painter.fillRect(QRect(0, 0, size.width(), size.height()), current_theme().color("surface"))
    with _without_pixels(chart.scene()):
        _paint(painter, chart, keys)
    painter.end()


@contextmanager
def _without_pixels(scene: QGraphicsScene) -> Iterator[None]:
    """Let axes and markers draw letters and shapes anew; for a screen they keep pictures of them."""
    kept = {item: item.cacheMode() for item in scene.items()}
    markers = [item for item in kept if isinstance(item, pg.ScatterPlotItem)]
    for item in kept:
        item.setCacheMode(QGraphicsItem.CacheMode.NoCache)
    for item in markers:
        item.setExportMode(True)
    try:
        yield
    finally:
        for item in markers:
            item.setExportMode(False)
        for item, mode in kept.items():
            item.setCacheMode(mode)


def chart_menu(
    parent: QWidget, picture: Callable[[], QImage], values: Callable[[], str], write: Callable[[Path, str], None]
) -> QMenu:
    """A menu to copy a chart or its values, and to save it as PNG, SVG or CSV."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("Charts", text)

    def save() -> None:
        kinds = ";;".join((tr("PNG picture (*.png)"), tr("SVG picture (*.svg)"), tr("Values (*.csv)")))
        name, kind = QFileDialog.getSaveFileName(parent, tr("Save chart"), "curves.png", kinds)
        if name:
            try:
                write(Path(name), kind)
            except OSError as error:
                QMessageBox.warning(parent, tr("Save chart"), str(error))

    menu, clipboard = QMenu(parent), QGuiApplication.clipboard()
    menu.addAction(tr("Copy picture"), lambda: clipboard.setImage(picture()))
    menu.addAction(tr("Copy values (CSV)"), lambda: clipboard.setText(values()))
    menu.addAction(tr("Save PNG, SVG or CSV…"), save)
    return menu


def save_chart(chart: QGraphicsView, keys: Keys, values: str, path: Path, kind: str = "") -> None:
    """Write a chart as the suffix of the path says (else as `kind` contains it); OSError if that fails."""
    if not path.suffix:
        path = path.with_suffix(next((s for s in (".svg", ".csv") if s in kind), ".png"))
    if path.suffix.lower() == ".csv":
        path.write_text(values, encoding="utf-8")
    elif path.suffix.lower() == ".svg":
        save_chart_svg(chart, str(path), keys)
    elif not chart_image(chart, 2.0, keys).save(str(path)):
        raise OSError(f"{path} could not be written")
