"""The data set of the document: chosen as one undo step, and missed without harm."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.project.state import DataCard
from engine.errors import DataError


def test_another_data_set_fits_the_input_block_in_one_undo_step(qtbot: QtBot, window: MainWindow) -> None:
    studio = window.studio
    steps = studio.document.undo_stack.count()
    studio.choose_data({"name": "mnist12k"})
    qtbot.waitUntil(lambda: studio.data is not None and studio.data.name == "mnist12k", timeout=20_000)
    assert studio.document.graph.main[0].node.layer.image_shape == (1, 28, 28)  # type: ignore[attr-defined]
    assert studio.document.undo_stack.count() == steps + 1
    assert window.prediction.image.maps is not None and window.prediction.image.maps.shape == (1, 28, 28)
    studio.document.undo_stack.undo()
    assert studio.data is not None and studio.data.name == "digits8x8"


def test_a_missing_data_set_is_said_and_the_present_one_stays(qtbot: QtBot, window: MainWindow) -> None:
    window.studio.choose_data({"name": "/nowhere/at/all.npz"})
    qtbot.waitUntil(lambda: window.banner.text != "")
    assert window.studio.data is not None and window.studio.obstacle is None


def test_a_data_set_that_is_not_on_this_computer_can_be_chosen_from_the_message(window: MainWindow) -> None:
    studio, path = window.studio, "/not/here.npz"
    assert studio.data is not None
    studio._data.card = DataCard.of(studio.data, {"name": path})
    studio.document.set_data({"name": path}, "as a project from another computer has it")
    error = DataError("{path}: there is no such file or folder.", code="data.missing", path=path)
    studio._data._is_missing({"name": path}, error)
    assert "64 images" in window.banner.text and path in window.banner.text
    (choose,) = window.banner.buttons
    choose.click()
    (menu,) = (menu for menu in window.findChildren(QMenu) if menu.isVisible())
    assert len(menu.actions()) == 2
    menu.close()
