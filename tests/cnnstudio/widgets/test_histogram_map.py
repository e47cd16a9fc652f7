"""Histograms over the steps as one picture: every record has its place, and every number of the axes is whole."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontMetrics, QImage, QPainter
from pytestqt.qtbot import QtBot

from cnnstudio.theme import current_theme, number_font
from cnnstudio.widgets.colormaps import invert
from cnnstudio.widgets.histogram_map import HistogramMap
from cnnstudio.widgets.numbers import format_value
from cnnstudio.widgets.scale_bar import ScaleBar


@pytest.fixture
def picture(qtbot: QtBot) -> HistogramMap:
    widget = HistogramMap()
    qtbot.addWidget(widget)
    widget.resize(420, 260)
    widget.show()
    return widget


@pytest.mark.parametrize("steps", [[7], [0, 1], [0, 60, 90, 500, 800]])
def test_every_record_is_painted_and_read_at_its_step(picture: HistogramMap, steps: list[int]) -> None:
    shares = np.random.default_rng(1).random((8, len(steps)))
    picture.set_shares(shares, 2.0, np.array(steps))
    image = picture.grab().toImage()
    for record, step in enumerate(steps):
        for bin_ in range(8):
            at = picture.place(bin_, record).toPoint()
            color = np.array([image.pixelColor(at).getRgb()[:3]], np.uint8)
            assert abs(invert(color, "viridis", 0, float(shares[:, record].max()))[0] - shares[bin_, record]) <= 2 / 256
            assert picture.readout(QPointF(at)).startswith(f"step {step} ·")


def test_the_colours_are_explained_below_the_picture_and_in_its_file(picture: HistogramMap) -> None:
    picture.set_shares(np.full((4, 2), 0.25), 1.0, np.array([0, 5]))
    (bar,) = picture.findChildren(ScaleBar)
    assert bar.isVisible() and bar.bounds == (0.0, 1.0) and "fullest bin of each step" in bar.accessibleDescription()
    assert bar.geometry().top() > picture.area().bottom()
    saved = QImage(picture.picture_size(), QImage.Format.Format_RGB32)
    saved.fill(current_theme().color("surface"))
    painter = QPainter(saved)
    picture.paint_picture(painter)
    painter.end()
    colors = {saved.pixelColor(x, bar.geometry().center().y()).name() for x in range(bar.width())}
    assert len(colors) > 50  # the strip
    picture.set_shares(None)
    assert bar.bounds is None


def test_a_first_record_in_one_bin_leaves_the_later_ones_bright(picture: HistogramMap) -> None:
    shares = np.full((8, 2), 1 / 8)
    shares[:, 0] = np.eye(8)[4]
    picture.set_shares(shares, 1.0, np.array([0, 5]))
    image = picture.grab().toImage()
    colors = {image.pixelColor(picture.place(bin_, 1).toPoint()).name() for bin_ in range(8)}
    assert colors == {image.pixelColor(picture.place(4, 0).toPoint()).name()}
    assert colors != {image.pixelColor(picture.place(3, 0).toPoint()).name()}


@pytest.mark.parametrize("reach", [0.5, 1.38e-3, 1.25e-7, 123456.0])
def test_the_numbers_of_the_axis_have_room(picture: HistogramMap, reach: float) -> None:
    picture.set_shares(np.ones((4, 2)), reach, np.array([0, 5]))
    assert QFontMetrics(number_font(0.85)).horizontalAdvance(format_value(-reach, 3)) < picture.area().left()
