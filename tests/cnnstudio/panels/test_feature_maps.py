"""Feature maps in the order of their activity, one map alone, and what is said of the map under the pointer."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.widgets.cell import Cell
from engine.layer import Array


def maps_of_conv1(qtbot: QtBot, window: MainWindow) -> Array:
    """The maps of the first convolution, once they are on screen."""
    window.view.show_block("conv1")
    qtbot.waitUntil(lambda: window.feature_maps.view.maps is not None and len(window.feature_maps.view.maps) == 8)
    maps = window.feature_maps.view.maps
    assert maps is not None
    return maps.copy()


def test_most_active_first_keeps_the_numbers_of_the_maps(qtbot: QtBot, window: MainWindow) -> None:
    maps, panel = maps_of_conv1(qtbot, window), window.feature_maps
    panel._sorted.setChecked(True)
    shown = panel.view.maps
    assert shown is not None
    means = [float(np.abs(one).mean()) for one in shown]
    assert means == sorted(means, reverse=True)
    most = int(np.argmax([np.abs(one).mean() for one in maps]))
    np.testing.assert_array_equal(shown[0], maps[most])
    panel.view.cell_activated.emit(Cell(0, 2, 3, 0.0))
    cell = window.studio.selection.cell
    assert cell is not None and cell.index == (most, 2, 3)


def test_a_click_enlarges_one_map_and_another_brings_all_back(qtbot: QtBot, window: MainWindow) -> None:
    maps, panel = maps_of_conv1(qtbot, window), window.feature_maps
    for expected in (maps[4:5], maps):
        index = 4 if len(expected) == 1 else 0
        at = panel.view.cell_rect(index, 3, 3).center().toPoint()
        QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.waitUntil(lambda expected=expected: len(panel.view.maps) == len(expected))  # type: ignore[arg-type]
        np.testing.assert_array_equal(panel.view.maps, expected)


def test_the_map_under_the_pointer_tells_its_mean_and_sparsity(qtbot: QtBot, window: MainWindow) -> None:
    maps_of_conv1(qtbot, window)
    panel = window.feature_maps
    panel._after.setChecked(True)
    qtbot.waitUntil(lambda: panel.view.maps is not None and bool((panel.view.maps >= 0).all()))
    one = panel.view.maps[2]  # type: ignore[index]
    panel.view.hovered.emit(Cell(2, 0, 0, 0.0))
    assert f"{np.mean(one == 0) * 100:.0f} %" in panel._hint.text() and "map 2" in panel._hint.text()
