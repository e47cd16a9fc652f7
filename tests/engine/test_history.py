"""The history of a run: nothing is lost while it grows, and what is handed out cannot be written to."""

from __future__ import annotations

import numpy as np
import pytest

from engine.history import RunHistory
from engine.trainer import BatchDone, EpochDone


def batch(step: int) -> BatchDone:
    return BatchDone(step, 0, step, 9, 1 / step, step / 10_000, 0.01 * step, 20)


def test_columns_hold_every_batch_in_order() -> None:
    history = RunHistory()
    history.add_batches([])
    for start in range(1, 5000, 7):
        history.add_batches(batch(step) for step in range(start, start + 7))
    count = len(history)
    assert count == 715 * 7 and history.steps.tolist() == list(range(1, count + 1))
    assert np.array_equal(history.loss, 1 / history.steps) and np.array_equal(history.accuracy, history.steps / 10_000)
    assert np.allclose(history.learning_rate, 0.01 * history.steps)


def test_what_is_handed_out_is_read_only() -> None:
    history = RunHistory()
    history.add_batches([batch(1)])
    with pytest.raises(ValueError, match="read-only"):
        history.loss[0] = 0
    history.add_batches([batch(2)])
    assert history.steps.tolist() == [1, 2]


def test_a_history_made_from_rows_and_epochs_goes_on() -> None:
    first = RunHistory()
    first.add_batches([batch(1), batch(2)])
    first.add_epoch(EpochDone(1, 2, 0.5, 0.9, 0.6, 0.8, 1000.0, 0.01))
    second = RunHistory(first.rows, first.epochs)
    second.add_batches([batch(3)])
    assert second.steps.tolist() == [1, 2, 3] and first.steps.tolist() == [1, 2]
    assert second.epochs == first.epochs and second.epochs is not first.epochs


def test_rows_of_another_form_are_refused() -> None:
    with pytest.raises(ValueError, match="4 columns"):
        RunHistory(np.zeros((3, 5)))
