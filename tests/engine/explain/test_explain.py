"""Explain over random networks: every array of both probes, down to the leaves; the walk from the loss to a pixel; errors."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from engine.errors import ExplainError, TrainingError
from engine.explain import explain, explain_unfused, resolve
from engine.layer import LAYERS
from engine.losses import SquaredError
from engine.settings import TrainSettings
from engine.snapshot import Snapshot, SnapshotRequest, batch_snapshot, sample_snapshot
from engine.spec import NetworkSpec
from engine.term import CellRef, Term
from engine.trainer import Trainer
from tests.engine.explain.checks import assert_true, some_cells
from tests.engine.explain.worlds import network_with, random_settings
from tests.engine.networks import blobs, lenet5, small, with_everything_random

FLOAT64 = 1e-11
FLOAT32 = 4e-6
"""Largest difference between a cell and what its leaves fold to, relative to the largest number of its array; the longest
chains are those of batch normalisation's mean and variance."""

def after_steps(spec: NetworkSpec, settings: TrainSettings, dtype: type, steps: int = 3) -> tuple[Snapshot, Snapshot]:
    """Both probes after some steps: (sample, batch)."""
    shape = spec.placed()[0].x
    data = blobs(48, shape=(shape[0], shape[1], shape[2]), classes=spec.placed()[-1].y.size)
    trainer = Trainer(spec, data, settings, dtype=dtype)
    for _ in trainer.run(until=steps):
        pass
    request = SnapshotRequest(data.train.images[1], int(data.train.labels[1]))
    return sample_snapshot(trainer.network, trainer.step, request), batch_snapshot(trainer)


@pytest.fixture(scope="module")
def probes() -> tuple[Snapshot, Snapshot]:
    return after_steps(with_everything_random(), TrainSettings(epochs=9, batch_size=16), np.float64)


@pytest.mark.parametrize("kind", sorted(LAYERS))
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, FLOAT64), (np.float32, FLOAT32)])
def test_every_array_of_random_networks_folds_from_its_leaves(kind: str, dtype: type, tolerance: float) -> None:
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    for snapshot in after_steps(network_with(kind, rng), random_settings(rng), dtype):
        for name, array in snapshot.arrays.items():
            for ref in some_cells(name, array, 2, rng):
                term = explain(snapshot, ref)
                assert term.ref == ref
                assert_true(term, snapshot.arrays, tolerance)


def given_and_computed(snapshot: Snapshot) -> tuple[set[str], set[str]]:
    """The arrays whose cells are leaves, and those whose cells are not."""
    computed = {name for name, a in snapshot.arrays.items() if explain(snapshot, CellRef(name, (0,) * a.ndim)).op != "cell"}
    return set(snapshot.arrays) - computed, computed


def test_everything_but_data_weights_and_what_layers_keep_is_computed(probes: tuple[Snapshot, Snapshot]) -> None:
    given = {"image", "target", "input.offset", "input.gain", "conv1.W", "conv1.b", "dense1.W", "dense1.b", "batch_norm1.gamma",
             "batch_norm1.beta", "batch_norm1.mean", "batch_norm1.variance", "batch_norm1.normal",
             "batch_norm1.inverse_deviation", "dropout1.mask", "max_pool1.winner"}
    assert given_and_computed(probes[0])[0] == given
    slots = {f"{name}_{slot}" for name in given if name.endswith((".W", ".b", ".gamma", ".beta")) for slot in ("mean", "square")}
    assert given_and_computed(probes[1])[0] == given | slots


def test_the_input_of_a_layer_is_the_output_of_the_one_before(probes: tuple[Snapshot, Snapshot]) -> None:
    sample, _ = probes
    assert resolve(sample, CellRef("relu1.x", (0, 1, 2))) == CellRef("conv1.y", (0, 1, 2))
    assert resolve(sample, CellRef("relu1.dx", (0, 1, 2))) == CellRef("conv1.dy", (0, 1, 2))
    assert resolve(sample, CellRef("input.x", (0, 1, 2))) == CellRef("image", (0, 1, 2))
    assert resolve(sample, CellRef("input.dx", (0, 1, 2))) == CellRef("dimage", (0, 1, 2))
    assert explain(sample, CellRef("relu1.x", (0, 1, 2))).ref == CellRef("conv1.y", (0, 1, 2))


@pytest.mark.parametrize("probe", [0, 1])
def test_one_can_walk_from_the_loss_down_to_a_pixel_and_from_a_kernels_gradient_up_to_the_loss(
        probes: tuple[Snapshot, Snapshot], probe: int) -> None:
    snapshot = probes[probe]

    def reachable(start: CellRef) -> set[str]:
        arrays, todo = set(), [start]
        while todo:
            ref = todo.pop()
            if ref.array not in arrays:
                arrays.add(ref.array)
                todo += [leaf.ref for leaf in explain(snapshot, ref).leaves() if leaf.op == "cell" and leaf.ref]
        return arrays

    forward = {"loss", "image", "target", "conv1.W", "conv1.b", "batch_norm1.gamma", "dropout1.mask", "dense1.W"}
    assert forward <= reachable(CellRef("loss"))
    down = reachable(CellRef("conv1.dW", (1, 0, 1, 1)))
    assert {"input.y", "conv1.dy", "relu1.dy", "batch_norm1.dy", "dense1.dy", "softmax1.y", "target"} <= down


@pytest.mark.parametrize("probe", [0, 1])
def test_a_fused_delta_has_a_second_way_through_the_softmax(probes: tuple[Snapshot, Snapshot], probe: int) -> None:
    snapshot = probes[probe]
    for ref in some_cells("dense1.dy", snapshot["dense1.dy"], 6, np.random.default_rng(0)):
        short, long = explain(snapshot, ref), explain_unfused(snapshot, ref)
        assert long is not None
        assert {leaf.ref.array for leaf in short.leaves() if leaf.ref} == {"softmax1.y", "target"}
        assert {leaf.ref.array for leaf in long.leaves() if leaf.ref} == {"softmax1.y", "softmax1.dy"}
        assert_true(long, snapshot.arrays, FLOAT64)
    assert explain_unfused(snapshot, resolve(snapshot, CellRef("max_pool1.y", (0,) * snapshot["max_pool1.y"].ndim))) is None


def test_a_squared_error_has_one_way_only() -> None:
    sample, _ = after_steps(small(), TrainSettings(loss=SquaredError()), np.float64)
    assert explain_unfused(sample, CellRef("dense1.dy", (0,))) is None


def test_the_delta_of_a_batch_is_divided_by_its_images(probes: tuple[Snapshot, Snapshot]) -> None:
    delta = explain(probes[1], CellRef("dense1.dy", (3, 1)))
    assert delta.op == "quotient"
    assert [child.op for child in delta.children] == ["difference", "constant"]
    assert delta.children[1].value == 16


def test_the_update_names_its_parts(probes: tuple[Snapshot, Snapshot]) -> None:
    new = explain(probes[1], CellRef("conv1.W_after", (0, 0, 1, 1)))
    labels = {term.label for term in new.all_terms()}
    assert {"w", "lr", "g", "β₁", "β₂", "m̂", "ŝ", "ε", "1 − β₁ᵗ"} <= labels
    refs = {leaf.ref.array for leaf in new.leaves() if leaf.ref}
    assert refs == {"conv1.W", "conv1.dW", "conv1.W_mean", "conv1.W_square"}


def test_a_loss_whose_probability_vanishes_comes_from_the_logits() -> None:
    trainer = Trainer(small(), blobs(), TrainSettings(), dtype=np.float64)
    trainer.network.parameters.named["dense1.b"][...] = [2000, 0, -2000]
    sample = sample_snapshot(trainer.network, 0, SnapshotRequest(trainer.data.train.images[2], 2))
    loss = explain(sample, CellRef("loss"))
    assert sample["softmax1.y"][2] == 0
    assert loss.fold() == pytest.approx(sample.loss)
    assert sample.loss == pytest.approx(4000, rel=0.05)
    assert np.isfinite(sample["softmax1.dy"]).all()


def test_unknown_arrays_and_cells_are_named_with_what_exists(probes: tuple[Snapshot, Snapshot]) -> None:
    sample, _ = probes
    with pytest.raises(ExplainError, match=r"no array conv9\.y here; there are batch_norm1\.beta, .*conv1\.W, ") as error:
        explain(sample, CellRef("conv9.y", (0, 0, 0)))
    assert error.value.code == "explain.no_array"
    with pytest.raises(ExplainError, match=r"no array conv1\.W_after here"):
        explain(sample, CellRef("conv1.W_after", (0, 0, 0, 0)))
    for index in ((4, 0, 0), (0, 0), (-1, 0, 0), (0, 8, 0)):
        with pytest.raises(ExplainError, match=r"conv1\.y has no cell \[.*\]; its shape is \[4, 8, 8\]") as error:
            explain(sample, CellRef("conv1.y", index))
        assert error.value.code == "explain.no_cell"


def test_a_snapshot_of_some_layers_says_what_it_lacks() -> None:
    trainer = Trainer(small(), blobs(), TrainSettings())
    image = trainer.data.train.images[0]
    sample = sample_snapshot(trainer.network, 0, SnapshotRequest(image, layers=("relu1",)))
    with pytest.raises(ExplainError, match=r"no array conv1\.y here"):
        explain(sample, CellRef("relu1.y", (0, 0, 0)))


def test_a_batch_needs_an_update() -> None:
    with pytest.raises(TrainingError, match="No batch has been trained yet"):
        batch_snapshot(Trainer(small(), blobs(), TrainSettings()))


def test_explaining_takes_less_than_50_terms_at_once() -> None:
    """A click must be answered at once: of the thousands of products of a gradient none is made before it is looked at."""
    _, batch = after_steps(lenet5(), TrainSettings(batch_size=32), np.float32, steps=1)
    for array in ("conv1.dW", "conv1.db", "conv2.y", "conv2.dW", "dense1.y", "max_pool1.dy", "dense1.W_after"):
        term = explain(batch, CellRef(array, tuple(n // 2 for n in batch[array].shape)))

        def made(term: Term) -> int:
            return 1 + (0 if callable(term.inner) else sum(made(child) for child in term.children))

        assert made(term) < 50, array
