"""The panel of the training curves: its pixels are the losses of the batches; where it is low, the room belongs to them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from tests.cnnstudio.panels.pixels import assert_curves, enlarge, network_of


def test_the_curves_are_loss_and_accuracy_of_each_batch_under_the_weights_before_it(qtbot: QtBot, window: MainWindow) -> None:
    studio, plot = window.studio, window.curves.plot
    enlarge(window, "training")
    losses, accuracies = [], []
    for step in range(1, 7):
        network = network_of(studio)
        window.actions_.batch.trigger()
        qtbot.waitUntil(lambda step=step: len(studio.controller.history) == step)
        with qtbot.waitSignal(studio.controller.batch_probed) as probed:
            studio.controller.probe_batch()
        images, labels = probed.args[0]["image"], probed.args[0]["target"].argmax(axis=1)
        outputs = network.predict(images)
        losses.append(-np.log(outputs[np.arange(len(labels)), labels].astype(float)).mean())
        accuracies.append((outputs.argmax(axis=1) == labels).mean())
    steps = np.arange(1, 7)
    plot.chart.set_x_range(0.0, 8.0)
    plot.chart.zoomed.emit()
    np.testing.assert_allclose(plot.points("train_loss")[1], losses, rtol=1e-4)
    np.testing.assert_allclose(plot.points("train_accuracy")[1], accuracies, atol=1e-6)
    assert_curves(plot, {"train_loss": (steps, np.array(losses)), "train_accuracy": (steps, 100 * np.array(accuracies))})


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
