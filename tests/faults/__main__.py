"""What crashes, full disks and damage do to the user's work, as a table.

    python3 run.py faults [--long] [--seed N] [NAME ...]
    python3 run.py faults --monkey [--events N] [--seed S]    random events on the real window
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

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
from tests.faults.writer_kills import kill_migration, kill_writer

Test = Callable[[bool, int, Path], Result]

TESTS: dict[str, Test] = {
    "writer": lambda long, seed, folder: kill_writer(1700 if long else 20, folder, seed),
    "migration": lambda long, seed, folder: kill_migration(200 if long else 10, folder, seed),
    "program": lambda long, seed, folder: kill_program(100 if long else 3, folder, seed, full_interval=long),
    "close": lambda long, seed, folder: close_program(100 if long else 3, folder, seed),
    "cycles": lambda long, seed, folder: open_and_close(100 if long else 10, folder),
    "calls": lambda long, seed, folder: fail_each_call(folder),
    "sqlite": lambda long, seed, folder: fail_sqlite_calls(12 if long else 1, folder),
    "disk": lambda long, seed, folder: fill_disk(20, folder),
    "truncated-projects": lambda long, seed, folder: damage_projects(1000 if long else 200, folder, truncated, seed),
    "truncated-working": lambda long, seed, folder: damage_working(1000 if long else 60, folder, truncated, seed),
    "flipped-projects": lambda long, seed, folder: damage_projects(1000 if long else 200, folder, flipped, seed),
    "flipped-working": lambda long, seed, folder: damage_working(1000 if long else 60, folder, flipped, seed),
}


def main(arguments: list[str]) -> int:
    """Run the tests and print the table; exit code 1 when anything went wrong."""
    if arguments[:1] == ["--monkey"]:
        return monkey.main(arguments[1:])
    parser = argparse.ArgumentParser(prog="run.py faults", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *TESTS], metavar="NAME", help=", ".join(TESTS))
    parser.add_argument("--long", action="store_true", help="thousands of kills and damages; about half an hour")
    parser.add_argument("--seed", type=int, default=0, help="the same seed causes the same faults")
    chosen = parser.parse_args(arguments)
    logging.getLogger("cnnstudio").setLevel(logging.CRITICAL)  # full disks are meant here
    table = Table("fault", "tried", "wrong", "figures", "seconds")
    wrong: list[str] = []
    for name in chosen.names or TESTS:
        folder = Path(tempfile.mkdtemp(prefix="cnnstudio-faults-"))
        begun = time.monotonic()
        result = TESTS[name](chosen.long, chosen.seed, folder / "test")
        shutil.rmtree(folder)
        figures = result.skipped or ", ".join(f"{what}: {figure}" for what, figure in result.figures.items())
        count = "skipped" if result.skipped else str(len(result.wrong))
        table.add_row(result.name, str(result.tried), count, figures, f"{time.monotonic() - begun:.0f}")
        wrong += [f"{name}: {line}" for line in result.wrong]
        print(f"{name}: {result.tried} tried, {len(result.wrong)} wrong", file=sys.stderr, flush=True)
        print(*result.wrong[:20], sep="\n", end="", file=sys.stderr, flush=True)
    Console().print(table)
    for line in wrong[:50]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
