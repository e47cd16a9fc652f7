"""Save and open through the window's own commands: everything comes back, and nothing is lost on the way."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.studio import Studio
from engine.checkpoint import Checkpoint
from engine.errors import StorageError


def checkpoint_of(studio: Studio) -> Checkpoint:
    """Everything in the session."""
    checkpoint = studio.controller.checkpoint_now(5)
    assert checkpoint is not None
    return checkpoint


def place(studio: Studio) -> tuple[int, int]:
    """How far the run has come."""
    return studio.controller.state.epoch, studio.controller.state.batch


@pytest.fixture
def saved(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> Path:
    """A project saved in the middle of its second epoch."""
    studio = window.studio
    studio.document.set_option("conv1", "depth", 6)
    studio.change(Change("learning_rate", 0.003))
    window.actions_.train.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.epoch >= 1, timeout=30_000)
    window.actions_.train.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.phase == RunPhase.PAUSED)
    path = tmp_path / "digits.cnn"
    assert window.files.save_path(path)
    return path


def test_a_saved_project_opens_with_its_weights_and_goes_on_exactly(
    qtbot: QtBot, window: MainWindow, saved: Path
) -> None:
    studio = window.studio
    assert not studio.document.modified and window.windowTitle().startswith("digits.cnn")
    before, losses, graph = checkpoint_of(studio), studio.controller.history.loss.copy(), studio.document.graph

    copy = saved.with_name("copy.cnn")  # the file itself is open in this window
    shutil.copy(saved, copy)
    other = Studio()
    other.open_project(copy)
    qtbot.waitUntil(lambda: other.controller.state.step == before.step)
    after = checkpoint_of(other)
    np.testing.assert_array_equal(after.parameters, before.parameters)
    for name, slot in before.slots.items():
        np.testing.assert_array_equal(after.slots[name], slot)
    assert (after.step, after.epoch, after.batch) == (before.step, before.epoch, before.batch)
    assert other.document.graph == graph and other.settings.learning_rate == 0.003
    np.testing.assert_array_equal(other.controller.history.loss, losses)
    assert not other.document.modified and other.path == copy

    for each in (studio, other):
        each.controller.step_batch()
    # At the end of an epoch the step is its validation, and no further update.
    qtbot.waitUntil(lambda: place(studio) == place(other) != (before.epoch, before.batch))
    np.testing.assert_array_equal(checkpoint_of(studio).parameters, checkpoint_of(other).parameters)
    other.close()


def test_a_broken_file_is_said_and_the_open_project_stays(
    qtbot: QtBot, window: MainWindow, saved: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.cnn"
    broken.write_bytes(saved.read_bytes()[:3000])
    graph = window.studio.document.graph
    window.files.open_path(broken)
    boxes = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
    assert len(boxes) == 1 and "broken.cnn" in boxes[0].text() and boxes[0].informativeText()
    assert window.studio.document.graph is graph and window.studio.path == saved
    boxes[0].close()
    with pytest.raises(StorageError):
        window.studio.open_project(tmp_path / "missing.cnn")


def test_only_a_file_that_opens_costs_the_question_about_unsaved_work(
    window: MainWindow, saved: Path, tmp_path: Path
) -> None:
    broken, whole = tmp_path / "broken.cnn", tmp_path / "whole.cnn"
    broken.write_bytes(saved.read_bytes()[:3000])
    shutil.copy(saved, whole)
    window.studio.document.set_title("not saved")
    window.files.open_path(broken)
    (box,) = (box for box in window.findChildren(QMessageBox) if box.isVisible())
    assert "broken.cnn" in box.text() and window.files.question is None
    box.close()
    window.files.open_path(whole)
    question = window.files.question
    assert question is not None and question.isVisible() and window.studio.document.title == "not saved"
    question.button(QMessageBox.StandardButton.Discard).click()
    assert window.studio.path == whole and not window.studio.document.modified


def test_a_failed_save_is_said_the_work_counts_as_unsaved_and_another_place_is_offered(
    window: MainWindow, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.studio.document.set_option("conv1", "depth", 5)
    assert not window.files.save_path(tmp_path / "no such folder" / "a.cnn")
    assert window.studio.document.modified and window.studio.path == saved
    (box,) = (box for box in window.findChildren(QMessageBox) if box.isVisible())
    assert "no such folder" in box.informativeText()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "elsewhere.cnn"), ""))
    next(button for button in box.buttons() if button.text() == "Save as…").click()
    assert not window.studio.document.modified and window.studio.path == tmp_path / "elsewhere.cnn"


def test_recent_projects_are_offered(window: MainWindow, saved: Path) -> None:
    window.menus.recent.aboutToShow.emit()
    assert window.menus.recent.actions()[0].text() == "digits.cnn"


@pytest.mark.parametrize("answer", ["Replace", "Cancel"])
def test_a_name_that_becomes_that_of_another_file_is_asked_about(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    theirs = tmp_path / "theirs.v2.cnn"
    theirs.write_bytes(b"something else")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "theirs.v2"), ""))
    monkeypatch.setattr(QMessageBox, "exec", lambda box: next(b for b in box.buttons() if b.text() == answer).click())
    assert window.files.save_as() is (answer == "Replace")
    assert (theirs.read_bytes() == b"something else") is (answer == "Cancel")
