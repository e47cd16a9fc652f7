"""The pictures on the blocks are the outputs of an independent forward pass, read from the painted canvas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cnnstudio.canvas.block_item import BlockItem
from cnnstudio.canvas.face import THUMBNAIL
from cnnstudio.canvas.view import LARGEST_FIT
from cnnstudio.mainwindow import MainWindow
from cnnstudio.theme import apply_theme, current_theme
from cnnstudio.thumbnails import SHOWN_CLASSES, thumbnail
from cnnstudio.widgets.colormaps import invert
from cnnstudio.widgets.mosaic import arrange
from tests.cnnstudio.panels.pixels import network_of, outputs_of, pixels_of

ZOOM = 3.0
"""So large that every cell has pixels of its own."""


def on_screen(window: MainWindow, item: BlockItem) -> tuple[NDArray[np.uint8], QRectF]:
    """(the painted canvas (H, W, 3), where the thumbnail of a block is in it)."""
    window.view.centerOn(item)
    pixels, scale = pixels_of(window.view.viewport())
    assert scale == 1.0
    box = window.view.viewportTransform().mapRect(item.mapRectToScene(item.picture_rect()))
    assert QRectF(window.view.viewport().rect()).contains(box)
    return pixels, box


def test_every_thumbnail_shows_the_outputs_of_its_layer(qtbot: QtBot, window: MainWindow) -> None:
    studio = window.studio
    window.resize(1600, 1000)
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: window.thumbnails._drawn is not None and window.thumbnails._drawn.step == 1)
    sample, data = studio.selection.sample, studio.data
    assert sample is not None and sample.image is not None and data is not None
    outputs = outputs_of(network_of(studio), sample.image)
    window.view.reset_zoom()
    window.view.zoom(ZOOM)
    shown = 0
    for name, item in window.view.canvas.blocks.items():
        assert item.thumbnail is not None
        pixels, box = on_screen(window, item)
        if item.face.role == "output":
            assert_bars(pixels, box, outputs[name])
            continue
        array = sample.image.astype(float) if name == "input" else outputs[name]
        maps = array if array.ndim == 3 else array.reshape(-1, 1, 1)
        shown += assert_mosaic(pixels, box, maps, item.thumbnail.size(), "grey" if name == "input" else "viridis")
    assert shown > 1000


def test_outputs_are_named_by_the_classes_and_long_names_leave_room_for_the_bars(window: MainWindow) -> None:
    assert window.studio.data is not None and window.thumbnails._classes == window.studio.data.classes
    values = np.array([0.2, 0.7, 0.1], np.float32)

    def begin(*classes: str) -> int:
        """The pixel where the longest bar begins."""
        image = thumbnail(values, "output", 1.0, True, classes)
        tone = current_theme().color("winner").rgb()
        return next(x for x in range(image.width()) if image.pixel(x, image.height() // SHOWN_CLASSES // 2) == tone)

    plain = thumbnail(values, "output", 1.0, True)
    assert thumbnail(values, "output", 1.0, True, ("0", "1", "2")) == plain
    assert thumbnail(values, "output", 1.0, True, ("heart", "ring")) == plain  # classes of other data
    assert begin("0", "1", "2") < begin("o", "ring", "o") < begin("o", "a very long name of a class", "o") < plain.width() / 2


def assert_mosaic(pixels: NDArray[np.uint8], box: QRectF, maps: NDArray[np.floating], size: QSize, colormap: str) -> int:
    """All cells of the maps that find room have the colours of their values over the range of the layer; how many there are."""
    low, high = float(maps.min()), float(maps.max())
    layouts = [arrange((count, *maps.shape[1:]), THUMBNAIL.size().toSize(), gap=2, max_cell=16, min_map=1)
               for count in range(len(maps), 0, -1)]  # fmt: skip
    layout = next(layout for layout in layouts if layout.size == size)
    maps = maps[: layout.count]
    x, y = box.width() / layout.size.width(), box.height() / layout.size.height()
    np.testing.assert_allclose(x, y)
    for place in np.ndindex(*maps.shape):
        index, row, col = place
        at = layout.cells_rect(index, range(row, row + 1), range(col, col + 1)).center()
        value = invert(pixels[int(box.top() + at.y() * y), int(box.left() + at.x() * x)][None], colormap, low, high)[0]
        assert abs(value - maps[place]) <= 2 / 256 * (high - low)
    return maps.size


def assert_bars(pixels: NDArray[np.uint8], box: QRectF, probabilities: NDArray[np.floating]) -> None:
    """The longest bars are those of the largest probabilities, in their order."""
    lengths = []
    for place in range(SHOWN_CLASSES):
        tone = np.array(current_theme().color("wire" if place else "winner").getRgb()[:3])
        line = pixels[int(box.top() + (place + 0.5) * box.height() / SHOWN_CLASSES), int(box.left()) : int(box.right())]
        lengths.append(int((np.abs(line.astype(int) - tone) <= 2).all(axis=1).sum()))
    expected = np.sort(probabilities)[::-1][:SHOWN_CLASSES]
    np.testing.assert_allclose(np.array(lengths) / lengths[0], expected / expected[0], atol=0.06)


def test_letters_are_large_enough_for_the_largest_scale_at_which_a_network_is_shown_whole(window: MainWindow) -> None:
    image = thumbnail(np.array([0.2, 0.7, 0.1], np.float32), "output", 1.0, True)
    width = window.view.canvas.blocks[window.studio.document.graph.main[-1].id].picture_rect().width()
    assert image.width() >= LARGEST_FIT * width - 1
    assert image.deviceIndependentSize().width() <= width + 1


def test_on_a_dark_ground_each_map_has_an_outline(window: MainWindow, qapp: QApplication) -> None:
    maps = np.zeros((5, 8, 8), np.float32)
    maps[:, 3, 3] = 1
    light = thumbnail(maps, "conv", 1.0, False)
    apply_theme(qapp, "dark")
    dark = thumbnail(maps, "conv", 1.0, False)
    edge = current_theme().color("control_border").rgb()
    middle = dark.height() // 4
    row = [dark.pixel(x, middle) for x in range(dark.width())]
    assert row[0] == edge and row.count(edge) == 2 * 3  # three maps in a row
    assert edge not in [light.pixel(x, middle) for x in range(light.width())]
    apply_theme(qapp, "light")
