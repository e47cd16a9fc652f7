"""The format of project files and working databases: SQLite tables, and what marks a file as ours.

All tables have the same columns. `content` is JSON text or an array as bytes; `seal` is a hash over everything else in
the row, so that a damaged row is noticed and passed over. `run` is 0 where a row belongs to no run; `step` counts the
updates of the weights; `time` is in seconds since 1970.

    about        one row: which program wrote this
    networks     the graph as `Graph.to_json` gives it; the newest row is the present one
    data         one row: the recipe of the data set, its fingerprint and sample images
    runs         one row for each training run: name, note, settings and their changes, network, data set
    batches      loss and accuracy of batches, float64 (n, 4), columns as in engine.history
    epochs       the figures of one epoch
    checkpoints  weights, optimizer and counters as safetensors; the newest row is the present one
"""

from __future__ import annotations

import sqlite3
from hashlib import blake2b

from engine.errors import StorageError

APPLICATION_ID = 0x434E4E53
"""The letters CNNS at byte 68 of the file."""
FORMAT = 2
"""The number of the present format, kept as user_version."""
TABLES = ("about", "networks", "data", "runs", "batches", "epochs", "checkpoints")

UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite raises on a damaged file; its own message may hold broken text."""


def table_sql(table: str) -> str:
    """The declaration of a table."""
    return (
        f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, step INTEGER NOT NULL, "
        "time REAL NOT NULL, content BLOB NOT NULL, seal BLOB NOT NULL)"
    )


def create_tables(connection: sqlite3.Connection) -> None:
    """Make all tables of the present format in an empty database, inside a transaction."""
    for table in TABLES:
        connection.execute(table_sql(table))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def seal(table: str, id: int, run: int, step: int, time: float, content: bytes) -> bytes:
    """The hash over a row, 16 bytes."""
    place = f"{table}|{id}|{run}|{step}|{time!r}|".encode()
    return blake2b(place + content, digest_size=16).digest()


def check(connection: sqlite3.Connection, name: str) -> None:
    """Raise StorageError unless this is a database of ours in a format that can be read; nothing is changed.

    `name` stands for the file in messages. Nothing but our own tables is allowed: a view or a trigger could do
    anything when it is read.
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise not_a_project(name)
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > FORMAT:
        raise StorageError(
            "{name} was written by a newer CNN Studio: its format is {found}, and this program reads up to {known}. "
            "The file has not been changed. Install the newer program to open it.",
            code="project.newer",
            name=name,
            found=found,
            known=FORMAT,
        )
    if found < 1 or not _has_our_tables(connection):  # all formats have the same tables
        raise damaged(name, "its tables are not those of a project")


def not_a_project(name: str) -> StorageError:
    """The refusal of a file that is something else."""
    return StorageError(
        "{name} is not a CNN Studio project. Choose a file that ends in .cnn and was saved by CNN Studio.",
        code="project.not_a_project",
        name=name,
    )


def damaged(name: str, reason: str) -> StorageError:
    """The refusal of a file of ours that can no longer be read."""
    return StorageError(
        "{name} is damaged: {reason}. Open an older copy of the file.",
        code="project.damaged",
        name=name,
        reason=reason,
    )


def _has_our_tables(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE name != 'working'").fetchall()
    decoded = {tuple(_text(value) for value in row) for row in found}
    return decoded == {("table", table, table_sql(table)) for table in TABLES}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
