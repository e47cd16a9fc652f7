"""The working database: everything is in it at once, saving is exact, a crash loses nothing, two windows do not collide."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cnnstudio.document.graph import Graph
from cnnstudio.project import disk, files, recovery, working
from cnnstudio.project.files import open_project
from cnnstudio.project.folder import remove_database
from cnnstudio.project.recovery import Abandoned, adopt, find_abandoned
from cnnstudio.project.working import WorkingDatabase
from engine.errors import StorageError
from tests.cnnstudio.project.conftest import Trained
from tests.cnnstudio.project.same import assert_same, assert_same_checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of working databases."""
    return tmp_path / "working"


@pytest.fixture
def database(folder: Path) -> Iterator[WorkingDatabase]:
    """A new working database."""
    database = WorkingDatabase.create(folder, Graph(title="new"))
    yield database
    database.close()


def fill(database: WorkingDatabase, trained: Trained) -> int:
    """Put everything of a project in, as the program does; gives the run's id."""
    state = trained.state
    run = state.runs[0]
    database.put_network(Graph.from_json(state.graph))
    assert state.data is not None and state.checkpoint is not None
    database.put_data(state.data)
    id = database.begin_run(run)
    for checkpoint in (*trained.checkpoints, state.checkpoint):
        done = len(database.state().runs[0].history) if database.state().runs else 0
        database.put_batches(id, run.history.rows[done : checkpoint.step])
        database.put_checkpoint(id, checkpoint)
        database.flush()
    for epoch in run.history.epochs:
        database.put_epoch(id, epoch)
    database.put_modified(True)
    return id


def crash(database: WorkingDatabase, folder: Path, to: Path) -> Path:
    """What would be left if the process died now."""
    assert database.flush() is None
    shutil.copytree(folder, to)
    return to


def titled(trained: Trained, title: str) -> Graph:
    return dataclasses.replace(Graph.from_json(trained.state.graph), title=title)


def test_saving_gives_exactly_what_was_put_in(database: WorkingDatabase, trained: Trained, tmp_path: Path) -> None:
    fill(database, trained)
    database.save(tmp_path / "p.cnn")
    assert_same(open_project(tmp_path / "p.cnn"), trained.state)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.cnn", "working"]


def test_a_project_file_holds_no_path_of_this_computer(database: WorkingDatabase, trained: Trained, tmp_path: Path) -> None:
    fill(database, trained)
    database.save(tmp_path / "p.cnn")
    database.save(tmp_path / "p.cnn")
    assert str(tmp_path).encode() not in (tmp_path / "p.cnn").read_bytes()


def test_everything_is_in_the_file_within_a_second(database: WorkingDatabase, trained: Trained) -> None:
    database.put_network(titled(trained, "now"))
    assert database.path is not None
    assert working.DELAY <= 0.5  # the rest is left to a busy machine
    end = time.monotonic() + 20
    while time.monotonic() < end:
        connection = sqlite3.connect(database.path)
        rows = connection.execute("SELECT content FROM networks").fetchall()
        connection.close()
        if rows and '"now"' in rows[-1][0]:
            return
        time.sleep(0.02)
    pytest.fail("the edit is not in the database")


def test_what_comes_while_changes_are_gathered_does_not_wake_the_thread(
    database: WorkingDatabase, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "DELAY", 60.0)
    assert database.flush() is None  # the thread waits with the new delay from now on
    woken = []
    notify = database._changed.notify

    def counted() -> None:
        woken.append(None)
        notify()

    monkeypatch.setattr(database._changed, "notify", counted)
    for number in range(5):
        database.put_network(titled(trained, f"edit {number}"))
    assert len(woken) == 1
    assert database.flush() is None
    connection = sqlite3.connect(str(database.path))
    assert '"edit 4"' in connection.execute("SELECT content FROM networks").fetchall()[-1][0]
    connection.close()


def test_after_a_crash_everything_is_found_again(
    database: WorkingDatabase, folder: Path, trained: Trained, tmp_path: Path
) -> None:
    fill(database, trained)
    (found,) = find_abandoned(crash(database, folder, tmp_path / "later"))
    assert found.whole and found.state is not None and found.step == 35 and found.title == "数字"
    assert_same(found.state, trained.state)
    again = adopt(found)
    assert_same(again.state(), trained.state)
    assert len(again.checkpoints()) == 4
    again.close()
    assert list((tmp_path / "later").iterdir()) == []


def test_a_living_process_keeps_its_database(database: WorkingDatabase, folder: Path, trained: Trained) -> None:
    fill(database, trained)
    database.flush()
    assert find_abandoned(folder) == []


def test_what_is_saved_or_untouched_needs_no_recovery(
    database: WorkingDatabase, folder: Path, trained: Trained, tmp_path: Path
) -> None:
    assert find_abandoned(crash(database, folder, tmp_path / "untouched")) == []
    fill(database, trained)
    database.save(tmp_path / "p.cnn")
    later = crash(database, folder, tmp_path / "saved")
    assert find_abandoned(later) == [] and list(later.iterdir()) == []


def test_a_process_that_dies_while_it_removes_its_database_leaves_nothing_to_offer(
    database: WorkingDatabase, folder: Path, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, trained)
    database.flush()
    database._ask(lambda: database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    database.save(tmp_path / "p.cnn")  # what says so is in the log, not yet in the database itself
    later = crash(database, folder, tmp_path / "later")
    (path,) = later.glob("*.db")
    unlink, done = Path.unlink, []

    def dies(self: Path, missing_ok: bool = False) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(self)
        unlink(self, missing_ok)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "unlink", dies)
        remove_database(path)
    assert find_abandoned(later) == [] and list(later.iterdir()) == []


def test_work_that_is_kept_on_closing_is_offered(folder: Path, trained: Trained) -> None:
    database = WorkingDatabase.create(folder, Graph(title="new"))
    fill(database, trained)
    database.close(keep=True)
    (found,) = find_abandoned(folder)
    found.release()
    (found,) = find_abandoned(folder)
    found.delete()
    assert list(folder.iterdir()) == []


def test_training_resumed_from_an_earlier_step_replaces_what_followed(database: WorkingDatabase, trained: Trained) -> None:
    id = fill(database, trained)
    rows = trained.state.runs[0].history.rows
    other = rows[20:25].copy()
    other[:, 1] = 9.0
    database.put_checkpoint(id, trained.checkpoints[1])
    database.put_batches(id, other)
    history = database.state().runs[0].history
    np.testing.assert_array_equal(history.rows, np.concatenate([rows[:20], other]))
    assert len(database.state().history) == 20  # what the checkpoint has seen


def test_a_damaged_newest_row_leaves_the_one_before(
    database: WorkingDatabase, folder: Path, trained: Trained, tmp_path: Path
) -> None:
    fill(database, trained)
    database.put_network(titled(trained, "newest"))
    later = crash(database, folder, tmp_path / "later")
    (path,) = later.glob("*.db")
    connection = sqlite3.connect(path)
    for table in ("networks", "checkpoints"):
        connection.execute(f"UPDATE {table} SET content = substr(content, 1, 100) WHERE id = (SELECT max(id) FROM {table})")
    connection.commit()
    connection.close()
    (found,) = find_abandoned(later)
    assert not found.whole and found.state is not None and found.state.graph["title"] == "数字"
    assert_same_checkpoint(found.state.checkpoint, trained.checkpoints[-1])
    again = adopt(found)
    assert again.path != path and (later / recovery.DAMAGED / path.name).exists()
    assert_same_checkpoint(again.state().checkpoint, trained.checkpoints[-1])
    again.close()
    (aside,) = find_abandoned(later)
    aside.delete()
    assert find_abandoned(later) == []


def test_an_unreadable_database_is_offered_and_deleted_only_by_the_user(folder: Path) -> None:
    folder.mkdir()
    (folder / "x.db").write_bytes(b"\x55" * 5000)
    (found,) = find_abandoned(folder)
    assert found.state is None and not found.whole
    recovery.set_aside(found)
    (found,) = find_abandoned(folder)
    assert found.path.parent.name == recovery.DAMAGED
    found.delete()
    assert find_abandoned(folder) == []


def test_a_full_disk_is_told_and_nothing_is_lost(
    database: WorkingDatabase, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "RETRY", 0.05)
    database.flush()
    database._connection.execute("PRAGMA max_page_count = 12")
    fill(database, trained)
    failure = database.flush()
    assert failure is not None and "the disk is full" in failure.message and database.failure is failure
    database.save(tmp_path / "p.cnn")  # another disk may have room
    found = open_project(tmp_path / "p.cnn")
    assert found.history.rows.shape == (35, 4)
    assert_same(found, trained.state)
    database._connection.execute("PRAGMA max_page_count = 100000")
    assert database.flush() is None and database.failure is None
    assert_same(database.state(), trained.state)


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="not protected against a crash"):
        WorkingDatabase.create(tmp_path / "file" / "working", Graph())
    database = WorkingDatabase.create(None, Graph())
    database.close()


def test_a_file_changed_by_somebody_else_is_not_overwritten(database: WorkingDatabase, trained: Trained, tmp_path: Path) -> None:
    fill(database, trained)
    path = tmp_path / "p.cnn"
    database.save(path)
    assert not database.changed_on_disk()
    files.save_project(path, dataclasses.replace(trained.state, checkpoint=None))
    theirs = path.read_bytes()
    assert database.changed_on_disk()
    with pytest.raises(StorageError) as caught:
        database.save(path)
    assert caught.value.code == "project.changed" and path.read_bytes() == theirs
    database.save(tmp_path / "other.cnn")
    database.save(path, overwrite=True)
    assert_same(open_project(path), trained.state)


def test_a_save_that_a_crash_cut_short_is_not_taken_for_somebody_elses(
    database: WorkingDatabase, trained: Trained, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.cnn"
    fill(database, trained)
    database.save(path)
    with monkeypatch.context() as patch:
        patch.setattr(database, "_note", lambda notes: WorkingDatabase._note(database, notes) if notes["saving"] else None)
        database.put_network(titled(trained, "second"))
        database.put_modified(True)
        database.save(path)  # the process dies just behind the exchange
    (found,) = find_abandoned(crash(database, folder, tmp_path / "second"))
    second = adopt(found)
    with monkeypatch.context() as patch:
        patch.setattr(disk, "replace_file", lambda path, data: None)
        second.put_network(titled(trained, "third"))
        second.put_modified(True)
        patch.setattr(second, "_note", lambda notes: WorkingDatabase._note(second, notes) if notes["saving"] else None)
        second.save(path)  # and again just before it
    (found,) = find_abandoned(crash(second, tmp_path / "second", tmp_path / "third"))
    third = adopt(found)
    third.save(path)
    assert open_project(path).graph["title"] == "third"
    second.close()
    third.close()


def test_a_copy_leaves_the_document_there(database: WorkingDatabase, trained: Trained, folder: Path, tmp_path: Path) -> None:
    fill(database, trained)
    database.save(tmp_path / "p.cnn")
    database.put_network(titled(trained, "later"))
    database.put_modified(True)
    database.save_copy(tmp_path / "copy.cnn")
    assert open_project(tmp_path / "copy.cnn").graph["title"] == "later" and database.project == tmp_path / "p.cnn"
    assert open_project(tmp_path / "p.cnn").graph["title"] == "数字"
    (found,) = find_abandoned(crash(database, folder, tmp_path / "later"))
    assert found.project == tmp_path / "p.cnn"
    found.release()


def test_a_project_open_in_another_window_is_refused(database: WorkingDatabase, trained: Trained, folder: Path,
                                                     tmp_path: Path) -> None:  # fmt: skip
    fill(database, trained)
    path = tmp_path / "p.cnn"
    database.save(path)
    other = WorkingDatabase.create(folder, Graph(title="new"))
    other.put_network(titled(trained, "other"))
    with pytest.raises(StorageError) as caught:
        other.save(path)
    assert caught.value.code == "project.open_elsewhere"
    database.close()
    other.save(path)
    other.close()


def test_a_failed_save_leaves_the_document_modified(database: WorkingDatabase, trained: Trained, folder: Path,
                                                    tmp_path: Path) -> None:  # fmt: skip
    fill(database, trained)
    with pytest.raises(StorageError, match="folder is not there"):
        database.save(tmp_path / "gone" / "p.cnn")
    (found,) = find_abandoned(crash(database, folder, tmp_path / "later"))
    found.release()


def test_checkpoints_stay_within_their_budget_and_the_newest_always_stays(database: WorkingDatabase, trained: Trained) -> None:
    id = fill(database, trained)
    checkpoint = trained.state.checkpoint
    assert checkpoint is not None
    database.budget = 5 * len(dataclasses.replace(checkpoint, step=239).to_bytes())  # a longer number may make it longer
    for step in range(40, 240):
        database.put_checkpoint(id, dataclasses.replace(checkpoint, step=step))
        database.flush()
    kept = [c.step for c in database.checkpoints()]
    assert len(kept) == 5 and kept[-1] == 239
    gaps = np.diff(kept)
    assert gaps.max() <= 4 * gaps.min()
    assert database.checkpoint(database.checkpoints()[0].id).step == kept[0]
    database.budget = 1
    database.put_checkpoint(id, dataclasses.replace(checkpoint, step=300))
    assert [c.step for c in database.checkpoints()] == [300]


def test_runs_are_renamed_and_removed(database: WorkingDatabase, trained: Trained) -> None:
    id = fill(database, trained)
    run = database.state().runs[0]
    database.change_run(id, dataclasses.replace(run, name="with Adam", note="第一"))
    assert [(r.name, r.note, len(r.history)) for r in database.state().runs] == [("with Adam", "第一", 35)]
    assert database.flush() is None
    database.change_run(id, dataclasses.replace(run, deleted=True))
    state = database.state()
    assert state.runs == ()
    assert_same_checkpoint(state.checkpoint, trained.state.checkpoint)


def test_a_project_is_opened_into_a_working_database_of_its_own(trained: Trained, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.cnn"
    files.save_project(path, trained.state)
    before = path.read_bytes()
    source = files.from_image(before, path.name)
    database = WorkingDatabase.create(folder, source)
    source.close()
    database.adopt_project(path, disk.digest(before))
    assert_same(database.state(), trained.state)
    assert database.project == path and not database.changed_on_disk()
    database.close()
    assert path.read_bytes() == before and list(folder.iterdir()) == []


def test_empty_graphs_are_kept_too(database: WorkingDatabase, trained: Trained) -> None:
    database.put_network(titled(trained, "full"))
    database.put_network(Graph(title="empty"))
    assert database.state().graph["title"] == "empty"


def _of(found: list[Abandoned]) -> list[str]:
    return [item.title for item in found]


def test_the_latest_work_comes_first(folder: Path, trained: Trained) -> None:
    for title in ("first", "second"):
        database = WorkingDatabase.create(folder, Graph(title="new"))
        database.put_network(titled(trained, title))
        database.put_modified(True)
        database.flush()
        database.close(keep=True)
        time.sleep(0.01)
    found = find_abandoned(folder)
    assert _of(found) == ["second", "first"]
    for item in found:
        item.release()
