"""The history of a run: loss, accuracy and learning rate of every batch, and the figures of every epoch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.events import BatchDone, EpochDone
from engine.layer import Array

COLUMNS = ("step", "loss", "accuracy", "learning_rate")


class RunHistory:
    """Grows by events of the trainer; the columns are float64 vectors with one entry for each batch, read-only."""

    def __init__(self, rows: Array | None = None, epochs: Iterable[EpochDone] = (), *, run: int = 0) -> None:
        """`rows` is (batches, 4), as `rows` gives it; `run` is the number under which a project knows the run."""
        self._rows: Array = np.zeros((0, len(COLUMNS))) if rows is None else np.array(rows, np.float64)
        if self._rows.ndim != 2 or self._rows.shape[1] != len(COLUMNS):
            raise ValueError(f"a history has {len(COLUMNS)} columns; found an array of shape {self._rows.shape}")
        self._count = len(self._rows)
        self.epochs: list[EpochDone] = list(epochs)
        self.run = run

    def __len__(self) -> int:
        """How many batches there are."""
        return self._count

    def add_batches(self, batches: Iterable[BatchDone]) -> None:
        """Take batches in, in their order."""
        new = [(b.step, b.loss, b.accuracy, b.learning_rate) for b in batches]
        if not new:
            return
        if self._count + len(new) > len(self._rows):
            grown = np.zeros((max(1024, 2 * self._count, self._count + len(new)), len(COLUMNS)))
            grown[:self._count] = self.rows
            self._rows = grown
        self._rows[self._count:self._count + len(new)] = new
        self._count += len(new)

    def add_epoch(self, epoch: EpochDone) -> None:
        """Take the figures of an epoch in."""
        self.epochs.append(epoch)

    @property
    def rows(self) -> Array:
        """All columns together, (batches, 4), in the order of `COLUMNS`."""
        view = self._rows[:self._count]
        view.flags.writeable = False
        return view

    @property
    def steps(self) -> Array:
        """The number of each update, from 1."""
        return self.rows[:, 0]

    @property
    def loss(self) -> Array:
        """The loss of each batch, before its update."""
        return self.rows[:, 1]

    @property
    def accuracy(self) -> Array:
        """The accuracy of each batch, before its update."""
        return self.rows[:, 2]

    @property
    def learning_rate(self) -> Array:
        """The rate with which each update was made."""
        return self.rows[:, 3]
