"""A drawn digit and a dropped picture are samples like any other: every panel shows the network's answer to them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtTest import QTest
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
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    window.prediction.dropEvent(event)
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
