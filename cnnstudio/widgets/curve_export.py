"""Curves for the clipboard and for files: their values as CSV, and the chart below its legend."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QGraphicsView

import pyqtgraph as pg  # isort: skip  (after PySide6)

from cnnstudio.theme import current_theme, ui_font
from cnnstudio.widgets.csv_text import csv_text
from cnnstudio.widgets.curve_series import CurveSeries
from cnnstudio.widgets.line_style import LineStyle

Keys = Sequence[LineStyle]
"""A legend."""
_MARGIN, _LINE, _GAP = 8.0, 26.0, 18.0


def curves_csv(curves: Iterable[tuple[Sequence[str], CurveSeries]], columns: Sequence[str] = ("series",)) -> str:
    """All points as CSV with `columns`, which name a curve, then step and value."""
    rows = ((*names, f"{x:.15g}", repr(y))
            for names, data in curves for x, y in zip(data.x.tolist(), data.y.tolist(), strict=True))  # fmt: skip
    return csv_text([(*columns, "step", "value"), *rows])


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


def chart_size(chart: QGraphicsView, keys: Keys) -> QSize:
    """The size of a chart with its legend and a margin, in logical pixels."""
    width = chart.width() + 2 * round(_MARGIN)
    return QSize(width, chart.height() + round(_places(keys, width)[1] + _MARGIN))


def paint_chart(painter: QPainter, chart: QGraphicsView, keys: Keys) -> None:
    """The legend above, the chart below it, from the top left corner of a margin."""
    places, height = _places(keys, chart.width() + 2 * _MARGIN)
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
    with _without_pixels(chart.scene()):
        chart.render(painter, QRectF(_MARGIN, round(height), chart.width(), chart.height()), chart.viewport().rect())


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
