"""kill -9 at random moments on the running program, and closing it in the middle of training and saving."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from cnnstudio.project.files import open_project
from cnnstudio.project.recovery import find_abandoned
from cnnstudio.project.state import ProjectState
from engine.errors import StorageError
from tests.faults.result import LOST, STRAY, UNREADABLE, Result

EDITS = 1.0
"""Seconds of edits that may be lost."""
TRAINING = 10.0
"""Seconds of training that may be lost."""
FULL_INTERVAL = 9.0
CLOSING = 2.0
"""Seconds that closing may take."""
PATIENCE = 10.0
"""Seconds that the training process may take to notice that its program is dead."""
TRACEBACKS, OTHER_CODE = "errors on standard error or in the log", "exit codes other than 0"


def kill_program(count: int, folder: Path, seed: int = 0, *, full_interval: bool = True, slack: float = 0.0) -> Result:
    """Kill the program while it edits, trains and saves; after each kill look at everything, and start it again.

    `slack` seconds are added on a busy machine, where a process may not run at all for a while.
    """
    result = Result.counting("kill -9 on the running program", UNREADABLE, LOST, STRAY, TRACEBACKS)
    rng = random.Random(seed)
    project = folder / "projects" / "p.cnn"
    project.parent.mkdir(parents=True)
    saved = confirmed = 0
    for _ in range(count):
        result.tried += 1
        long_life = full_interval and rng.random() < 0.1
        interval = FULL_INTERVAL if long_life else 0.4
        # Now and then it dies while it still starts and recovers.
        seconds = rng.uniform(11, 14) if long_life else rng.choice([0.0, *(rng.uniform(0.3, 3.5) for _ in range(9))])
        # Saving writes everything: whether edits get into the database by themselves is seen where nobody saves.
        save_interval = 450 if rng.random() < 0.5 else 3_600_000
        lines, killed_at, errors = _live(folder, project, interval, save_interval, seconds)
        errors += _log(folder)
        result.expect("Traceback" not in errors, errors[-500:], TRACEBACKS)
        result.expect(_all_ended(folder), "the training process outlives its program", STRAY)
        done = [(what, int(n), float(when)) for what, n, when in (line.split() for line in lines)]
        saved = max([saved, *(n for what, n, _ in done if what == "saved")])
        confirmed += sum(what == "saved" for what, _, _ in done)
        state = _found(result, folder, project, saved)
        if state is None:
            continue
        title = str(state.graph["title"])
        number = int(title) if title.isdecimal() else 0
        step = state.checkpoint.step if state.checkpoint is not None else 0
        result.expect(len(state.history) == step, f"a curve of {len(state.history)} batches for step {step}", LOST)
        edit = max([0.0, *(killed_at - when for what, n, when in done if what == "edit" and n > number)])
        late = max([0.0, *(killed_at - when for what, n, when in done if what == "trained" and n > step)])
        result.measure("edits lost", edit, EDITS + slack, "s")
        result.measure("training lost", late, TRAINING + slack, "s")
        if not long_life:
            result.measure("training lost with a checkpoint every 0.4 s", late, 1.4 + slack, "s")
    result.expect(confirmed > 0 or count < 4, "nothing was saved: the test tests nothing")
    result.figures = {"saves confirmed": confirmed}
    _check_nothing_stray(result, folder, project)
    return result


def _check_nothing_stray(result: Result, folder: Path, project: Path) -> None:
    """After one more start that ends as it should, only the project is left."""
    process = _start(folder, str(project), "400", "450", "1.0")
    _, errors = process.communicate(timeout=120)
    result.expect(process.returncode == 0, f"the last start ended with {process.returncode}: {errors.decode()[-500:]}")
    result.expect(_all_ended(folder), "a process is left", STRAY)
    left = [*(folder / "data" / "cnnstudio" / "working").iterdir(), *(p for p in project.parent.iterdir() if p != project)]
    result.expect(not left, f"left behind: {[p.name for p in left]}", STRAY)


def _log(folder: Path) -> str:
    """What the program wrote to its log, as what its training process had to say."""
    (log,) = (folder / "state").rglob("cnnstudio.log")
    return log.read_text(encoding="utf-8", errors="replace")


def _all_ended(folder: Path) -> bool:
    """Whether every process that was started with this home folder has ended, or does so within a while."""
    mark, end = f"XDG_DATA_HOME={folder / 'data'}".encode(), time.monotonic() + PATIENCE
    while any(mark in _environment(process) for process in Path("/proc").glob("[0-9]*")):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""  # it has ended, or is somebody else's


def _start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    own = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    return subprocess.Popen([sys.executable, "-m", "tests.faults.live_program", *arguments], env={**os.environ, **own},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def _live(folder: Path, project: Path, interval: float, save_interval: int, seconds: float) -> tuple[list[str], float, str]:
    process = _start(folder, str(project), str(round(interval * 1000)), str(save_interval))
    assert process.stdout is not None and process.stderr is not None
    first = process.stdout.readline()  # it is at work
    time.sleep(seconds)
    killed_at = time.monotonic()
    process.kill()
    rest, errors = process.communicate()
    return (first + rest).decode().splitlines(), killed_at, errors.decode("utf-8", "replace")


def _found(result: Result, folder: Path, project: Path, saved: int) -> ProjectState | None:
    """What the next start will find."""
    in_file = 0
    state = None
    if project.exists():
        try:
            state = open_project(project)
            in_file = int(str(state.graph["title"]))
            result.expect(not state.damage, f"the project is damaged: {state.damage}", UNREADABLE)
        except StorageError as error:
            result.expect(False, f"the project cannot be read: {error}", UNREADABLE)
    result.expect(in_file >= saved, f"save {saved} was confirmed, {in_file} is in the file", LOST)
    found = find_abandoned(folder / "data" / "cnnstudio" / "working")
    result.expect(len(found) <= 1, f"{len(found)} databases were left by one process", STRAY)
    for item in found:
        result.expect(item.whole and item.state is not None, "a working database is damaged", UNREADABLE)
        state = item.state or state
        item.release()
    beside = [p.name for p in project.parent.iterdir() if p != project]
    result.expect(not beside, f"left beside the project: {beside}", STRAY)
    return state


def close_program(count: int, folder: Path, seed: int = 0, *, allowed: float = CLOSING) -> Result:
    """Close the program in the middle of training, saving and importing: it ends at once, with exit code 0."""
    result = Result.counting("closing during training, saving and importing", OTHER_CODE, STRAY, TRACEBACKS)
    rng = random.Random(seed)
    folder.mkdir(parents=True)
    table = folder / "large.csv"
    row = "7," + ",".join("128" for _ in range(784)) + "\n"
    table.write_text("label," + ",".join(f"p{i}" for i in range(784)) + "\n" + row * 20_000)
    for i in range(count):
        result.tried += 1
        home = folder / str(i)
        home.mkdir()
        imported = [str(table)] if i % 3 == 2 else []
        process = _start(home, str(home / "p.cnn"), "300", "450", f"{rng.uniform(0.2, 1.5):.3f}", *imported)
        out, errors = process.communicate(timeout=120)
        ended = time.monotonic()
        closing = [float(line.split()[2]) for line in out.decode().splitlines() if line.startswith("closing")]
        result.expect(process.returncode == 0 and bool(closing), f"exit code {process.returncode}: {errors.decode()[-500:]}",
                      OTHER_CODE)  # fmt: skip
        if closing:
            result.measure("closing takes", ended - closing[0], allowed, "s")
        left = list((home / "data" / "cnnstudio" / "working").iterdir())
        result.expect(not left, f"left behind: {[p.name for p in left]}", STRAY)
        result.expect(_all_ended(home), "a process is left", STRAY)
        complaints = errors.decode("utf-8", "replace") + _log(home)
        result.expect("Traceback" not in complaints, complaints[-500:], TRACEBACKS)
    return result
