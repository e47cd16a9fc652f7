"""Gradients of snapshots beside central differences: both probes, every kind of gradient, and kinks."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import ExplainError
from engine.finite_difference import can_differ, finite_difference
from engine.layer import Array
from engine.layers.activation import Sigmoid, Tanh
from engine.layers.batchnorm import BatchNorm
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D
from engine.layers.softmax import Softmax
from engine.losses import Loss, SquaredError
from engine.network import Network
from engine.settings import TrainSettings
from engine.snapshot import Snapshot, SnapshotRequest, batch_snapshot, sample_snapshot
from engine.spec import NetworkSpec
from engine.term import CellRef
from engine.trainer import Trainer
from tests.engine.networks import blobs

SMOOTH = NetworkSpec.of([Input(1, 8, 8, scaling="none"), Conv2D(3, (3, 3)), BatchNorm(), Tanh(), AvgPool2D(), Dropout(rate=0.3),
                         Flatten(), Dense(4), Sigmoid(), Dense(3), Softmax()])


@pytest.fixture(scope="module", params=["cross entropy", "squared error"])
def snapshots(request: pytest.FixtureRequest) -> tuple[Snapshot, Snapshot]:
    """A sample and a batch of a smooth network in float64, after three steps with penalties."""
    loss: dict[str, Loss] = {"loss": SquaredError()} if request.param == "squared error" else {}
    trainer = Trainer(SMOOTH, blobs(12), TrainSettings(batch_size=6, l2=0.01, learning_rate=0.05, **loss), dtype=np.float64)
    run = trainer.run()
    for _ in range(3):
        next(run)
    data = blobs(12).train
    return sample_snapshot(trainer.network, 3, SnapshotRequest(data.images[4], int(data.labels[4]))), batch_snapshot(trainer)


def gradients(snapshot: Snapshot) -> list[str]:
    """The names of all arrays that are gradients."""
    return [name for name, array in snapshot.arrays.items() if can_differ(snapshot, CellRef(name, (0,) * array.ndim))]


@pytest.mark.parametrize("probe", [0, 1])
def test_every_gradient_equals_its_difference(snapshots: tuple[Snapshot, Snapshot], probe: int) -> None:
    snapshot = snapshots[probe]
    names = gradients(snapshot)
    assert {"dimage", "conv1.dW", "conv1.db", "batch_norm1.dgamma", "tanh1.dy", "dense1.dW", "dense2.dy"} <= set(names)
    rng = np.random.default_rng(0)
    for name in names:
        array: Array = snapshot[name]
        index = tuple(int(i) for i in rng.integers(0, array.shape))
        found = finite_difference(snapshot, CellRef(name, index))
        assert found.smooth, name
        assert found.difference == pytest.approx(array[index], rel=1e-5, abs=1e-9), name
        assert found.gradient == array[index]


def test_a_kink_is_noticed() -> None:
    from engine.layers.activation import ReLU

    layers = [Input(1, 1, 1, scaling="none"), Conv2D(1, (1, 1), bias=False), ReLU(), Flatten(), Dense(2)]
    network = Network(NetworkSpec.of(layers),
                      dtype=np.float64)
    network.initialize(0)
    network.parameters.named["conv1.W"][...] = 3e-6
    network.parameters.named["dense1.W"][...] = [[1.0], [-1.0]]
    snapshot = sample_snapshot(network, 0, SnapshotRequest(np.ones((1, 1, 1)), 0))
    assert not finite_difference(snapshot, CellRef("conv1.dW", (0, 0, 0, 0))).smooth


def test_what_is_no_gradient_is_refused(snapshots: tuple[Snapshot, Snapshot]) -> None:
    with pytest.raises(ExplainError, match="no gradient"):
        finite_difference(snapshots[0], CellRef("conv1.y", (0, 0, 0)))
    assert not can_differ(snapshots[0], CellRef("loss"))
