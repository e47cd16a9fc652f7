"""What crashes, full disks, damage and random events do to the user's work, as a table.

    python3 run.py faults [--long] [--seed N] [NAME ...]
    python3 run.py faults NAME --rounds N --seed N --results FILE    a part of a long form; FILE sums the parts up
    python3 run.py faults --monkey [--events N] [--seed S]           random events on the real window, seed by seed
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.faults import monkey
from tests.faults.cycles import open_and_close
from tests.faults.damage import damage_projects, damage_working, flipped, truncated
from tests.faults.failed_calls import fail_each_call
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


FAULTS = {
    "writer": Fault(20, 1700, kill_writer),
    "migration": Fault(10, 200, kill_migration),
    "program": Fault(3, 100, kill_program),
    "close": Fault(3, 100, close_program),
    "cycles": Fault(10, 100, lambda rounds, folder, _: open_and_close(rounds, folder)),
    "machine": Fault(10, 300, run_state_machine),
    "calls": Fault(1, 1, lambda _, folder, __: fail_each_call(folder)),
    "sqlite": Fault(1, 12, lambda rounds, folder, _: fail_sqlite_calls(rounds, folder)),
    "disk": Fault(20, 20, lambda rounds, folder, _: fill_disk(rounds, folder)),
    "truncated-projects": Fault(200, 1000, lambda rounds, folder, seed: damage_projects(rounds, folder, truncated, seed)),
    "truncated-working": Fault(60, 1000, lambda rounds, folder, seed: damage_working(rounds, folder, truncated, seed)),
    "flipped-projects": Fault(200, 1000, lambda rounds, folder, seed: damage_projects(rounds, folder, flipped, seed)),
    "flipped-working": Fault(60, 1000, lambda rounds, folder, seed: damage_working(rounds, folder, flipped, seed)),
    "monkey": Fault(1, 25, lambda rounds, _, seed: monkey.run_seeds(range(seed, seed + rounds))),
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
    for name in chosen.names or FAULTS:
        fault = FAULTS[name]
        result = _run(fault.cause, chosen.rounds or (fault.long if chosen.long else fault.short), chosen.seed)
        print(f"{name}: {result.tried} tried, {len(result.wrong)} wrong, {result.seconds:.0f} s", file=sys.stderr, flush=True)
        print(*result.wrong[:20], sep="\n", end="\n" if result.wrong else "", file=sys.stderr, flush=True)
        if name in results:
            results[name].add(result)
        else:
            results[name] = result
        if chosen.results is not None:
            whole = {key: value.to_json() for key, value in results.items()}
            chosen.results.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    _show(list(results.values()))
    for name, result in results.items():
        print(*(f"{name}: {line}" for line in result.wrong[:50]), sep="\n", end="\n" if result.wrong else "")
    return 1 if any(result.wrong for result in results.values()) else 0


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
    total, missed = sum(r.seconds for r in results), sum(not b.holds for r in results for b in r.bounds.values())
    wrong = sum(len(r.wrong) for r in results)
    print(f"{sum(r.tried for r in results):,} faults in {total / 60:.1f} minutes: {wrong} wrong, {missed} MISSED")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
