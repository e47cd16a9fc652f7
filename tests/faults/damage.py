"""Truncated and bit-flipped files: the newest valid state, or a clear refusal; never a crash, never wrong numbers."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from cnnstudio.project.files import open_project, save_project
from cnnstudio.project.recovery import adopt, find_abandoned
from cnnstudio.project.state import ProjectState
from cnnstudio.project.working import WorkingDatabase
from engine.errors import StorageError
from tests.faults import numbered
from tests.faults.result import CRASHES, SILENT, Result

NEWEST = 12
Damage = Callable[[bytes, random.Random], bytes]


def truncated(data: bytes, rng: random.Random) -> bytes:
    """The beginning of a file."""
    return data[: rng.randrange(len(data))]


def flipped(data: bytes, rng: random.Random) -> bytes:
    """A file in which one to eight bits have changed; half of them near the beginning, where the structure is."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(min(len(found), 4096 if rng.random() < 0.5 else len(found)))
        found[place] ^= 1 << rng.randrange(8)
    return bytes(found)


def damage_projects(count: int, folder: Path, damage: Damage, seed: int = 0) -> Result:
    """Open damaged project files."""
    result = Result.counting(f"{damage.__name__} project files", CRASHES, SILENT)
    rng = random.Random(seed)
    folder.mkdir(parents=True)
    path = folder / "p.cnn"
    save_project(path, numbered.state(NEWEST))
    whole = path.read_bytes()
    refused = partly = 0
    for _ in range(count):
        result.tried += 1
        path.write_bytes(broken := damage(whole, rng))
        try:
            state = open_project(path)
        except StorageError as error:
            refused += 1
            result.expect(path.name in error.message, f"the refusal does not name the file: {error}", SILENT)
            result.expect(path.read_bytes() == broken, "the file was changed")
            continue
        except Exception as error:  # whatever it is, it would have been a crash
            result.expect(False, f"{type(error).__name__}: {error}", CRASHES)
            continue
        partly += bool(state.damage)
        complete = state.checkpoint is not None and len(state.runs) == 1 and len(state.history) == NEWEST
        result.expect(complete or bool(state.damage), "something is missing, and nobody says so", SILENT)
        _check(result, state, NEWEST)
    result.figures = {"refused": refused, "opened in part, and said so": partly, "whole": count - refused - partly}
    return result


def damage_working(count: int, folder: Path, damage: Damage, seed: int = 0) -> Result:
    """Find damaged working databases after a crash, and go on with what can be read of every tenth."""
    result = Result.counting(f"{damage.__name__} working databases", CRASHES, SILENT)
    rng = random.Random(seed)
    database = WorkingDatabase.create(folder / "living", numbered.graph(0))
    run = database.begin_run(numbered.run())
    for n in range(1, NEWEST + 1):
        database.put_network(numbered.graph(n))
        database.put_batches(run, numbered.rows(n, n))
        database.put_checkpoint(run, numbered.checkpoint(n))
        database.put_modified(True)
        database.flush()
        if n == NEWEST // 2:  # half lies in the database itself, half in its log
            database._ask(lambda: database._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    files = {p.name: p.read_bytes() for p in (folder / "living").iterdir() if p.suffix in (".db", ".db-wal")}
    database.close()
    older = unreadable = 0
    for i in range(count):
        result.tried += 1
        home = folder / "left"
        home.mkdir()
        hit = rng.choice(sorted(files))
        for name, data in files.items():
            (home / name).write_bytes(damage(data, rng) if name == hit else data)
        try:
            found = find_abandoned(home)
        except Exception as error:  # whatever it is, it would have been a crash
            result.expect(False, f"{type(error).__name__}: {error}", CRASHES)
            found = []
        # Nothing at all is left of a database that was cut to nothing.
        result.expect(len(found) == 1 or not any(p.stat().st_size for p in home.iterdir()), "work was not offered", SILENT)
        for item in found:
            if item.state is None:
                unreadable += 1
                item.release()
                continue
            older += numbered.number_of(item.state) < NEWEST
            _check(result, item.state, NEWEST)
            if i % 10:
                item.release()
            else:
                again = adopt(item)
                _check(result, again.state(), NEWEST)
                again.close()
        shutil.rmtree(home)
    result.figures = {"unreadable, and said so": unreadable, "an older state": older,
                      "the newest": count - unreadable - older}  # fmt: skip
    return result


def _check(result: Result, state: ProjectState, newest: int) -> None:
    result.expect(0 <= numbered.number_of(state) <= newest, f"a network {state.graph['title']} that never was", SILENT)
    result.expect(numbered.is_consistent(state), "arrays of different steps, or changed numbers", SILENT)
