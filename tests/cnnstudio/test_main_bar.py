"""The tool bar: what there is room for, one height, one base line, and icons that grow with the type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from cnnstudio.app import LARGE_TEXT
from cnnstudio.icon_button import IconButton
from cnnstudio.mainwindow import MainWindow
from cnnstudio.theme import apply_theme


@pytest.fixture
def large(qapp: QApplication, window: MainWindow) -> Iterator[MainWindow]:
    """The window in large type."""
    apply_theme(qapp, "light", text_scale=LARGE_TEXT)
    yield window
    apply_theme(qapp, "light")


def ink(image: QImage, area: QRect) -> QRect:
    """The rectangle around all pixels that differ much from the first one of an area."""
    ground = image.pixelColor(area.topLeft()).lightness()
    marked = [QPoint(x, y) for x in range(area.left(), area.right() + 1) for y in range(area.top(), area.bottom() + 1)
              if abs(image.pixelColor(x, y).lightness() - ground) > 110]  # fmt: skip
    assert marked
    return QRect(QPoint(min(p.x() for p in marked), min(p.y() for p in marked)),
                 QPoint(max(p.x() for p in marked), max(p.y() for p in marked)))  # fmt: skip


def test_in_large_type_1280_pixels_hold_all_but_the_seed(qtbot: QtBot, large: MainWindow) -> None:
    large.resize(1280, 720)
    bar, seed = large.main_bar, large.training_bar._numbers["seed"]
    qtbot.waitUntil(lambda: bar.width() == 1280 and not seed.isVisible())
    qtbot.wait(50)
    for action in (large.actions_.reset, large.actions_.language, large.actions_.theme):
        button = bar.widgetForAction(action)
        assert button.isVisible() and button.geometry().right() <= bar.width()
    large.resize(1700, 720)
    qtbot.waitUntil(seed.isVisible)


def test_icons_grow_with_the_type(qapp: QApplication, window: MainWindow) -> None:
    small = [button.iconSize().width() for button in window.findChildren(IconButton)]
    bar = window.main_bar.iconSize().width()
    apply_theme(qapp, "light", text_scale=LARGE_TEXT)
    large = [button.iconSize().width() for button in window.findChildren(IconButton)]
    assert window.main_bar.iconSize().width() == round(bar * LARGE_TEXT)
    assert large == [round(side * LARGE_TEXT) for side in small] and large
    apply_theme(qapp, "light")


@pytest.mark.parametrize("text", [0, 1, 2])
def test_what_the_button_of_the_run_says_stands_in_its_middle(window: MainWindow, text: int) -> None:
    button = window.main_bar.train_button
    width = button.width()
    window.actions_.train.setText(window.actions_.train_texts()[text])
    QApplication.processEvents()
    assert button.width() == width
    drawn = ink(button.grab().toImage(), button.rect().adjusted(4, 6, -5, -6))
    assert abs(drawn.center().x() - button.rect().center().x()) <= 3


def test_choices_and_fields_have_one_height_and_their_texts_one_base_line(window: MainWindow) -> None:
    bar = window.training_bar
    controls: list[QWidget] = [bar._data, bar._optimizer, *bar._numbers.values()]
    assert len({control.height() for control in controls}) == 1
    lines = []
    for control in (bar._optimizer, bar._numbers["batch_size"]):
        image = control.grab().toImage()
        lines.append(ink(image, QRect(5, 4, 26, image.height() - 8)).bottom())
    assert lines[0] == lines[1]


def test_the_name_of_a_bundled_data_set_is_whole_where_there_is_room(qtbot: QtBot, large: MainWindow) -> None:
    large.resize(1700, 720)
    data = large.training_bar._data
    widest = max(data.fontMetrics().horizontalAdvance(data.itemText(index)) for index in range(data.count() - 2))
    qtbot.waitUntil(lambda: data.width() >= widest + 30)
