"""How long the program takes to its first painted window, beside a bare window of the same libraries.

The first paint shows the frame of the main window with its bars, palette and network; "until usable" is the time until all
panels are built and painted and the network is ready to be trained. Both are started once before the clock runs, so that Python
has compiled their modules, as at every start but the first.

    python3 run.py bench --startup [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

FIRST_PAINT = """
from PySide6.QtCore import QEvent, QObject, QTimer
class FirstPaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            print("painted", flush=True)
            app.removeEventFilter(self)
            QTimer.singleShot(0, app.quit)
        return False
"""
BARE = f"""
from PySide6.QtWidgets import QApplication, QMainWindow
import pyqtgraph
{FIRST_PAINT}
app = QApplication([])
first = FirstPaint()
app.installEventFilter(first)
window = QMainWindow()
window.setCentralWidget(pyqtgraph.PlotWidget())
window.resize(1440, 900)
window.show()
app.exec()
"""
PROGRAM = f"""
from cnnstudio.app import Program, make_application
{FIRST_PAINT}
app = make_application(["cnnstudio"])
first = FirstPaint()
app.installEventFilter(first)
program = Program(app, at_once=False)
program.show()
app.exec()
app.removeEventFilter(first)
from cnnstudio.session.messages import RunPhase
def tell(state):
    if state.phase == RunPhase.READY:
        QTimer.singleShot(0, lambda: (print("usable", flush=True), app.quit()))
program.studio.controller.state_changed.connect(tell)
app.exec()
program.window.discard()
program.close()
"""
TARGET = 1.5


def seconds_to(source: str, wanted: Sequence[str]) -> list[float]:
    """Seconds from the start of a Python process to each word that it says."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {f"XDG_{kind}_HOME": home for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else the program would be compiled anew, and its libraries not
        start = time.perf_counter()
        command = [sys.executable, "-c", source]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=environment, text=True) as process:  # fmt: skip
            assert process.stdout is not None
            passed = []
            for word in wanted:
                if process.stdout.readline().strip() != word:
                    raise RuntimeError(f"the window was not {word}")
                passed.append(time.perf_counter() - start)
            process.stdout.read()
    return passed


def main(arguments: Sequence[str]) -> int:
    """Start both several times in turn and compare."""
    parser = argparse.ArgumentParser(prog="run.py bench --startup", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    seconds_to(BARE, ["painted"])
    seconds_to(PROGRAM, ["painted", "usable"])
    bare, program, usable = [], [], []
    for _ in range(options.rounds):
        bare += seconds_to(BARE, ["painted"])
        painted, ready = seconds_to(PROGRAM, ["painted", "usable"])
        program.append(painted)
        usable.append(ready)
    ratio = statistics.median(program) / statistics.median(bare)
    print(f"  bare PySide6 + pyqtgraph window    {statistics.median(bare):.2f} s")
    print(f"  CNN Studio                         {statistics.median(program):.2f} s")
    print(f"  CNN Studio, until usable           {statistics.median(usable):.2f} s")
    print(f"  ratio                              {ratio:.2f}     ≤ {TARGET}  {'ok' if ratio <= TARGET else 'MISSED'}")
    return 0
