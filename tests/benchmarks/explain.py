"""From a click to the explanation: how long the Explain panel takes, in the whole window, for LeNet-5 and the VGG-mini.

    python3 run.py bench --explain [--cells 40] [--seed 1]

A click is `Selection.select_cell`; the explanation is there when all numbers, pictures and matrices of the new cell have been
painted. The typeset formula follows in the next turns of the event loop; the last column is the time until it stands there too.
Cells are random over all arrays of both probes, every kind alike often.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.explain.subject import subject_of
from cnnstudio.resources import resource_path
from cnnstudio.selection import CellRef
from cnnstudio.session.messages import RunPhase
from cnnstudio.settings import Settings
from cnnstudio.studio import Studio
from cnnstudio.theme import apply_theme
from engine import term as terms
from engine.snapshot import Snapshot
from engine.templates import load_template

LIMIT = 50.0
"""Milliseconds from the click to the explanation, at the 95th percentile."""
NETWORKS = ("lenet5", "vgg_mini")
PATIENCE = 120.0


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 when the limit is missed."""
    parser = argparse.ArgumentParser(prog="bench --explain", description=__doc__)
    parser.add_argument("--cells", type=int, default=40, help="cells of each kind (40)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    apply_theme(app, "light")
    missed = False
    print(f"{'':34}{'cells':>6}{'median':>9}{'p95':>9}{'worst':>9}{'limit':>7}   with the formula, median   (ms)")
    for name in NETWORKS:
        for kind, rows in sorted(measure(app, name, options.cells, options.seed).items()):
            numbers, formula = np.array(rows).T
            p95 = float(np.percentile(numbers, 95))
            missed |= p95 > LIMIT
            print(f"{name:10}{kind:24}{len(numbers):6}{np.median(numbers):9.1f}{p95:9.1f}{numbers.max():9.1f}{LIMIT:7.0f}"
                  f"{np.median(formula):27.1f}")
    return int(missed)


def measure(app: QApplication, name: str, cells: int, seed: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds (numbers, numbers and formula) by the kind of cell."""
    studio = Studio()
    studio.begin(load_template(resource_path("templates"), name))
    window = MainWindow(studio, Settings(), ())
    window.resize(1600, 1000)
    window.show()
    window.docks.arrange()
    until(lambda: studio.controller.state.batches > 0)
    studio.controller.step_batch()
    until(lambda: studio.controller.state.step == 1 and studio.controller.state.phase != RunPhase.RUNNING)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for probe in ("sample", "batch"):
        studio.selection.select_cell(CellRef("loss", (), 1, probe))
        until(lambda probe=probe: shown(window) is not None and shown(window).probe == probe  # type: ignore[misc, union-attr]
              and shown(window).loss is not None)  # type: ignore[union-attr]
        snapshot = shown(window)
        assert snapshot is not None
        for ref in chosen(snapshot, cells, np.random.default_rng(seed)):
            kind = f"{probe}, {subject_of(snapshot, ref).kind}"
            found[kind].append(clicked(app, window, CellRef(ref.array, ref.index, 1, probe)))
    window.discard()
    studio.close()
    return found


def chosen(snapshot: Snapshot, cells: int, rng: np.random.Generator) -> list[terms.CellRef]:
    """Random cells, each kind of cell as often, all arrays of a kind alike."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for array in snapshot.arrays:
        by_kind[subject_of(snapshot, terms.CellRef(array, (0,) * snapshot[array].ndim)).kind].append(array)
    refs = []
    for kind in ("forward", "delta", "gradient", "parameter", "new"):
        for _ in range(cells if kind in by_kind else 0):
            array = by_kind[kind][rng.integers(len(by_kind[kind]))]
            refs.append(terms.CellRef(array, tuple(int(i) for i in rng.integers(0, snapshot[array].shape))))
    return refs


def clicked(app: QApplication, window: MainWindow, cell: CellRef) -> tuple[float, float]:
    """Choose a cell and paint; the milliseconds without and with the formula."""
    began = perf_counter()
    window.studio.selection.select_cell(cell)
    window.explain.repaint()
    numbers = 1e3 * (perf_counter() - began)
    assert window.explain.subject is not None and window.explain.subject.ref == terms.CellRef(cell.array, cell.index)
    while not window.explain.formula.finished:
        app.processEvents()
    total = 1e3 * (perf_counter() - began)
    wait(60)
    return numbers, total


def shown(window: MainWindow) -> Snapshot | None:
    """The snapshot that the panel explains from."""
    return window.explain.subject.snapshot if window.explain.subject is not None else None


def until(condition: Callable[[], bool]) -> None:
    """Let the program run until a condition holds."""
    deadline = perf_counter() + PATIENCE
    while not condition():
        if perf_counter() > deadline:
            raise TimeoutError("the program did not get there")
        wait(20)


def wait(milliseconds: int) -> None:
    """Let the program run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
