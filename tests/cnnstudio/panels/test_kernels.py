"""Kernels on screen: weights, gradient, last update and change since the start, against two checkpoints around a step."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QToolTip
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.kernels import MEAN, SPREAD
from cnnstudio.panels.spread import CHANGE, GRADIENT, UPDATE, WEIGHTS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.colormaps import invert
from cnnstudio.widgets.numbers import format_value
from engine.templates import Template
from tests.cnnstudio.panels.pixels import assert_shows, colors_on_screen, enlarge, network_of, pixels_of


@pytest.mark.parametrize(("what", "steps_back"), [(UPDATE, 1), (CHANGE, 2)])
def test_update_and_change_are_differences_of_the_weights(
    qtbot: QtBot, window: MainWindow, what: str, steps_back: int
) -> None:
    studio, panel = window.studio, window.kernels
    window.view.show_block("conv1")
    panel.show_array(what)
    weights = []
    for step in range(3):
        checkpoint = studio.controller.checkpoint_now(5)
        assert checkpoint is not None
        weights.append(checkpoint.weights()["conv1.W"].copy())
        if step < 2:
            window.actions_.batch.trigger()
            qtbot.waitUntil(lambda step=step: studio.controller.state.step == step + 1)
    expected = (weights[2] - weights[2 - steps_back])[:, 0]
    qtbot.waitUntil(lambda: panel.view.maps is not None and bool(np.allclose(panel.view.maps, expected, atol=1e-7)))
    assert_shows(panel.view, expected)


def test_the_gradient_is_that_of_the_shown_image(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.kernels
    window.view.show_block("conv1")
    panel.show_array(GRADIENT)
    network, sample = network_of(studio), studio.selection.sample
    assert sample is not None and sample.image is not None and sample.label is not None
    network.forward_sample(sample.image)
    _, gradients = network.backward_sample(np.array([sample.label]))
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    assert_shows(panel.view, gradients["conv1.W"][:, 0])


def test_before_the_first_batch_there_is_no_update(qtbot: QtBot, window: MainWindow) -> None:
    window.view.show_block("conv1")
    window.kernels.show_array(UPDATE)
    assert window.kernels.view.maps is None


@pytest.mark.parametrize("quantity", [WEIGHTS, GRADIENT, UPDATE, CHANGE])
def test_the_spread_over_time_shows_the_histograms_of_two_steps(qtbot: QtBot, window: MainWindow, quantity: str) -> None:
    studio, panel = window.studio, window.kernels
    window.view.show_block("dense1")
    panel.show_spread(quantity)
    weights, gradients = [], []
    for step in range(3):
        checkpoint = studio.controller.checkpoint_now(5)
        assert checkpoint is not None
        weights.append(checkpoint.weights()["dense1.W"].astype(float))
        if step:
            with qtbot.waitSignal(studio.controller.batch_probed) as probed:
                studio.controller.probe_batch()
            gradients.append(probed.args[0]["dense1.dW"].astype(float))
        if step < 2:
            window.actions_.batch.trigger()
            qtbot.waitUntil(lambda step=step: studio.controller.state.step == step + 1)
    changes = [w - weights[0] for w in weights[1:]]
    updates = [after - before for before, after in pairwise(weights)]
    numbers = {WEIGHTS: weights, GRADIENT: gradients, UPDATE: updates, CHANGE: changes}[quantity]
    reach = max(float(np.abs(v).max()) for v in numbers)
    qtbot.waitUntil(lambda: panel.histogram.shares.shape[1:] == (len(numbers),))
    pixels, scale = pixels_of(panel.histogram)
    for record, v in enumerate(numbers):
        expected = np.histogram(v, 64, (-reach, reach))[0] / v.size
        high = float(panel.histogram.shares[:, record].max())
        at = [panel.histogram.place(bin_, record) * scale for bin_ in range(64)]
        found = invert(np.array([pixels[int(p.y()), int(p.x())] for p in at]), "viridis", 0, high)
        # A narrower histogram is spread over the bins of the wider axis.
        assert np.abs(found - expected).max() < (0.01 if float(np.abs(v).max()) == pytest.approx(reach) else 0.1) * high
    rows = panel.histogram.values_csv().splitlines()
    assert [int(row.split(",")[0]) for row in rows[1:]] == list(range(3 - len(numbers), 3))


def test_the_spread_is_that_of_what_was_shown_before(window: MainWindow) -> None:
    panel = window.kernels
    window.view.show_block("conv1")
    for what in (CHANGE, WEIGHTS, GRADIENT):
        panel.show_array(what)
        panel.show_array(SPREAD)
        assert panel._spread.quantity == what and panel._spread.box.isVisibleTo(panel) and not panel._channel.isVisibleTo(panel)
    window.view.show_block("conv2")
    panel.show_array(WEIGHTS)
    assert panel._channel.isVisibleTo(panel) and not panel._spread.box.isVisibleTo(panel)
    window.view.show_block("conv1")  # its kernels have one channel, which is no choice
    assert not panel._channel.isVisibleTo(panel)


@pytest.mark.parametrize("quantity", [GRADIENT, CHANGE])
def test_a_bin_of_gradients_or_changes_leads_to_the_weight_behind_it(qtbot: QtBot, window: MainWindow, quantity: str) -> None:
    panel, selection = window.kernels, window.studio.selection
    window.view.show_block("dense1")
    panel.show_spread(quantity)
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: panel.histogram.shares.shape[1:] == (1,))
    qtbot.waitUntil(lambda: panel._snapshot is not None and panel._snapshot.step == 1)
    with qtbot.waitSignal(window.studio.controller.batch_probed) as probed:
        window.studio.controller.probe_batch()
    source = probed.args[0] if quantity == GRADIENT else panel._snapshot
    numbers = source[f"dense1.{quantity}"]
    reach = float(np.abs(numbers).max())
    edges = np.linspace(-reach, reach, 65)
    bin_ = int(np.argmax(np.histogram(numbers, edges)[0]))
    with qtbot.waitSignal(selection.cell_changed):
        QTest.mouseClick(panel.histogram, Qt.MouseButton.LeftButton, pos=panel.histogram.place(bin_, 0).toPoint())
    cell = selection.cell
    assert cell is not None
    assert (cell.array, cell.probe) == (("dense1.dW", "batch") if quantity == GRADIENT else ("dense1.W", "sample"))
    middle = (edges[bin_] + edges[bin_ + 1]) / 2
    assert np.abs(numbers[cell.index] - middle) <= np.abs(numbers - middle).min() + 1e-7 * reach


def test_colours_reach_over_the_network_when_that_is_chosen(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.kernels
    window.view.show_block("dense1")
    panel.show_array(WEIGHTS)
    panel._range.choose("network")
    checkpoint = studio.controller.checkpoint_now(5)
    assert checkpoint is not None
    named = checkpoint.weights()
    high = max(float(np.abs(w).max()) for name, w in named.items() if name.endswith(".W"))
    assert high > np.abs(named["dense1.W"]).max()
    qtbot.waitUntil(lambda: panel.view.bounds is not None and abs(panel.view.bounds[1] - high) < 1e-6)
    panel._range.choose("unit")
    qtbot.waitUntil(lambda: panel.view.bounds is not None and abs(panel.view.bounds[1] - high) > 1e-6)


@pytest.mark.parametrize("channel", [0, 5, 7, MEAN])
def test_kernels_of_one_channel_and_their_mean_are_the_weights(qtbot: QtBot, window: MainWindow, channel: int) -> None:
    studio, panel = window.studio, window.kernels
    enlarge(window, "kernels")
    window.actions_.batch.trigger()
    window.view.show_block("conv2")
    panel._channel.setCurrentIndex(panel._channel.findData(channel))
    qtbot.waitUntil(lambda: panel._snapshot is not None and panel._snapshot.step == 1 and "conv2.W" in panel._snapshot)
    weights = network_of(studio).parameters.named["conv2.W"]
    assert weights.shape[1] == 8
    assert_shows(panel.view, weights.mean(axis=1) if channel == MEAN else weights[:, channel])


def test_kernels_over_three_channels_are_coloured_by_their_weights(
    qtbot: QtBot, window: MainWindow, templates: tuple[Template, ...]
) -> None:
    studio, panel = window.studio, window.kernels
    enlarge(window, "kernels")
    studio.begin(next(t for t in templates if t.name == "vgg_mini"))
    qtbot.waitUntil(lambda: studio.controller.state.batches > 0 and studio.data is not None)
    window.view.show_block("conv1")
    qtbot.waitUntil(lambda: panel.view.maps is not None and panel.view.maps.ndim == 4)
    weights = np.moveaxis(network_of(studio).parameters.named["conv1.W"], 1, -1)
    high = np.abs(weights).max()
    expected = np.clip((weights + high) / (2 * high) * 256, 0, 255).astype(int)
    assert np.abs(colors_on_screen(panel.view).astype(int) - expected).max() <= 1
    panel.view.cell_activated.emit(Cell(2, 1, 0, (0.0, 0.0, 0.0)))
    menu = panel.view.findChild(QMenu)
    assert len(menu.actions()) == 3
    next(action for action in menu.actions() if action.text().startswith("green, channel 1:")).trigger()
    chosen = studio.selection.cell
    assert chosen is not None and chosen.index == (2, 1, 1, 0)
    menu.close()


@pytest.mark.parametrize(("block", "cell", "places"), [
    ("conv2", Cell(9, 1, 2, 0.0), [(9, c, 1, 2) for c in range(8)]),
    ("dense1", Cell(7, 2, 3, 0.0), [(7, c * 16 + 2 * 4 + 3) for c in range(16)]),
])  # fmt: skip
def test_behind_a_mean_the_weights_of_all_channels_are_offered_the_largest_first(
    qtbot: QtBot, window: MainWindow, block: str, cell: Cell, places: list[tuple[int, ...]]
) -> None:
    panel = window.kernels
    window.view.show_block(block)
    panel._channel.setCurrentIndex(panel._channel.findData(MEAN))
    qtbot.waitUntil(lambda: panel._snapshot is not None and f"{block}.W" in panel._snapshot and panel.view.maps is not None)
    weights = network_of(window.studio).parameters.named[f"{block}.W"]
    panel.view.cell_activated.emit(cell)
    menu = panel.view.findChild(QMenu)
    order = sorted(range(len(places)), key=lambda channel: -abs(weights[places[channel]]))
    assert [action.text().split(":")[0] for action in menu.actions()] == [f"channel {channel}" for channel in order]
    menu.actions()[2].trigger()
    chosen = window.studio.selection.cell
    assert chosen is not None and (chosen.array, chosen.index) == (f"{block}.W", places[order[2]])
    menu.close()


def test_a_bin_of_the_spread_leads_to_the_weight_in_its_middle(qtbot: QtBot, window: MainWindow) -> None:
    panel, histogram = window.kernels, window.kernels.histogram
    window.view.show_block("dense1")
    panel.show_array(SPREAD)
    qtbot.waitUntil(lambda: histogram.shares.size > 0 and panel._snapshot is not None and "dense1.W" in panel._snapshot)
    weights = network_of(window.studio).parameters.named["dense1.W"]
    edges = np.linspace(-np.abs(weights).max(), np.abs(weights).max(), 65)
    QTest.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=histogram.place(40, 0).toPoint())
    cell = window.studio.selection.cell
    assert cell is not None and cell.array == "dense1.W"
    middle = (edges[40] + edges[41]) / 2
    assert np.abs(weights[cell.index] - middle) == np.abs(weights - middle).min() and edges[40] < weights[cell.index] < edges[41]
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(histogram, key)
    cell = window.studio.selection.cell
    assert cell is not None and edges[38] < weights[cell.index] < edges[39]
    empty = next(bin_ for bin_ in range(64) if not histogram.shares[bin_, -1])
    QTest.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=histogram.place(empty, 0).toPoint())
    assert window.studio.selection.cell is cell
    assert "No weight lies in this bin" in QToolTip.text()  # letting the button go would have taken it away


def test_a_single_channel_leaves_its_room_to_the_other_choice(window: MainWindow) -> None:
    panel = window.kernels
    widths = []
    for block in ("conv2", "conv1"):
        window.view.show_block(block)
        panel._second.parentWidget().layout().activate()
        widths.append((panel._array.width(), panel.minimumSizeHint().width()))
    assert widths[1][0] > widths[0][0] and widths[0][1] == widths[1][1]


def test_a_frame_of_the_network_before_an_edit_offers_no_channels(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.kernels
    window.view.show_block("conv2")
    panel._channel.setCurrentIndex(panel._channel.findData(MEAN))
    qtbot.waitUntil(lambda: panel._snapshot is not None and "conv2.W" in panel._snapshot and panel.view.maps is not None)
    assert panel._snapshot is not None
    weights = panel._snapshot["conv2.W"]
    for other in (weights[:, :1], weights[:, 0, 0]):
        panel._snapshot = replace(panel._snapshot, arrays={**panel._snapshot.arrays, "conv2.W": other})
        panel.view.cell_activated.emit(Cell(0, 0, 0, 0.0))
        assert panel.view.findChild(QMenu) is None


def test_the_matrix_of_the_last_layer_is_painted_in_tall_cells_and_its_rows_are_named(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.kernels
    enlarge(window, "kernels", width=700, height=400)
    window.studio.document.set_option("dense1", "units", 64)
    window.view.show_block("dense2")
    qtbot.waitUntil(lambda: panel.view.maps is not None and panel.view.maps.shape == (1, 10, 64))
    assert_shows(panel.view, network_of(window.studio).parameters.named["dense2.W"][None])
    cell = panel.view.cell_rect(0, 0, 0)
    assert cell.height() > 1.5 * cell.width() and panel.view._names.rows == tuple("0123456789") and cell.left() > 8
    window.view.show_block("conv2")
    qtbot.waitUntil(lambda: panel.view.maps is not None and panel.view.maps.ndim == 3 and len(panel.view.maps) > 1)
    assert panel.view._names.rows == () and panel.view.cell_rect(0, 0, 0).width() == panel.view.cell_rect(0, 0, 0).height()


def test_the_weights_behind_a_coloured_kernel_are_named_by_their_colour(
    qtbot: QtBot, window: MainWindow, templates: tuple[Template, ...]
) -> None:
    panel, studio = window.kernels, window.studio
    studio.begin(next(t for t in templates if t.name == "vgg_mini"))
    window.view.show_block("conv1")
    qtbot.waitUntil(lambda: panel.view.maps is not None and panel.view.maps.ndim == 4, timeout=20_000)
    assert panel.view.maps is not None
    values = panel.view.maps[5, 1, 2]
    expected = "  ".join(f"{color} {format_value(float(value))}" for color, value in zip("RGB", values, strict=True))
    assert panel.view._readout(Cell(5, 1, 2, tuple(map(float, values)))).endswith(expected)
    panel.view.cell_activated.emit(Cell(5, 1, 2, 0.0))
    menu = panel.view.findChild(QMenu)
    assert {action.text().split(",")[0] for action in menu.actions()} == {"red", "green", "blue"}
    menu.close()
