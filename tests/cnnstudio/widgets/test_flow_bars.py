"""Bars of a gradient that has grown beyond every number are drawn like any others."""

from __future__ import annotations

import math

import numpy as np
from pytestqt.qtbot import QtBot

from cnnstudio.panels.gradients import rms
from cnnstudio.widgets.flow_bars import FlowBar, FlowBars


def test_an_infinite_value_fills_its_bar_and_leaves_the_scale_to_the_others(qtbot: QtBot) -> None:
    bars = FlowBars()
    qtbot.addWidget(bars)
    values = {"a": 1.0, "b": 0.1, "c": math.inf, "d": math.nan, "e": 0.0}
    bars.set_bars([FlowBar(key, key, "conv", value) for key, value in values.items()])
    assert {key: bars.share(value) for key, value in values.items()} == {"a": 1.0, "b": 0.5, "c": 1.0, "d": 0.0, "e": 0.0}
    assert not bars.grab().isNull()


def test_the_root_mean_square_of_large_float32_numbers_is_finite() -> None:
    assert rms(np.full(4, 1e30, np.float32)) == float(np.float32(1e30))
