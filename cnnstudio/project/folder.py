"""The folder of working databases: where it is, how they are opened, filled and removed, and who has which project open."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import platformdirs

from cnnstudio.document.graph import Graph
from cnnstudio.project import files, records, schema
from cnnstudio.project.lock import FileLock, description
from cnnstudio.project.state import to_json
from engine.errors import StorageError


def working_folder() -> Path:
    """The folder of all working databases."""
    return Path(platformdirs.user_data_dir("cnnstudio", appauthor=False)) / "working"


def open_database(path: Path) -> sqlite3.Connection:
    """A connection to a database in the folder: readers never wait, and what is committed survives a power failure."""
    connection = files.connect(str(path))
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def remove_database(path: Path) -> None:
    """Remove a database with the files that SQLite keeps beside it."""
    # The database first: without its log it would be an older state of the work, and offered as such.
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def refuse_if_open_elsewhere(project: Path, own: Path | None = None) -> None:
    """Raise StorageError when another window has this project open; `own` is the database of the one who asks."""
    folder = working_folder() if own is None else own.parent
    for lock_path in folder.glob("*.lock"):
        if own is not None and lock_path.stem == own.stem:
            continue
        about = description(lock_path)
        if about.get("path") != os.path.realpath(project):
            continue
        free = FileLock.acquire(lock_path)
        if free is not None:  # its process is dead
            free.release()
            continue
        raise StorageError(
            "{path} is open in another window of CNN Studio (process {process}). Close it there first, or use a copy.",
            code="project.open_elsewhere", path=str(project), process=str(about.get("process", "?")))  # fmt: skip


def working_failed(folder: Path, error: Exception) -> StorageError:
    """Why a working database cannot be written, and what to do."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
        return StorageError(
            "Your work is not protected against a crash at the moment: the disk is full, and nothing can be written in {folder}. "
            "Free some space, or save the project on another disk.", code="working.full", folder=str(folder))  # fmt: skip
    reason = getattr(error, "strerror", None) or str(error)
    return StorageError(
        "Your work is not protected against a crash at the moment: {folder} cannot be written ({reason}). Save the project, and "
        "give yourself the right to write there.",
        code="working.failed", folder=str(folder), reason=reason)  # fmt: skip


def filled(connection: sqlite3.Connection, content: Graph | sqlite3.Connection) -> sqlite3.Connection:
    """Tables and rows in one transaction, so that a database is empty or complete."""
    try:
        with connection:
            connection.execute("BEGIN")
            schema.create_tables(connection)
            connection.execute("CREATE TABLE working (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
            connection.execute("INSERT INTO working VALUES ('modified', '')")
            if isinstance(content, Graph):
                records.add(connection, "networks", to_json(content.to_json()))
            else:
                records.copy(content, connection)
            records.add_about(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def notes(connection: sqlite3.Connection) -> dict[str, str]:
    """What only the working database knows: path, digest and state of the project file."""
    return {key.decode(): value.decode() for key, value in connection.execute("SELECT key, value FROM working")}
