"""`python3 run.py bench --WHAT ...`: each measurement is a module of this folder with a `main(arguments)`."""

from __future__ import annotations

import importlib
import sys

MODULES = {"--engine": "engine", "--accuracy": "accuracy", "--canvas": "canvas", "--live": "live", "--startup": "startup",
           "--explain": "explain"}


def main(arguments: list[str]) -> int:
    """Run one measurement; without a name list them."""
    if not arguments or arguments[0] not in MODULES:
        print("bench what?  " + "  ".join(MODULES))
        return 2
    return int(importlib.import_module(f"tests.benchmarks.{MODULES[arguments[0]]}").main(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
