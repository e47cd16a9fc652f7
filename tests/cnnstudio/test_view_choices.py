"""What was chosen of ranges and curves is there again in the next window."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.range_choice import RangeChoice
from cnnstudio.view_choices import CURVES, ViewChoices
from engine.templates import Template


def test_ranges_and_curves_are_as_they_were_left(qtbot: QtBot, window: MainWindow, templates: tuple[Template, ...]) -> None:
    window.kernels._range.choose("network")
    window.feature_maps._range.choose("unit")
    window.curves.plot.options.choose(10, True, True)
    again = MainWindow(window.studio, window.settings, templates)
    assert [panel._range.mode for panel in (again.kernels, again.feature_maps, again.dense, again.gradients)] == [
        "network", "unit", "unit", "layer"]  # fmt: skip
    assert again.curves.plot.options.choices == (10, True, True)
    again.discard()


def test_epochs_that_cannot_be_counted_yet_stay_chosen(qtbot: QtBot, window: MainWindow) -> None:
    options = window.curves.plot.options
    options.choose(1, False, True)
    options.allow_epochs(False)
    options.set_logarithmic(True)
    assert window.settings.view_choice(CURVES) == "[1, true, true]"


@pytest.mark.parametrize("damaged", ["", "[", "[1, true]", '["a", 1, 1]', "7"])
def test_settings_that_cannot_be_read_count_as_not_set(qtbot: QtBot, window: MainWindow, damaged: str) -> None:
    for what in ("kernels", CURVES):
        window.settings.set_view_choice(what, damaged)
    ViewChoices(window.settings, {"kernels": window.kernels}, window.curves.plot.options, window)
    choice = window.kernels.findChild(RangeChoice)
    assert choice is not None and choice.mode == "layer"
    assert window.curves.plot.options.choices == (1, False, False)
