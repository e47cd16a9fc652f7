"""Numbers by hand: grounds and texts of every cell are the weights of the session and the image that was typed."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from tests.cnnstudio.panels.pixels import assert_grid, enlarge, network_of


def test_every_weight_and_bias_is_painted_and_written(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.typed
    enlarge(window, "typed")
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: window.studio.controller.state.step == 1)
    window.view.show_block("conv2")
    qtbot.waitUntil(lambda: panel._snapshot is not None and panel._snapshot.step == 1 and "conv2.W" in panel._snapshot)
    panel._filter.setValue(9)
    panel._channel.setValue(5)
    named = network_of(window.studio).parameters.named
    kernel, biases = named["conv2.W"][9, 5], named["conv2.b"]
    high = float(np.abs(kernel).max())
    assert_grid(panel.kernel_grid, kernel, "diverging", -high, high)
    high = float(np.abs(biases).max())
    assert_grid(panel.bias_grid, biases[None], "diverging", -high, high)
    assert panel._bias_title.text() == "Biases of filters 0–15"
    assert panel.bias_grid._highlight == (range(1), range(9, 10))
    window.view.show_block("dense1")
    qtbot.waitUntil(lambda: "dense1.W" in (panel._snapshot or ()))
    assert panel._bias_title.text() == "Bias of unit 0" and panel.bias_grid._highlight is None


def test_every_pixel_of_a_typed_input_is_painted_and_written(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.typed
    enlarge(window, "typed")
    image = np.random.default_rng(5).integers(-9, 10, (2, 4, 5)).astype(float)
    panel.image_typed.emit(image, 1)
    qtbot.waitUntil(lambda: len(panel.input_grids) == 2 and panel.input_grids[0].values.shape == (4, 5))
    low, high = float(image.min()), float(image.max())
    for grid, channel in zip(panel.input_grids, image, strict=True):
        assert_grid(grid, channel, "grey", low, high)
