"""A really full disk: a small tmpfs filled to many levels, under the project and under the working database."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnnstudio.project.files import open_project, save_project
from cnnstudio.project.recovery import find_abandoned
from cnnstudio.project.working import WorkingDatabase
from engine.errors import StorageError
from tests.faults import numbered
from tests.faults.result import NEITHER, SILENT, STRAY, UNREADABLE, Result

SIZE = 8 * 2**20


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of 8 MB; None where this user may not mount one."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def fill_disk(levels: int, folder: Path) -> Result:
    """Save, and keep edits, with less and less room."""
    result = Result.counting("a full 8 MB disk", NEITHER, SILENT, STRAY, UNREADABLE)
    with small_disk(folder / "disk") as disk:
        if disk is None:
            result.skipped = "this user may not mount a tmpfs"
            return result
        refused = unkept = 0
        room = 2 * _size(folder)
        for level in range(levels):
            result.tried += 1
            free = room * level // (levels - 1)
            refused += _project_on_it(result, disk, folder / f"working{level}", free)
            unkept += _working_on_it(result, disk, folder / f"projects{level}", free)
        result.expect(0 < refused < levels and 0 < unkept < levels, f"{refused}, {unkept} of {levels}: levels badly chosen")
        result.figures = {"saves refused": refused, "edits told to be unprotected": unkept}
    return result


def _size(folder: Path) -> int:
    save_project(folder / "size.cnn", numbered.state(1))
    return (folder / "size.cnn").stat().st_size


def _project_on_it(result: Result, disk: Path, home: Path, free: int) -> bool:
    """Save over an old project on the full disk; whether that was refused."""
    project = disk / "p.cnn"
    save_project(project, numbered.state(1))
    database = WorkingDatabase.create(home, numbered.graph(2))
    database.put_checkpoint(database.begin_run(numbered.run()), numbered.checkpoint(2))
    refused = False
    with _filled(disk, free):
        try:
            database.save(project, overwrite=True)
        except StorageError as error:
            refused = True
            result.expect(error.code == "project.disk_full", f"{free} bytes free: {error}", SILENT)
        found = numbered.number_of(open_project(project))
        result.expect(found == (1 if refused else 2), f"{free} bytes free: {found} is in the file", NEITHER)
        result.expect([p.name for p in disk.iterdir()] == ["filling", "p.cnn"] or len(list(disk.iterdir())) == 2,
                      f"{free} bytes free: {[p.name for p in disk.iterdir()]}", STRAY)  # fmt: skip
    database.save(project, overwrite=True)
    result.expect(numbered.number_of(open_project(project)) == 2, "no save after there was room again")
    database.close()
    project.unlink()
    return refused


def _working_on_it(result: Result, disk: Path, projects: Path, free: int) -> bool:
    """Edit while the working database has no room; whether that was told. A save on another disk has everything."""
    projects.mkdir()
    home = disk / "working"
    database = WorkingDatabase.create(home, numbered.graph(1))
    database.flush()
    run = database.begin_run(numbered.run())
    database.flush()
    with _filled(disk, free):
        database.put_network(numbered.graph(2))
        database.put_batches(run, numbered.rows(1, 2))
        database.put_checkpoint(run, numbered.checkpoint(2))
        database.put_modified(True)
        told = database.flush() is not None
        database.save(projects / "p.cnn")
        found = open_project(projects / "p.cnn")
        result.expect(numbered.number_of(found) == 2 and found.checkpoint is not None and len(found.history) == 2,
                      f"{free} bytes free: the save on another disk lacks something", NEITHER)  # fmt: skip
    result.expect(database.flush() is None and database.failure is None, "not written after there was room again")
    database.put_network(numbered.graph(3))
    database.put_modified(True)
    database.close(keep=True)
    (left,) = find_abandoned(home)
    result.expect(left.whole and left.state is not None and numbered.number_of(left.state) == 3, "it is damaged",
                  UNREADABLE)  # fmt: skip
    left.delete()
    home.rmdir()
    return told


@contextmanager
def _filled(disk: Path, free: int) -> Iterator[None]:
    """Only so many bytes are free inside."""
    filling = disk / "filling"
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filling.write_bytes(b"\1" * max(room - free, 0))
    try:
        yield
    finally:
        filling.unlink()
