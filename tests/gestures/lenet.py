"""Builds LeNet-5 from an empty canvas with a real mouse and keyboard, in at most 16 gestures, and trains it.

    python -m tests.gestures.lenet [--keep FOLDER]

Needs Xvfb and xdotool. A gesture is one drag, one click, or one line of typing that ends with Enter.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cnnstudio.display import missing_libraries, needed_libraries

MOST_GESTURES = 16
SCREEN = "1440x900x24"
PATIENCE = 30.0
"""Seconds to wait for what a gesture should bring about."""
MISSING = [
    *(tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None),
    *missing_libraries(needed_libraries({"QT_QPA_PLATFORM": "xcb"})),
]
"""What the machine lacks of what a real screen needs: programs and Qt's system libraries."""
PROGRAM = "tests.gestures.observed_program"
ROOT = Path(__file__).resolve().parents[2]

LENET = (
    {"kind": "input", "channels": 1, "height": 28, "width": 28},
    {"kind": "conv", "depth": 6, "kernel_size": [5, 5], "padding": "same"},
    {"kind": "relu"},
    {"kind": "max_pool", "kernel_size": [2, 2], "stride": [2, 2]},
    {"kind": "conv", "depth": 16, "kernel_size": [5, 5]},
    {"kind": "relu"},
    {"kind": "max_pool", "kernel_size": [2, 2], "stride": [2, 2]},
    {"kind": "flatten"},
    {"kind": "dense", "units": 120},
    {"kind": "relu"},
    {"kind": "dense", "units": 84},
    {"kind": "relu"},
    {"kind": "dense", "units": 10},
    {"kind": "softmax"},
)

Report = dict[str, Any]


class Student:
    """A hand on the mouse and one on the keyboard; sees only the screen, and counts what it does."""

    def __init__(self, display: str, report: Path, program: subprocess.Popen[bytes], log: Path) -> None:
        self._environ = {**os.environ, "DISPLAY": display}
        self._report, self._program, self._log = report, program, log
        self.gestures: list[str] = []

    def see(self) -> Report:
        """What is on the screen."""
        report: Report = json.loads(self._report.read_text(encoding="utf-8"))
        return report

    def wait(self, what: str, seen: Callable[[Report], object]) -> Report:
        """Look until something is there; raises TimeoutError when it does not come, RuntimeError when the program has died."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self._program.poll() is not None:
                said = self._log.read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the program has ended with {self._program.returncode} before {what}:\n{said[-4000:]}")
            if self._report.exists() and seen(report := self.see()):
                return report
            time.sleep(0.05)
        raise TimeoutError(f"{what} has not come after {len(self.gestures)} gestures: {self.gestures}")

    def look_at_the_window(self) -> None:
        """Give the window the keyboard, as a window manager does."""
        self._do("search", "--sync", "--onlyvisible", "--name", "CNN Studio", "windowfocus")

    def click(self, place: Sequence[int], what: str) -> None:
        """One click."""
        self.gestures.append(f"click {what}")
        self._do("mousemove", *map(str, place), "click", "1")

    def drag(self, start: Sequence[int], end: Sequence[int], what: str) -> None:
        """Press, move in steps, let go."""
        self.gestures.append(f"drag {what}")
        self._do("mousemove", *map(str, start), "mousedown", "1")
        for i in range(1, 13):
            at = [round(a + (b - a) * i / 12) for a, b in zip(start, end, strict=True)]
            self._do("mousemove", *map(str, at), "sleep", "0.03")
        self._do("sleep", "0.1", "mouseup", "1")

    def write(self, line: str) -> None:
        """Type a line and Enter."""
        self.gestures.append(f"type {line}")
        first, rest = line[0], line[1:]
        self._do("type", first)
        self.wait("the search menu", lambda report: report["menu"])
        self._do("type", "--delay", "20", rest)
        self._do("key", "Return")

    def _do(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self._environ, check=True, capture_output=True)


def build_and_train(student: Student) -> Report:
    """The whole way from the empty canvas to a falling loss; gives the last report."""
    student.wait("the program", lambda report: len(report["blocks"]) == 1)
    student.look_at_the_window()
    report = student.wait("the keyboard", lambda report: report["focus"])
    [input_block] = report["blocks"].values()
    student.click(input_block, "the Input block")
    blocks = 1

    def grown() -> Report:
        nonlocal blocks
        blocks += 1
        return student.wait(f"block {blocks}", lambda report: len(report["network"]) == blocks and not report["menu"])

    student.write("conv 6 5x5 same")
    for name in ("ReLU", "Max pool"):
        report = grown()
        end = report["end"]
        student.drag(report["palette"][name], (end[0] + 24, end[1]), f"{name} to the end of the chain")
    for line in ("conv 16 5x5", "relu", "max pool", "flatten", "fc 120", "relu", "fc 84", "relu", "fc", "softmax"):
        grown()
        student.write(line)
    grown()
    report = student.wait("a network that can be trained", lambda report: report["trainable"])
    student.click(report["train"], "Train")
    return student.wait("a loss that falls", lambda report: has_learned(report["loss"]))


def has_learned(loss: Sequence[float]) -> bool:
    """Whether the mean of ten batches has fallen below half of that of the first ten."""
    return len(loss) >= 40 and sum(loss[-10:]) < 0.5 * sum(loss[:10])


def is_lenet(network: Sequence[Report]) -> bool:
    """Whether blocks are those of LeNet-5, with all their numbers."""
    layers = [block["layer"] for block in network]
    return len(layers) == len(LENET) and all(
        wanted.items() <= layer.items() for wanted, layer in zip(LENET, layers, strict=True)
    )


@contextmanager
def program_on_a_screen(folder: Path) -> Iterator[Student]:
    """The program on a virtual screen of its own, with nothing of the user's; both end with the block."""
    read, write = os.pipe()
    with open(folder / "screen.log", "w") as log:
        screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", SCREEN], pass_fds=(write,), stderr=log, stdout=log
        )
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            display = f":{pipe.readline().strip()}"
        home = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
        environ = {**os.environ, **home, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "LC_ALL": "C.UTF-8"}
        report = folder / "report.json"
        with open(folder / "program.log", "w") as log:
            command = [sys.executable, "-m", PROGRAM, str(report)]
            program = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            yield Student(display, report, program, folder / "program.log")
        finally:
            program.terminate()
            program.wait(10)
    finally:
        screen.terminate()
        screen.wait(10)


def main(arguments: Sequence[str]) -> int:
    """Do it and say how it went; 1 when it needed too many gestures or built something else."""
    parser = argparse.ArgumentParser(prog="lenet", description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder for the program's log and its last report")
    options = parser.parse_args(arguments)
    if MISSING:
        print(f"Missing: {', '.join(MISSING)}.")
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with program_on_a_screen(folder) as student:
            report = build_and_train(student)
    for number, gesture in enumerate(student.gestures, 1):
        print(f"{number:3d}  {gesture}")
    loss = report["loss"]
    print(f"{len(loss)} batches, loss {sum(loss[:10]) / 10:.3f} -> {sum(loss[-10:]) / 10:.3f}")
    good = is_lenet(report["network"]) and len(student.gestures) <= MOST_GESTURES
    print(f"LeNet-5: {is_lenet(report['network'])}; {len(student.gestures)} gestures, at most {MOST_GESTURES} allowed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
