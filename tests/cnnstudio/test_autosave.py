"""Autosave in the whole program: what is done is in the working database, and a crash at any moment is survived exactly."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.project.files import open_project
from cnnstudio.project.folder import working_folder
from cnnstudio.project.recovery import find_abandoned
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.studio import Studio
from engine.errors import EngineError
from tests.cnnstudio.driven import phase, train, weights


def after_a_crash(qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path) -> None:
    """Take up in `other` what would be left if `studio` died, as soon as its present weights are kept."""
    working, present = studio.autosave.working, weights(studio)
    qtbot.waitUntil(
        lambda: (kept := working.state().checkpoint) is not None and np.array_equal(kept.parameters, present.parameters)
    )
    later = tmp_path / "later"
    shutil.copytree(working_folder(), later)
    (found,) = find_abandoned(later)
    other.recover(found)
    qtbot.waitUntil(lambda: phase(other) != RunPhase.EMPTY)


def test_training_goes_on_exactly_after_a_crash(qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path) -> None:
    studio.change(Change("epochs", 1))
    train(qtbot, studio, 3)
    after_a_crash(qtbot, studio, other, tmp_path)
    assert other.document.modified and other.path is None and other.document.graph == studio.document.graph
    for each in (studio, other):
        each.controller.run()
        qtbot.waitUntil(lambda each=each: phase(each) == RunPhase.FINISHED, timeout=30_000)
    np.testing.assert_array_equal(weights(one := studio).parameters, weights(other).parameters)
    np.testing.assert_array_equal(one.controller.history.rows, other.controller.history.rows)
    runs = other.autosave.working.state().runs
    assert [run.name for run in runs] == ["Run 1"] and len(runs[0].history) == len(one.controller.history)


def test_checkpoints_are_taken_while_training_runs(
    qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path
) -> None:
    studio.autosave._checkpoint_due.setInterval(50)
    studio.change(Change("epochs", 1000))
    studio.controller.run()
    working = studio.autosave.working
    qtbot.waitUntil(lambda: len(working.checkpoints()) >= 2, timeout=10_000)
    assert phase(studio) == RunPhase.RUNNING
    later = tmp_path / "later"
    working.flush()
    shutil.copytree(working_folder(), later)
    (found,) = find_abandoned(later)
    assert found.state is not None and found.state.checkpoint is not None
    history = found.state.history
    np.testing.assert_array_equal(history.steps, np.arange(1, found.step + 1))
    other.recover(found)
    qtbot.waitUntil(lambda: phase(other) == RunPhase.PAUSED)
    assert other.controller.state.step == found.step


def test_a_project_saved_while_training_runs_has_every_batch_of_its_curve(qtbot: QtBot, studio: Studio, tmp_path: Path) -> None:
    studio.change(Change("epochs", 1000))
    studio.controller.run()
    for _ in range(5):
        step = studio.controller.state.step
        qtbot.waitUntil(lambda step=step: studio.controller.state.step > step)
        studio.save_project(tmp_path / "p.cnn")
        saved = open_project(tmp_path / "p.cnn")
        assert saved.checkpoint is not None
        np.testing.assert_array_equal(saved.history.steps, np.arange(1, saved.checkpoint.step + 1))
    studio.controller.stop()


def test_every_run_is_kept_by_name_and_going_on_after_a_stop_begins_no_other(qtbot: QtBot, studio: Studio) -> None:
    studio.change(Change("epochs", 1))
    for seed in (5, 6):
        studio.change(Change("seed", seed))
        studio.reset_weights()
        qtbot.waitUntil(lambda: phase(studio) == RunPhase.READY and studio.controller.state.step == 0)
        studio.controller.run()
        qtbot.waitUntil(lambda: phase(studio) == RunPhase.FINISHED, timeout=30_000)
    studio.controller.run()
    qtbot.waitUntil(lambda: len(studio.controller.history.epochs) == 2, timeout=30_000)
    runs = studio.autosave.working.state().runs
    assert [(run.name, run.seed) for run in runs] == [("Run 1", 5), ("Run 2", 6)]
    assert len(runs[1].history) > len(runs[0].history) and [len(run.history.epochs) for run in runs] == [1, 2]
    assert [run.network["layers"][0]["kind"] for run in runs] == ["input"] * 2


def test_weights_that_an_edit_left_are_kept(qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path) -> None:
    train(qtbot, studio, 2)
    before = weights(studio).weights()["conv1.W"].copy()
    last = next(block.id for block in reversed(studio.document.graph.main) if block.node.layer.kind == "dense")
    studio.document.remove((last,))
    studio.document.append("dense")
    studio.settle()
    after_a_crash(qtbot, studio, other, tmp_path)
    np.testing.assert_array_equal(weights(other).weights()["conv1.W"], before)
    assert len(other.controller.history) == 0 and other.document.graph == studio.document.graph


def test_weights_edited_by_hand_are_kept(qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path) -> None:
    train(qtbot, studio, 2)
    array = np.full_like(weights(studio).weights()["conv1.W"], 0.5)
    studio.controller.set_weights("conv1.W", array)
    after_a_crash(qtbot, studio, other, tmp_path)
    np.testing.assert_array_equal(weights(other).weights()["conv1.W"], array)


def test_a_failed_save_is_told_and_training_goes_on(qtbot: QtBot, studio: Studio, tmp_path: Path) -> None:
    studio.change(Change("epochs", 1000))
    studio.controller.run()
    qtbot.waitUntil(lambda: studio.controller.state.step > 2)
    with pytest.raises(EngineError, match="folder is not there"):
        studio.save_project(tmp_path / "gone" / "p.cnn")
    step = studio.controller.state.step
    qtbot.waitUntil(lambda: studio.controller.state.step > step)
    assert studio.document.modified and phase(studio) == RunPhase.RUNNING and studio.path is None


def test_a_full_disk_is_told_once_and_again_after_it_was_mended(qtbot: QtBot, studio: Studio) -> None:
    told: list[EngineError] = []
    studio.failed.connect(told.append)
    studio.autosave._look.setInterval(10)
    working = studio.autosave.working
    working.flush()
    working._connection.execute("PRAGMA max_page_count = 1")
    for title in ("a" * 5000, "b" * 5000):
        studio.document.set_title(title)
        working.flush()
        qtbot.waitUntil(lambda: len(told) == 1)
    with qtbot.waitSignal(studio.autosave.protected):
        working._connection.execute("PRAGMA max_page_count = 100000")
        assert working.flush() is None
    assert "not protected against a crash" in told[0].message and len(told) == 1
    assert str(working_folder()) in told[0].message and ".db" not in told[0].message


def test_only_unsaved_work_that_was_not_given_up_outlives_the_program(qtbot: QtBot, templates: tuple) -> None:
    def closed(*, edited: bool, given_up: bool) -> int:
        studio = Studio()
        studio.begin(next(t for t in templates if t.name == "digits"))
        if edited:
            studio.document.set_title("another")
        if given_up:
            studio.discard()
        studio.close()
        studio.deleteLater()
        return len(list(working_folder().glob("*.db")))

    assert closed(edited=False, given_up=False) == 0
    assert closed(edited=True, given_up=True) == 0
    assert closed(edited=True, given_up=False) == 1


def test_work_that_cannot_be_protected_from_the_start_is_told(
    qtbot: QtBot, templates: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    studio = Studio()
    studio.hold_data()  # the end of a studio does not wait for data that is being read
    studio.begin(templates[0])
    told: list[EngineError] = []
    studio.failed.connect(told.append)  # as the window does, which is made afterwards
    studio.autosave._look.setInterval(10)
    qtbot.waitUntil(lambda: len(told) == 1)
    assert "not protected against a crash" in told[0].message and str(tmp_path) in told[0].message
    studio.save_project(tmp_path / "p.cnn")
    assert (tmp_path / "p.cnn").exists()
    studio.close()
    studio.deleteLater()
