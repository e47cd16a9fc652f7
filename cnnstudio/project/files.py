"""Project files: a whole project as one file, saved so that nothing can be lost, opened so that nothing can be smuggled in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cnnstudio.project import records, schema
from cnnstudio.project.disk import read_file, replace_file
from cnnstudio.project.migrations import migrate
from cnnstudio.project.state import ProjectState

SUFFIX = ".cnn"
_MAGIC = b"SQLite format 3\0"
_HEADER = 100
"""Bytes of the header of a database."""


def save_project(path: Path, state: ProjectState) -> None:
    """Write a project; raises StorageError when that fails, and then the old file is whole."""
    connection = memory()
    try:
        with connection:
            connection.execute("BEGIN")
            records.add_state(connection, state)
        data = image(connection)
    finally:
        connection.close()
    replace_file(path, data)


def open_project(path: Path) -> ProjectState:
    """Read a project without changing the file; raises StorageError for everything that is not a readable project."""
    connection = from_image(read_file(path), path.name)
    try:
        return records.read_state(connection, path.name)
    finally:
        connection.close()


# --- databases in memory ---


def memory() -> sqlite3.Connection:
    """An empty database of the present format in memory."""
    connection = connect(":memory:")
    with connection:
        connection.execute("BEGIN")
        schema.create_tables(connection)
    return connection


def connect(database: str) -> sqlite3.Connection:
    """A connection that begins no transactions by itself and trusts nothing in the file."""
    # The writer thread makes what another thread may have to close.
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.text_factory = bytes  # damaged text must be able to be read
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def image(connection: sqlite3.Connection) -> bytes:
    """A database in memory as the bytes of a file, after a check of its structure."""
    if not records.is_sound(connection):
        raise schema.damaged("The project in memory", "its structure is broken")
    return connection.serialize()


def from_image(data: bytes, name: str) -> sqlite3.Connection:
    """The bytes of a project file as a database in memory, in the present format; raises StorageError."""
    ours = int.from_bytes(data[68:72], "big") == schema.APPLICATION_ID
    if not data.startswith(_MAGIC) or len(data) < _HEADER or not ours:
        raise schema.not_a_project(name)
    page = int.from_bytes(data[16:18], "big")
    page = 65536 if page == 1 else page
    if page * int.from_bytes(data[28:32], "big") > len(data):
        raise schema.damaged(name, "its end is missing, as after a copy or download that broke off")
    connection = connect(":memory:")
    try:
        connection.deserialize(data)
        schema.check(connection, name)
        migrate(connection)
    except schema.UNREADABLE as error:
        connection.close()
        raise schema.damaged(name, str(error)) from None
    except BaseException:
        connection.close()
        raise
    return connection
