"""The window as a whole: live pictures, the run, what is said when it cannot start, look and language."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.project.folder import working_failed
from cnnstudio.session.messages import RunPhase
from cnnstudio.session.troubles import process_lost
from cnnstudio.setting_change import Change
from cnnstudio.studio import Studio
from cnnstudio.theme import apply_theme
from cnnstudio.widgets.colormaps import indices, lut, value_range
from engine.network import Network
from engine.optimizers import SGD
from tests.cnnstudio.driven import phase


def train_one_epoch(qtbot: QtBot, window: MainWindow) -> None:
    """Press Train and wait for the end of one epoch."""
    window.studio.change(Change("epochs", 1))
    window.actions_.train.trigger()
    qtbot.waitUntil(lambda: phase(window.studio) == RunPhase.FINISHED, timeout=30_000)


def test_every_panel_shows_the_arrays_of_the_step_that_is_named(qtbot: QtBot, window: MainWindow) -> None:
    train_one_epoch(qtbot, window)
    studio = window.studio
    window.view.show_block("conv1")
    checkpoint = studio.controller.checkpoint_now(5)
    assert checkpoint is not None and studio.data is not None
    qtbot.waitUntil(lambda: studio.controller.snapshot.step == checkpoint.step)  # type: ignore[union-attr]
    network = Network(studio.document.spec)
    network.parameters.flat[...] = checkpoint.parameters
    network.fit_input(studio.data.train.images, studio.data.value_range)
    image = studio.data.validation.images[:1]
    probabilities = network.predict(image)[0]
    lane = network.forward_sample(image[0])
    conv = next(ws for ws, placed in zip(lane.workspaces, lane.placed, strict=True) if placed.node.id == "conv1")

    qtbot.waitUntil(lambda: window.feature_maps.view.maps is not None)
    np.testing.assert_array_equal(window.feature_maps.view.maps, conv.y[0])
    kernels = network.parameters.named["conv1.W"]
    np.testing.assert_array_equal(window.kernels.view.maps, kernels[:, 0])
    np.testing.assert_allclose(window.prediction.bars._values, probabilities, rtol=1e-5)
    np.testing.assert_array_equal(window.prediction.image.maps, image[0])
    assert str(checkpoint.step) in window.statusBar().findChildren(type(window.statusBar()._shown))[-1].text()


def test_pixels_of_the_feature_maps_are_the_colours_of_the_array(qtbot: QtBot, window: MainWindow) -> None:
    window.view.show_block("conv1")
    view = window.feature_maps.view
    qtbot.waitUntil(lambda: view.maps is not None and view.maps.shape == (8, 8, 8))
    maps = view.maps
    assert maps is not None
    picture = view.viewport().grab().toImage()
    low, high = value_range(maps, "activation")
    scale = picture.devicePixelRatio()
    for index, row, column in ((0, 0, 0), (3, 4, 5), (7, 7, 7)):
        at = view.cell_rect(index, row, column).center() * scale
        expected = lut("viridis")[indices(maps[index, row, column][None], low, high)[0]]
        color = picture.pixelColor(int(at.x()), int(at.y()))
        assert (color.red(), color.green(), color.blue()) == tuple(int(c) for c in expected)


def test_a_closed_panel_asks_for_nothing(qtbot: QtBot, window: MainWindow) -> None:
    requests: list[object] = []
    window.studio.controller.set_probe = lambda request, interval=0.0: requests.append(request)  # type: ignore[method-assign]
    for dock in (*window.tabifiedDockWidgets(window.docks["kernels"]), window.docks["kernels"]):
        dock.close()
    qtbot.waitUntil(lambda: bool(requests) and requests[-1].weights_of == ())  # type: ignore[attr-defined]
    window.hide()
    qtbot.waitUntil(lambda: requests[-1] is None)
    window.show()
    qtbot.waitUntil(lambda: requests[-1] is not None)


def test_train_pause_step_stop_and_reset(qtbot: QtBot, window: MainWindow) -> None:
    studio, actions = window.studio, window.actions_
    actions.train.trigger()
    qtbot.waitUntil(lambda: phase(studio) == RunPhase.RUNNING and studio.controller.state.step > 3)
    assert not actions.batch.isEnabled() and actions.stop.isEnabled()
    actions.train.trigger()
    qtbot.waitUntil(lambda: phase(studio) == RunPhase.PAUSED)
    step = studio.controller.state.step
    assert actions.train.text() == "Resume"
    actions.batch.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.step == step + 1)
    qtbot.waitUntil(lambda: actions.stop.isEnabled())
    actions.stop.trigger()
    qtbot.waitUntil(lambda: phase(studio) == RunPhase.STOPPED)
    actions.reset.trigger()
    qtbot.waitUntil(lambda: phase(studio) == RunPhase.READY and studio.controller.state.step == 0)
    steps, _ = window.curves.plot.points("train_loss")
    assert len(steps) == 0


def test_curves_hold_every_batch_and_epoch(qtbot: QtBot, window: MainWindow) -> None:
    train_one_epoch(qtbot, window)
    history = window.studio.controller.history
    steps, losses = window.curves.plot.points("train_loss")
    np.testing.assert_array_equal(steps, history.steps)
    np.testing.assert_array_equal(losses, history.loss)
    assert window.curves.plot.points("val_accuracy")[1][-1] == history.epochs[-1].val_accuracy


def test_train_says_why_it_cannot_start_and_the_fix_mends_it(qtbot: QtBot, window: MainWindow) -> None:
    studio = window.studio
    flatten = next(b.id for b in studio.document.graph.main if b.node.layer.role == "flatten")
    studio.document.remove([flatten])
    assert isinstance(studio.obstacle, Exception)
    window.actions_.train.trigger()
    assert window.banner.text and "FC" in window.banner.text
    assert window.view.canvas.selected == (studio.document.derived.blocking_block,)
    assert phase(studio) != RunPhase.RUNNING
    window.banner.buttons[0].click()
    assert studio.obstacle is None and window.banner.text == ""


def test_a_loss_that_is_no_number_offers_a_lower_rate(qtbot: QtBot, window: MainWindow) -> None:
    studio = window.studio
    studio.change(Change("optimizer", SGD()))
    studio.change(Change("learning_rate", 1e6))
    window.actions_.train.trigger()
    qtbot.waitUntil(lambda: phase(studio) == RunPhase.FAILED)
    qtbot.waitUntil(lambda: window.banner.text != "")
    assert "NaN" in window.banner.text and "100000" in window.banner.buttons[0].text()
    checkpoint = studio.controller.checkpoint_now(5)
    assert checkpoint is not None and np.isfinite(checkpoint.parameters).all()
    studio.controller.stop()
    window.banner.buttons[0].click()
    assert studio.settings.learning_rate == 1e5


@pytest.mark.parametrize(("resting", "look"), [(True, "info"), (False, "alert")])
def test_a_training_process_that_dies_offers_to_go_on_and_alarms_nobody_when_nothing_is_lost(
    qtbot: QtBot, window: MainWindow, resting: bool, look: str
) -> None:
    studio = window.studio
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: phase(studio) == RunPhase.PAUSED)
    studio.failed.emit(process_lost(-9, resting=resting))
    assert ("Nothing is lost" in window.banner.text) is resting and window.banner.property("role") == look
    (go_on,) = window.banner.buttons
    go_on.click()
    qtbot.waitUntil(lambda: phase(studio) == RunPhase.RUNNING and not window.banner.text)
    studio.controller.stop()


def test_what_was_said_of_an_unprotected_document_is_taken_back(window: MainWindow) -> None:
    studio = window.studio
    studio.failed.emit(working_failed(Path("here"), OSError(errno.ENOSPC, "full")))
    assert "not protected" in window.banner.text
    studio.autosave.protected.emit()
    assert not window.banner.text
    studio.failed.emit(process_lost(-9, resting=True))
    studio.autosave.protected.emit()
    assert "Nothing is lost" in window.banner.text


def test_setting_in_the_bar_is_an_undo_step(window: MainWindow) -> None:
    field = window.training_bar._numbers["batch_size"]
    field.selectAll()
    QTest.keyClicks(field, "16")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.studio.settings.batch_size == 16
    window.studio.document.undo_stack.undo()
    assert window.studio.settings.batch_size == 32 or field.value != 16
    assert field.value == window.studio.settings.batch_size


def test_next_sample_changes_every_panel(qtbot: QtBot, window: MainWindow) -> None:
    first = window.prediction.image.maps
    window.actions_.next_sample.trigger()
    data = window.studio.data
    assert data is not None
    np.testing.assert_array_equal(window.prediction.image.maps, data.validation.images[1])
    assert first is not None and not np.array_equal(first, window.prediction.image.maps)  # type: ignore[arg-type]


def test_winner_mask_marks_the_largest_number_of_each_window(qtbot: QtBot, window: MainWindow) -> None:
    window.view.show_block("max_pool1")
    view = window.feature_maps.view
    snapshot = window.studio.controller
    qtbot.waitUntil(lambda: view.maps is not None and view.maps.dtype == np.bool_)
    assert snapshot.snapshot is not None and view.maps is not None
    x = snapshot.snapshot["relu2.y"]
    channels, height, width = x.shape
    windows = x.reshape(channels, height // 2, 2, width // 2, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 4)
    expected = np.zeros_like(windows, bool)
    expected[np.arange(len(windows)), windows.argmax(axis=1)] = True
    shown = view.maps.reshape(channels, height // 2, 2, width // 2, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 4)
    np.testing.assert_array_equal(shown, expected)


def test_everything_fits_1280_by_720(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(1280, 720)
    window.docks.arrange()
    qtbot.waitUntil(lambda: window.height() == 720)
    assert window.width() == 1280
    for action in (window.actions_.new, window.actions_.reset, window.actions_.theme):
        button = window.main_bar.widgetForAction(action)
        assert button.isVisible() and button.geometry().right() <= window.main_bar.width()
    for dock in window.docks.all:
        if not dock.visibleRegion().isEmpty():
            assert window.rect().contains(dock.geometry())


def test_docks_come_back_as_left(qtbot: QtBot, window: MainWindow, studio: Studio) -> None:
    window.docks["kernels"].close()
    window.docks["prediction"].setFloating(True)
    window.remember()
    again = MainWindow(studio, window.settings, ())
    again.show()
    assert not again.docks["kernels"].isVisible()
    assert again.docks["prediction"].isFloating()
    again.actions_.reset_layout.trigger()
    assert again.docks["kernels"].isVisible() and not again.docks["prediction"].isFloating()
    again.discard()


def test_closing_with_unsaved_work_asks(qtbot: QtBot, window: MainWindow) -> None:
    window.studio.document.set_option("conv1", "depth", 5)
    event = QCloseEvent()
    window.closeEvent(event)
    assert not event.isAccepted()
    question = window.files.question
    assert question is not None and question.isVisible()
    question.button(QMessageBox.StandardButton.Cancel).click()
    assert window.isVisible()
    window.closeEvent(QCloseEvent())
    question = window.files.question
    assert question is not None
    with qtbot.waitSignal(window.closed):
        question.button(QMessageBox.StandardButton.Discard).click()


def test_title_carries_the_modified_mark(window: MainWindow) -> None:
    assert not window.isWindowModified()
    window.studio.document.set_option("conv1", "depth", 5)
    assert window.isWindowModified()
    window.studio.document.undo_stack.undo()
    assert not window.isWindowModified()


def test_a_project_file_can_be_dragged_onto_the_window(window: MainWindow) -> None:
    for name, taken in (("/a/b.cnn", True), ("/a/b.txt", False)):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(name)])
        event = QDragEnterEvent(
            QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        event.setAccepted(False)
        window.dragEnterEvent(event)
        assert event.isAccepted() is taken


def test_shortcuts_are_unique(window: MainWindow) -> None:
    keys = [
        key.toString(QKeySequence.SequenceFormat.PortableText)
        for action in window.actions()
        for key in action.shortcuts()
    ]
    assert len(keys) == len(set(keys))


def test_every_button_has_a_name_for_screen_readers(window: MainWindow) -> None:
    from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit

    nameless = [
        widget
        for kind in (QAbstractButton, QComboBox, QLineEdit)
        for widget in window.findChildren(kind)
        if widget.isVisible()
        and not widget.accessibleName()
        and not getattr(widget, "text", str)()
        and not widget.objectName().startswith("qt_")
        and not (isinstance(widget.parent(), QComboBox))
    ]
    assert nameless == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_look_can_be_switched_while_open(
    qtbot: QtBot, qapp: QApplication, window: MainWindow, dark: bool
) -> None:
    apply_theme(qapp, "dark" if dark else "light")
    picture = window.grab().toImage()
    corner = picture.pixelColor(QPointF(window.width() / 2, 8).toPoint() * picture.devicePixelRatio())
    assert (corner.lightness() < 128) is dark
    apply_theme(qapp, "light")


def test_the_formula_chips_choose_their_blocks(window: MainWindow) -> None:
    window.formula.blocks_clicked.emit(("conv2",))
    assert window.studio.selection.block == "conv2"


def test_a_click_on_the_totals_opens_the_network_analyzer(qtbot: QtBot, window: MainWindow) -> None:
    assert not window.docks["analyzer"].isVisible()
    bar = window.formula
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(bar.width() - 40, bar.height() // 2))
    assert window.docks["analyzer"].isVisible() and window.analyzer.model.rowCount() == len(window.studio.document.spec)


def test_the_drawing_is_exported_and_the_window_says_where(window: MainWindow, tmp_path: Path) -> None:
    window.export.write(tmp_path / "network.svg")
    assert (tmp_path / "network.svg").read_bytes().startswith(b"<?xml")
    assert "network.svg" in window.statusBar().currentMessage()


def test_another_network_is_shown_in_every_panel(window: MainWindow) -> None:
    window.network.use_template("lenet5")
    assert window.view.canvas.selected == (window.studio.document.graph.main[1].id,) == (window.studio.selection.block,)


def test_a_block_from_the_palette_is_put_in(window: MainWindow) -> None:
    window.view.canvas.select(["conv1"])
    window.palette_panel.kind_activated.emit("relu")
    assert window.studio.document.graph.next("conv1") not in ("relu1", None)


def test_another_window_tells_how_good_the_network_is_as_well(qtbot: QtBot, window: MainWindow) -> None:
    train_one_epoch(qtbot, window)
    told = [label.text() for label in (window.status_bar._loss, window.status_bar._accuracy)]
    assert all(told)
    again = MainWindow(window.studio, window.settings, window.templates)
    assert [label.text() for label in (again.status_bar._loss, again.status_bar._accuracy)] == told
    again.discard()
