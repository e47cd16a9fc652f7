"""What crashes, full disks, damage and random events do to the user's work, as a table.

    python3 run.py faults [--long] [--seed N] [NAME ...]             all faults, or those that are named
    python3 run.py faults NAME --rounds N --seed N --results FILE    a part of a long form; FILE sums the parts up
    python3 run.py faults --monkey [--events N] [--seed S]           random events on the real window, seed by seed
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.faults import monkey
from tests.faults.cycles import open_and_close
from tests.faults.damage import damage_projects, damage_working, flipped, truncated
from tests.faults.failed_calls import fail_each_call
from tests.faults.forbidden import save_where_it_is_forbidden
from tests.faults.full_disk import fill_disk
from tests.faults.program_kills import close_program, kill_program
from tests.faults.result import Result
from tests.faults.sqlite_calls import fail_sqlite_calls
from tests.faults.state_machine import run_state_machine
from tests.faults.writer_kills import kill_migration, kill_writer


class Fault(NamedTuple):
    """How often a fault is caused in the short and in the long form, and by what: (rounds, folder, seed)."""

    short: int
    long: int
    cause: Callable[[int, Path, int], Result]
    alone: bool = False
    """Whether it measures how long the program takes, or keeps both cores busy: then nothing else runs beside it."""


# Two of those that need one core run at a time; the longest come first, so that both end at about the same time.
FAULTS = {
    "program": Fault(3, 100, kill_program),
    "writer": Fault(20, 1700, kill_writer),
    "machine": Fault(10, 200, run_state_machine),
    "cycles": Fault(10, 100, lambda rounds, folder, _: open_and_close(rounds, folder)),
    "sqlite": Fault(1, 12, lambda rounds, folder, _: fail_sqlite_calls(rounds, folder)),
    "truncated-working": Fault(60, 1000, lambda rounds, folder, seed: damage_working(rounds, folder, truncated, seed)),
    "flipped-working": Fault(60, 1000, lambda rounds, folder, seed: damage_working(rounds, folder, flipped, seed)),
    "truncated-projects": Fault(200, 1000, lambda rounds, folder, seed: damage_projects(rounds, folder, truncated, seed)),
    "flipped-projects": Fault(200, 1000, lambda rounds, folder, seed: damage_projects(rounds, folder, flipped, seed)),
    "calls": Fault(1, 1, lambda _, folder, __: fail_each_call(folder)),
    "migration": Fault(10, 200, kill_migration),
    "disk": Fault(20, 20, lambda rounds, folder, _: fill_disk(rounds, folder)),
    "forbidden": Fault(1, 1, lambda _, folder, __: save_where_it_is_forbidden(folder)),
    "close": Fault(3, 100, close_program, alone=True),
    "monkey": Fault(1, 25, lambda rounds, _, seed: monkey.run_seeds(range(seed, seed + rounds)), alone=True),
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run the tests and print the tables; exit code 1 when anything went wrong."""
    if arguments[:1] == ["--monkey"]:
        return monkey.main(arguments[1:])
    parser = argparse.ArgumentParser(prog="run.py faults", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *FAULTS], metavar="NAME", help=", ".join(FAULTS))
    parser.add_argument("--long", action="store_true", help="thousands of kills, damages and events; less than an hour")
    parser.add_argument("--rounds", type=int, help="how often, instead of the short or the long form's number")
    parser.add_argument("--seed", type=int, default=0, help="the same seed causes the same faults")
    parser.add_argument("--results", type=Path, help="a file to which the results are added, and whose sum is shown")
    chosen = parser.parse_args(arguments)
    logging.getLogger("cnnstudio").setLevel(logging.CRITICAL)  # full disks are meant here
    results: dict[str, Result] = {}
    if chosen.results is not None and chosen.results.exists():
        saved = json.loads(chosen.results.read_text(encoding="utf-8"))
        results = {name: Result.from_json(value) for name, value in saved.items()}
    wanted = chosen.names or list(FAULTS)
    rounds = {name: chosen.rounds or (FAULTS[name].long if chosen.long else FAULTS[name].short) for name in wanted}
    begun = time.monotonic()
    for name, result in _run_here(rounds, chosen.seed) if len(rounds) == 1 else _run_in_pairs(rounds, chosen.seed):
        if name in results:
            results[name].add(result)
        else:
            results[name] = result
        if chosen.results is not None:
            whole = {key: value.to_json() for key, value in results.items()}
            chosen.results.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    _show(list(results.values()))
    print(f"This took {(time.monotonic() - begun) / 60:.1f} minutes.")
    for name, result in results.items():
        print(*(f"{name}: {line}" for line in result.wrong[:50]), sep="\n", end="\n" if result.wrong else "")
    return 1 if any(result.wrong for result in results.values()) else 0


def _run_here(rounds: dict[str, int], seed: int) -> Iterator[tuple[str, Result]]:
    for name, count in rounds.items():
        print(f"{name}: begins, {count:,} rounds", file=sys.stderr, flush=True)
        result = _run(FAULTS[name].cause, count, seed)
        print(f"{name}: {result.tried:,} tried, {len(result.wrong)} wrong, {result.seconds:.0f} s", file=sys.stderr, flush=True)
        print(*result.wrong[:20], sep="\n", end="\n" if result.wrong else "", file=sys.stderr, flush=True)
        yield name, result


def _run_in_pairs(rounds: dict[str, int], seed: int) -> Iterator[tuple[str, Result]]:
    """Each test in a process of its own, two at a time, then one after the other those that must be alone."""
    in_own_process = partial(_run_in_own_process, rounds, seed)
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(in_own_process, [name for name in rounds if not FAULTS[name].alone])
    yield from map(in_own_process, [name for name in rounds if FAULTS[name].alone])


def _run_in_own_process(rounds: dict[str, int], seed: int, name: str) -> tuple[str, Result]:
    with tempfile.TemporaryDirectory(prefix="cnnstudio-faults-") as folder:
        file = Path(folder) / "result.json"
        command = [name, "--rounds", str(rounds[name]), "--seed", str(seed), "--results", str(file)]
        done = subprocess.run([sys.executable, "-m", "tests.faults", *command], stdout=subprocess.DEVNULL)
        if not file.exists():
            return name, Result(name, wrong=[f"the test itself broke off with exit code {done.returncode}"])
        return name, Result.from_json(json.loads(file.read_text(encoding="utf-8"))[name])


def _run(cause: Callable[[int, Path, int], Result], rounds: int, seed: int) -> Result:
    folder = Path(tempfile.mkdtemp(prefix="cnnstudio-faults-"))
    begun = time.monotonic()
    result = cause(rounds, folder / "test", seed)
    shutil.rmtree(folder)
    result.seconds = time.monotonic() - begun
    return result


def _show(results: Sequence[Result]) -> None:
    """One row for each fault and one for each figure that is promised, with the verdict."""
    table = Table("fault", "tried", "must hold", "found", "at most", "", "beside", "seconds")
    for result in results:
        beside = result.skipped or ", ".join(f"{what} {figure:,}" for what, figure in result.figures.items())
        head = [result.name, f"{result.tried:,}"]
        tail = [beside, f"{result.seconds:,.0f}"]
        rows = [(what, bound) for what, bound in result.bounds.items() if not result.skipped]
        for number, (what, bound) in enumerate(rows):
            digits = ".2f" if bound.unit else ".0f"
            found, allowed = (f"{value:{digits}} {bound.unit}".strip() for value in (bound.found, bound.allowed))
            verdict = "ok" if bound.holds else "MISSED"
            table.add_row(*(["", ""] if number else head), what, found, allowed, verdict, *(["", ""] if number else tail))
        if not rows:
            table.add_row(*head, "", "", "", "skipped", *tail)
        table.add_section()
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    missed = sum(not bound.holds for result in results for bound in result.bounds.values())
    tried, wrong = sum(result.tried for result in results), sum(len(result.wrong) for result in results)
    print(f"{tried:,} faults: {wrong} wrong, {missed} MISSED")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
