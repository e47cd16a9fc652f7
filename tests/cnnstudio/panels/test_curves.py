"""The panel of the training curves: where it is low, the room belongs to the curves."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from tests.cnnstudio.panels.pixels import enlarge


def test_in_a_low_panel_the_options_come_when_asked_for(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.curves
    enlarge(window, "training", 360, 600)
    qtbot.waitUntil(lambda: panel.height() > 400)
    assert panel.plot.options.isVisible()
    enlarge(window, "training", 360, 230)
    qtbot.waitUntil(lambda: panel.height() < 230)
    assert not panel.plot.options.isVisible()
    qtbot.waitUntil(lambda: panel.plot.chart.height() > 0.5 * panel.height())
    (button,) = [b for b in panel.findChildren(QToolButton) if b.accessibleName() == "Options of the curves"]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert panel.plot.options.isVisible()
    enlarge(window, "training", 360, 231)
    assert panel.plot.options.isVisible()  # what was asked for stays until the panel is another one
    enlarge(window, "training", 360, 600)
    qtbot.waitUntil(lambda: panel.height() > 400)
    assert panel.plot.options.isVisible()
