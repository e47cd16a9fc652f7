"""Whether two projects hold the same."""

from __future__ import annotations

import numpy as np

from cnnstudio.project.state import ProjectState
from engine.checkpoint import Checkpoint


def assert_same_checkpoint(one: Checkpoint | None, two: Checkpoint | None) -> None:
    """Weights, optimizer, running figures and counters."""
    assert one is not None and two is not None
    np.testing.assert_array_equal(one.parameters, two.parameters)
    for mine, other in ((one.slots, two.slots), (one.state, two.state)):
        assert mine.keys() == other.keys()
        for name in mine:
            np.testing.assert_array_equal(mine[name], other[name])
    assert (one.step, one.epoch, one.batch, one.sums) == (two.step, two.epoch, two.batch, two.sums)
    assert (one.spec, one.settings, one.validation_losses, one.first_epoch) == (
        two.spec, two.settings, two.validation_losses, two.first_epoch)  # fmt: skip


def assert_same(one: ProjectState, two: ProjectState) -> None:
    """Everything but who wrote it."""
    assert one.graph == two.graph
    assert_same_checkpoint(one.checkpoint, two.checkpoint)
    np.testing.assert_array_equal(one.history.rows, two.history.rows)
    assert one.history.epochs == two.history.epochs
    assert [run.about() for run in one.runs] == [run.about() for run in two.runs] and one.run == two.run
    assert one.data is not None and two.data is not None
    assert (one.data.choice, one.data.title, one.data.fingerprint, one.data.classes, one.data.value_range) == (
        two.data.choice, two.data.title, two.data.fingerprint, two.data.classes, two.data.value_range)  # fmt: skip
    np.testing.assert_array_equal(one.data.images, two.data.images)
    np.testing.assert_array_equal(one.data.labels, two.data.labels)
