"""The grid of samples: right and wrong answers are those of an independent forward pass."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from engine.network import Network


@pytest.mark.parametrize("right", [True, False])
def test_right_and_wrong_images_are_filtered(qtbot: QtBot, window: MainWindow, right: bool) -> None:
    studio, panel = window.studio, window.samples
    window.docks.bring_up("samples")
    checkpoint, data = studio.controller.checkpoint_now(5), studio.data
    assert checkpoint is not None and data is not None
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(data.train.images, data.value_range)
    predicted = network.predict(data.validation.images).argmax(axis=1)
    expected = np.flatnonzero((predicted == data.validation.labels) == right)
    assert 0 < len(expected) < len(data.validation)
    panel._answer.setCurrentIndex(panel._answer.findData(right))
    panel._answer.activated.emit(panel._answer.currentIndex())
    qtbot.waitUntil(lambda: panel.model.rowCount() == len(expected))
    assert [panel.model.position(row) for row in range(len(expected))] == expected.tolist()
    panel._class.setCurrentIndex(panel._class.findData(3))
    assert {int(data.validation.labels[panel.model.position(r)]) for r in range(panel.model.rowCount())} <= {3}
    panel._answer.setCurrentIndex(0)
    panel._answer.activated.emit(0)
    panel._class.setCurrentIndex(0)
    assert panel.model.rowCount() == len(data.validation)
