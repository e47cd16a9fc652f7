"""Differences beside the gradients of both probes, over smooth random networks."""

from __future__ import annotations

import numpy as np
import pytest

from engine.differences import difference
from engine.errors import ExplainError
from engine.layer import Layer
from engine.layers.activation import GELU, Sigmoid, Tanh
from engine.layers.batchnorm import BatchNorm
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D
from engine.layers.softmax import Softmax
from engine.losses import CrossEntropy, Loss, SquaredError
from engine.settings import TrainSettings
from engine.snapshot import Snapshot
from engine.spec import NetworkSpec
from engine.term import CellRef
from tests.engine.explain.checks import some_cells
from tests.engine.explain.test_explain import after_steps

COUPLED: list[Layer] = [BatchNorm(), Tanh(), Dropout(0.4), AvgPool2D()]
APART: list[Layer] = [Dropout(0.4), GELU(), AvgPool2D()]


def probes(layers: list[Layer], heads: list[Layer], loss: Loss, dtype: type = np.float64) -> tuple[Snapshot, Snapshot]:
    spec = NetworkSpec.of([Input(1, 6, 5), Conv2D(3, (3, 3), (1, 2)), *layers, Flatten(), Dense(3), *heads])
    return after_steps(spec, TrainSettings(epochs=9, batch_size=20, loss=loss, l2=0.1, clip_norm=0.1), dtype)


@pytest.mark.parametrize("layers", [COUPLED, APART])
@pytest.mark.parametrize("loss", [CrossEntropy(), SquaredError()])
@pytest.mark.parametrize("heads", [[Softmax()], [Sigmoid()], []])
def test_every_gradient_is_what_differences_say(layers: list[Layer], heads: list[Layer], loss: Loss) -> None:
    rng = np.random.default_rng(0)
    for snapshot in probes(layers, heads, loss):
        gradients = [name for name in snapshot.arrays if name == "dimage" or name.split(".")[-1].startswith("d")]
        assert len(gradients) >= 10
        for name in gradients:
            scale = np.abs(snapshot[name]).max()
            for ref in some_cells(name, snapshot[name], 2, rng):
                assert difference(snapshot, ref) == pytest.approx(snapshot[name][ref.index], rel=1e-6, abs=1e-6 * scale + 1e-10)


def test_float32_gradients_are_checked_with_float64_differences() -> None:
    for snapshot in probes(COUPLED, [Softmax()], CrossEntropy(), np.float32):
        for ref in some_cells("conv1.dW", snapshot["conv1.dW"], 5, np.random.default_rng(0)):
            scale = float(np.abs(snapshot["conv1.dW"]).max())
            assert difference(snapshot, ref) == pytest.approx(float(snapshot["conv1.dW"][ref.index]), abs=1e-4 * scale)


def test_only_gradients_have_differences() -> None:
    sample, _ = probes(APART, [Softmax()], CrossEntropy())
    with pytest.raises(ExplainError, match=r"conv1\.y is no gradient"):
        difference(sample, CellRef("conv1.y", (0, 0, 0)))
