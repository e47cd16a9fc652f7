"""Deltas on screen equal an independent backward pass; norms equal those of two checkpoints around a step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.curve_options_button import CurveOptionsButton
from cnnstudio.selection import SampleRef
from cnnstudio.theme import current_theme, layer_color
from cnnstudio.widgets.flow_bars import FlowBars
from engine.layers.activation import ReLU
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.softmax import Softmax
from engine.spec import NetworkSpec
from engine.templates import Template
from tests.cnnstudio.panels.pixels import assert_curves, assert_shows, enlarge, network_of, outputs_of, pixels_of


def test_pixels_are_the_deltas_of_a_backward_pass(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.gradients
    window.docks.bring_up("gradients")
    window.view.show_block("conv1")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    network, sample = network_of(studio), studio.selection.sample
    assert sample is not None and sample.image is not None and sample.label is not None
    lane = network.forward_sample(sample.image)
    network.backward_sample(np.array([sample.label]))
    expected = lane.deltas[1][0]
    np.testing.assert_allclose(panel.view.maps, expected, rtol=1e-4, atol=1e-7)
    assert_shows(panel.view, expected)
    panel._range.choose("network")
    probabilities = outputs_of(network, sample.image)[studio.document.spec.nodes[-1].id]
    high = max(1 / float(probabilities[sample.label]), *(float(np.abs(delta).max()) for delta in lane.deltas[1:]))
    assert_shows(panel.view, expected, -high, high)
    panel._range.choose("unit")
    assert panel.view._low.tolist() == pytest.approx([-float(np.abs(one).max()) for one in expected], rel=1e-4)
    sizes = {bar.key: bar.value for bar in panel.flow.bars}
    assert list(sizes) == [node.id for node in studio.document.spec]
    expected_sizes = [float(np.sqrt(np.mean(np.square(delta[0], dtype=float)))) for delta in lane.deltas]
    # Softmax and cross-entropy are one step of training; by themselves −t/p comes out of the loss.
    expected_sizes[-1] = 1 / float(probabilities[sample.label]) / np.sqrt(probabilities.size)
    np.testing.assert_allclose(list(sizes.values()), expected_sizes, rtol=1e-4)
    assert_flow(panel.flow, expected_sizes)


def assert_flow(flow: FlowBars, sizes: list[float]) -> None:
    """The painted bars rise by equal lengths for equal ratios: whole decades below the largest fill the height."""
    pixels, scale = pixels_of(flow)
    heights = []
    for index, bar in enumerate(flow.bars):
        tone = np.array(QColor(layer_color(bar.role)).getRgb()[:3])
        column = pixels[:, int(flow.bar_rect(index).center().x() * scale)]
        heights.append(int((column == tone).all(axis=1).sum()) / scale)
    logs = np.log10(sizes)
    decades = max(2, int(np.ceil(np.ptp(logs) + 0.2)))
    np.testing.assert_allclose(heights, (1 - (logs.max() - logs) / decades) * max(heights), atol=1.5)


def test_an_image_without_a_label_has_no_deltas(qtbot: QtBot, window: MainWindow) -> None:
    window.docks.bring_up("gradients")
    window.view.show_block("conv1")
    qtbot.waitUntil(lambda: window.gradients.view.maps is not None)
    image = window.studio.data.validation.images[0]  # type: ignore[union-attr]
    window.studio.selection.select_sample(SampleRef("drawn", 0, image, None))
    assert window.gradients.view.maps is None and "no loss" in window.gradients.view._placeholder


@pytest.mark.parametrize("quantity", ["gradient", "weights", "update_ratio"])
def test_norms_over_time_are_those_of_the_weights_around_each_step(qtbot: QtBot, window: MainWindow, quantity: str) -> None:
    studio, panel = window.studio, window.gradients
    enlarge(window, "gradients")
    panel.show_quantity(quantity)
    expected: dict[str, list[float]] = {}
    for step in range(1, 6):
        before = studio.controller.checkpoint_now(5)
        window.actions_.batch.trigger()
        qtbot.waitUntil(lambda step=step: len(studio.controller.norms) == step)
        after = studio.controller.checkpoint_now(5)
        with qtbot.waitSignal(studio.controller.batch_probed) as probed:
            studio.controller.probe_batch()
        assert before is not None and after is not None
        old, new, batch = before.weights(), after.weights(), probed.args[0]
        layers: dict[str, list[float]] = {}
        for name, weights in new.items():
            layer, own = name.rsplit(".", 1)
            arrays = batch[f"{layer}.d{own}"], weights, weights - old[name], old[name]
            sums = layers.setdefault(layer, [0.0] * 4)
            layers[layer] = [s + float(np.sum(np.square(a, dtype=float))) for s, a in zip(sums, arrays, strict=True)]
        for layer, (gradient, size, update, size_before) in layers.items():
            norm = {"gradient": gradient, "weights": size, "update_ratio": update / size_before}[quantity]
            expected.setdefault(layer, []).append(float(np.sqrt(norm)))
    qtbot.waitUntil(lambda: all(len(panel.plot.points(layer)[0]) == 5 for layer in panel._drawn) and len(panel._drawn) > 2)
    steps = np.arange(1, 6)
    for layer, values in expected.items():
        found = panel.plot.points(layer)
        assert found[0].tolist() == steps.tolist()
        np.testing.assert_allclose(found[1], values, rtol=1e-3)
    assert_curves(panel.plot, {layer: (steps, np.array(values)) for layer, values in expected.items()})
    window.actions_.reset.trigger()
    qtbot.waitUntil(lambda: len(studio.controller.norms) == 0)


def test_no_two_layers_have_the_same_line_however_many_there_are(
    qtbot: QtBot, window: MainWindow, templates: tuple[Template, ...]
) -> None:
    studio, panel = window.studio, window.gradients
    hidden = [layer for _ in range(8) for layer in (Dense(8), ReLU())]
    network = NetworkSpec.of([Input(1, 8, 8), Flatten(), *hidden, Dense(10), Softmax()])
    studio.begin(replace(next(t for t in templates if t.name == "digits"), network=network))
    enlarge(window, "gradients")
    panel.show_quantity("gradient")
    qtbot.waitUntil(lambda: studio.controller.state.batches > 0 and studio.obstacle is None)
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: len(panel._drawn) == 9)
    pens = [panel.plot._curves[layer].style.pen(1.0) for layer in panel._drawn]
    assert len({(pen.color().name(), tuple(pen.dashPattern())) for pen in pens}) == 9
    assert panel.plot.chart.axes["left"].textPen().color() == current_theme().color("muted")


def test_where_the_norms_have_little_room_their_options_come_when_asked_for(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.gradients
    (button,) = panel.findChildren(CurveOptionsButton)
    enlarge(window, "gradients", 500, 240)
    assert not button.isVisible()
    panel.show_quantity("weights")
    qtbot.waitUntil(lambda: button.isVisible() and 0 < panel.height() < 240)
    assert not panel.plot.options.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert panel.plot.options.isVisible()
    panel.show_quantity("deltas")
    assert not button.isVisible()


def test_norms_can_be_counted_in_epochs(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.gradients
    enlarge(window, "gradients")
    panel.show_quantity("weights")
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: len(panel._drawn) > 0)
    panel.plot.options.set_in_epochs(True)
    panel.plot.chart.pointed.emit(1.0)
    assert panel.plot.options.in_epochs
    assert f"epoch {1 / studio.controller.state.batches:.2f}" in panel.plot.crosshair.text


def test_the_heading_names_a_layer_only_while_its_deltas_are_shown(window: MainWindow) -> None:
    panel, details = window.gradients, []
    panel.heading_changed.connect(lambda _, detail: details.append(detail))
    window.view.show_block("conv2")
    panel.show_quantity("weights")
    assert details[-2].startswith("Conv 2") and details[-1] == ""
    panel.show_quantity("deltas")
    assert details[-1].startswith("Conv 2")
