"""Pixels of the prediction panel: the image is the sample, and bars are as long as the probabilities of a forward pass."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.theme import current_theme
from tests.cnnstudio.panels.pixels import assert_shows, enlarge, network_of, outputs_of, pixels_of


def test_every_bar_and_every_pixel_of_the_image_is_painted_as_computed(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.prediction
    enlarge(window, "prediction")
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: panel._snapshot is not None and panel._snapshot.step == 1)
    data, sample = studio.data, studio.selection.sample
    assert data is not None and sample is not None and sample.image is not None
    expected = outputs_of(network_of(studio), sample.image)[studio.document.spec.nodes[-1].id]
    assert len(expected) == 10 and panel.bars.top == int(expected.argmax())
    pixels, scale = pixels_of(panel.bars.viewport())
    empty = np.array(current_theme().color("pressed").getRgb()[:3])
    for index, probability in enumerate(expected):
        track = panel.bars._track(index)
        line = pixels[int(track.center().y() * scale), int(track.left() * scale) + 4 : int(track.right() * scale) - 4]
        filled = int((line != empty).any(axis=1).sum())
        assert abs(filled - (probability * track.width() * scale - 4)) <= 4
    assert_shows(panel.image, sample.image, *data.value_range)


def test_a_pixel_leads_to_what_the_network_reads_there(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.prediction
    qtbot.waitUntil(lambda: panel._snapshot is not None and panel.image.maps is not None)
    at = panel.image.cell_rect(0, 3, 5).center().toPoint()
    QTest.mouseDClick(panel.image.viewport(), Qt.MouseButton.LeftButton, pos=at)
    sample = studio.selection.sample
    assert sample is not None and sample.image is not None
    qtbot.waitUntil(lambda: window.explain.subject is not None)
    subject = window.explain.subject
    assert subject is not None and (subject.ref.array, subject.ref.index) == ("input.y", (0, 3, 5))
    expected = outputs_of(network_of(studio), sample.image)["input"][0, 3, 5]
    assert abs(subject.value - expected) < 1e-5


def test_another_verdict_moves_nothing(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.prediction
    qtbot.waitUntil(lambda: panel._snapshot is not None and panel.image.maps is not None and panel.bars.top is not None)
    window.docks.bring_up("prediction")
    requests: list[QEvent.Type] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.LayoutRequest:
                requests.append(event.type())
            return False

    QCoreApplication.sendPostedEvents()
    watch = Watch()
    for widget in (panel, window.docks["prediction"]):
        widget.installEventFilter(watch)
    before = panel._verdict.geometry()
    assert panel._verdict.text()
    for text in ("✓ right", "✗ taken for a class with quite a long name", "✗ taken for 3"):
        panel._verdict.setText(text)
        QCoreApplication.sendPostedEvents()
    assert not requests and panel._verdict.geometry() == before


def test_the_sample_grows_with_the_panel_and_stays_square(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.prediction
    enlarge(window, "prediction", 320, 260)
    qtbot.waitUntil(lambda: panel.image.maps is not None and panel.width() < 330)
    small = panel.image.cell_rect(0, 0, 0).width()
    enlarge(window, "prediction", 900, 500)
    qtbot.waitUntil(lambda: panel.image.cell_rect(0, 0, 0).width() > small)
    below = panel._truth.mapTo(panel, QPoint(0, 0)).y() - panel.image.mapTo(panel, QPoint(0, panel.image.height())).y()
    assert 0 <= below < 24 and panel.image.height() <= panel.image.width()
    panel._pencil.setChecked(True)
    assert panel.own.isVisible() and not panel._truth.isVisible() and not panel._verdict.isVisible()
