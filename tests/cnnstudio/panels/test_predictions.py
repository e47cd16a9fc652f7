"""Pixels of the prediction panel: the image is the sample, and bars are as long as the probabilities of a forward pass."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.theme import current_theme
from cnnstudio.widgets.colormaps import invert
from engine.network import Network


def test_bars_and_image_are_painted_as_computed(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.prediction
    qtbot.waitUntil(lambda: panel.bars.top is not None)
    checkpoint, data, sample = studio.controller.checkpoint_now(5), studio.data, studio.selection.sample
    assert checkpoint is not None and data is not None and sample is not None and sample.image is not None
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(data.train.images, data.value_range)
    expected = network.predict(sample.image[None])[0]
    picture = panel.bars.viewport().grab().toImage()
    scale, empty = picture.devicePixelRatio(), current_theme().color("pressed").rgb()
    for index, probability in enumerate(expected):
        track = panel.bars._track(index)
        y = int(track.center().y() * scale)
        if y >= picture.height():
            break
        inside = range(int(track.left() * scale) + 4, int(track.right() * scale) - 4)
        filled = sum(picture.pixelColor(x, y).rgb() != empty for x in inside)
        assert abs(filled - (probability * track.width() * scale - 4)) <= 4
    image = panel.image.viewport().grab().toImage()
    low, high = data.value_range
    for row, column in ((0, 0), (3, 4), (7, 7)):
        at = panel.image.cell_rect(0, row, column).center() * image.devicePixelRatio()
        color = image.pixelColor(int(at.x()), int(at.y()))
        value = invert(np.array([[color.red(), color.green(), color.blue()]], np.uint8), "grey", low, high)[0]
        assert abs(value - sample.image[0, row, column]) <= (high - low) / 100
