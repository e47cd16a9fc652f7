"""Outputs, contributions and weights of an FC layer equal those of an independent forward pass, down to every pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.dense import WEIGHTS
from cnnstudio.widgets.colormaps import sign_colors
from cnnstudio.widgets.signed_bars import SignedBars
from tests.cnnstudio.panels.pixels import assert_shows, enlarge, network_of, outputs_of, pixels_of


@pytest.mark.parametrize("layer", ["dense1", "dense2"])
def test_every_output_contribution_and_weight_is_painted(qtbot: QtBot, window: MainWindow, layer: str) -> None:
    studio, panel = window.studio, window.dense
    enlarge(window, "dense", height=800)
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.step == 1)
    window.view.show_block(layer)
    qtbot.waitUntil(lambda: panel._snapshot is not None and panel._snapshot.step == 1 and f"{layer}.W" in panel._snapshot)
    network, sample = network_of(studio), studio.selection.sample
    assert sample is not None and sample.image is not None
    outputs = outputs_of(network, sample.image)
    names = [node.id for node in studio.document.spec]
    x, z = outputs[names[names.index(layer) - 1]].ravel(), outputs[layer]
    w, b = (network.parameters.named[f"{layer}.{name}"] for name in "Wb")
    assert panel.bars.chosen == int(z.argmax())
    assert_bars(panel.bars, z)
    panel.choose_unit(3)
    assert panel.view.maps is not None
    shape = panel.view.maps.shape
    assert_shows(panel.view, (w[3] * x).reshape(shape))
    np.testing.assert_allclose(panel.view.maps.sum() + b[3], z[3], rtol=1e-3, atol=1e-4)
    panel._what.setCurrentIndex(panel._what.findData(WEIGHTS))
    assert_shows(panel.view, w[3].reshape(shape))


def test_colours_reach_over_the_output_the_layer_or_the_network(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.dense
    enlarge(window, "dense", height=800)
    window.view.show_block("dense2")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    network, sample = network_of(studio), studio.selection.sample
    assert sample is not None and sample.image is not None
    x, named = outputs_of(network, sample.image)["relu3"], network.parameters.named
    w = named["dense2.W"]
    panel.choose_unit(3)
    assert panel.view.maps is not None
    shape = panel.view.maps.shape
    assert_shows(panel.view, (w[3] * x).reshape(shape))
    panel._range.choose("layer")
    high = float(np.abs(w * x).max())
    assert high > float(np.abs(w[3] * x).max())
    assert_shows(panel.view, (w[3] * x).reshape(shape), -high, high)
    assert not panel._range._action("network").isEnabled()  # contributions of other layers are not known
    panel._what.setCurrentIndex(panel._what.findData(WEIGHTS))
    high = float(np.abs(w).max())
    assert_shows(panel.view, w[3].reshape(shape), -high, high)
    panel._range.choose("network")
    high = max(float(np.abs(a).max()) for name, a in named.items() if name.endswith(".W"))
    qtbot.waitUntil(lambda: panel.view.bounds is not None and abs(panel.view.bounds[1] - high) < 1e-6)
    assert_shows(panel.view, w[3].reshape(shape), -high, high)


def test_the_chosen_output_of_another_layer_is_in_sight(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.dense
    enlarge(window, "dense", height=200)
    window.studio.document.set_option("dense1", "units", 60)
    for layer, count in (("dense1", 60), ("dense2", 10), ("dense1", 60)):
        window.view.show_block(layer)
        qtbot.waitUntil(lambda count=count: len(panel.bars.values) == count)  # type: ignore[misc]
        assert panel.bars.viewport().rect().contains(panel.bars.row_rect(panel.bars.chosen))


def assert_bars(bars: SignedBars, z: NDArray[np.generic]) -> None:
    """Every bar is as long as its output, on the side and in the colour of its sign."""
    pixels, scale = pixels_of(bars.viewport())
    negative, positive = (np.array(QColor(tone).getRgb()[:3]) for tone in sign_colors())
    lengths = []
    for row in range(len(z)):
        box = bars.row_rect(row)
        assert box.bottom() < bars.viewport().height()
        line = pixels[int(box.center().y() * scale)]
        zero = int(bars._columns()[1] * scale)
        left, right = (int((part == tone).all(axis=1).sum())
                       for part, tone in ((line[:zero], negative), (line[zero:], positive)))  # fmt: skip
        lengths.append((right - left) / scale)
    unit = bars._columns()[2]
    assert np.ptp(z) * unit > 100  # the bars fill their column
    np.testing.assert_allclose(lengths, z * unit, atol=2.5)
