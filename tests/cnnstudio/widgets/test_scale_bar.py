"""The scale bar says in words what its colours do not, as far as there is room, and everything in its tool tip."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QFontMetrics, QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from cnnstudio.theme import current_theme, ui_font
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.numbers import format_value
from cnnstudio.widgets.scale_bar import ScaleBar


@pytest.fixture
def bar(qtbot: QtBot) -> ScaleBar:
    widget = ScaleBar()
    qtbot.addWidget(widget)
    widget.resize(240, widget.sizeHint().height())
    widget.show()
    return widget


@pytest.mark.parametrize(
    ("room", "words"), [(400, "3 not finite · each map its own range"), (190, "3 · own ranges"), (90, "3 · …")]
)
def test_where_there_is_less_room_there_are_fewer_words_and_a_piece_of_the_strip_stays(
    bar: ScaleBar, room: int, words: str
) -> None:
    bar.set_scale("viridis", -1.0, 1.0, nonfinite=3, note="each map its own range", short_note="own ranges")
    found = bar.words_for(room)
    assert found == words or (words.endswith("…") and found.endswith("…"))
    assert QFontMetrics(ui_font(0.85)).horizontalAdvance(found) <= room - 24


@pytest.mark.parametrize(("low", "high"), [(-4.58, 7.73), (-1.234e-05, 1.234e-05), (0.0, 255.0), (-0.425, 2.82)])
@pytest.mark.parametrize("width", [118, 160, 240])
def test_the_numbers_at_the_ends_are_whole_in_a_narrow_bar(bar: ScaleBar, low: float, high: float, width: int) -> None:
    bar.set_scale("viridis", low, high)
    bar.resize(width, bar.height())
    image = bar.grab().toImage()
    edge = {image.pixelColor(image.width() - 1 - x, y).name() for x in range(2) for y in range(image.height())}
    assert len(edge) == 1  # nothing but the ground
    digits = bar.numbers_for(240)
    assert digits == (format_value(low, 3), format_value(high, 3, sign=low < 0))


@pytest.mark.parametrize(
    ("low", "high", "width", "ends"),
    [
        (-0.425, 2.82, 300, ("−0.425", "+2.82")),
        (-0.425, 2.82, 80, ("−0.4", "+2.8")),
        (-0.775, 0.775, 80, ("−0.8", "+0.8")),
        (0.0, 7.78, 80, ("0", "7.78")),
        (0.0, 3.2e-09, 80, ("0", "3e−09")),
    ],
)
def test_a_narrow_bar_has_as_many_decimals_at_both_ends(
    bar: ScaleBar, low: float, high: float, width: int, ends: tuple[str, str]
) -> None:
    bar.set_scale("viridis", low, high)
    assert bar.numbers_for(width) == ends


def test_the_left_number_stands_as_near_to_the_strip_as_the_right_one(bar: ScaleBar) -> None:
    bar.set_scale("viridis", -5.0, 5.0)
    image = bar.grab().toImage()
    middle = image.height() // 2
    strip = [x for x in range(image.width()) if image.pixelColor(x, middle) == current_theme().color("control_border")]
    ground = image.pixelColor(0, 0)

    def inked(x: int) -> bool:
        return any(image.pixelColor(x, y) != ground for y in range(image.height()))

    left = next(x for x in range(strip[0] - 1, 0, -1) if inked(x))
    right = next(x for x in range(strip[-1] + 1, image.width()) if inked(x))
    assert abs((strip[0] - left) - (right - strip[-1])) <= 2


@pytest.mark.parametrize("width", [210, 300, 420])
def test_the_tool_tip_says_everything_however_narrow_the_bar_is(bar: ScaleBar, width: int) -> None:
    bar.resize(width, bar.height())
    bar.set_scale("viridis", -1.0, 0.5, nonfinite=3, note="each map its own range", short_note="own ranges")
    QApplication.sendEvent(bar, QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(5, 5), bar.mapToGlobal(QPoint(5, 5))))
    assert QToolTip.text() == "Colours from −1.00 to 0.500 · 3 not finite · each map its own range"
    QToolTip.hideText()


def test_the_words_are_not_cut_at_the_width_of_a_usual_panel(qtbot: QtBot) -> None:
    view = MapView()
    qtbot.addWidget(view)
    view.resize(270, 200)
    view.show()
    view.set_maps(np.arange(8.0).reshape(2, 2, 2), range_mode="unit")
    (bar,) = view.findChildren(ScaleBar)
    image = bar.grab().toImage()
    edge = {image.pixelColor(image.width() - 1 - x, y).name() for x in range(3) for y in range(image.height())}
    assert len(edge) == 1  # nothing but the ground: no letter reaches the edge
    assert "each map its own range" in bar.accessibleDescription()
