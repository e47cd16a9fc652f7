"""SQLite's own writing calls on the working database failed in turn, by strace: what was confirmed is there afterwards."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from pathlib import Path

from cnnstudio.project.files import open_project
from cnnstudio.project.recovery import find_abandoned
from cnnstudio.project.working import WorkingDatabase
from tests.faults import numbered
from tests.faults.result import LOST, UNREADABLE, Result

LAST = 6


def fail_sqlite_calls(calls: int, folder: Path) -> Result:
    """Fail each of the first `calls` calls of each kind once, and from there on for good."""
    result = Result.counting("each call of SQLite on the working database fails", LOST, UNREADABLE)
    if shutil.which("strace") is None or subprocess.run(["strace", "-qqq", "true"], capture_output=True).returncode:
        result.skipped = "strace cannot be used here"
        return result
    home = folder / "working"
    database = WorkingDatabase.create(home, numbered.graph(1))
    database.put_checkpoint(0, numbered.checkpoint(1))
    database.put_modified(True)
    database.close(keep=True)
    before = folder / "before"
    home.rename(before)
    (path,) = before.glob("*.db")
    hit = 0
    kinds = itertools.product(("pwrite64", "fdatasync", "ftruncate"), ("ENOSPC", "EIO"), ("", "+"), range(1, calls + 1))
    for call, error, for_good, at in kinds:
        result.tried += 1
        shutil.copytree(before, home)
        files = [str(home / (path.name + end)) for end in ("", "-wal", "-shm")]
        project = folder / "p.cnn"
        done = subprocess.run(
            ["strace", "-f", "-qqq", "-o", str(folder / "trace"), *(part for file in files for part in ("-P", file)),
             "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={at}{for_good}",
             sys.executable, "-m", "tests.faults.traced_writer", str(home), str(project), str(LAST)],
            capture_output=True, text=True)  # fmt: skip
        hit += "INJECTED" in (folder / "trace").read_text()
        _check(result, home, project, done, f"{call} {error} {at}{for_good}")
        shutil.rmtree(home)
        project.unlink(missing_ok=True)
    result.expect(hit > 0, "no call was failed")
    result.figures = {"runs in which a call failed": hit}
    return result


def _check(result: Result, home: Path, project: Path, done: subprocess.CompletedProcess[str], where: str) -> None:
    lines = done.stdout.split("\n")
    result.expect(done.returncode == 0, f"{where}: exit code {done.returncode}: {done.stderr[-300:]}")
    kept = max((int(line.split()[1]) for line in lines if line.startswith("kept")), default=1)
    saved = f"saved {LAST}" in lines
    if saved:
        result.expect(numbered.number_of(open_project(project)) == LAST, f"{where}: the confirmed save is not in the file", LOST)
    else:
        result.expect(not project.exists(), f"{where}: a save that was refused left a file")
    found = find_abandoned(home)
    if not found:
        result.expect(saved, f"{where}: nothing was saved, and nothing is offered", LOST)
    for item in found:
        number = -1 if item.state is None else numbered.number_of(item.state)
        result.expect(number >= kept, f"{where}: {kept} was kept, {number} is found", LOST)
        result.expect(item.state is not None and numbered.is_consistent(item.state), f"{where}: not of one piece", UNREADABLE)
        item.release()
