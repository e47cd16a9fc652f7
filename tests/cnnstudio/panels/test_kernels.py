"""Kernels on screen: weights, gradient, last update and change since the start, against two checkpoints around a step."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.kernels import CHANGE, GRADIENT, UPDATE
from cnnstudio.studio import named_parameters
from cnnstudio.widgets.colormaps import invert
from engine.network import Network


@pytest.mark.parametrize(("what", "steps_back"), [(UPDATE, 1), (CHANGE, 2)])
def test_update_and_change_are_differences_of_the_weights(
    qtbot: QtBot, window: MainWindow, what: str, steps_back: int
) -> None:
    studio, panel = window.studio, window.kernels
    window.view.show_block("conv1")
    panel._array.setCurrentIndex(panel._array.findData(what))
    weights = []
    for step in range(3):
        checkpoint = studio.controller.checkpoint_now(5)
        assert checkpoint is not None
        weights.append(named_parameters(checkpoint)["conv1.W"].copy())
        if step < 2:
            window.actions_.batch.trigger()
            qtbot.waitUntil(lambda step=step: studio.controller.state.step == step + 1)
    expected = (weights[2] - weights[2 - steps_back])[:, 0]
    qtbot.waitUntil(lambda: panel.view.maps is not None and bool(np.allclose(panel.view.maps, expected, atol=1e-7)))
    picture, high = panel.view.viewport().grab().toImage(), float(np.abs(expected).max())
    for place in ((0, 0, 0), (3, 1, 2), (7, 2, 2)):
        at = panel.view.cell_rect(*place).center() * picture.devicePixelRatio()
        color = picture.pixelColor(int(at.x()), int(at.y()))
        value = invert(np.array([[color.red(), color.green(), color.blue()]], np.uint8), "diverging", -high, high)[0]
        assert abs(value - expected[place]) < high / 100


def test_the_gradient_is_that_of_the_shown_image(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.kernels
    window.view.show_block("conv1")
    panel._array.setCurrentIndex(panel._array.findData(GRADIENT))
    checkpoint, sample = studio.controller.checkpoint_now(5), studio.selection.sample
    assert checkpoint is not None and studio.data is not None
    assert sample is not None and sample.image is not None and sample.label is not None
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(studio.data.train.images, studio.data.value_range)
    network.forward_sample(sample.image)
    _, gradients = network.backward_sample(np.array([sample.label]))
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    np.testing.assert_allclose(panel.view.maps, gradients["conv1.W"][:, 0], rtol=1e-4, atol=1e-7)


def test_before_the_first_batch_there_is_no_update(qtbot: QtBot, window: MainWindow) -> None:
    window.view.show_block("conv1")
    window.kernels._array.setCurrentIndex(window.kernels._array.findData(UPDATE))
    assert window.kernels.view.maps is None
