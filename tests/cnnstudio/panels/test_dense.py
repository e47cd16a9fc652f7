"""Outputs and contributions of an FC layer equal those of an independent forward pass, down to the pixels."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.widgets.colormaps import invert
from engine.network import Network


def test_contributions_and_bias_add_up_to_the_output(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.dense
    window.docks.bring_up("dense")
    window.view.show_block("conv1")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    checkpoint, sample = studio.controller.checkpoint_now(5), studio.selection.sample
    assert checkpoint is not None and studio.data is not None and sample is not None and sample.image is not None
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(studio.data.train.images, studio.data.value_range)
    lane = network.forward_sample(sample.image)
    last = max(i for i, placed in enumerate(lane.placed) if placed.node.layer.role == "dense")
    name = lane.placed[last].node.id
    x, z = lane.workspaces[last - 1].y[0].ravel(), lane.workspaces[last].y[0]
    w, b = (network.parameters.named[f"{name}.{p}"] for p in "Wb")
    np.testing.assert_allclose(panel.bars.values, z, rtol=1e-4, atol=1e-5)
    assert panel.bars.chosen == int(z.argmax())
    panel.choose_unit(3)
    expected = w[3] * x
    maps = panel.view.maps
    np.testing.assert_allclose(maps.ravel(), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(maps.sum() + b[3], z[3], rtol=1e-3, atol=1e-4)
    picture, high = panel.view.viewport().grab().toImage(), float(np.abs(expected).max())
    _, height, width = maps.shape
    for at in range(min(5, expected.size)):
        place = (at // (height * width), at // width % height, at % width)
        point = panel.view.cell_rect(*place).center() * picture.devicePixelRatio()
        color = picture.pixelColor(int(point.x()), int(point.y()))
        value = invert(np.array([[color.red(), color.green(), color.blue()]], np.uint8), "diverging", -high, high)[0]
        assert abs(value - expected[at]) < high / 100
