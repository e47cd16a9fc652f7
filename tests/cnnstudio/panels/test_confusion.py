"""The confusion matrix counts the answers of an independent forward pass, and its cells show their images."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.colormaps import invert
from engine.network import Network


def test_cells_count_the_answers_and_show_their_images(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.confusion
    window.docks.bring_up("confusion")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    checkpoint, data = studio.controller.checkpoint_now(5), studio.data
    assert checkpoint is not None and data is not None
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(data.train.images, data.value_range)
    predicted = network.predict(data.validation.images).argmax(axis=1)
    expected = np.zeros((10, 10))
    for truth, answer in zip(data.validation.labels, predicted, strict=True):
        expected[truth, answer] += 1
    np.testing.assert_array_equal(panel.view.maps[0], expected)
    picture = panel.view.viewport().grab().toImage()
    row, column = (int(i) for i in np.unravel_index(expected.argmax(), expected.shape))
    for place in ((row, column), (0, 0), (9, 9)):
        box = panel.view.cell_rect(0, *place)
        at = (box.topLeft() + (box.center() - box.topLeft()) / 4) * picture.devicePixelRatio()
        color = picture.pixelColor(int(at.x()), int(at.y()))
        value = invert(np.array([[color.red(), color.green(), color.blue()]], np.uint8), "viridis", 0, expected.max())[0]
        assert abs(value - expected[place]) < expected.max() / 100
    panel.view.cell_clicked.emit(Cell(0, row, column, float(expected.max())))
    shown = np.flatnonzero((data.validation.labels == row) & (predicted == column))
    np.testing.assert_array_equal(panel.images.maps, data.validation.images[shown[:60], 0])
    panel.images.cell_clicked.emit(Cell(1, 0, 0, 0.0))
    sample = studio.selection.sample
    assert sample is not None and (sample.source, sample.index) == ("validation", int(shown[1]))


def test_it_follows_the_weights_and_is_not_asked_for_while_hidden(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.confusion
    asked: list[str] = []
    evaluate = studio.controller.evaluate
    studio.controller.evaluate = lambda split="test": (asked.append(split), evaluate(split))  # type: ignore[method-assign, assignment]
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.step == 1)
    assert asked == []
    window.docks.bring_up("confusion")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    before = len(asked)
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: len(asked) > before and not studio.controller._worker._questions)
