"""The grid of samples: right and wrong answers are those of an independent forward pass."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
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


@pytest.mark.parametrize("sign", [-1, 1])
def test_images_are_sorted_by_how_sure_the_network_is(qtbot: QtBot, window: MainWindow, sign: int) -> None:
    studio, panel = window.studio, window.samples
    window.docks.bring_up("samples")
    checkpoint, data = studio.controller.checkpoint_now(5), studio.data
    assert checkpoint is not None and data is not None
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(data.train.images, data.value_range)
    outputs = network.predict(data.validation.images)
    expected = np.argsort(sign * outputs.max(axis=1), kind="stable")
    panel.choose_order(sign)
    qtbot.waitUntil(lambda: panel.model.position(0) == expected[0])
    assert [panel.model.position(row) for row in range(panel.model.rowCount())] == expected.tolist()
    assert panel.model.row_of(int(expected[5])) == 5
    first = panel.values_csv().splitlines()[1].split(",")
    at = int(expected[0])
    assert first[:3] == [str(at), data.classes[data.validation.labels[at]], data.classes[outputs[at].argmax()]]
    assert abs(float(first[3]) - outputs[at].max()) < 1e-5


def test_pixels_of_the_grid_are_those_of_the_images(qtbot: QtBot, window: MainWindow) -> None:
    window.docks.bring_up("samples")
    panel, data = window.samples, window.studio.data
    assert data is not None
    grid = panel._grid
    qtbot.waitUntil(lambda: grid.visualRect(panel.model.index(4)).isValid())
    for row in (0, 4):
        pixmap = panel.model.data(panel.model.index(row), Qt.ItemDataRole.DecorationRole).pixmap(44, 44)  # type: ignore[attr-defined]
        image, picture = data.validation.images[row, 0], pixmap.toImage()
        box = grid.visualRect(panel.model.index(row))
        shown = grid.viewport().grab().toImage()
        corner = box.center().x() - 22 + 1, box.top() + (box.height() - 44) // 2 + 1
        low, high = data.value_range
        for r, c in ((2, 3), (4, 4), (6, 2)):
            expected = round((float(image[r, c]) - low) / (high - low) * 255)
            x, y = int((c + 0.5) * 44 / 8), int((r + 0.5) * 44 / 8)
            assert abs(picture.pixelColor(x, y).red() - expected) <= 1
            near = [shown.pixelColor(corner[0] + x + dx, corner[1] + y + dy).red() for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
            assert min(abs(value - expected) for value in near) <= 1
