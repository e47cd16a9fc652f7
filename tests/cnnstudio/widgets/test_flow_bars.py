"""Bars of a gradient that has grown beyond every number are drawn like any others."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtGui import QFontMetrics
from pytestqt.qtbot import QtBot

from cnnstudio.panels.gradients import rms
from cnnstudio.theme import current_theme, ui_font
from cnnstudio.widgets.flow_bars import FlowBar, FlowBars


def test_an_infinite_value_fills_its_bar_and_leaves_the_scale_to_the_others(qtbot: QtBot) -> None:
    bars = FlowBars()
    qtbot.addWidget(bars)
    values = {"a": 1.0, "b": 0.1, "c": math.inf, "d": math.nan, "e": 0.0}
    bars.set_bars([FlowBar(key, key, "conv", value) for key, value in values.items()])
    assert {key: bars.share(value) for key, value in values.items()} == {"a": 1.0, "b": 0.5, "c": 1.0, "d": 0.0, "e": 0.0}
    assert not bars.grab().isNull()


def test_a_value_that_lies_alone_is_cut_and_leaves_the_scale_to_the_others(qtbot: QtBot) -> None:
    bars = FlowBars()
    qtbot.addWidget(bars)
    values = {"conv": 2e-7, "pool": 5e-7, "dense": 1e-6, "softmax": 0.3}
    bars.set_bars([FlowBar(key, key, "conv", value) for key, value in values.items()])
    assert bars.share(1e-6) == 1.0 == bars.share(0.3)
    assert bars.share(5e-7) - bars.share(2e-7) > 0.15
    picture = bars.grab().toImage()

    def gaps(index: int) -> int:
        box = bars.bar_rect(index).toRect()
        down = range(box.top() + 2, box.bottom() - 1)
        clear = [picture.pixelColor(box.center().x(), y) == current_theme().color("surface") for y in down]
        return sum(here and not above for above, here in pairwise(clear))

    assert [gaps(index) for index in range(4)] == [0, 0, 0, 2]
    assert [bars.tip(bar) for bar in bars.bars[2:]] == ["dense: 1.00e−06", "softmax: 0.300, beyond the scale"]


@pytest.mark.parametrize(("width", "words"), [(600, "← from the loss back · RMS of δ"), (240, "RMS of δ, log scale")])
def test_the_way_of_the_signal_is_said_where_there_is_room_for_words(qtbot: QtBot, width: int, words: str) -> None:
    bars = FlowBars()
    qtbot.addWidget(bars)
    bars.resize(width, 100)
    bars.set_bars([FlowBar("a", "a", "conv", 0.5)])
    assert bars._caption(QFontMetrics(ui_font(0.8))).startswith(words)


def test_a_long_way_down_in_even_steps_is_shown_whole(qtbot: QtBot) -> None:
    bars = FlowBars()
    qtbot.addWidget(bars)
    values = [10.0**-exponent for exponent in range(9)]
    bars.set_bars([FlowBar(str(value), str(value), "conv", value) for value in values])
    shares = [bars.share(value) for value in values]
    assert all(before - after == pytest.approx(1 / 9) for before, after in pairwise(shares))


def test_the_root_mean_square_of_large_float32_numbers_is_finite() -> None:
    assert rms(np.full(4, 1e30, np.float32)) == float(np.float32(1e30))


LENET = ("Input", "Conv 1", "ReLU 1", "Max pool 1", "Conv 2", "ReLU 2", "Max pool 2", "Flatten",
         "FC 1", "ReLU 3", "FC 2", "ReLU 4", "FC 3", "Softmax")  # fmt: skip


@pytest.mark.parametrize(("width", "lines"), [(1000, 1), (440, 2)])
def test_names_are_whole_and_apart_and_stand_in_two_lines_where_one_has_no_room(qtbot: QtBot, width: int, lines: int) -> None:
    bars = FlowBars()
    qtbot.addWidget(bars)
    bars.resize(width, 100)
    one_line = bars.sizeHint().height()
    bars.set_bars([FlowBar(name, name, "conv", 1.0) for name in LENET])
    assert [name.text for name in bars.names] == list(LENET)
    assert bars.sizeHint().height() == one_line + (lines - 1) * bars.fontMetrics().height()
    for line in range(lines):
        places = [(name.left, name.left + name.width) for name in bars.names[line::lines]]
        assert all(left >= 0 and right <= width for left, right in places)
        assert all(end <= start for (_, end), (start, _) in pairwise(places))


def test_a_name_stands_below_the_middle_of_its_bar_unless_it_would_leave_the_picture(qtbot: QtBot) -> None:
    bars = FlowBars()
    qtbot.addWidget(bars)
    bars.resize(320, 100)
    bars.set_bars([FlowBar(name, name, "conv", 1.0) for name in LENET])
    for index, name in enumerate(bars.names[:-1]):
        middle = bars.bar_rect(index).center().x()
        assert name.left + name.width / 2 == pytest.approx(middle, abs=1.0) or name.left == pytest.approx(1.0)
