"""Training runs in the whole program: what begins one, and that an old one reopens exactly, with nothing of the present lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.project.folder import working_folder
from cnnstudio.project.recovery import find_abandoned
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.studio import Studio
from engine.checkpoint import Checkpoint
from tests.cnnstudio.driven import at_rest, reset, train, two_runs, weights
from tests.cnnstudio.project.same import assert_same_checkpoint


def arrived(qtbot: QtBot, studio: Studio, run: int) -> None:
    """Wait until the session has a run."""
    qtbot.waitUntil(lambda: studio.runs.present == run and at_rest(studio))


def test_drawing_weights_anew_begins_a_run_and_going_on_does_not(qtbot: QtBot, studio: Studio) -> None:
    runs, controller = studio.runs, studio.controller
    assert runs.all == () and runs.present == 0
    train(qtbot, studio, 1)
    controller.stop()
    qtbot.waitUntil(lambda: controller.state.phase == RunPhase.STOPPED)
    train(qtbot, studio, 1)
    assert [(run.name, len(run.history)) for run in runs.all] == [("Run 1", 2)]
    reset(qtbot, studio)
    assert runs.present == 0 and len(runs.all) == 1
    train(qtbot, studio, 1)
    studio.document.append("dense")
    qtbot.waitUntil(lambda: runs.present == 0)
    train(qtbot, studio, 1)
    assert [run.name for run in runs.all] == ["Run 1", "Run 2", "Run 3"] and runs.present == 3
    assert len(runs[3].network["layers"]) == len(runs[2].network["layers"]) + 1


def test_settings_changed_in_the_middle_are_noted_with_their_step(qtbot: QtBot, studio: Studio) -> None:
    train(qtbot, studio, 2)
    for rate in (0.2, 0.3):
        studio.change(Change("learning_rate", rate))
    qtbot.waitUntil(lambda: studio.runs[1].changes == ((2, {"learning_rate": 0.3}),))
    assert studio.runs[1].last_settings["learning_rate"] == 0.3 and studio.runs[1].settings["learning_rate"] != 0.3
    studio.document.undo_stack.undo()
    qtbot.waitUntil(lambda: studio.runs[1].changes == ())


def test_a_reopened_run_has_its_exact_weights_network_settings_and_curve(qtbot: QtBot, studio: Studio) -> None:
    first, second = two_runs(qtbot, studio)
    graph, curve = studio.document.graph, studio.runs[1].history.rows.copy()
    assert studio.reopen_run(1)
    arrived(qtbot, studio, 1)
    assert_same_checkpoint(weights(studio), first)
    np.testing.assert_array_equal(studio.controller.history.rows, curve)
    assert studio.settings.learning_rate == first.settings.learning_rate != 0.05
    train(qtbot, studio, 1)
    assert [len(run.history) for run in studio.runs.all] == [4, 2]
    gone_on = weights(studio)
    studio.document.undo_stack.undo()
    arrived(qtbot, studio, 2)
    assert_same_checkpoint(weights(studio), second)
    assert studio.document.graph == graph and len(studio.controller.history) == 2
    studio.document.undo_stack.redo()
    arrived(qtbot, studio, 1)
    assert_same_checkpoint(weights(studio), gone_on)


def test_going_on_with_a_reopened_run_is_as_if_it_had_never_been_left(qtbot: QtBot, studio: Studio) -> None:
    train(qtbot, studio, 5)
    without_a_break = weights(studio)
    reset(qtbot, studio)
    train(qtbot, studio, 3)
    reset(qtbot, studio)
    train(qtbot, studio, 1)
    studio.reopen_run(2)
    arrived(qtbot, studio, 2)
    train(qtbot, studio, 2)
    np.testing.assert_array_equal(weights(studio).parameters, without_a_break.parameters)
    np.testing.assert_array_equal(studio.runs[2].history.rows, studio.runs[1].history.rows)


def test_weights_without_a_run_come_back_too(qtbot: QtBot, studio: Studio) -> None:
    train(qtbot, studio, 1)
    reset(qtbot, studio)
    studio.controller.set_weights("conv1.W", np.full_like(_conv(weights(studio)), 0.25))
    edited = weights(studio)
    studio.reopen_run(1)
    arrived(qtbot, studio, 1)
    studio.document.undo_stack.undo()
    arrived(qtbot, studio, 0)
    assert_same_checkpoint(weights(studio), edited)


def _conv(checkpoint: Checkpoint) -> np.ndarray:
    return checkpoint.weights()["conv1.W"]


def test_an_edit_begins_a_new_run_and_the_run_before_it_reopens_with_its_network(qtbot: QtBot, studio: Studio) -> None:
    train(qtbot, studio, 2)
    before, graph = weights(studio), studio.document.graph
    studio.document.set_option("conv1", "depth", 3)
    qtbot.waitUntil(lambda: studio.runs.present == 0)
    train(qtbot, studio, 1)
    edited = weights(studio)
    studio.reopen_run(1)
    arrived(qtbot, studio, 1)
    assert studio.document.graph == graph
    assert_same_checkpoint(weights(studio), before)
    studio.document.undo_stack.undo()
    arrived(qtbot, studio, 2)
    assert_same_checkpoint(weights(studio), edited)
    studio.document.undo_stack.undo()  # the edit: its block gets the weights that it had, as always
    qtbot.waitUntil(lambda: at_rest(studio) and _conv(weights(studio)).shape == _conv(before).shape)
    np.testing.assert_array_equal(_conv(weights(studio)), _conv(before))


def test_a_running_training_is_left_without_losing_a_step(qtbot: QtBot, studio: Studio) -> None:
    train(qtbot, studio, 1)
    reset(qtbot, studio)
    studio.change(Change("epochs", 1000))
    studio.controller.run()
    qtbot.waitUntil(lambda: studio.controller.state.step > 3)
    studio.reopen_run(1)
    arrived(qtbot, studio, 1)
    left = studio.autosave.working.checkpoint_of(2)
    assert left is not None and left.step == len(studio.runs[2].history) > 3
    assert studio.autosave.working.state().runs[1].history.steps.tolist() == list(range(1, left.step + 1))


def test_renaming_notes_and_deletion_are_kept_and_undone(qtbot: QtBot, studio: Studio, tmp_path: Path) -> None:
    two_runs(qtbot, studio)
    runs, undo = studio.runs, studio.document.undo_stack
    studio.save_project(tmp_path / "p.cnn")
    runs.rename(1, "  slow ")
    runs.rename(1, " ")
    runs.set_note(1, "太慢")
    runs.delete(1)
    assert [run.id for run in runs.all] == [2] and studio.document.modified
    assert [run.id for run in studio.autosave.working.state().runs] == [2]
    undo.undo()
    assert [(run.name, run.note) for run in runs.all] == [("slow", "太慢"), ("Run 2", "")]
    assert [(run.name, run.note) for run in studio.autosave.working.state().runs] == [("slow", "太慢"), ("Run 2", "")]
    undo.undo()
    undo.undo()
    assert runs[1].name == "Run 1" and not studio.document.modified
    with pytest.raises(ValueError, match="present"):
        runs.delete(2)


def test_a_deleted_run_is_not_saved_and_comes_back_whole_until_the_document_is_closed(
    qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path
) -> None:
    first, _ = two_runs(qtbot, studio)
    studio.runs.delete(1)
    studio.save_copy(tmp_path / "p.cnn")
    other.open_project(tmp_path / "p.cnn")
    assert [run.name for run in other.runs.all] == ["Run 2"]
    assert {kept.run for kept in other.autosave.working.checkpoints()} == {2}
    studio.document.undo_stack.undo()
    studio.reopen_run(1)
    arrived(qtbot, studio, 1)
    assert_same_checkpoint(weights(studio), first)


def test_runs_reopen_in_another_program_after_saving(qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path) -> None:
    first, second = two_runs(qtbot, studio)
    studio.save_copy(tmp_path / "p.cnn")
    other.open_project(tmp_path / "p.cnn")
    arrived(qtbot, other, 2)
    assert_same_checkpoint(weights(other), second)
    assert other.reopen_run(1)
    arrived(qtbot, other, 1)
    assert_same_checkpoint(weights(other), first)
    np.testing.assert_array_equal(other.controller.history.rows, studio.runs[1].history.rows)


def test_a_crash_right_after_reopening_finds_the_reopened_run(
    qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path
) -> None:
    first, second = two_runs(qtbot, studio)
    studio.reopen_run(1)
    assert studio.autosave.working.flush() is None
    shutil.copytree(working_folder(), tmp_path / "later")
    (found,) = find_abandoned(tmp_path / "later")
    assert found.state is not None and found.state.run == 1
    other.recover(found)
    arrived(qtbot, other, 1)
    assert_same_checkpoint(weights(other), first)
    assert other.reopen_run(2)
    arrived(qtbot, other, 2)
    assert_same_checkpoint(weights(other), second)


def test_a_run_whose_weights_are_gone_reopens_with_new_ones_and_says_so(qtbot: QtBot, studio: Studio) -> None:
    first, _ = two_runs(qtbot, studio)
    studio.autosave.working.budget = 1
    train(qtbot, studio, 1)
    studio.autosave.keep_present_weights()
    assert not studio.reopen_run(1)
    arrived(qtbot, studio, 0)
    assert weights(studio).step == 0 and studio.settings.learning_rate == first.settings.learning_rate
    assert len(studio.runs[1].history) == 3


def test_another_document_has_runs_of_its_own(qtbot: QtBot, studio: Studio, templates: tuple) -> None:
    train(qtbot, studio, 1)
    studio.begin(next(t for t in templates if t.name == "digits"))
    assert studio.runs.all == () and studio.runs.present == 0
    qtbot.waitUntil(lambda: studio.runs.following and studio.controller.state.step == 0)
    train(qtbot, studio, 1)
    assert [run.name for run in studio.runs.all] == ["Run 1"]
