"""Rows of a project database: written with a seal, read one by one so that damage costs no more than the row."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnstudio import __version__
from cnnstudio.document.graph import Graph
from cnnstudio.project import schema
from cnnstudio.project.schema import TABLES, damaged, seal
from cnnstudio.project.state import (
    DataCard,
    ProjectState,
    RunRecord,
    check_choice,
    epoch_from_json,
    epoch_to_json,
    from_json,
    to_json,
)
from engine.checkpoint import Checkpoint
from engine.errors import EngineError, StorageError
from engine.events import EpochDone
from engine.history import COLUMNS, RunHistory
from engine.layer import Array
from engine.settings import TrainSettings

BAD_CONTENT = (StorageError, ValueError, KeyError, TypeError)
"""What reading a row that is not what it should be raises."""

LONG_RECORD = 32 * 2**10
"""Bytes from which on further batches begin a new record: few rows to copy, and little that one damaged row costs."""


@dataclass(frozen=True)
class Record:
    """One row whose seal is intact."""

    id: int
    run: int
    step: int
    time: float
    content: bytes


# --- rows ---


def add(
    connection: sqlite3.Connection,
    table: str,
    content: str | bytes,
    *,
    run: int = 0,
    step: int = 0,
    when: float | None = None,
    id: int | None = None,
) -> int:
    """Put a row in, or in place of the row with that id; gives its id."""
    if id is None:
        (id,) = connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()
    when = time.time() if when is None else when
    data = content.encode() if isinstance(content, str) else content
    connection.execute(
        f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?)",
        (id, run, step, when, content, seal(table, id, run, step, when, data)),
    )
    return id


def read(connection: sqlite3.Connection, table: str, id: int) -> Record | None:
    """One row; None when it is not there or damaged."""
    try:
        row = connection.execute(f"SELECT run, step, time, content, seal FROM {table} WHERE id = ?", (id,)).fetchone()
    except schema.UNREADABLE:
        return None
    if row is None:
        return None
    run, step, when, content, sealed = row
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes) or sealed != seal(table, id, run, step, when, content):
        return None
    return Record(id, run, step, when, content)


def ids(connection: sqlite3.Connection, table: str) -> list[int]:
    """The ids of all rows that can be found, the oldest first.

    Where a page in the middle is unreadable, those before it are found from the front, those behind it from the back.
    """
    found: set[int] = set()
    for order in ("ASC", "DESC"):
        try:
            for (id,) in connection.execute(f"SELECT id FROM {table} ORDER BY id {order}"):
                found.add(id)
            break
        except schema.UNREADABLE:
            continue
    return sorted(found)


def copy(source: sqlite3.Connection, target: sqlite3.Connection, *, only_newest_network: bool = False) -> list[str]:
    """Copy every intact row of one database to another; gives the names of tables in which rows were damaged."""
    lossy = []
    for table in TABLES:
        rows = ids(source, table)
        newest_found = False
        for id in reversed(rows):
            record = read(source, table, id)
            if record is None:
                lossy.append(table)
            elif not (table == "networks" and only_newest_network and newest_found):
                add(target, table, _as_stored(table, record.content), run=record.run, step=record.step, when=record.time, id=id)
                newest_found = True
    return sorted(set(lossy), key=TABLES.index)


def _as_stored(table: str, content: bytes) -> str | bytes:
    """JSON is kept as text, so that any program that reads SQLite shows it."""
    return content if table in ("data", "batches", "checkpoints") else content.decode()


# --- writing what a project holds ---


def add_about(connection: sqlite3.Connection) -> None:
    """Say which program writes this."""
    add(connection, "about", to_json({"program": "CNN Studio", "version": __version__}), id=1)


def add_run(connection: sqlite3.Connection, run: RunRecord) -> int:
    """Put a run in, without its history; gives its id."""
    return add(connection, "runs", to_json(run.about()), when=run.started, id=run.id or None)


def remove_run(connection: sqlite3.Connection, id: int) -> None:
    """Take a run out with its curve and checkpoints; the newest checkpoint stays, since the present weights are in it."""
    for table in ("batches", "epochs"):
        connection.execute(f"DELETE FROM {table} WHERE run = ?", (id,))
    connection.execute("DELETE FROM runs WHERE id = ?", (id,))
    connection.execute("DELETE FROM checkpoints WHERE run = ? AND id < (SELECT max(id) FROM checkpoints)", (id,))


def deleted_runs(connection: sqlite3.Connection) -> set[int]:
    """The ids of runs that the user has deleted and may bring back."""
    found = set()
    for id in ids(connection, "runs"):
        record = read(connection, "runs", id)
        with suppress(ValueError, KeyError, TypeError):  # damaged runs are told where they are read
            if record is not None and from_json(record.content)["deleted"]:
                found.add(id)
    return found


def add_batches(connection: sqlite3.Connection, run: int, rows: Array) -> None:
    """Put rows of batches in, (n, 4) as in `RunHistory.rows`; a short record of the same run is made longer."""
    if not len(rows):
        return
    content, first, id = np.ascontiguousarray(rows, "<f8").tobytes(), int(rows[0, 0]), None
    (last,) = connection.execute("SELECT max(id) FROM batches").fetchone()
    before = None if last is None else read(connection, "batches", last)
    if before is not None and before.run == run and len(before.content) < LONG_RECORD:
        content, first, id = before.content + content, before.step, before.id
    add(connection, "batches", content, run=run, step=first, id=id)


def add_epoch(connection: sqlite3.Connection, run: int, epoch: EpochDone) -> None:
    """Put the figures of an epoch in."""
    add(connection, "epochs", epoch_to_json(epoch), run=run, step=epoch.step)


def add_state(connection: sqlite3.Connection, state: ProjectState) -> None:
    """Put a whole project into an empty database."""
    add_about(connection)
    add(connection, "networks", to_json(dict(state.graph)))
    if state.data is not None:
        add(connection, "data", state.data.to_bytes(), id=1)
    for run in state.runs:
        id = add_run(connection, run)
        add_batches(connection, id, run.history.rows)
        for epoch in run.history.epochs:
            add_epoch(connection, id, epoch)
    if state.checkpoint is not None:
        add(connection, "checkpoints", state.checkpoint.to_bytes(), run=state.run, step=state.checkpoint.step)


# --- reading ---


def read_state(connection: sqlite3.Connection, name: str) -> ProjectState:
    """The newest valid state; raises StorageError when there is no network left. `name` stands for the file in messages."""
    damage: list[str] = []
    graph = _newest_network(connection, damage)
    if graph is None:
        raise damaged(name, "the network cannot be read")
    about = read(connection, "about", 1)
    (checkpoint, run), data = _newest_checkpoint(connection, damage), _data_card(connection, damage)
    runs = tuple(_runs(connection, damage))
    if not damage and not is_sound(connection):  # a row may be gone without a trace
        damage.append("The file is damaged, and something may be missing.")
    written_by = from_json(about.content) if about is not None else {}
    return ProjectState(graph, checkpoint, data, runs, run, written_by, tuple(damage))


def is_sound(connection: sqlite3.Connection) -> bool:
    """Whether the structure of a database is in order."""
    try:
        return bool(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == b"ok")
    except schema.UNREADABLE:
        return False


def check_network(graph: Any) -> None:
    """Raise EngineError or ValueError unless a program can show this network with its settings and its data set."""
    found = Graph.from_json(graph)
    TrainSettings.from_json(found.training)
    check_choice(found.data)


def read_checkpoint(record: Record) -> Checkpoint:
    """The checkpoint of a row; raises StorageError when it is not one, or does not fit its own network."""
    checkpoint = Checkpoint.from_bytes(record.content)
    _check_arrays(checkpoint)
    return checkpoint


def _newest_network(connection: sqlite3.Connection, damage: list[str]) -> dict[str, object] | None:
    for id in reversed(ids(connection, "networks")):
        record = read(connection, "networks", id)
        if record is not None:
            try:
                graph: dict[str, object] = from_json(record.content)
                check_network(graph)
                return graph
            except (EngineError, ValueError):
                pass  # an older one may be whole; the loss is told below
        damage[:] = ["The newest state of the network was damaged; an older one is shown."]
    return None


def checkpoint_of(connection: sqlite3.Connection, run: int) -> Checkpoint | None:
    """The newest intact checkpoint of a run; None when there is none."""
    for id in reversed(ids(connection, "checkpoints")):
        record = read(connection, "checkpoints", id)
        with suppress(*BAD_CONTENT):
            if record is not None and record.run == run:
                return read_checkpoint(record)
    return None


def _newest_checkpoint(connection: sqlite3.Connection, damage: list[str]) -> tuple[Checkpoint | None, int]:
    """The present weights and the id of their run."""
    lost = False
    for id in reversed(ids(connection, "checkpoints")):
        record = read(connection, "checkpoints", id)
        try:
            if record is not None:
                checkpoint = read_checkpoint(record)
                if lost:
                    damage.append("The newest weights were damaged; those of an earlier step are used.")
                return checkpoint, record.run
        except BAD_CONTENT:
            pass  # as above
        lost = True
    if lost:
        damage.append("The trained weights were damaged; the network starts with new ones.")
    return None, 0


def _data_card(connection: sqlite3.Connection, damage: list[str]) -> DataCard | None:
    for id in ids(connection, "data"):
        record = read(connection, "data", id)
        try:
            if record is not None:
                return DataCard.from_bytes(record.content)
        except BAD_CONTENT:
            pass  # as above
        damage.append("The sample images of the data set were damaged.")
    return None


def _runs(connection: sqlite3.Connection, damage: list[str]) -> Iterator[RunRecord]:
    batches, epochs = _batches(connection, damage), _epochs(connection, damage)
    for id in ids(connection, "runs"):
        record = read(connection, "runs", id)
        try:
            if record is not None:
                history = RunHistory(batches.get(id), epochs.get(id, ()), run=id)
                run = RunRecord.of(from_json(record.content), id, record.time, history)
                if not run.deleted:
                    yield run
                continue
        except (EngineError, *BAD_CONTENT):
            pass  # as above
        damage.append("The description of a training run was damaged; its curve is left out.")


def _batches(connection: sqlite3.Connection, damage: list[str]) -> dict[int, Array]:
    """The rows of each run. Training that was resumed from an earlier step replaces what followed that step."""
    parts: dict[int, list[Array]] = {}
    lost = False
    for id in ids(connection, "batches"):
        record = read(connection, "batches", id)
        if record is None or not record.content or len(record.content) % (8 * len(COLUMNS)):
            lost = True
            continue
        parts.setdefault(record.run, []).append(np.frombuffer(record.content, "<f8").reshape(-1, len(COLUMNS)))
    if lost:
        damage.append("A part of the training curve was damaged and is left out.")
    return {run: _last_told(np.concatenate(rows)) for run, rows in parts.items()}


def _last_told(rows: Array) -> Array:
    """The rows that no later row with the same or an earlier step replaces."""
    following: Array = np.minimum.accumulate(np.append(rows[:, 0], np.inf)[::-1])[::-1][1:]
    kept: Array = rows[rows[:, 0] < following]
    return kept


def _epochs(connection: sqlite3.Connection, damage: list[str]) -> dict[int, list[EpochDone]]:
    """The epochs of each run; one that was trained again counts as it came out last."""
    found: dict[int, list[EpochDone]] = {}
    lost = False
    for id in ids(connection, "epochs"):
        record = read(connection, "epochs", id)
        try:
            if record is not None:
                epoch = epoch_from_json(record.content)
                earlier = found.get(record.run, [])
                found[record.run] = [*_before(earlier, epoch), epoch]
                continue
        except BAD_CONTENT:
            pass  # as above
        lost = True
    if lost:
        damage.append("The figures of an epoch were damaged and are left out.")
    return found


def _before(epochs: Iterable[EpochDone], next_one: EpochDone) -> list[EpochDone]:
    return [epoch for epoch in epochs if epoch.epoch < next_one.epoch]


def _check_arrays(checkpoint: Checkpoint) -> None:
    """A checkpoint from a stranger's file must fit its own network before anything computes with it."""
    try:
        placed = checkpoint.spec.placed()
    except EngineError as error:
        raise StorageError("The checkpoint's network does not fit together: {reason}", code="checkpoint.shapes",
                           reason=error.message) from None  # fmt: skip
    size = sum(int(np.prod(param.shape)) for p in placed for param in p.node.layer.params(p.x).values())
    state = {f"{p.node.id}.{name}": param.shape for p in placed for name, param in p.node.layer.state(p.x).items()}
    vectors = [checkpoint.parameters, *checkpoint.slots.values()]
    fits = all(v.shape == (size,) and v.dtype in (np.float32, np.float64) for v in vectors)
    if not fits or set(checkpoint.slots) != set(checkpoint.settings.optimizer.slots):
        raise StorageError("The checkpoint's weights do not fit its network.", code="checkpoint.weights")
    if {name: array.shape for name, array in checkpoint.state.items()} != state:
        raise StorageError("The checkpoint's running figures do not fit its network.", code="checkpoint.state")
