"""Project files: what is saved is opened again, everything else is refused clearly and left untouched."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from cnnstudio.project import records, schema
from cnnstudio.project.files import from_image, memory, open_project, save_project
from cnnstudio.project.migrations import Step, migrate
from engine.errors import StorageError
from tests.cnnstudio.project.conftest import Trained
from tests.cnnstudio.project.same import assert_same

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def saved(trained: Trained, tmp_path: Path) -> Path:
    """A project file."""
    path = tmp_path / "p.cnn"
    save_project(path, trained.state)
    return path


def refusal(path: Path) -> StorageError:
    """The error with which a file is refused; the file must stay as it is."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StorageError) as caught:
        open_project(path)
    if before is not None:
        assert path.read_bytes() == before
    return caught.value


def test_what_is_saved_is_opened_again(saved: Path, trained: Trained) -> None:
    found = open_project(saved)
    assert_same(found, trained.state)
    assert found.damage == () and found.about["program"] == "CNN Studio" and len(found.history) == 35


def test_saving_twice_replaces_the_file_and_leaves_nothing_beside_it(saved: Path, trained: Trained) -> None:
    os.chmod(saved, 0o640)
    save_project(saved, trained.state)
    assert os.listdir(saved.parent) == ["p.cnn"]
    assert saved.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(saved: Path, trained: Trained, tmp_path: Path) -> None:
    link = tmp_path / "link.cnn"
    link.symlink_to(saved)
    before = saved.stat().st_ino
    save_project(link, trained.state)
    assert link.is_symlink() and saved.stat().st_ino != before


@pytest.mark.parametrize(
    "name", ["项目 ü ñ 🙂.cnn", "长" * 83 + ".cnn", "/".join(["数据" * 20] * 6) + "/p.cnn"], ids=["letters", "name", "path"]
)  # fmt: skip
def test_long_and_foreign_names_work(trained: Trained, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save_project(path, trained.state)
    save_project(path, trained.state)
    assert_same(open_project(path), trained.state)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "not_a_project"), (b"hello", "not_a_project"), (b"SQLite format 3\0" + bytes(50), "not_a_project"),
     (b"SQLite format 3\0" + bytes(5000), "not_a_project"), (b"PK\3\4" * 1000, "not_a_project")],
)  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.cnn"
    path.write_bytes(content)
    error = refusal(path)
    assert error.code.endswith(code) and "x.cnn" in error.message


def test_databases_of_other_programs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.cnn"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    assert refusal(path).code == "project.not_a_project"


def test_a_newer_format_is_refused_by_its_number(saved: Path) -> None:
    edit(saved, f"PRAGMA user_version = {schema.FORMAT + 7}")
    error = refusal(saved)
    assert error.code == "project.newer" and "p.cnn" in error.message and str(schema.FORMAT + 7) in error.message


@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
def test_truncated_files_are_refused(saved: Path, share: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[: int(len(data) * share)])
    error = refusal(saved)
    assert error.code == "project.damaged" and "end is missing" in error.message


@pytest.mark.parametrize(
    "statement",
    ["CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM networks; END", "CREATE VIEW v AS SELECT 1",
     "DROP TABLE epochs", "ALTER TABLE runs ADD COLUMN more"],
)  # fmt: skip
def test_nothing_but_our_own_tables_is_let_in(saved: Path, statement: str) -> None:
    edit(saved, statement)
    assert refusal(saved).code == "project.damaged"


def test_a_folder_a_missing_file_and_a_device_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).code == "project.folder"
    assert refusal(tmp_path / "none.cnn").code == "project.missing"
    os.mkfifo(tmp_path / "pipe.cnn")
    assert refusal(tmp_path / "pipe.cnn").code == "project.not_a_file"


def test_rows_that_were_changed_by_hand_are_left_out_and_told(saved: Path, trained: Trained) -> None:
    edit(saved, "UPDATE checkpoints SET step = step + 1")
    found = open_project(saved)
    assert found.checkpoint is None and len(found.history) == 0 and len(found.runs[0].history) == 35
    assert found.damage == ("The trained weights were damaged; the network starts with new ones.",)
    edit(saved, "UPDATE networks SET content = replace(content, 'conv', 'corn')")
    assert refusal(saved).code == "project.damaged"


def test_weights_that_do_not_fit_their_network_are_left_out(trained: Trained, tmp_path: Path) -> None:
    import dataclasses

    checkpoint = trained.state.checkpoint
    assert checkpoint is not None
    wrong = dataclasses.replace(checkpoint, parameters=checkpoint.parameters[:-1])
    path = tmp_path / "p.cnn"
    save_project(path, dataclasses.replace(trained.state, checkpoint=wrong))
    found = open_project(path)
    assert found.checkpoint is None and len(found.damage) == 1


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("format-*.cnn")), ids=lambda path: path.stem)
def test_every_format_that_was_ever_published_opens(path: Path) -> None:
    found = open_project(path)
    assert found.graph["title"] == "数字" and found.damage == ()
    assert found.checkpoint is not None and found.checkpoint.step == 35 and len(found.history) == 35


def test_the_runs_of_a_format_2_file_keep_names_notes_settings_and_weights(tmp_path: Path) -> None:
    found = open_project(SAMPLES / "format-2.cnn")
    first, second = found.runs
    assert (first.name, first.note, len(first.history)) == ("Run 1", "zu langsam 太慢", 20)
    assert first.settings["learning_rate"] == 0.001
    assert first.places["conv1"] == (20.0, 10.0) and (second.name, second.changes) == ("Run 2", ((10, {"l2": 0.001}),))
    assert found.run == second.id == 2
    connection = from_image((SAMPLES / "format-2.cnn").read_bytes(), "format-2.cnn")
    weights = [records.checkpoint_of(connection, run) for run in (1, 2)]
    assert [each.step for each in weights if each is not None] == [20, 35]
    connection.close()


def old_run(connection: sqlite3.Connection, trained: Trained, id: int, series: int, first_step: int, **settings: float) -> None:
    """A run as format 1 described it."""
    run = trained.state.runs[0]
    about = {"name": f"Run {id}", "note": f"note {id}", "series": series, "first_step": first_step, "data": run.data,
             "settings": dict(run.settings) | settings, "network": dict(run.network)}  # fmt: skip
    records.add(connection, "runs", json.dumps(about), when=100.0 + id, id=id)
    records.add_batches(connection, id, run.history.rows[first_step : first_step + 15])


def test_runs_of_format_1_that_went_on_from_each_other_become_one(trained: Trained) -> None:
    connection = memory()
    with connection:
        records.add(connection, "networks", json.dumps(trained.state.graph))
        old_run(connection, trained, 1, series=1, first_step=0)
        old_run(connection, trained, 2, series=2, first_step=0)
        old_run(connection, trained, 3, series=2, first_step=15, learning_rate=0.5)
        records.add_epoch(connection, 3, trained.state.runs[0].history.epochs[0])
        checkpoint = trained.checkpoints[-1]
        records.add(connection, "checkpoints", checkpoint.to_bytes(), run=3, step=checkpoint.step)
        old_run(connection, trained, 4, series=2, first_step=30, learning_rate=0.5)
        connection.execute("UPDATE runs SET time = 7 WHERE id = 4")  # damaged
        connection.execute("PRAGMA user_version = 1")
    migrate(connection)
    state = records.read_state(connection, "p.cnn")
    connection.close()
    assert [(run.id, run.name, run.note) for run in state.runs] == [(1, "Run 1", "note 1"), (2, "Run 2", "note 2\nnote 3")]
    assert [len(run.history) for run in state.runs] == [15, 30] and state.runs[1].changes == ((15, {"learning_rate": 0.5}),)
    assert len(state.runs[1].history.epochs) == 1 and state.runs[1].started == 102.0
    assert state.run == 2 and len(state.history) == 30
    assert state.damage == ("The description of a training run was damaged; its curve is left out.",)


def test_there_is_a_sample_of_every_format() -> None:
    assert {path.stem for path in SAMPLES.glob("*.cnn")} == {f"format-{n}" for n in range(1, schema.FORMAT + 1)}


def test_migrations_run_step_by_step_each_as_one_transaction() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    done: list[int] = []

    def step(number: int) -> Step:
        def bring(connection: sqlite3.Connection) -> None:
            connection.execute(f"CREATE TABLE t{number} (a)")
            if number == 3 and len(done) < 5:
                done.append(0)
                raise sqlite3.OperationalError("disk full")
            done.append(number)

        return bring

    connection.execute("PRAGMA user_version = 1")
    steps = {n: step(n) for n in (1, 2, 3)}
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, to=4, migrations=steps)
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    assert [name for (name,) in connection.execute("SELECT name FROM sqlite_master")] == ["t1", "t2"]
    done += [0, 0]
    migrate(connection, to=4, migrations=steps)
    assert connection.execute("PRAGMA user_version").fetchone() == (4,)
    connection.close()


def edit(path: Path, statement: str) -> None:
    """Change a project file behind the program's back."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()
