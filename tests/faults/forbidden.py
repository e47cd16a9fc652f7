"""Places where the system itself refuses: another user's folder, a drive that can only be read, a drive that is gone.

    python -m tests.faults.forbidden PLACE PROJECT    one attempt of a user without special rights; says what came of it
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnnstudio.project.files import open_project, save_project
from cnnstudio.project.folder import notes
from cnnstudio.project.working import WorkingDatabase
from engine.errors import StorageError
from tests.faults import numbered
from tests.faults.full_disk import small_disk
from tests.faults.result import NEITHER, SILENT, STRAY, Result

NOBODY = 65534
"""A user without rights on anything: root may write everywhere, whatever a folder's mode says."""


def save_where_it_is_forbidden(folder: Path) -> Result:
    """Save over an old project and beside it; the old file is whole, the message says what to do, the work counts as unsaved."""
    result = Result.counting("read-only folder and file, read-only and vanished drive", NEITHER, SILENT, STRAY)
    with tempfile.TemporaryDirectory(prefix="cnnstudio-forbidden-") as place:  # pytest's own is closed to other users
        os.chmod(place, 0o755)
        _as_another_user(result, Path(place))
    with small_disk(folder / "drive") as drive:
        if drive is not None:  # only root may mount one
            _on_a_drive(result, folder, drive)
    return result


def _as_another_user(result: Result, place: Path) -> None:
    places = [(0o555, 0o666, "p.cnn"), (0o555, 0o666, "new.cnn"), (0o777, 0o444, "p.cnn")]
    for number, (folder_mode, file_mode, name) in enumerate(places):
        result.tried += 1
        project = place / str(number) / "p.cnn"
        project.parent.mkdir()
        save_project(project, numbered.state(1))
        project.chmod(file_mode)
        project.parent.chmod(folder_mode)
        command = [sys.executable, "-m", "tests.faults.forbidden", str(place), str(project.with_name(name))]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            result.expect(False, f"the attempt itself broke off: {done.stderr[-500:]}", SILENT)
        else:
            _check(result, json.loads(done.stdout), project, "project.protected")
        project.parent.chmod(0o755)


def _attempt(place: Path, project: Path) -> dict[str, str]:
    """What a user without rights is told about a save."""
    with tempfile.TemporaryDirectory(dir=place) as home:
        _save(Path(home) / "first", Path(home) / "first.cnn")  # imports everything while it may be read
        mine = Path(home) / "working"
        mine.mkdir()
        if os.geteuid() == 0:
            for path in (home, mine):
                os.chown(path, NOBODY, NOBODY)
            os.setgroups([])
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
        try:
            return _save(mine, project)
        finally:
            if os.getuid() == 0:
                os.seteuid(0)


def _on_a_drive(result: Result, folder: Path, drive: Path) -> None:
    project = drive / "p.cnn"
    save_project(project, numbered.state(1))
    with _remounted_to_be_read(drive):
        result.tried += 1
        _check(result, _save(folder / "working", project), project, "project.read_only")
    database = _begun(folder / "working")
    subprocess.run(["umount", str(drive)], check=True)
    drive.rmdir()  # as the desktop does when a drive is pulled out
    try:
        result.tried += 1
        said = _saved(database, project)
        _check(result, said, project, "project.no_folder")
    finally:
        drive.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(drive)], check=True)
    result.expect(not _saved(database, project)["code"] and numbered.number_of(open_project(project)) == 2,
                  "no save after the drive was connected again", NEITHER)  # fmt: skip
    database.close()


@contextmanager
def _remounted_to_be_read(drive: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", str(drive)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(drive)], check=True)


def _check(result: Result, said: dict[str, str], project: Path, code: str) -> None:
    result.expect(said["code"] == code and str(project.parent) in said["message"], f"{code} expected: {said}", SILENT)
    result.expect(said["modified"] == "1", f"{code}: the document does not count as modified", SILENT)
    if project.exists():
        result.expect(numbered.number_of(open_project(project)) == 1, f"{code}: the old file is another one", NEITHER)
        left = [p.name for p in project.parent.iterdir() if p != project]
        result.expect(not left, f"{code}: left behind: {left}", STRAY)


def _save(home: Path, project: Path) -> dict[str, str]:
    database = _begun(home)
    try:
        return _saved(database, project)
    finally:
        database.close()


def _begun(home: Path) -> WorkingDatabase:
    database = WorkingDatabase.create(home, numbered.graph(2))
    database.put_checkpoint(database.begin_run(numbered.run()), numbered.checkpoint(2))
    database.put_modified(True)
    return database


def _saved(database: WorkingDatabase, project: Path) -> dict[str, str]:
    code = message = ""
    try:
        database.save(project, overwrite=True)
    except StorageError as error:
        code, message = error.code, error.message
    return {"code": code, "message": message, "modified": database._ask(lambda: notes(database._connection))["modified"]}


if __name__ == "__main__":
    print(json.dumps(_attempt(Path(sys.argv[1]), Path(sys.argv[2]))))
