"""The grid of samples: right and wrong answers are those of an independent forward pass."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.sample_model import SIDE
from cnnstudio.theme import apply_theme, current_theme
from engine.network import Network
from engine.templates import Template
from tests.cnnstudio.panels.pixels import pixels_of


@pytest.mark.parametrize("right", [True, False])
def test_right_and_wrong_images_are_filtered(qtbot: QtBot, window: MainWindow, right: bool) -> None:
    studio, panel = window.studio, window.samples
    window.docks.bring_up("samples")
    checkpoint, data = studio.controller.checkpoint_now(5), studio.data
    assert checkpoint is not None and data is not None
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(data.train.images, data.value_range)
    predicted = network.predict(data.validation.images).argmax(axis=1)
    expected = np.flatnonzero((predicted == data.validation.labels) == right)
    assert 0 < len(expected) < len(data.validation)
    panel._answer.setCurrentIndex(panel._answer.findData(right))
    panel._answer.activated.emit(panel._answer.currentIndex())
    qtbot.waitUntil(lambda: panel.model.rowCount() == len(expected))
    assert [panel.model.position(row) for row in range(len(expected))] == expected.tolist()
    panel._class.setCurrentIndex(panel._class.findData(3))
    assert {int(data.validation.labels[panel.model.position(r)]) for r in range(panel.model.rowCount())} <= {3}
    panel._answer.setCurrentIndex(0)
    panel._answer.activated.emit(0)
    panel._class.setCurrentIndex(0)
    assert panel.model.rowCount() == len(data.validation)


@pytest.mark.parametrize("sign", [-1, 1])
def test_images_are_sorted_by_how_sure_the_network_is(qtbot: QtBot, window: MainWindow, sign: int) -> None:
    studio, panel = window.studio, window.samples
    window.docks.bring_up("samples")
    checkpoint, data = studio.controller.checkpoint_now(5), studio.data
    assert checkpoint is not None and data is not None
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(data.train.images, data.value_range)
    outputs = network.predict(data.validation.images)
    expected = np.argsort(sign * outputs.max(axis=1), kind="stable")
    panel.choose_order(sign)
    qtbot.waitUntil(lambda: panel.model.position(0) == expected[0])
    assert [panel.model.position(row) for row in range(panel.model.rowCount())] == expected.tolist()
    assert panel.model.row_of(int(expected[5])) == 5
    first = panel.values_csv().splitlines()[1].split(",")
    at = int(expected[0])
    assert first[:3] == [str(at), data.classes[data.validation.labels[at]], data.classes[outputs[at].argmax()]]
    assert abs(float(first[3]) - outputs[at].max()) < 1e-5


@pytest.mark.parametrize("template", ["digits", "vgg_mini"])
def test_every_pixel_of_the_grid_is_that_of_its_image(
    qtbot: QtBot, window: MainWindow, templates: tuple[Template, ...], template: str
) -> None:
    if template != "digits":
        window.studio.begin(next(t for t in templates if t.name == template))
        qtbot.waitUntil(lambda: window.studio.data is not None and window.studio.data.shape == (3, 32, 32))
    window.docks.bring_up("samples")
    panel, data = window.samples, window.studio.data
    assert data is not None
    grid = panel._grid
    qtbot.waitUntil(lambda: panel.model.rowCount() == len(data.validation) and grid.visualRect(panel.model.index(4)).isValid())
    pixels, scale = pixels_of(grid.viewport())
    side, (low, high) = round(SIDE * scale), data.value_range
    rows = [row for row in range(60) if grid.viewport().rect().contains(grid.visualRect(panel.model.index(row)))]
    assert len(rows) >= 8
    corners = [(dy, dx) for dy in range(10) for dx in range(10)]
    for row in rows:
        image = np.broadcast_to(data.validation.images[row].astype(float), (3, *data.shape[1:]))
        expected = np.moveaxis((image - low) / (high - low) * 255, 0, -1)
        box = grid.visualRect(panel.model.index(row))
        y, x = round(box.top() * scale), round(box.left() * scale)
        # The style says where in its box a picture lies: at the same place in every one.
        corners = [(dy, dx) for dy, dx in corners if is_painted(pixels[y + dy : y + dy + side, x + dx : x + dx + side], expected)]
        assert corners, row


def is_painted(found: NDArray[np.uint8], image: NDArray[np.floating]) -> bool:
    """Whether a square is an image (H, W, 3) with nearest neighbours; on the edge between two cells either will do."""
    if found.shape[:2] != (len(found), len(found)):
        return False
    at = (np.arange(len(found)) + 0.5) * len(image) / len(found)
    ways = [np.floor(at).astype(int), (np.ceil(at) - 1).astype(int)]
    gaps = [np.abs(image[np.ix_(rows, columns)] - found).max(axis=-1) for rows in ways for columns in ways]
    return bool((np.min(gaps, axis=0) <= 1.5).all())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chosen_image_has_a_frame_that_is_seen(qtbot: QtBot, window: MainWindow, qapp: QApplication, theme: str) -> None:
    apply_theme(qapp, theme)  # type: ignore[arg-type]
    try:
        window.docks.bring_up("samples")
        grid = window.samples._grid
        qtbot.waitUntil(lambda: grid.isVisible() and grid.selectionModel().hasSelection())
        place, picture = grid.visualRect(grid.currentIndex()), grid.viewport().grab().toImage()
        assert picture.pixelColor(place.left() + 3, place.center().y()) == current_theme().color("accent")
        other = grid.visualRect(window.samples.model.index(1))
        assert picture.pixelColor(other.left() + 3, other.center().y()) == current_theme().color("surface")
    finally:
        apply_theme(qapp, "light")
