"""What has happened in the program and is not yet in the working database."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

import numpy as np

from cnnstudio.document.graph import Graph
from cnnstudio.project import records
from cnnstudio.project.state import DataCard, RunRecord, to_json
from cnnstudio.project.thinning import Kept, superfluous
from engine.checkpoint import Checkpoint
from engine.events import EpochDone
from engine.layer import Array

NETWORKS = 20
"""How many states of the network a working database keeps: when the newest is damaged, an older one is used."""


@dataclass
class Pending:
    """Changes in the order in which they must be written; of network, data set and checkpoints only the newest counts."""

    network: Graph | None = None
    data: DataCard | None = None
    runs: dict[int, RunRecord] = field(default_factory=dict)
    batches: dict[int, list[Array]] = field(default_factory=dict)
    epochs: list[tuple[int, EpochDone]] = field(default_factory=list)
    checkpoints: dict[int, Checkpoint] = field(default_factory=dict)
    """The newest one of each run, that of the present weights last."""
    notes: dict[str, str] = field(default_factory=dict)
    """What only the working database knows: the project's path, whether it is saved."""

    def __bool__(self) -> bool:
        newest = (self.network, self.data)
        rows = (self.runs, self.batches, self.epochs, self.checkpoints, self.notes)
        return any(value is not None for value in newest) or any(rows)

    def absorb(self, later: Pending) -> None:
        """Take in what happened later."""
        self.network = self.network if later.network is None else later.network
        self.data = self.data if later.data is None else later.data
        for run, checkpoint in later.checkpoints.items():
            self.checkpoints.pop(run, None)
            self.checkpoints[run] = checkpoint
        self.runs |= later.runs
        self.notes |= later.notes
        self.epochs += later.epochs
        for run, rows in later.batches.items():
            self.batches.setdefault(run, []).extend(rows)

    def write(self, connection: sqlite3.Connection, budget: int, *, working: bool) -> None:
        """Write everything in one transaction; `working` is False for a project file, which keeps no notes."""
        checkpoints = [(run, taken, taken.to_bytes()) for run, taken in self.checkpoints.items()]
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if self.network is not None:
                newest = records.add(connection, "networks", to_json(self.network.to_json()))
                connection.execute("DELETE FROM networks WHERE id <= ?", (newest - NETWORKS,))
            if self.data is not None:
                records.add(connection, "data", self.data.to_bytes(), id=1)
            for run in self.runs.values():
                records.add_run(connection, run)
            for id, rows in self.batches.items():
                records.add_batches(connection, id, np.concatenate(rows))
            for id, epoch in self.epochs:
                records.add_epoch(connection, id, epoch)
            for checkpoint in checkpoints:
                _add_checkpoint(connection, *checkpoint, budget)
            if working:
                connection.executemany("INSERT OR REPLACE INTO working VALUES (?, ?)", self.notes.items())


def _add_checkpoint(connection: sqlite3.Connection, run: int, taken: Checkpoint, content: bytes, budget: int) -> None:
    """Put the newest checkpoint in and thin the others out. At rest only the newest is of use, and those of runs.

    Where a run is gone on with from an earlier step, its later weights belong to a curve that is replaced.
    """
    connection.execute("DELETE FROM checkpoints WHERE run = 0 OR (run = ? AND step >= ?)", (run, taken.step))
    records.add(connection, "checkpoints", content, run=run, step=taken.step)
    kept = checkpoints(connection)
    if sum(checkpoint.size for checkpoint in kept) <= budget:
        return
    for id in superfluous(kept, budget, records.deleted_runs(connection)):
        connection.execute("DELETE FROM checkpoints WHERE id = ?", (id,))


def checkpoints(connection: sqlite3.Connection) -> list[Kept]:
    """All checkpoints in the order they were taken."""
    rows = connection.execute("SELECT id, run, step, length(content) FROM checkpoints ORDER BY id")
    return [Kept(*row) for row in rows]
