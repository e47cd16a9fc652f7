"""Every cell of the pictures and matrices of an explanation is painted as an independent pass computes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.explain.part_zoom import Matrix
from tests.cnnstudio.panels.explain.test_panel import show, train
from tests.cnnstudio.panels.pixels import assert_grid, assert_shows, enlarge, network_of, outputs_of


def assert_matrix(matrix: Matrix, expected: NDArray[np.floating]) -> None:
    """The grounds and the numbers of a matrix of the second zoom; small numbers have a power of ten taken out."""
    expected = expected / 10.0**matrix._exponent
    high = float(np.abs(expected).max())
    assert_grid(matrix.grid, expected, "diverging", -high, high)


def centred(array: NDArray[np.floating]) -> tuple[float, float]:
    """The range of diverging colours over a whole array."""
    high = float(np.abs(array).max())
    return -high, high


def test_the_zooms_of_a_convolution_are_painted_as_computed(qtbot: QtBot, window: MainWindow) -> None:
    enlarge(window, "explain", 900, 900)
    train(qtbot, window, 1)
    panel, sample = window.explain, window.studio.selection.sample
    assert sample is not None and sample.image is not None
    show(qtbot, window, "conv2.y", (3, 1, 2))
    panel.show_part(5)
    network = network_of(window.studio)
    outputs = outputs_of(network, sample.image)
    x, kernel = outputs["relu1"], network.parameters.named["conv2.W"][3, 5]
    source, result = panel.layer_zoom.views
    # The colours are those of the whole layer, as Feature maps and Kernels have them at first.
    y, weights = outputs["conv2"], network.parameters.named["conv2.W"]
    assert_shows(source, x[5:6], float(x.min()), float(x.max()))
    assert_shows(result, y[3:4], float(y.min()), float(y.max()))
    assert_shows(panel.layer_zoom.kernel, kernel[None], *centred(weights))
    padded = np.pad(x[5], 1)
    window_ = padded[1:4, 2:5]  # of output cell (1, 2): stride 1, padding 1
    parts = panel._body.parts
    for matrix, expected in ((parts.window_, window_), (parts.kernel, kernel), (parts.products, window_ * kernel)):
        assert_matrix(matrix, expected)
    panel.layer_zoom.image.clear_highlight()
    assert_shows(panel.layer_zoom.image, sample.image)


def test_the_zoom_of_a_delta_is_painted_as_a_backward_pass_computes_it(qtbot: QtBot, window: MainWindow) -> None:
    enlarge(window, "explain", 900, 900)
    train(qtbot, window, 1)
    panel, sample = window.explain, window.studio.selection.sample
    assert sample is not None and sample.image is not None and sample.label is not None
    show(qtbot, window, "relu1.dy", (5, 3, 4))
    panel.show_part(2)
    network = network_of(window.studio)
    lane = network.forward_sample(sample.image)
    network.backward_sample(np.array([sample.label]))
    index = {p.node.id: p.index for p in network.placed}
    source, result = panel.layer_zoom.views
    source.clear_highlight()  # its line would hide parts of the small cells
    above, below, weights = lane.deltas[index["conv2"]][0], lane.deltas[index["relu1"]][0], network.parameters.named["conv2.W"]
    assert_shows(source, np.pad(above[2:3], ((0, 0), (1, 1), (1, 1))), *centred(above))
    assert_shows(result, below[5:6], *centred(below))
    assert_shows(panel.layer_zoom.kernel, weights[2, 5, ::-1, ::-1][None], *centred(weights))
