"""Every file-system call of a save failed in turn: old or new file, a message, and work that counts as unsaved."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cnnstudio.project import disk
from cnnstudio.project.files import open_project, save_project
from cnnstudio.project.folder import notes
from cnnstudio.project.working import WorkingDatabase
from engine.errors import StorageError
from tests.faults import numbered
from tests.faults.result import NEITHER, SILENT, STRAY, Result

CALLS = ("stat", "listdir", "open", "write", "read", "fsync", "close", "replace", "chmod", "unlink")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS)


class FaultyOs:
    """Stands for the module os in cnnstudio.project.disk; the call of number `at` fails, and all later ones if `for_good`."""

    def __init__(self, at: int, error: int, *, for_good: bool) -> None:
        self.at, self.error, self.for_good = at, error, for_good
        self.count = 0
        self.failed: list[str] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._wrapped(name, real) if name in CALLS else real

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            self.count += 1
            if self.count == self.at or (self.for_good and self.count > self.at):
                self.failed.append(name)
                if name == "close":
                    real(*args, **options)  # a descriptor is closed even when close reports an error
                raise OSError(self.error, os.strerror(self.error))
            return real(*args, **options)

        return call


@contextmanager
def faulty(at: int, error: int, *, for_good: bool) -> Iterator[FaultyOs]:
    """Calls of cnnstudio.project.disk fail inside."""
    fake = FaultyOs(at, error, for_good=for_good)
    disk.os = fake  # type: ignore[assignment, attr-defined]
    try:
        yield fake
    finally:
        disk.os = os  # type: ignore[attr-defined]


def fail_each_call(folder: Path, errors: tuple[int, ...] = ERRORS) -> Result:
    """Save over an old file and to a new place, with one call failing, and with all calls from one on failing."""
    result = Result.counting("each file-system call of a save fails", NEITHER, SILENT, STRAY)
    folder.mkdir(parents=True)
    database = WorkingDatabase.create(folder / "working", numbered.graph(2))
    database.put_checkpoint(database.begin_run(numbered.run()), numbered.checkpoint(2))
    reached: set[str] = set()
    for old, for_good, error in itertools.product((True, False), (True, False), errors):
        for at in itertools.count(1):
            result.tried += 1
            project = folder / f"{result.tried}" / "p.cnn"
            project.parent.mkdir()
            if old:
                save_project(project, numbered.state(1))
            database.put_modified(True)
            with faulty(at, error, for_good=for_good) as calls:
                message = _save(database, project)
            reached.update(calls.failed)
            _check(result, database, project, message, 1 if old else None, calls)
            if not calls.failed:
                break
    database.close()
    result.expect(reached >= {"open", "write", "read", "fsync", "close", "replace"}, f"only {reached} were reached")
    return result


def _save(database: WorkingDatabase, project: Path) -> str | None:
    """The message of a save that failed."""
    try:
        database.save(project, overwrite=True)
    except StorageError as error:
        return error.message
    return None


def _check(result: Result, database: WorkingDatabase, project: Path, message: str | None, old: int | None,
           calls: FaultyOs) -> None:  # fmt: skip
    where = f"{calls.failed[:1]} of {calls.count}"
    found = numbered.number_of(open_project(project)) if project.exists() else None
    result.expect(found in (old, 2), f"{where}: {found} is in the file", NEITHER)
    if message is None:
        result.expect(found == 2, f"{where}: the save was confirmed, and {found} is in the file", SILENT)
    else:
        result.expect(str(project) in message, f"{where}: the message does not name the file: {message}", SILENT)
        modified = database._ask(lambda: notes(database._connection))["modified"]
        result.expect(modified == "1", f"{where}: the document does not count as modified", SILENT)
    if "unlink" not in calls.failed:
        _check_beside(result, project, where)
    result.expect(_save(database, project) is None, f"{where}: the next save failed, too")
    result.expect(numbered.number_of(open_project(project)) == 2, f"{where}: the next save saved something else")
    _check_beside(result, project, where)


def _check_beside(result: Result, project: Path, where: str) -> None:
    beside = [p.name for p in project.parent.iterdir() if p != project]
    result.expect(not beside, f"{where}: left beside the project: {beside}", STRAY)
