"""The gradient check: right gradients pass, faults are found, kinks are counted instead of compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.gradcheck import check_gradients
from engine.layer import Array
from engine.layers.activation import Sigmoid
from engine.losses import SquaredError
from engine.network import Network
from engine.slices import BatchResult
from engine.spec import NetworkSpec
from tests.engine.networks import blobs, small, with_everything_random

BATCH = blobs(12).train


def network(spec: NetworkSpec, loss: SquaredError | None = None) -> Network:
    made = Network(spec, loss=loss, dtype=np.float64)
    made.initialize(1)
    made.fit_input(BATCH.images, (-4.0, 4.0))
    return made


@pytest.mark.parametrize("spec", [small(), with_everything_random(), small(Sigmoid())], ids=["small", "random", "sigmoid"])
@pytest.mark.parametrize("loss", [None, SquaredError()], ids=["cross-entropy", "squared error"])
def test_right_gradients_agree_with_differences(spec: NetworkSpec, loss: SquaredError | None) -> None:
    checks = check_gradients(network(spec, loss), BATCH.images, BATCH.labels, cells=30)
    assert {"conv1.W", "conv1.b", "dense1.W", "dense1.b"} <= {c.name for c in checks}
    assert [c.cells + c.kinks for c in checks if c.name in ("conv1.W", "conv1.b", "dense1.b")] == [30, 4, 3]
    assert max(c.largest_error for c in checks) < 1e-6
    assert sum(c.kinks for c in checks) < 0.1 * sum(c.cells for c in checks)


def test_a_gradient_that_is_one_part_in_a_thousand_too_large_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Network.gradient

    def wrong(self: Network, images: Array, labels: Array, *, key: Sequence[int] = ()) -> BatchResult:
        result = right(self, images, labels, key=key)
        self.parameters.named_gradient["dense1.W"][...] *= 1.001
        return result

    monkeypatch.setattr(Network, "gradient", wrong)
    errors = {c.name: c.largest_error for c in check_gradients(network(small()), BATCH.images, BATCH.labels)}
    assert errors["dense1.W"] == pytest.approx(1e-3, rel=0.01)
    assert max(errors["conv1.W"], errors["dense1.b"]) < 1e-6


def test_cells_at_a_kink_are_counted_and_not_compared() -> None:
    # With black images and biases of 0 every input of ReLU is exactly 0.
    made = network(small())
    checks = {c.name: c for c in check_gradients(made, np.zeros_like(BATCH.images), BATCH.labels)}
    assert (checks["conv1.b"].cells, checks["conv1.b"].kinks) == (0, 4)
    assert checks["dense1.b"].kinks == 0 and checks["dense1.b"].largest_error < 1e-6


def test_the_network_is_left_as_it_was() -> None:
    made = network(with_everything_random())
    made.gradient(BATCH.images, BATCH.labels, key=(5, 0))
    before = {name: a.copy() for name, a in (made.parameters.named | made.state).items()}
    check_gradients(made, BATCH.images, BATCH.labels, cells=3)
    after = made.parameters.named | made.state
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_float32_is_too_coarse_for_a_check() -> None:
    with pytest.raises(ValueError, match="float64"):
        check_gradients(Network(small()), BATCH.images, BATCH.labels)
