"""Random events on the real window: `python3 run.py faults --monkey [--events N] [--seed S] [--seeds K]`.

Every seed runs in a process of its own. Event i of seed s draws from Random(f"{s}.{i}") alone and aims at fractions of
windows and lists, so that a failure comes back from its seed. A seed fails on an uncaught exception, a Qt warning, an
abort, a thread that is left, an event that takes longer than `PATIENCE`, or a non-zero exit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.result import Result

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds after which an event counts as hanging; the process then prints where all its threads are, and ends."""
EVENTS = 2000
"""Random events of one seed in the tables."""
MEMORY = 6 << 30
"""Bytes of address space for one process: a wish for more has to be answered by the program, not by the machine."""

SCREEN = {"name": "monkey", "x": 0, "y": 0, "width": 1920, "height": 1080, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}


def main(arguments: list[str]) -> int:
    """Run seeds one after the other; 0 when none failed."""
    parser = argparse.ArgumentParser(prog="run.py faults --monkey", description=__doc__)
    parser.add_argument("--events", type=int, default=50_000, help="events in all (default 50000)")
    parser.add_argument("--seeds", type=int, default=25, help="over how many seeds (default 25)")
    parser.add_argument("--seed", type=int, help="run this one seed alone, with all the events")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--trace", action="store_true", help="print every event before it happens")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        seeds, events = [options.seed], options.events
    else:
        seeds = list(range(options.first, options.first + options.seeds))
        events = -(-options.events // options.seeds)
    print(f"{'seed':>6} {'events':>7} {'seconds':>8}  result")
    failures = 0
    for seed in seeds:
        began = time.perf_counter()
        code, output = run_seed(seed, events, trace=options.trace)
        result = "ok" if code == 0 else f"FAILED (exit code {code})"
        print(f"{seed:>6} {events:>7} {time.perf_counter() - began:>8.1f}  {result}", flush=True)
        if code != 0:
            failures += 1
            print(output.rstrip()[-6000:], flush=True)
            print(f"again: python3 run.py faults --monkey --seed {seed} --events {events}", flush=True)
    print(f"{len(seeds)} seeds, {len(seeds) * events} events, {failures} failures")
    return 1 if failures else 0


def run_seeds(seeds: Sequence[int]) -> Result:
    """Run seeds two at a time; what failed comes back from its seed."""
    failed = "seeds with an exception, a warning or an abort"
    result = Result.counting("random events on the real window", failed)
    with ThreadPoolExecutor(min(2, len(seeds))) as pool:  # each seed keeps about one core busy
        outcomes = list(pool.map(_run_and_tell, seeds))
    for seed, (code, output) in zip(seeds, outcomes, strict=True):
        result.tried += EVENTS
        result.expect(code == 0, f"seed {seed}, exit code {code}: {output.rstrip()[-6000:]}", failed)
        result.figures["seeds"] = result.figures.get("seeds", 0) + 1
    return result


def _run_and_tell(seed: int) -> tuple[int, str]:
    began = time.monotonic()
    code, output = run_seed(seed, EVENTS)
    print(f"  seed {seed}: exit code {code}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return code, output


def run_seed(seed: int, events: int, *, trace: bool = False) -> tuple[int, str]:
    """Exit code and output of one seed in a process and a home folder of its own."""
    with tempfile.TemporaryDirectory(prefix="cnnstudio-monkey-") as home:
        screen = Path(home) / "screen.json"
        screen.write_text(json.dumps({"screens": [SCREEN]}), encoding="utf-8")
        folders = {f"XDG_{kind}_HOME": f"{home}/{kind.lower()}" for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
        environ = {**os.environ, **folders, "HOME": home, "PYTHONFAULTHANDLER": "1",
                   "QT_QPA_PLATFORM": f"offscreen:configfile={screen}"}  # fmt: skip
        command = [sys.executable, "-m", "tests.faults.random_events", str(seed), str(events), home]
        done = subprocess.run(
            command + (["--trace"] if trace else []),
            cwd=CHECKOUT, env=environ, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=_limit_memory if sys.platform == "linux" else None,
        )  # fmt: skip
    return done.returncode, done.stdout


def _limit_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
