"""Saving and opening a project in the whole program: nothing is lost, training goes on exactly, missing data is no obstacle."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.studio import Studio
from engine.errors import StorageError
from tests.cnnstudio.driven import phase, reset, train, weights


def opened(qtbot: QtBot, studio: Studio, path: Path) -> None:
    """Open a copy: the file itself is open in the other studio."""
    copy = path.with_name("copy of " + path.name)
    shutil.copy(path, copy)
    studio.open_project(copy)
    qtbot.waitUntil(lambda: phase(studio) != RunPhase.EMPTY)


def test_training_goes_on_exactly_after_saving_and_opening(qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path) -> None:
    studio.change(Change("epochs", 1))
    train(qtbot, studio, 3)
    assert studio.document.modified
    studio.save_project(tmp_path / "p.cnn")
    assert not studio.document.modified and studio.path == tmp_path / "p.cnn"
    opened(qtbot, other, tmp_path / "p.cnn")
    assert phase(other) == RunPhase.PAUSED and not other.document.modified
    assert other.document.graph == studio.document.graph
    np.testing.assert_array_equal(other.controller.history.rows, studio.controller.history.rows)
    for each in (studio, other):
        each.controller.run()
        qtbot.waitUntil(lambda each=each: phase(each) == RunPhase.FINISHED, timeout=30_000)
    one, two = weights(studio), weights(other)
    np.testing.assert_array_equal(one.parameters, two.parameters)
    assert all(np.array_equal(one.slots[name], two.slots[name]) for name in one.slots)
    np.testing.assert_array_equal(other.controller.history.rows, studio.controller.history.rows)


def test_a_project_without_its_data_set_opens_with_its_samples(
    qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path, bundled: Path
) -> None:
    copy = tmp_path / "mine.npz"
    copy.write_bytes((bundled / "digits8x8.npz").read_bytes())
    studio.choose_data({"name": str(copy)})
    qtbot.waitUntil(lambda: studio.data is not None and studio.data.name == str(copy))
    train(qtbot, studio, 2)
    before = weights(studio)
    studio.save_project(tmp_path / "p.cnn")
    copy.unlink()
    opened(qtbot, other, tmp_path / "p.cnn")
    assert other.data is not None and len(other.data.train) == 64
    assert other.obstacle is not None and str(copy) in other.obstacle.message and "64 images" in other.obstacle.message
    np.testing.assert_array_equal(weights(other).parameters, before.parameters)
    other.save_project(tmp_path / "q.cnn")
    assert studio.data is not None
    card = other.autosave.working.state().data
    assert card is not None and card.fingerprint == studio.data.fingerprint and card.title == studio.data.title


def trained_on(qtbot: QtBot, studio: Studio, images: Path, batches: int, project: Path) -> dict[str, Any]:
    """Train on a data set of one's own and save; what was chosen for it."""
    choice = {"name": str(images), "split": {"validation": 0.3}}
    studio.choose_data(choice)
    qtbot.waitUntil(lambda: studio.data is not None and studio.data.name == str(images))
    train(qtbot, studio, batches)
    studio.save_project(project)
    return choice


def test_a_data_set_that_is_found_again_at_another_place_lets_training_go_on_exactly(
    qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path, bundled: Path
) -> None:
    here, there = tmp_path / "here.npz", tmp_path / "there.npz"
    shutil.copy(bundled / "digits8x8.npz", here)
    choice = trained_on(qtbot, studio, here, 2, tmp_path / "p.cnn")
    here.rename(there)
    opened(qtbot, other, tmp_path / "p.cnn")
    qtbot.waitUntil(lambda: other.obstacle is not None and other.obstacle.code == "data.elsewhere")
    other.choose_data({"name": str(there)})
    qtbot.waitUntil(lambda: other.obstacle is None and phase(other) == RunPhase.PAUSED and other.settled)
    assert other.document.data == choice | {"name": str(there)}
    for each in (studio, other):
        train(qtbot, each, 1)
    np.testing.assert_array_equal(weights(other).parameters, weights(studio).parameters)
    np.testing.assert_array_equal(other.controller.history.rows, studio.controller.history.rows)
    assert [run.name for run in other.runs.all] == ["Run 1"]


@pytest.mark.parametrize("same", [True, False])
def test_where_a_data_set_was_found_holds_for_older_runs_too_but_other_images_are_not_taken_for_it(
    qtbot: QtBot, studio: Studio, other: Studio, tmp_path: Path, bundled: Path, same: bool
) -> None:
    here, there = tmp_path / "here.npz", tmp_path / "there.npz"
    shutil.copy(bundled / "digits8x8.npz", here)
    choice = trained_on(qtbot, studio, here, 1, tmp_path / "p.cnn")
    here.unlink()
    shutil.copy(bundled / ("digits8x8.npz" if same else "shapes32.npz"), there)
    opened(qtbot, other, tmp_path / "p.cnn")
    qtbot.waitUntil(lambda: other.obstacle is not None and other.obstacle.code == "data.elsewhere")
    other.choose_data({"name": str(there)})
    qtbot.waitUntil(lambda: other.obstacle is None and other.settled and phase(other) != RunPhase.EMPTY)
    reset(qtbot, other)
    train(qtbot, other, 1)
    assert other.runs.present != 1 and other.reopen_run(1)
    assert other.document.data == choice | {"name": str(there if same else here)}
    qtbot.waitUntil(lambda: not other._data.opening and phase(other) == RunPhase.PAUSED)
    assert (other.obstacle is None) is same


def test_a_broken_file_leaves_the_open_project_alone(qtbot: QtBot, studio: Studio, tmp_path: Path) -> None:
    train(qtbot, studio, 1)
    before = studio.document.graph
    (tmp_path / "broken.cnn").write_bytes(b"no project at all")
    with pytest.raises(StorageError, match=r"broken\.cnn is not a CNN Studio project"):
        studio.open_project(tmp_path / "broken.cnn")
    assert studio.document.graph is before and studio.document.modified and weights(studio).step == 1


def test_a_new_network_takes_no_weights_of_the_one_before(qtbot: QtBot, studio: Studio, templates: tuple, tmp_path: Path) -> None:
    fresh = weights(studio).parameters
    train(qtbot, studio, 2)
    studio.save_project(tmp_path / "p.cnn")
    studio.begin(next(t for t in templates if t.name == "digits"))
    qtbot.waitUntil(lambda: phase(studio) == RunPhase.READY and studio.settled)
    qtbot.waitUntil(lambda: weights(studio).step == 0)
    np.testing.assert_array_equal(weights(studio).parameters, fresh)
    assert studio.path is None
