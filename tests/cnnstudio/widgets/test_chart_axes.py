"""Numbers on the axes of a chart have room, however low the chart is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtGui import QFont, QFontMetricsF
from pytestqt.qtbot import QtBot

from cnnstudio.widgets.chart_axes import PercentAxis


@pytest.mark.parametrize("height", [25, 40, 60, 90, 300])
def test_numbers_do_not_run_into_each_other(qtbot: QtBot, height: int) -> None:
    axis, font = PercentAxis("right"), QFont()
    axis.setTickFont(font)
    _, places = max(axis.tickValues(0.0, 100.0, height), key=lambda level: level[0])
    pixels = [place / 100.0 * height for place in places]
    assert all(b - a >= QFontMetricsF(font).height() - 1 for a, b in pairwise(pixels))
    assert height < 60 or len(places) >= 2
