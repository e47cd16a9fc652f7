"""Snapshots: two probes of frozen copies; the batch is computed once more exactly and disturbs nothing."""

from __future__ import annotations

import numpy as np
import pytest

from engine.datasets.augmentation import Augmentation
from engine.errors import TrainingError
from engine.layer import Shape
from engine.network import Network
from engine.optimizers import OPTIMIZERS, Momentum
from engine.settings import TrainSettings
from engine.snapshot import SnapshotRequest, batch_snapshot, sample_snapshot
from engine.spec import NetworkSpec
from engine.trainer import BatchDone, Trainer
from tests.engine.networks import blobs, lenet5, parameter_bytes, small, with_everything_random


def trained(spec: NetworkSpec, settings: TrainSettings, steps: int = 3, dtype: type = np.float32) -> tuple[Trainer, BatchDone]:
    """A trainer after some steps, and the last batch's event."""
    shape = spec.placed()[0].x
    data = blobs(96, shape=(shape[0], shape[1], shape[2]), classes=spec.placed()[-1].y.size)
    trainer = Trainer(spec, data, settings, dtype=dtype)
    last = [event for event in trainer.run(until=steps) if isinstance(event, BatchDone)][-1]
    return trainer, last


def everything(trainer: Trainer) -> bytes:
    return parameter_bytes(trainer.network.parameters.named | trainer.network.state | trainer.slots)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_the_batch_and_its_update_are_the_same_bit_for_bit(optimizer: str) -> None:
    settings = TrainSettings(epochs=9, batch_size=20, l2=0.01, l1=0.001, clip_norm=0.5, optimizer=OPTIMIZERS[optimizer]())
    trainer, done = trained(with_everything_random(), settings)
    batch = batch_snapshot(trainer)
    assert (batch.probe, batch.step, batch.loss) == ("batch", 3, done.loss)
    for name, weights in trainer.network.parameters.named.items():
        assert np.array_equal(batch[f"{name}_after"], weights)
        assert np.array_equal(batch[name], trainer.weights_before[name])
    for slot, flat in trainer.slots.items():
        for name, values in trainer.network.parameters.views(flat).items():
            assert np.array_equal(batch[f"{name}_{slot}_after"], values)
            assert not np.array_equal(batch[f"{name}_{slot}"], values)


def test_a_batch_that_is_cut_into_slices_is_whole_again() -> None:
    trainer, done = trained(lenet5(), TrainSettings(epochs=9, batch_size=96))
    assert len(trainer.network.slices(96)) > 1
    batch = batch_snapshot(trainer)
    assert batch.loss == pytest.approx(done.loss, rel=1e-5)
    for placed in trainer.network.placed:
        assert batch[f"{placed.node.id}.y"].shape == batch[f"{placed.node.id}.dy"].shape == (96, *placed.y)
    assert batch["max_pool1.winner"].shape == (96, 6, 14, 14)
    for name, weights in trainer.network.parameters.named.items():
        np.testing.assert_allclose(batch[f"{name}_after"], weights, rtol=1e-4, atol=1e-6)


def test_looking_at_the_batch_or_at_a_sample_changes_nothing() -> None:
    settings = TrainSettings(epochs=9, batch_size=20, optimizer=Momentum())
    (looked, _), (left_alone, _) = (trained(with_everything_random(), settings) for _ in range(2))
    before = everything(looked)
    batch_snapshot(looked)
    sample_snapshot(looked.network, looked.step, SnapshotRequest(looked.data.train.images[0], 0))
    assert everything(looked) == before
    for trainer in (looked, left_alone):
        for _ in trainer.run(until=6):
            pass
    assert everything(looked) == everything(left_alone)


def test_the_batch_is_that_of_the_last_step_with_its_masks_and_augmented_images() -> None:
    settings = TrainSettings(epochs=9, batch_size=20, augmentation=Augmentation(noise=0.5))
    trainer, _ = trained(with_everything_random(), settings)
    one, again = batch_snapshot(trainer), batch_snapshot(trainer)
    assert all(np.array_equal(one[name], again[name]) for name in one.arrays)
    assert not any(np.array_equal(image, original) for image in one["image"] for original in trainer.data.train.images)
    mask = one["dropout1.mask"]
    assert mask.shape == one["dropout1.y"].shape
    assert {0.0} < set(np.unique(mask).round(4))
    assert np.array_equal(one["dropout1.y"], one["batch_norm1.y"] * mask)
    next(trainer.run())
    assert not np.array_equal(batch_snapshot(trainer)["dropout1.mask"], mask)


def test_the_update_is_that_of_the_settings_of_its_time() -> None:
    trainer, _ = trained(small(), TrainSettings(epochs=9, batch_size=20, learning_rate=0.1))
    before = batch_snapshot(trainer)
    trainer.change(trainer.settings.replace(learning_rate=0.7, l2=0.3))
    trainer.network.parameters.flat[...] = 0
    after = batch_snapshot(trainer)
    assert after.update is not None
    assert (after.update.learning_rate, after.update.settings.l2, after.update.t) == (0.1, 0, 3)
    assert all(np.array_equal(before[name], after[name]) for name in before.arrays)


def test_there_is_no_batch_before_the_first_update_and_after_going_back() -> None:
    trainer, _ = trained(small(), TrainSettings(epochs=9, batch_size=20))
    saved = trainer.checkpoint()
    trainer.restore(saved)
    with pytest.raises(TrainingError) as error:
        batch_snapshot(trainer)
    assert error.value.code == "snapshot.no_batch"
    next(trainer.run())
    assert batch_snapshot(trainer).step == 4
    trainer.reset(1)
    with pytest.raises(TrainingError):
        batch_snapshot(trainer)


def test_a_sample_has_no_batch_axis_and_nothing_of_an_update() -> None:
    trainer, _ = trained(with_everything_random(), TrainSettings(epochs=9, batch_size=20))
    sample = sample_snapshot(trainer.network, 3, SnapshotRequest(trainer.data.train.images[5], int(trainer.data.train.labels[5])))
    assert (sample.probe, sample.step, sample.update) == ("sample", 3, None)
    for placed in trainer.network.placed:
        assert Shape(sample[f"{placed.node.id}.y"].shape) == Shape(sample[f"{placed.node.id}.dy"].shape) == placed.y
    assert sample["batch_norm1.inverse_deviation"].shape == (4,)
    assert sample["batch_norm1.normal"].shape == (4, 8, 8)
    assert sample["image"].shape == sample["dimage"].shape == (1, 8, 8)
    assert sample["target"].sum() == 1
    assert not any("after" in name or name in ("penalty", "losses") for name in sample.arrays)
    assert not any(name.endswith((".padded", ".spread", ".of_batch")) for name in sample.arrays)
    np.testing.assert_allclose(sample.loss, sample["loss"])


def test_a_sample_without_a_label_has_no_deltas_and_without_an_image_only_what_belongs_to_the_layers() -> None:
    network = Network(small())
    network.initialize(0)
    image = np.zeros((1, 8, 8), np.float32)
    forward = sample_snapshot(network, 0, SnapshotRequest(image, weights_of=()))
    assert forward.loss is None
    assert set(forward.arrays) == {"image", "input.offset", "input.gain", "max_pool1.winner"} \
        | {f"{node.id}.y" for node in network.spec}
    assert set(sample_snapshot(network, 0, SnapshotRequest(layers=("conv1",))).arrays) == {"conv1.W", "conv1.b"}


def test_snapshots_cannot_be_written_to() -> None:
    trainer, _ = trained(small(), TrainSettings(epochs=9, batch_size=20))
    request = SnapshotRequest(trainer.data.train.images[0], 0)
    for snapshot in (batch_snapshot(trainer), sample_snapshot(trainer.network, 3, request)):
        for array in snapshot.arrays.values():
            assert not array.flags.writeable
            assert array.flags.c_contiguous


def test_weights_and_gradients_can_be_asked_of_some_layers_only() -> None:
    data, spec = blobs(), small()
    network = Trainer(spec, data, TrainSettings(seed=3)).network
    request = SnapshotRequest(data.train.images[0], 1, weights_of=("dense1",))
    some, everything = (sample_snapshot(network, 0, r) for r in (request, SnapshotRequest(data.train.images[0], 1)))
    assert "dense1.W" in some and "dense1.dW" in some and "conv1.dy" in some and "conv1.y" in some
    assert set(everything.arrays) - set(some.arrays) == {"conv1.W", "conv1.b", "conv1.dW", "conv1.db"}


def test_deltas_can_be_asked_of_some_layers_only() -> None:
    data = blobs()
    network = Trainer(small(), data, TrainSettings(seed=3)).network
    request = SnapshotRequest(data.train.images[0], 1, layers=(), weights_of=(), deltas_of=("relu1",), gradients=False)
    some, everything = (sample_snapshot(network, 0, r) for r in (request, SnapshotRequest(data.train.images[0], 1)))
    assert set(some.arrays) == {"image", "dimage", "target", "loss", "relu1.dy"}
    np.testing.assert_array_equal(some["relu1.dy"], everything["relu1.dy"])


@pytest.mark.parametrize(("asked", "computed"), [((), 0), (("conv1",), 2), (("relu1", "input"), 3)])
def test_a_sample_is_computed_no_further_than_to_the_last_layer_whose_output_is_asked_for(
    asked: tuple[str, ...], computed: int) -> None:
    network = Network(small())
    network.initialize(0)
    sample_snapshot(network, 0, SnapshotRequest(np.ones((1, 8, 8), np.float32), layers=asked, weights_of=("conv1",)))
    outputs = [ws.y for ws in network.forward_sample(np.zeros((1, 8, 8), np.float32), 0).workspaces]
    assert [bool(y.any()) for y in outputs] == [True] * computed + [False] * (len(outputs) - computed)


def test_deltas_can_be_asked_for_without_gradients_and_are_the_same() -> None:
    trainer, _ = trained(with_everything_random(), TrainSettings(epochs=9, batch_size=20))
    image, label = trainer.data.train.images[5], int(trainer.data.train.labels[5])
    deltas, all_ = (sample_snapshot(trainer.network, 3, SnapshotRequest(image, label, gradients=g)) for g in (False, True))
    own = {f"{name.rsplit('.', 1)[0]}.d{name.rsplit('.', 1)[1]}" for name in trainer.network.parameters.named}
    assert set(all_.arrays) - set(deltas.arrays) == own
    for name, array in deltas.arrays.items():
        np.testing.assert_array_equal(array, all_[name], err_msg=name)
