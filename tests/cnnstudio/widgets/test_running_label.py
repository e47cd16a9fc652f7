"""The label for numbers that run: it shows what it is given, and asks for another layout only to grow."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from cnnstudio.widgets.running_label import RunningLabel


class Layouts(QObject):
    """Counts how often a widget lays out what is in it."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def test_a_text_that_fits_moves_nothing_and_a_longer_one_gets_room(qtbot: QtBot) -> None:
    window, label, layouts = QWidget(), RunningLabel(), Layouts()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    row.addWidget(label)
    row.addStretch(1)
    label.setText("loss 2.302")
    window.show()
    qtbot.waitExposed(window)
    before = label.grab().toImage()
    QCoreApplication.sendPostedEvents()  # what showing the window has asked for
    window.installEventFilter(layouts)
    label.setText("loss 1.111")
    qtbot.wait(1)
    assert layouts.count == 0 and label.text() == "loss 1.111" == label.accessibleName()
    assert label.grab().toImage() != before
    width = label.width()
    label.setText("loss 12,345.678")
    qtbot.waitUntil(lambda: label.width() > width)
    assert layouts.count == 1
    label.clear()
    qtbot.wait(1)
    assert layouts.count == 1 and label.text() == ""
