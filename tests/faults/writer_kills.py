"""kill -9 at random moments on the Qt-free writer: edits, checkpoints, saves and the recovery after the kill before."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import time
from pathlib import Path

from cnnstudio.project import disk, files, schema, working
from cnnstudio.project.files import open_project
from cnnstudio.project.folder import open_database, remove_database
from cnnstudio.project.migrations import Step, migrate
from cnnstudio.project.recovery import adopt, find_abandoned
from cnnstudio.project.working import WorkingDatabase
from engine.errors import StorageError
from tests.faults import numbered
from tests.faults.result import LOST, STRAY, UNREADABLE, Result

ALLOWED = 1.0
"""Seconds of edits that may be lost."""
BUDGET = 2**20
"""Bytes for checkpoints: a few, so that a save takes milliseconds and most lives have confirmed some before they end."""
LIVES = 100
"""Lives that go on from one another, before another project is begun."""


def kill_writer(count: int, folder: Path, seed: int = 0) -> Result:
    """Kill a process that edits, keeps checkpoints and saves; after each kill look at everything, and go on from it."""
    result = Result.counting("kill -9 on the writer: edit, checkpoint, save, recover", UNREADABLE, LOST, STRAY)
    rng = random.Random(seed)
    result.figures = {"lives with a confirmed save": 0, "saves confirmed": 0}
    for first in range(0, count, LIVES):
        _kill_one_writer(result, range(first, min(first + LIVES, count)), folder / str(first), rng)
    confirming = result.figures["lives with a confirmed save"]
    result.expect(confirming >= count // 20, f"only {confirming} of {count} had confirmed a save: the test tests too little")
    return result


def _kill_one_writer(result: Result, lives: range, folder: Path, rng: random.Random) -> None:
    project, home = folder / "projects" / "p.cnn", folder / "working"
    project.parent.mkdir(parents=True)
    saved = kept = number = 0
    for life in lives:
        result.tried += 1
        # Three of ten die while they start and recover, most at work, and a few when they have lived through the whole delay.
        at_work, longest = rng.choices([(False, 0.1), (True, 0.2), (True, 1.6)], [30, 64, 6])[0]
        delay = working.DELAY if longest > 1 else 0.005
        seconds = rng.uniform(0.5 if longest > 1 else 0, longest)
        lines, killed_at = _live(home, project, number, delay, seconds, life, at_work=at_work)
        done = [line.split() for line in lines]
        confirmed = [int(n) for what, n, _ in done if what == "saved"]
        result.figures["saves confirmed"] += len(confirmed)
        result.figures["lives with a confirmed save"] += bool(confirmed)
        saved = max([saved, *confirmed])
        kept = max([kept, *(int(n) for what, n, _ in done if what == "kept")])
        edits = {int(n): float(when) for what, n, when in done if what == "edit"}
        found_saved = _check_project(result, project, saved)
        found = _check_working(result, home, max(kept, saved), found_saved)
        lost = [killed_at - when for n, when in edits.items() if n > found]
        result.measure("edits lost", max(lost, default=0.0), ALLOWED, "s")
        number = max([number, found, *edits])
    _check_nothing_stray(result, home, project)


def _live(home: Path, project: Path, number: int, delay: float, seconds: float, seed: int, *, at_work: bool
          ) -> tuple[list[str], float]:  # fmt: skip
    """One life: fork, let it live or work for so long, kill it; gives what it had confirmed, and when it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            working.DELAY = delay
            _work(home, project, number, writing, random.Random(seed), calls=0.3 if delay < 0.1 else 0.004)
        except BaseException as error:
            os.write(writing, f"error {type(error).__name__}:{error} 0\n".replace(" ", "_").encode())
        os._exit(1)
    os.close(writing)
    first = os.read(reading, 4096) if at_work else b""
    time.sleep(seconds)
    killed_at = time.monotonic()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with open(reading, "rb") as pipe:
        lines = (first + pipe.read()).decode().splitlines()
    assert not any(line.startswith("error") for line in lines), lines
    return lines, killed_at


def _work(home: Path, project: Path, number: int, pipe: int, rng: random.Random, calls: float) -> None:
    """Go on from what is there, and say what was confirmed; `calls` is how often it asks for a checkpoint or a save."""
    found = find_abandoned(home)
    database = adopt(found[0]) if found else _opened(home, project)
    for other in found[1:]:
        other.release()
    database.budget = BUDGET
    run = database.begin_run(numbered.run())
    _say(pipe, "begun", number)
    for n in itertools.count(number + 1):
        database.put_network(numbered.graph(n))
        database.put_modified(True)
        database.put_batches(run, numbered.rows(n, n))
        _say(pipe, "edit", n)
        chance = rng.random()
        if chance < calls / 2:
            database.put_checkpoint(run, numbered.checkpoint(n))
            if database.flush() is None:
                _say(pipe, "kept", n)
        elif chance < calls:
            database.put_checkpoint(run, numbered.checkpoint(n))
            database.save(project)
            _say(pipe, "saved", n)
        time.sleep(rng.uniform(0, 0.004))


def _opened(home: Path, project: Path) -> WorkingDatabase:
    """What is saved, in a new working database, as when the program opens it."""
    if not project.exists():
        return WorkingDatabase.create(home, numbered.graph(0))
    data = disk.read_file(project)
    source = files.from_image(data, project.name)
    database = WorkingDatabase.create(home, source)
    source.close()
    database.adopt_project(project, disk.digest(data))
    return database


def _say(pipe: int, what: str, n: int) -> None:
    os.write(pipe, f"{what} {n} {time.monotonic()}\n".encode())


def _check_project(result: Result, project: Path, saved: int) -> int:
    if not project.exists():
        result.expect(saved == 0, f"save {saved} was confirmed, and there is no file", LOST)
        return 0
    try:
        state = open_project(project)
    except StorageError as error:
        result.expect(False, f"the project cannot be read: {error}", UNREADABLE)
        return 0
    number = numbered.number_of(state)
    result.expect(not state.damage, f"the project is damaged: {state.damage}", UNREADABLE)
    result.expect(number >= saved, f"save {saved} was confirmed, {number} is in the file", LOST)
    result.expect(numbered.is_consistent(state), "the project is not of one piece", UNREADABLE)
    result.expect(state.checkpoint is not None and state.checkpoint.step == number, "weights and network differ")
    return number


def _check_working(result: Result, home: Path, kept: int, saved: int) -> int:
    """The number that is found after a kill: in the working database, or in the project when all was saved."""
    found = find_abandoned(home)
    result.expect(len(found) <= 1, f"{len(found)} databases were left by one process", STRAY)
    if not found:
        result.expect(saved >= kept, f"{kept} was kept, and only {saved} is saved", LOST)
        return saved
    number = 0
    for item in found:
        result.expect(item.whole and item.state is not None, "a working database is damaged", UNREADABLE)
        if item.state is not None:
            number = numbered.number_of(item.state)
            step = item.state.checkpoint.step if item.state.checkpoint is not None else 0
            result.expect(number >= kept and step >= kept, f"{kept} was kept, {number} and weights {step} are found", LOST)
            result.expect(numbered.is_consistent(item.state), "the working database is not of one piece", UNREADABLE)
        item.release()
    return number


def _check_nothing_stray(result: Result, home: Path, project: Path) -> None:
    """After one more start that ends as it should, only the project is left."""
    for item in find_abandoned(home):
        adopt(item).close()
    result.expect(not list(home.iterdir()), f"left in the folder: {[p.name for p in home.iterdir()]}", STRAY)
    beside = [p.name for p in project.parent.iterdir() if p != project]
    result.expect(not beside, f"left beside the project: {beside}", STRAY)


# --- migrations ---


def kill_migration(count: int, folder: Path, seed: int = 0) -> Result:
    """Kill a process that brings a database two formats forward: every row is of one and the same format afterwards."""
    result = Result.counting("kill -9 on migrations", UNREADABLE)
    rng = random.Random(seed)
    folder.mkdir(parents=True)
    between = 0
    for life in range(count):
        result.tried += 1
        path = folder / f"{life}.db"
        connection = open_database(path)
        with connection:
            connection.execute("BEGIN")
            schema.create_tables(connection)
            connection.execute("PRAGMA user_version = 1")
            connection.executemany("INSERT INTO runs VALUES (NULL, 0, 0, 1, ?, '')", [(b"1" * 2000,)] * 600)
        connection.close()
        child = os.fork()
        if not child:
            migrate(open_database(path), to=3, migrations={1: _to(2), 2: _to(3)})
            os._exit(0)
        time.sleep(rng.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        connection = open_database(path)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        between += version == 2
        result.expect(_formats(connection) == {version}, f"rows of {_formats(connection)} in format {version}", UNREADABLE)
        migrate(connection, to=3, migrations={1: _to(2), 2: _to(3)})
        result.expect(_formats(connection) == {3}, "the second attempt did not finish", UNREADABLE)
        connection.close()
        remove_database(path)
    result.figures = {"killed between the steps": between}
    return result


def _to(format: int) -> Step:
    def step(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE runs SET time = ?, content = zeroblob(2000)", (format,))

    return step


def _formats(connection: sqlite3.Connection) -> set[int]:
    return {int(value) for (value,) in connection.execute("SELECT DISTINCT time FROM runs")}
