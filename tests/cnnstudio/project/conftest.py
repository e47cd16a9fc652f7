"""A small trained project, for tests of everything that keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from cnnstudio.document.graph import Graph
from cnnstudio.project.state import DataCard, ProjectState, RunRecord
from engine.checkpoint import Checkpoint
from engine.datasets.catalog import open_dataset
from engine.history import RunHistory
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.settings import TrainSettings
from engine.spec import NetworkSpec
from engine.trainer import BatchDone, EpochDone, Trainer


@dataclass(frozen=True)
class Trained:
    """A project, and checkpoints taken on the way to it."""

    state: ProjectState
    checkpoints: tuple[Checkpoint, ...]


@pytest.fixture(scope="session")
def trained(bundled: Path) -> Trained:
    """A tiny network after 1.5 epochs of the small digits."""
    data = open_dataset("digits8x8", bundled=bundled)
    spec = NetworkSpec.of([Input(channels=1, height=8, width=8), Conv2D(depth=2, kernel_size=(3, 3)), Flatten(), Dense(units=10)])
    settings = TrainSettings(epochs=2, batch_size=64, learning_rate=0.01, seed=3)
    trainer, history, taken = Trainer(spec, data, settings), RunHistory(), []
    for event in trainer.run():
        if isinstance(event, BatchDone):
            history.add_batches([event])
            if event.step % 10 == 0:
                taken.append(trainer.checkpoint())
        if isinstance(event, EpochDone):
            history.add_epoch(event)
        if trainer.step == 35:
            break
    choice = {"name": "digits8x8"}
    graph = Graph.of(spec, title="数字", training=settings.to_json(), data=choice)
    run = RunRecord("Run 1", settings.to_json(), spec.to_json(), choice, history=history, id=1)
    state = ProjectState(graph.to_json(), trainer.checkpoint(), DataCard.of(data, choice), (run,), 1)
    return Trained(state, tuple(taken))
