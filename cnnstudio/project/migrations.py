"""The steps that bring files of older formats to the present one. A step is never changed once it was published.

1 to 2: in format 1 every press on Train began a run, and runs of one `series` went on from each other's weights. From
format 2 on a run is all that was trained from the same drawing of weights: the runs of a series become one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from cnnstudio.project.schema import FORMAT, UNREADABLE, seal

Step = Callable[[sqlite3.Connection], None]


def migrate(connection: sqlite3.Connection, *, to: int = FORMAT, migrations: Mapping[int, Step] | None = None) -> None:
    """Bring an older database to the present format, step by step; each step is one transaction."""
    steps = MIGRATIONS if migrations is None else migrations
    while (found := connection.execute("PRAGMA user_version").fetchone()[0]) < to:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            steps[found](connection)
            connection.execute(f"PRAGMA user_version = {found + 1}")


def _from_1_to_2(connection: sqlite3.Connection) -> None:
    """Damaged rows stay as they are: they are passed over and told when the project is read."""
    leaders: dict[int, int] = {}
    """series -> the id of its first run"""
    described: dict[int, dict[str, Any]] = {}
    settings: dict[int, dict[str, Any]] = {}
    """Those in force at the end of each run so far."""
    for id, _, _, _, content in _intact(connection, "runs"):
        with suppress(ValueError, KeyError, TypeError):
            about = json.loads(content)
            series, first_step = int(about.pop("series")), int(about.pop("first_step"))
            now = dict(about["settings"])
            first = leaders.setdefault(series, id)
            if first == id:
                described[id] = about | {"changes": [], "places": {}, "deleted": False}
            else:
                change = {name: value for name, value in now.items() if settings[first].get(name) != value}
                if change:
                    described[first]["changes"].append([first_step, change])
                notes = [text for text in (described[first]["note"], about["note"]) if text]
                described[first]["note"] = "\n".join(notes)
                for table in ("batches", "epochs", "checkpoints"):
                    _give(connection, table, id, first)
                connection.execute("DELETE FROM runs WHERE id = ?", (id,))
            settings[first] = now
    for id, run, step, when, _ in _intact(connection, "runs"):
        if id in described:
            _put(connection, "runs", id, run, step, when, json.dumps(described[id], ensure_ascii=False))


def _give(connection: sqlite3.Connection, table: str, run: int, to: int) -> None:
    """Make the rows of one run rows of another."""
    for id, of, step, when, content in _intact(connection, table):
        if of == run:
            _put(connection, table, id, to, step, when, content if table != "epochs" else content.decode())


def _put(connection: sqlite3.Connection, table: str, id: int, run: int, step: int, when: float, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    with suppress(*UNREADABLE):
        connection.execute(f"UPDATE {table} SET run = ?, content = ?, seal = ? WHERE id = ?",
                           (run, content, seal(table, id, run, step, when, data), id))  # fmt: skip


def _intact(connection: sqlite3.Connection, table: str) -> list[tuple[int, int, int, float, bytes]]:
    """(id, run, step, time, content) of every row that can be read and whose seal is right, the oldest first."""
    found: set[int] = set()
    for order in ("ASC", "DESC"):  # round an unreadable page in the middle
        with suppress(*UNREADABLE):
            for (id,) in connection.execute(f"SELECT id FROM {table} ORDER BY id {order}"):
                found.add(id)
    rows = []
    for id in sorted(found):
        with suppress(*UNREADABLE, TypeError, AttributeError):
            query = f"SELECT run, step, time, content, seal FROM {table} WHERE id = ?"
            run, step, when, content, sealed = connection.execute(query, (id,)).fetchone()
            data = content.encode() if isinstance(content, str) else content
            if sealed == seal(table, id, run, step, when, data):
                rows.append((id, run, step, when, data))
    return rows


MIGRATIONS: Mapping[int, Step] = {1: _from_1_to_2}
"""For each older format the step that makes the next one of it."""
