"""Feature maps on screen are those of an independent forward and backward pass, alone, compared, and of poolings."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cnnstudio.document.graph import Place
from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.comparison import ALONE, CLASS, INPUT, LAYER, OVER_INPUT, SAMPLE
from cnnstudio.panels.feature_maps import FeatureMapsPanel
from cnnstudio.panels.pooling_choice import BACK, MASK, OUTPUT, WINDOWS
from cnnstudio.selection import SampleRef
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.colormaps import lut
from cnnstudio.widgets.map_overlays import BACKDROP
from cnnstudio.widgets.numbers import format_shape, unbroken
from cnnstudio.widgets.scale_bar import ScaleBar
from engine.layer import Array
from tests.cnnstudio.panels.pixels import assert_shows, colors_on_screen, enlarge, network_of, outputs_of


@pytest.fixture
def panel(window: MainWindow) -> FeatureMapsPanel:
    """The panel with room enough that every cell is in sight."""
    enlarge(window, "feature_maps")
    return window.feature_maps


def choose(qtbot: QtBot, window: MainWindow, block: str, count: int) -> Array:
    """Choose a block and wait for its maps."""
    window.view.show_block(block)
    view = window.feature_maps.view
    qtbot.waitUntil(lambda: view.maps is not None and len(view.maps) == count)
    assert view.maps is not None
    return view.maps.copy()


def sample_of(window: MainWindow) -> tuple[Array, int]:
    sample = window.studio.selection.sample
    assert sample is not None and sample.image is not None and sample.label is not None
    return sample.image, sample.label


def shared_range(*maps: Array) -> tuple[float, float]:
    """The least and the largest number of both sides: the same colour is the same number."""
    return float(min(one.min() for one in maps)), float(max(one.max() for one in maps))


def test_pixels_are_outputs_before_and_after_the_activation(qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel) -> None:
    outputs = outputs_of(network_of(window.studio), sample_of(window)[0])
    choose(qtbot, window, "conv1", 8)
    assert_shows(panel.view, outputs["conv1"])
    panel._after.setChecked(True)
    qtbot.waitUntil(lambda: panel.view.maps is not None and bool((panel.view.maps >= 0).all()))
    assert_shows(panel.view, outputs["relu1"])


def test_most_active_first_keeps_the_numbers_of_the_maps(qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel) -> None:
    maps = choose(qtbot, window, "conv1", 8)
    panel._sorted.setChecked(True)
    shown = panel.view.maps
    assert shown is not None
    means = [float(np.abs(one).mean()) for one in shown]
    assert means == sorted(means, reverse=True)
    most = int(np.argmax([np.abs(one).mean() for one in maps]))
    np.testing.assert_array_equal(shown[0], maps[most])
    panel.view.cell_activated.emit(Cell(0, 2, 3, 0.0))
    cell = window.studio.selection.cell
    assert cell is not None and cell.index == (most, 2, 3)


def test_a_click_enlarges_one_map_and_another_brings_all_back(qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel) -> None:
    maps = choose(qtbot, window, "conv1", 8)
    for expected in (maps[4:5], maps):
        index = 4 if len(expected) == 1 else 0
        at = panel.view.cell_rect(index, 3, 3).center().toPoint()
        QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.waitUntil(lambda expected=expected: len(panel.view.maps) == len(expected))  # type: ignore[arg-type]
        np.testing.assert_array_equal(panel.view.maps, expected)


def test_mean_and_sparsity_are_told_of_the_map_pointed_at_and_above_each_map(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel
) -> None:
    outputs = outputs_of(network_of(window.studio), sample_of(window)[0])
    choose(qtbot, window, "conv1", 8)
    panel._after.setChecked(True)
    qtbot.waitUntil(lambda: panel.view.maps is not None and bool((panel.view.maps >= 0).all()))
    one = outputs["relu1"][2]
    panel.view.hovered.emit(Cell(2, 0, 0, 0.0))
    assert f"{np.mean(one == 0) * 100:.0f} %" in panel._hint.text() and "map 2" in panel._hint.text()
    panel._captions.setChecked(True)
    assert f"{np.mean(one == 0) * 100:.0f} % zero" in panel.view._labels[2]


def test_the_image_lies_half_transparent_over_the_maps(qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel) -> None:
    image, _ = sample_of(window)
    outputs = outputs_of(network_of(window.studio), image)
    choose(qtbot, window, "conv1", 8)
    panel.compare.choose(OVER_INPUT)
    maps = outputs["conv1"]
    low, high = maps.min(), maps.max()
    own = lut("viridis")[np.clip((maps - low) / (high - low) * 256, 0, 255).astype(int)].astype(float)
    assert window.studio.data is not None
    dark, bright = window.studio.data.value_range
    grey = (image[0].astype(float) - dark) / (bright - dark) * 255
    expected = (1 - BACKDROP) * own + BACKDROP * grey[None, ..., None]
    assert np.abs(colors_on_screen(panel.view).astype(float) - expected).max() <= 4
    (bar,) = panel.view.findChildren(ScaleBar)
    assert "mixed with the image" in bar.accessibleDescription()
    panel.compare.choose(ALONE)
    assert_shows(panel.view, maps)
    assert "mixed" not in bar.accessibleDescription()


def test_the_heading_says_what_a_pooling_reads_and_what_it_makes(window: MainWindow, panel: FeatureMapsPanel) -> None:
    headings: list[str] = []
    panel.heading_changed.connect(lambda _, detail: headings.append(detail))
    pool = next(p for p in window.studio.document.derived.placed.values() if p.node.layer.kind == "max_pool")
    window.view.show_block(pool.node.id)
    name, (count, *read), made = window.studio.document.name_of(pool.node.id), pool.x, pool.y[1:]
    read_text, made_text = format_shape(tuple(read)), format_shape(tuple(made))
    for mode, shape in (
        (MASK, read_text),
        (WINDOWS, f"{read_text} → {made_text}"),
        (BACK, f"{read_text} → {made_text}"),
        (OUTPUT, made_text),
    ):
        panel.show_pooling(mode)
        assert headings[-1] == f"{name} · {count} maps of {shape}"


def test_input_and_another_layer_stand_beside_the_maps(qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel) -> None:
    outputs = outputs_of(network_of(window.studio), sample_of(window)[0])
    choose(qtbot, window, "relu1", 8)
    panel.compare.choose(INPUT)
    qtbot.waitUntil(lambda: panel.beside.maps is not None)
    assert_shows(panel.beside, outputs["conv1"])
    panel.compare.choose(LAYER)
    window.view.show_block("conv1")
    qtbot.waitUntil(lambda: panel.view.maps is not None and bool((panel.view.maps < 0).any()))
    assert_shows(panel.view, outputs["conv1"])
    assert_shows(panel.beside, outputs["relu1"])
    panel.beside.cell_activated.emit(Cell(3, 1, 2, 0.0))
    cell = window.studio.selection.cell
    assert cell is not None and (cell.array, cell.index) == ("relu1.y", (3, 1, 2))


def test_another_sample_stands_beside_the_maps_and_opens_with_its_own_number(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel
) -> None:
    first, network = window.studio.selection.sample, network_of(window.studio)
    assert first is not None and first.image is not None
    choose(qtbot, window, "conv1", 8)
    panel.compare.choose(SAMPLE)
    window.samples.next()
    second, _ = sample_of(window)
    expected = outputs_of(network, second)["conv1"]
    qtbot.waitUntil(lambda: panel.view.maps is not None and bool(np.allclose(panel.view.maps, expected, atol=1e-5)))
    other = outputs_of(network, first.image)["conv1"]
    low, high = shared_range(expected, other)
    assert_shows(panel.view, expected, low, high)
    assert_shows(panel.beside, other, low, high)
    panel.beside.cell_activated.emit(Cell(1, 4, 4, 0.0))
    assert window.studio.selection.sample is first
    cell = window.studio.selection.cell
    assert cell is not None and (cell.array, cell.index) == ("conv1.y", (1, 4, 4))


def test_a_class_average_is_that_of_its_validation_images(qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel) -> None:
    network, data = network_of(window.studio), window.studio.data
    assert data is not None
    choose(qtbot, window, "conv1", 8)
    panel.compare.choose(CLASS)
    panel.compare.classes.setCurrentIndex(4)
    rows = np.flatnonzero(data.validation.labels == 4)
    qtbot.waitUntil(lambda: panel.beside.maps is not None and f"{len(rows)} images of class 4" in panel._beside.title)
    outputs = [outputs_of(network, data.validation.images[row])["conv1"] for row in rows]
    average = np.mean(outputs, axis=0)
    own = outputs_of(network, sample_of(window)[0])["conv1"]
    low, high = shared_range(own, average)
    assert_shows(panel.view, own, low, high)
    assert_shows(panel.beside, average, low, high)
    assert sample_of(window)[1] != 4
    panel.beside.cell_activated.emit(Cell(1, 4, 4, 0.0))
    sample, cell = window.studio.selection.sample, window.studio.selection.cell
    assert sample is not None and (sample.source, sample.index, sample.label) == ("validation", int(rows[0]), 4)
    assert cell is not None and (cell.array, cell.index) == ("conv1.y", (1, 4, 4))


def test_a_hidden_panel_asks_for_no_average(qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(window.studio.controller, "average_class", lambda *question: asked.append(question))
    window.docks["feature_maps"].close()
    window.feature_maps.compare.choose(CLASS)
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: window.studio.controller.state.step == 1)
    assert not asked
    window.docks.bring_up("feature_maps")
    qtbot.waitUntil(lambda: len(asked) == 1)


@pytest.fixture
def pooled(qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel, request: pytest.FixtureRequest) -> str:
    """The id of a pooling of the wanted kind in the network."""
    kind = getattr(request, "param", "max_pool")
    document = window.studio.document
    block = next(b.id for b in document.graph.main if b.node.layer.kind == "max_pool")
    if kind == "avg_pool":
        previous = document.graph.previous(block)
        document.remove([block])
        assert previous is not None
        following = document.graph.next(previous)
        assert following is not None
        block = document.place("avg_pool", Place(previous, following))
    window.view.show_block(block)
    return block


def test_a_max_pooling_shows_its_input_with_the_winners_beside_its_output(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel, pooled: str
) -> None:
    outputs = outputs_of(network_of(window.studio), sample_of(window)[0])
    x, y = outputs["relu2"], outputs[pooled]
    blocks = x.reshape(16, 4, 2, 4, 2)
    first = blocks.transpose(0, 1, 3, 2, 4).reshape(16, 4, 4, 4).argmax(axis=-1)
    wins = np.zeros((16, 8, 8))
    for c, i, j in np.ndindex(16, 4, 4):
        u, v = divmod(int(first[c, i, j]), 2)
        wins[c, 2 * i + u, 2 * j + v] = 1
    panel.show_pooling(MASK)
    qtbot.waitUntil(lambda: panel.view.maps is not None and panel.view.maps.dtype == np.bool_)
    assert_shows(panel.view, wins, 0, 1)
    panel.show_pooling(WINDOWS)
    qtbot.waitUntil(lambda: panel.beside.maps is not None and panel.beside.maps.shape == (16, 4, 4))
    np.testing.assert_array_equal(panel.view._marks, wins)
    assert_shows(panel.beside, y)
    np.testing.assert_allclose(panel.view.maps, x, atol=1e-5)  # the marks hide the colours
    panel.show_pooling(OUTPUT)
    qtbot.waitUntil(lambda: panel.view.maps is not None and panel.view.maps.shape == (16, 4, 4))
    assert_shows(panel.view, y)


def test_a_choice_that_goes_hands_the_focus_to_the_one_in_its_place_and_not_to_the_maps(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel
) -> None:
    choose(qtbot, window, "conv1", 8)
    window.activateWindow()
    panel._after.setFocus()
    qtbot.waitUntil(panel._after.hasFocus)
    window.view.show_block(next(b.id for b in window.studio.document.graph.main if b.node.layer.kind == "max_pool"))
    assert not panel._after.isVisible() and panel._pooling.hasFocus()
    assert panel.view._cursor is None
    window.view.show_block("conv1")
    assert panel._after.hasFocus() and panel.view._cursor is None


def test_pointing_at_either_side_of_a_pooling_outlines_the_window_and_tells_the_value(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel, pooled: str
) -> None:
    outputs = outputs_of(network_of(window.studio), sample_of(window)[0])
    panel.show_pooling(WINDOWS)
    qtbot.waitUntil(lambda: panel.beside.maps is not None)
    value = f"{float(outputs[pooled][3, 1, 2]):.2f}"
    for view, cell in ((panel.beside, Cell(3, 1, 2, 0.0)), (panel.view, Cell(3, 3, 4, 0.0))):
        view.hovered.emit(cell)
        (left,), (right,) = panel.view._highlights, panel.beside._highlights
        assert (left.map, left.rows, left.cols) == (3, range(2, 4), range(4, 6))
        assert (right.map, right.rows, right.cols) == (3, range(1, 2), range(2, 3))
        assert value[:3] in panel._hint.text()
        view.hovered.emit(None)
        assert not panel.view._highlights and not panel.beside._highlights


def test_a_click_on_either_side_of_a_pooling_enlarges_a_map_on_both(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel, pooled: str
) -> None:
    outputs = outputs_of(network_of(window.studio), sample_of(window)[0])
    panel.show_pooling(WINDOWS)
    qtbot.waitUntil(lambda: panel.beside.maps is not None and panel.beside.maps.shape == (16, 4, 4))
    marks = panel.view._marks
    assert marks is not None
    at = panel.beside.cell_rect(5, 1, 2).center().toPoint()
    QTest.mouseClick(panel.beside.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: panel.view.maps is not None and len(panel.view.maps) == 1)
    assert_shows(panel.beside, outputs[pooled][5:6])
    np.testing.assert_allclose(panel.view.maps, outputs["relu2"][5:6], atol=1e-5)
    np.testing.assert_array_equal(panel.view._marks, marks[5:6])
    panel.beside.hovered.emit(Cell(0, 1, 2, 0.0))
    row, column = np.argwhere(marks[5, 2:4, 4:6])[0] + (2, 4)
    assert f"row {row}, column {column}" in panel._hint.text()
    panel.show_pooling(MASK)
    qtbot.waitUntil(lambda: panel.view.maps is not None and panel.view.maps.dtype == np.bool_)
    np.testing.assert_array_equal(panel.view.maps, marks[5:6])
    panel.view.cell_activated.emit(Cell(0, 3, 4, 0.0))
    cell = window.studio.selection.cell
    assert cell is not None and (cell.array, cell.index) == ("relu2.y", (5, 3, 4))
    panel._click(Cell(0, 3, 4, 0.0))
    qtbot.waitUntil(lambda: panel.view.maps is not None and len(panel.view.maps) == 16)


def test_a_map_stands_at_the_same_place_on_both_sides(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel, pooled: str
) -> None:
    panel.show_pooling(WINDOWS)
    qtbot.waitUntil(lambda: panel.beside.maps is not None and panel.beside.maps.shape == (16, 4, 4))
    columns = set()
    for width, height in ((400, 250), (260, 150), (250, 400)):  # alone, the smaller maps would stand in 6, 6 and 3 columns
        panel.view.resize(width, height + panel.view.height() - panel.view.maximumViewportSize().height())
        panel.beside.resize(panel.view.size())
        assert panel.view._arranged().columns == panel.beside._arranged().columns
        columns.add(panel.view._arranged().columns)
    assert columns == {4}


@pytest.mark.parametrize("pooled", ["max_pool", "avg_pool"], indirect=True)
def test_the_gradient_flows_back_through_pooling(qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel, pooled: str) -> None:
    panel.show_pooling(BACK)
    image, label = sample_of(window)
    qtbot.waitUntil(lambda: window.studio.controller.state.batches > 0)
    network = network_of(window.studio)
    lane = network.forward_sample(image)
    network.backward_sample(np.array([label]))
    index = {p.node.id: p.index for p in network.placed}
    into, out = lane.deltas[index["relu2"]][0], lane.deltas[index[pooled]][0]
    qtbot.waitUntil(lambda: panel.beside.maps is not None and panel.beside.maps.shape == out.shape)
    qtbot.waitUntil(lambda: bool(np.allclose(panel.beside.maps, out, atol=1e-6)))  # type: ignore[arg-type]
    assert_shows(panel.view, into)
    assert_shows(panel.beside, out)
    panel.beside.hovered.emit(Cell(0, 0, 0, 0.0))
    assert ("1/4" if pooled.startswith("avg") else "goes to row") in panel._hint.text()
    window.studio.selection.select_sample(SampleRef("drawn", 0, image, None))
    qtbot.waitUntil(lambda: panel.view.maps is None)


@pytest.mark.parametrize("pooled", ["avg_pool"], indirect=True)
def test_an_average_pooling_shows_the_weight_of_every_cell(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel, pooled: str
) -> None:
    panel.show_pooling(MASK)
    qtbot.waitUntil(lambda: panel.view.maps is not None and panel.view.maps.shape == (16, 8, 8))
    assert_shows(panel.view, np.full((16, 8, 8), 0.25), 0, 0.25)


def test_colours_may_reach_over_the_whole_network(qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel) -> None:
    outputs = outputs_of(network_of(window.studio), sample_of(window)[0])
    del outputs["input"]
    low, high = min(float(y.min()) for y in outputs.values()), max(float(y.max()) for y in outputs.values())
    choose(qtbot, window, "conv1", 8)
    panel._range.choose("network")
    qtbot.waitUntil(lambda: panel.view.bounds is not None and abs(panel.view.bounds[1] - high) < 1e-4)
    assert_shows(panel.view, outputs["conv1"], low, high)


def test_principal_components_of_the_input_are_single_cells_in_the_colours_of_activations(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel
) -> None:
    document = window.studio.document
    window.studio.begin_empty()
    for kind in ("flatten", "dense", "softmax"):
        document.append(kind)
    document.set_option("dense1", "units", 10)
    document.set_option("input", "projection", "pca")
    document.set_option("input", "components", 12)
    choose(qtbot, window, "input", 12)
    assert window.studio.obstacle is None  # the Input block of an empty canvas takes the images of the data set in use
    outputs = outputs_of(network_of(window.studio), sample_of(window)[0])
    assert outputs["input"].shape == (12,)
    assert_shows(panel.view, outputs["input"].reshape(12, 1, 1))
    choose(qtbot, window, "dense1", 10)
    panel.compare.choose(INPUT)
    qtbot.waitUntil(lambda: panel.beside.maps is not None)
    assert_shows(panel.beside, outputs["flatten1"].reshape(12, 1, 1))


@pytest.mark.parametrize("pooled", ["max_pool"], indirect=True)
@pytest.mark.parametrize("sentence", [
    "δ goes back to the winners only", "each δ is shared out over its window", "0.317 goes on, from row 12, column 12",
    "δ = −7.14e−08 goes to row 12, column 12", "δ = −7.14e−08: 1/16 of it to each cell", "4 cells, each weighs 1/4: 0.317",
    "4 windows read this cell; it wins 2",
])  # fmt: skip
def test_what_becomes_of_a_window_is_said_whole_in_a_window_of_1280_pixels(
    qtbot: QtBot, window: MainWindow, panel: FeatureMapsPanel, pooled: str, sentence: str
) -> None:
    panel.show_pooling(BACK)
    for dock in window.docks.all:
        dock.setFloating(False)
    window.resize(1280, 720)
    window.docks.arrange()
    hint = panel._hint
    qtbot.waitUntil(lambda: 380 < panel.width() < 440 and hint.width() > 90)
    needed = hint.fontMetrics().boundingRect(hint.contentsRect(), int(Qt.TextFlag.TextWordWrap), unbroken(sentence))
    assert needed.width() <= hint.width() and needed.height() <= hint.height()
