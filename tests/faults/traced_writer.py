"""Goes on with the working database of a folder, edits and saves: what tests/faults/sqlite_calls.py runs under strace.

    python -m tests.faults.traced_writer FOLDER PROJECT LAST

It says on standard output what was confirmed, a line each: "kept N", "saved N", "refused", "end".
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from cnnstudio.project import working
from cnnstudio.project.recovery import adopt, find_abandoned
from engine.errors import StorageError
from tests.faults import numbered


def main(arguments: list[str]) -> int:
    """Edit up to number LAST, then save."""
    folder, project, last = Path(arguments[0]), Path(arguments[1]), int(arguments[2])
    logging.getLogger("cnnstudio").setLevel(logging.CRITICAL)
    working.DELAY = working.RETRY = 0.01
    try:
        found = find_abandoned(folder)
        if not found or found[0].state is None:
            print("refused")
            return 0
        database = adopt(found[0])
    except StorageError:
        print("refused")
        return 0
    for n in range(numbered.number_of(found[0].state) + 1, last + 1):
        database.put_network(numbered.graph(n))
        database.put_checkpoint(0, numbered.checkpoint(n))
        if database.flush() is None:
            print(f"kept {n}")
    try:
        database.save(project)
        print(f"saved {last}")
    except StorageError:
        print("refused")
    database.close(keep=True)
    print("end")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
