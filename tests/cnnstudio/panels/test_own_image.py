"""A drawn digit and a dropped picture are samples like any other: every panel shows the network's answer to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QClipboard, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.own_image import as_sample
from engine.network import Network


def draw_a_one(window: MainWindow) -> None:
    """Draw a stroke from top to bottom with the mouse."""
    prediction = window.prediction
    prediction._pencil.click()
    pad = prediction.own.pad
    box = pad.pad_rect()
    top, bottom = QPoint(box.center().x(), box.top() + 15), QPoint(box.center().x(), box.bottom() - 15)
    QTest.mousePress(pad, Qt.MouseButton.LeftButton, pos=top)
    QTest.mouseMove(pad, bottom)
    QTest.mouseRelease(pad, Qt.MouseButton.LeftButton, pos=bottom)


def drop(window: MainWindow, data: QMimeData) -> None:
    """Let go of something over the panel."""
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    window.prediction.dropEvent(event)


def test_every_panel_follows_the_drawing(qtbot: QtBot, window: MainWindow) -> None:
    studio = window.studio
    draw_a_one(window)
    sample = studio.selection.sample
    assert sample is not None and sample.source == "drawn" and sample.image is not None
    data = studio.data
    assert data is not None and sample.image.shape == data.shape
    assert sample.image.max() > 0.8 * data.value_range[1] and sample.image.min() == data.value_range[0]
    checkpoint = studio.controller.checkpoint_now(5)
    assert checkpoint is not None
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(data.train.images, data.value_range)
    expected = network.predict(sample.image[None])[0]
    qtbot.waitUntil(lambda: bool(np.allclose(window.prediction.bars._values, expected, rtol=1e-5)))
    np.testing.assert_allclose(window.feature_maps.view.maps, network.forward_sample(sample.image).workspaces[1].y[0], rtol=1e-5)


def test_a_drawing_is_as_large_as_the_images_of_the_data_set(qtbot: QtBot, window: MainWindow) -> None:
    """Digits of 8×8 pixels fill their whole height, others than those of MNIST."""
    draw_a_one(window)
    sample, data = window.studio.selection.sample, window.studio.data
    assert sample is not None and sample.image is not None and data is not None and data.shape == (1, 8, 8)
    assert (sample.image[0] > 0.3 * data.value_range[1]).any(axis=1).all()


def test_where_the_data_set_has_dark_ink_a_drawing_has_it_too(qtbot: QtBot, window: MainWindow) -> None:
    data = window.studio.data
    assert data is not None
    white = data.train.images.dtype.type(data.value_range[1])
    inverted = replace(data, train=replace(data.train, images=white - data.train.images))
    window.prediction.own.set_data(inverted)
    draw_a_one(window)
    sample = window.studio.selection.sample
    assert sample is not None and sample.image is not None
    assert np.median(sample.image) == data.value_range[1] and sample.image.min() < 0.2 * data.value_range[1]


def test_undo_on_the_pad_takes_back_a_stroke_and_no_edit_of_the_network(qtbot: QtBot, window: MainWindow) -> None:
    document, pad = window.studio.document, window.prediction.own.pad
    document.rename(document.graph.main[1].id, "mine")
    assert document.undo_stack.canUndo()
    draw_a_one(window)
    pad.setFocus()
    QTest.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert pad.is_empty and document.undo_stack.canUndo()


def test_a_picture_can_be_pasted_wherever_the_keyboard_is_in_the_panel(qtbot: QtBot, window: MainWindow) -> None:
    picture = QImage(40, 40, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.white)
    QGuiApplication.clipboard().setImage(picture)
    window.prediction.image.setFocus()
    QTest.keyClick(window.prediction.image, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    sample = window.studio.selection.sample
    assert sample is not None and sample.source == "file" and window.prediction.own.isVisible()


def test_pasting_from_an_empty_clipboard_leaves_the_sample(
        qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(QClipboard, "mimeData", lambda _clipboard: None)
    before = window.studio.selection.sample
    for widget in (window.prediction.image, window.prediction.own.pad):
        QTest.keyClick(widget, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert window.studio.selection.sample is before


def test_a_file_that_is_no_picture_is_named_and_the_sample_stays(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    path, before = tmp_path / "half.png", window.studio.selection.sample
    QImage(40, 40, QImage.Format.Format_RGB32).save(str(path))
    path.write_bytes(path.read_bytes()[:60])
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    drop(window, data)
    (box,) = window.prediction.own.findChildren(QMessageBox)
    assert str(path) in box.text() and box.isVisible()
    box.close()
    assert window.studio.selection.sample is before and window.prediction.image.isVisible()


def test_the_next_sample_ends_the_drawing(qtbot: QtBot, window: MainWindow) -> None:
    draw_a_one(window)
    assert window.prediction.own.isVisible()
    window.actions_.next_sample.trigger()
    assert not window.prediction.own.isVisible() and window.prediction.image.isVisible()


def test_a_dropped_picture_is_the_sample(qtbot: QtBot, window: MainWindow) -> None:
    picture = QImage(40, 40, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.white)
    for y in range(8, 32):
        for x in range(18, 22):
            picture.setPixel(x, y, 0xFF000000)
    data = QMimeData()
    data.setImageData(picture)
    drop(window, data)
    sample = window.studio.selection.sample
    assert sample is not None and sample.source == "file" and sample.image is not None
    ink = sample.image[0] / window.studio.data.value_range[1]  # type: ignore[union-attr]
    assert ink[:, 3:5].mean() > 3 * ink[:, [0, 7]].mean() + 0.3  # dark on light becomes ink on nothing


def test_a_colour_picture_keeps_its_colours_and_proportions() -> None:
    picture = QImage(300, 100, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.black)
    for y in range(100):
        for x in range(100, 200):
            picture.setPixel(x, y, 0xFFFF8000)
    image = as_sample(picture, (3, 32, 32), (0.0, 1.0))
    np.testing.assert_allclose(image[:, 4:-4, 4:-4], np.broadcast_to([[[1.0]], [[128 / 255]], [[0.0]]], (3, 24, 24)), atol=0.01)


def test_transparent_ground_of_a_colour_picture_counts_as_paper() -> None:
    picture = QImage(32, 32, QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    assert as_sample(picture, (3, 32, 32), (0.0, 1.0)).min() == 1.0
