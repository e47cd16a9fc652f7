"""Projects whose every part says its number, so that what is found after a fault can be checked without a second copy."""

from __future__ import annotations

import functools

import numpy as np

from cnnstudio.document.graph import Graph
from cnnstudio.project.state import ProjectState, RunRecord
from engine.checkpoint import Checkpoint
from engine.history import RunHistory
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.settings import TrainSettings
from engine.spec import NetworkSpec

UNITS = 250


@functools.cache
def spec() -> NetworkSpec:
    """A network of 64 · 250 + 250 parameters."""
    return NetworkSpec.of([Input(channels=1, height=8, width=8), Flatten(), Dense(units=UNITS)])


def graph(number: int) -> Graph:
    """A network named by its number."""
    return Graph.of(spec(), title=str(number), training=TrainSettings().to_json(), data={"name": "digits8x8"})


def checkpoint(number: int) -> Checkpoint:
    """All weights, slots and counters are the number."""
    vector = np.full(65 * UNITS, number, np.float32)
    settings = TrainSettings()
    slots = {name: vector.copy() for name in settings.optimizer.slots}
    shapes = {f"{p.node.id}.{name}": param.shape for p in spec().placed() for name, param in p.node.layer.state(p.x).items()}
    state = {name: np.full(shape, number, np.float32) for name, shape in shapes.items()}
    return Checkpoint(spec(), settings, vector, state, slots, number, 0, 0, (0.0, 0, 0), ())


def rows(first: int, last: int) -> np.ndarray:
    """History rows from one number to another."""
    return np.repeat(np.arange(first, last + 1, dtype=np.float64)[:, None], 4, axis=1)


def run() -> RunRecord:
    """A run without its curve."""
    return RunRecord("run", TrainSettings().to_json(), spec().to_json(), id=1)


def state(number: int) -> ProjectState:
    """A whole project of one number."""
    record = RunRecord("run", TrainSettings().to_json(), spec().to_json(), history=RunHistory(rows(1, number)), id=1)
    return ProjectState(graph(number).to_json(), checkpoint(number), None, (record,), 1)


def number_of(found: ProjectState) -> int:
    """The number of a network."""
    return int(str(found.graph["title"]))


def is_consistent(found: ProjectState) -> bool:
    """Whether every array holds the number of its checkpoint, and the curve is the one that leads there."""
    saved = found.checkpoint
    if saved is None:
        return True
    arrays = [saved.parameters, *saved.slots.values(), *saved.state.values()]
    history = found.history.rows
    return all((a == saved.step).all() for a in arrays) and bool((history == history[:, :1]).all())
