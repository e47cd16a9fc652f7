"""Numbers on the axes of a chart have room, however low the chart is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtGui import QFont, QFontMetricsF
from pytestqt.qtbot import QtBot

from cnnstudio.widgets.chart_axes import LossAxis, PercentAxis


@pytest.mark.parametrize("height", [25, 40, 60, 90, 300])
def test_numbers_do_not_run_into_each_other(qtbot: QtBot, height: int) -> None:
    axis, font = PercentAxis("right"), QFont()
    axis.setTickFont(font)
    _, places = max(axis.tickValues(0.0, 100.0, height), key=lambda level: level[0])
    pixels = [place / 100.0 * height for place in places]
    assert all(b - a >= QFontMetricsF(font).height() - 1 for a, b in pairwise(pixels))
    assert height < 60 or len(places) >= 2


@pytest.mark.parametrize("reach", [0.5, 3.0, 30.0, 1e3, 1e12])
def test_a_logarithmic_axis_has_few_numbers_however_far_one_zooms_out(qtbot: QtBot, reach: float) -> None:
    axis = LossAxis("left")
    ((_, places),) = axis.logTickValues(-reach, reach, 300, None)
    assert 0.0 in places or reach > 3
    assert 3 <= len(places) <= 30 and all(-reach <= place <= reach for place in places)
    assert len(set(axis.logTickStrings(places, 1.0, 1.0))) == len(places)


@pytest.mark.parametrize("height", [40, 70, 90, 160, 400])
@pytest.mark.parametrize("reach", [0.5, 3.5, 12.0])
def test_logarithmic_numbers_do_not_run_into_each_other(qtbot: QtBot, height: int, reach: float) -> None:
    axis, font = LossAxis("left"), QFont()
    axis.setTickFont(font)
    ((_, places),) = axis.logTickValues(-reach, 0.0, height, None)
    pixels = [place / reach * height for place in places]
    assert places and all(b - a >= QFontMetricsF(font).height() - 1 for a, b in pairwise(pixels))
    assert len(places) >= 2 or height < 90
