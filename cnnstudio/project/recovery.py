"""What a crash left behind: working databases that no living process owns, read, offered and taken up again.

A database in order is simply gone on with. One that is damaged is set aside in a folder of its own, and what can still
be read of it, down to the single row, goes into a new one; it is deleted only when the user says so.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cnnstudio.project import disk, records, schema
from cnnstudio.project.folder import notes, open_database, remove_database, working_failed
from cnnstudio.project.lock import FileLock
from cnnstudio.project.migrations import migrate
from cnnstudio.project.schema import damaged
from cnnstudio.project.state import ProjectState
from cnnstudio.project.working import WorkingDatabase
from engine.errors import StorageError

DAMAGED = "damaged"
"""The folder inside the folder of working databases where damaged ones wait for the user's decision."""


@dataclass(frozen=True, eq=False)
class Abandoned:
    """A working database without a process. `state` is the newest valid state in it, None when nothing can be read.

    `time` is when it was last written, in seconds since 1970. `whole` is False when something in it is damaged. Its lock
    is held until it is adopted, deleted or released, so that it is offered in one window only.
    """

    path: Path
    state: ProjectState | None
    project: Path | None
    time: float
    whole: bool
    _lock: FileLock

    @property
    def title(self) -> str:
        """The name of the project file, or else of the network; may be empty."""
        if self.project is not None:
            return self.project.name
        return str(self.state.graph.get("title", "")) if self.state is not None else ""

    @property
    def step(self) -> int:
        """The step that training had reached."""
        return self.state.checkpoint.step if self.state is not None and self.state.checkpoint is not None else 0

    def release(self) -> None:
        """Leave it for the next start."""
        self._lock.release()

    def delete(self) -> None:
        """Remove it for good."""
        remove_database(self.path)
        self._lock.release(remove=True)


def find_abandoned(folder: Path) -> list[Abandoned]:
    """All unsaved work that no living process owns, the latest first; what needs no recovery is removed silently.

    Raises StorageError when the folder cannot be read.
    """
    if not folder.is_dir():
        return []
    try:
        found = [_examine(path) for place in (folder, folder / DAMAGED) for path in sorted(place.glob("*.db"))]
        for lock in folder.glob("*.lock"):
            if not lock.with_suffix(".db").exists() and (free := FileLock.acquire(lock)) is not None:
                remove_database(lock.with_suffix(".db"))  # what a process that died while it removed it has left
                free.release(remove=True)
    except OSError as error:
        raise disk.reading_failed(folder, error) from None
    return sorted((item for item in found if item is not None), key=lambda item: -item.time)


def adopt(abandoned: Abandoned) -> WorkingDatabase:
    """Go on with it: in the same database when it is whole, otherwise in a new one with all that can be read.

    Raises StorageError when that cannot be written; then it stays as it is.
    """
    path = abandoned.path
    folder = path.parent.parent if path.parent.name == DAMAGED else path.parent
    try:
        source = open_database(path)
        if abandoned.whole:
            return WorkingDatabase(source, path, abandoned._lock)
    except schema.UNREADABLE as error:
        raise working_failed(folder, error) from None
    try:
        working = WorkingDatabase.create(folder, source)
    finally:
        source.close()
    if abandoned.project is not None:
        # The digest is unknown, so the file counts as changed: it is overwritten only when the user says so.
        working.adopt_project(abandoned.project, "unknown")
    working.put_modified(True)
    set_aside(abandoned)
    return working


def set_aside(abandoned: Abandoned) -> None:
    """Move a damaged database to its own folder, where it waits until it is deleted; raises StorageError."""
    path = abandoned.path
    if path.parent.name != DAMAGED:
        aside = path.parent / DAMAGED
        try:
            aside.mkdir(exist_ok=True)
            for end in ("-wal", "-shm", ""):
                with suppress(FileNotFoundError):
                    path.with_name(path.name + end).rename(aside / (path.name + end))
        except OSError as error:
            raise disk.writing_failed(aside, error, 0) from None
    abandoned._lock.release(remove=True)


def _examine(path: Path) -> Abandoned | None:
    """What is in a database; None when a living process owns it, or nobody needs it."""
    lock = FileLock.acquire(path.with_suffix(".lock"))
    if lock is None:
        return None
    if not path.exists():  # its process has just ended and removed it
        lock.release(remove=True)
        return None
    when = max(p.stat().st_mtime for p in (path, path.with_name(path.name + "-wal")) if p.exists())
    try:
        state, known, whole = _content(path)
    except StorageError as error:
        if error.code == "project.newer":  # the newer program will find it
            lock.release()
            return None
        return Abandoned(path, None, None, when, False, lock)
    if known.get("saving"):
        with suppress(OSError):  # the folder may be gone, and the file with it
            disk.remove_leftovers(Path(os.path.realpath(known["saving"])))
    if state is None or (whole and known.get("modified") == ""):
        remove_database(path)
        lock.release(remove=True)
        return None
    project = Path(known["path"]) if known.get("path") else None
    return Abandoned(path, state, project, when, whole, lock)


def _content(path: Path) -> tuple[ProjectState | None, dict[str, str], bool]:
    """(newest valid state, notes, whether everything is in order); no state when the database was never filled."""
    try:
        connection = open_database(path)
    except schema.UNREADABLE as error:
        raise damaged(path.name, str(error)) from None
    try:
        if _never_filled(connection):
            return None, {}, True
        schema.check(connection, path.name)
        migrate(connection)
        state = records.read_state(connection, path.name)
        known, whole = _notes(connection)
        return state, known, whole and not state.damage
    except schema.UNREADABLE as error:
        raise damaged(path.name, str(error)) from None
    finally:
        connection.close()


def _never_filled(connection: sqlite3.Connection) -> bool:
    """Whether its process died before the first transaction, which makes the tables; anything else is looked at."""
    application, pages = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "page_count"))
    return application == 0 and pages <= 1


def _notes(connection: sqlite3.Connection) -> tuple[dict[str, str], bool]:
    try:
        return notes(connection), True
    except (*schema.UNREADABLE, AttributeError):
        return {}, False
