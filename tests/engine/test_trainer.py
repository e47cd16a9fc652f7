"""The training loop: what it yields, that it can stop anywhere and go on exactly, and that it never keeps a broken number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from engine.checkpoint import Checkpoint
from engine.datasets.augmentation import Augmentation
from engine.errors import DataError, StorageError, TrainingError
from engine.layers.activation import ReLU
from engine.layers.batchnorm import BatchNorm
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.layers.softmax import Softmax
from engine.losses import LOSSES, SquaredError
from engine.network import Network
from engine.optimizers import OPTIMIZERS, SGD, Adam, Momentum
from engine.schedules import Cosine, Plateau, Step
from engine.settings import TrainSettings
from engine.slices import CORES, allow_cores
from engine.spec import NetworkSpec
from engine.trainer import (
    EVALUATION_PART,
    BatchDone,
    EpochDone,
    Evaluating,
    Event,
    Finished,
    GradientDone,
    LayerDone,
    Trainer,
    drained,
)
from tests.engine.networks import blobs, parameter_bytes, small, with_everything_random

SETTINGS = TrainSettings(epochs=3, batch_size=20, learning_rate=0.01, seed=3)


def weights(trainer: Trainer) -> bytes:
    return parameter_bytes(trainer.network.parameters.named | trainer.network.state)


def trained(spec: NetworkSpec, settings: TrainSettings = SETTINGS, grain: str = "batch") -> Trainer:
    trainer = Trainer(spec, blobs(), settings)
    for _ in trainer.run(grain=grain):
        pass
    return trainer


def test_a_run_yields_every_batch_every_epoch_and_the_end() -> None:
    events = list(Trainer(small(), blobs(96), SETTINGS).run())
    batches = [e for e in events if isinstance(e, BatchDone)]
    epochs = [e for e in events if isinstance(e, EpochDone)]
    assert [b.step for b in batches] == list(range(1, 16))
    assert [(b.batch, b.batches, b.images) for b in batches[:5]] == [(1, 5, 20), (2, 5, 20), (3, 5, 20), (4, 5, 20), (5, 5, 16)]
    assert [e.epoch for e in epochs] == [1, 2, 3] and epochs[-1].step == 15
    assert events[-1] == Finished("epochs", 15)


def test_training_learns() -> None:
    last = [e for e in Trainer(small(), blobs(), SETTINGS.replace(epochs=10)).run() if isinstance(e, EpochDone)][-1]
    assert last.val_accuracy == 1.0 and last.val_loss < 0.1


def test_epoch_metrics_are_the_means_over_the_images() -> None:
    events = list(Trainer(small(), blobs(), SETTINGS).run())
    first = [e for e in events if isinstance(e, BatchDone) and e.epoch == 0]
    epoch = next(e for e in events if isinstance(e, EpochDone))
    images = np.array([e.images for e in first])
    assert epoch.train_loss == pytest.approx(np.average([e.loss for e in first], weights=images))
    assert epoch.train_accuracy == pytest.approx(np.average([e.accuracy for e in first], weights=images))


def test_the_same_seed_gives_the_same_weights_in_20_runs() -> None:
    assert len({weights(trained(with_everything_random())) for _ in range(20)}) == 1


def test_another_seed_gives_other_weights() -> None:
    assert weights(trained(small())) != weights(trained(small(), SETTINGS.replace(seed=4)))


def test_layer_grain_gives_the_same_weights_as_batch_grain() -> None:
    assert weights(trained(with_everything_random(), grain="layer")) == weights(trained(with_everything_random()))


def test_layer_grain_stops_after_every_layer_forward_backward_and_the_update() -> None:
    events = [e for e in Trainer(small(), blobs(), SETTINGS).run(grain="layer", until=1) if isinstance(e, LayerDone)]
    assert [(e.phase, e.layer) for e in events] == [
        ("forward", "input"), ("forward", "conv1"), ("forward", "relu1"), ("forward", "max_pool1"), ("forward", "flatten1"),
        ("forward", "dense1"), ("forward", "softmax1"), ("backward", "dense1"), ("backward", "flatten1"),
        ("backward", "max_pool1"), ("backward", "relu1"), ("backward", "conv1"), ("update", "")]


def test_gradient_grain_stops_before_every_update_and_gives_the_same_weights() -> None:
    trainer, told, before = Trainer(with_everything_random(), blobs(), SETTINGS), [], b""
    for event in trainer.run(grain="gradient"):
        if isinstance(event, GradientDone | BatchDone):
            told.append((type(event), event.step))
            now = parameter_bytes(trainer.network.parameters.named)
            assert not before or (now == before) is isinstance(event, GradientDone)
            before = now
    assert told[:4] == [(GradientDone, 1), (BatchDone, 1), (GradientDone, 2), (BatchDone, 2)]
    assert weights(trainer) == weights(trained(with_everything_random()))


@pytest.mark.parametrize(("grain", "stops"), [("layer", 5), ("gradient", 1)])
def test_a_batch_left_in_the_middle_is_computed_again(grain: str, stops: int) -> None:
    trainer = Trainer(with_everything_random(), blobs(), SETTINGS)
    run = trainer.run(grain=grain)
    for _ in range(stops):
        next(run)
    run.close()
    assert trainer.step == 0
    for _ in trainer.run():
        pass
    assert weights(trainer) == weights(trained(with_everything_random()))


@pytest.mark.parametrize("stop", [1, 4, 5, 6, 14])
def test_a_run_closed_at_any_step_goes_on_exactly(stop: int) -> None:
    trainer = Trainer(with_everything_random(), blobs(), SETTINGS)
    for _ in trainer.run(until=stop):
        pass
    assert trainer.step == stop
    for _ in trainer.run():
        pass
    assert weights(trainer) == weights(trained(with_everything_random()))


@pytest.mark.parametrize("stop", [0, 3, 5, 8])
@pytest.mark.parametrize("optimizer", [kind() for kind in OPTIMIZERS.values()], ids=lambda o: o.kind)
def test_a_checkpoint_resumes_exactly_from_bytes(stop: int, optimizer: Adam) -> None:
    settings = SETTINGS.replace(optimizer=optimizer, schedule=Plateau(patience=1), augmentation=Augmentation(shift=1, noise=0.1))
    first = Trainer(with_everything_random(), blobs(), settings)
    for _ in first.run(until=stop):
        pass
    saved = first.checkpoint().to_bytes()
    rest = [e for e in first.run() if isinstance(e, BatchDone)]
    second = Trainer(with_everything_random(), blobs(), settings.replace(seed=99))
    second.restore(Checkpoint.from_bytes(saved))
    assert [e for e in second.run() if isinstance(e, BatchDone)] == rest
    assert weights(second) == weights(first)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    with pytest.raises(StorageError, match="another network"):
        Trainer(small(), blobs(), SETTINGS).restore(Trainer(with_everything_random(), blobs(), SETTINGS).checkpoint())


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", b"\x10" + b"\0" * 40])
def test_damaged_checkpoint_bytes_are_refused(damage: bytes) -> None:
    with pytest.raises(StorageError, match="not a checkpoint"):
        Checkpoint.from_bytes(damage)


def test_every_truncation_of_a_checkpoint_is_refused() -> None:
    whole = Trainer(small(), blobs(), SETTINGS).checkpoint().to_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 50)):
        with pytest.raises(StorageError):
            Checkpoint.from_bytes(whole[:length])


def test_a_learning_rate_far_too_high_names_the_layer_and_keeps_the_last_finite_weights() -> None:
    trainer = Trainer(small(), blobs(), SETTINGS.replace(learning_rate=1e30, optimizer=SGD(), epochs=50, loss=SquaredError()))
    with pytest.raises(TrainingError, match="Lower the learning rate") as caught:
        for _ in trainer.run():
            pass
    assert caught.value.code == "training.not_finite" and caught.value.layer in {n.id for n in trainer.network.spec}
    assert np.isfinite(trainer.network.parameters.flat).all()


@pytest.mark.parametrize("optimizer", [kind() for kind in OPTIMIZERS.values()], ids=lambda o: o.kind)
def test_after_a_diverged_step_training_goes_on_from_the_last_finite_weights(optimizer: Adam) -> None:
    sound = SETTINGS.replace(optimizer=optimizer)
    trainer = Trainer(small(), blobs(), sound)
    for _ in trainer.run(until=3):
        pass
    before = trainer.checkpoint()
    trainer.change(sound.replace(learning_rate=1e300))
    with pytest.raises(TrainingError, match="infinite or NaN"):
        next(trainer.run())
    after = trainer.checkpoint()
    assert after.step == 3 and np.array_equal(after.parameters, before.parameters)
    assert all(np.array_equal(after.slots[name], before.slots[name]) for name in before.slots)
    trainer.change(sound)
    for _ in trainer.run():
        pass
    assert weights(trainer) == weights(trained(small(), sound))


def test_a_nan_in_an_image_names_the_first_layer() -> None:
    data = blobs()
    images = data.train.images.copy()
    images[:] = np.nan
    object.__setattr__(data.train, "images", images)
    with pytest.raises(TrainingError, match=r"input \(layer 0\): the output is no longer a finite number"):
        next(Trainer(small(), data, SETTINGS).run())


def test_live_changes_apply_at_the_next_batch_and_are_logged() -> None:
    trainer = Trainer(small(), blobs(), SETTINGS.replace(optimizer=Momentum()))
    run = trainer.run()
    next(run)
    changed = trainer.settings.replace(learning_rate=0.5, optimizer=Momentum(momentum=0.1), batch_size=10)
    trainer.change(changed)
    event = next(run)
    assert isinstance(event, BatchDone) and (event.learning_rate, event.images, event.batches) == (0.5, 10, 10)
    assert trainer.changes == [(1, changed)]


@pytest.mark.parametrize("grain", ["batch", "layer"])
def test_a_dropout_rate_changes_at_the_next_batch_and_all_else_stays(grain: str) -> None:
    """One run with rate 0.3 throughout, one that gets it after the second batch: their second halves differ, their first do not;
    and a change to the same rate changes nothing."""
    spec = with_everything_random()
    dropout = next(node.id for node in spec if node.layer.kind == "dropout")
    losses = {}
    for rate in (0.3, 0.9):
        trainer, seen = Trainer(spec, blobs(), SETTINGS), []
        for event in trainer.run(grain=grain):
            if isinstance(event, LayerDone) and (event.step, event.phase) == (3, "forward"):
                trainer.change_layers(spec.replace(dropout, Dropout(rate=rate)))  # in the middle of the third batch
            if isinstance(event, BatchDone):
                seen.append(event.loss)
                if event.step == 2 and grain == "batch":
                    trainer.change_layers(spec.replace(dropout, Dropout(rate=rate)))
        losses[rate] = seen
        assert trainer.network.spec == spec.replace(dropout, Dropout(rate=rate))
    untouched = [e.loss for e in Trainer(spec, blobs(), SETTINGS).run() if isinstance(e, BatchDone)]
    first = 3 if grain == "layer" else 2
    assert losses[0.3] == untouched
    assert losses[0.9][:first] == untouched[:first] and losses[0.9][first] != untouched[first]


def test_only_live_options_of_layers_change_within_a_run() -> None:
    spec = with_everything_random()
    with pytest.raises(TrainingError, match="Only options such as a dropout rate"):
        Trainer(spec, blobs(), SETTINGS).change_layers(small())
    conv = next(node.id for node in spec if node.layer.kind == "conv")
    with pytest.raises(TrainingError, match="Only options such as a dropout rate"):
        Trainer(spec, blobs(), SETTINGS).change_layers(spec.replace(conv, Conv2D(5, (3, 3), padding=(1, 1, 1, 1))))


def test_the_loss_cannot_change_in_the_middle_of_a_run() -> None:
    trainer = Trainer(small(), blobs(), SETTINGS)
    with pytest.raises(TrainingError, match="Reset the weights first"):
        trainer.change(SETTINGS.replace(loss=SquaredError()))


def test_the_rate_follows_schedule_and_warm_up() -> None:
    rates = [e.learning_rate for e in Trainer(small(), blobs(), SETTINGS.replace(
        schedule=Step(every=1, fall=0.1), warm_up_epochs=1.0)).run() if isinstance(e, BatchDone)]
    assert rates[:5] == pytest.approx([0.002, 0.004, 0.006, 0.008, 0.01])
    assert rates[5] == pytest.approx(0.001) and rates[10] == pytest.approx(0.0001)
    falling = Trainer(small(), blobs(), SETTINGS.replace(schedule=Cosine()))
    cosine = [e.learning_rate for e in falling.run() if isinstance(e, BatchDone)]
    assert cosine[0] == 0.01 and cosine == sorted(cosine, reverse=True)


def test_the_plateau_schedule_lowers_the_rate_after_epochs_without_a_better_loss() -> None:
    plateau = Plateau(patience=2, fall=0.5)
    assert plateau.factor(0, 9, [1.0, 0.9, 0.95, 0.9]) == 0.5
    assert plateau.factor(0, 9, [1.0, 0.9, 0.95]) == 1.0
    assert plateau.factor(0, 9, [1.0, 1.0, 1.0, 1.0, 1.0]) == 0.25


def test_early_stopping_ends_the_run() -> None:
    data = blobs()
    # Validation labels that are wrong: the better the network learns, the higher the validation loss.
    object.__setattr__(data.validation, "labels", (data.validation.labels + 1) % 3)
    events = list(Trainer(small(), data, SETTINGS.replace(epochs=50, patience=2)).run())
    last = events[-1]
    assert isinstance(last, Finished) and last.reason == "early stopping"
    losses = [e.val_loss for e in events if isinstance(e, EpochDone)]
    assert len(losses) < 50 and min(losses[-2:]) >= min(losses[:-2])


def test_penalties_add_to_loss_and_gradient_as_differences_say() -> None:
    data = blobs(20)
    for name in ("l2", "l1"):
        plain = Trainer(small(), data, SETTINGS, dtype=np.float64)
        with_penalty = Trainer(small(), data, SETTINGS.replace(**{name: 0.1}), dtype=np.float64)
        a, b = next(plain.run()), next(with_penalty.run())
        w = plain.weights_before
        kernels = np.concatenate([w["conv1.W"].ravel(), w["dense1.W"].ravel()])
        assert isinstance(a, BatchDone) and isinstance(b, BatchDone)
        expected = 0.05 * np.square(kernels).sum() if name == "l2" else 0.1 * np.abs(kernels).sum()
        assert b.loss - a.loss == pytest.approx(expected)
        difference = with_penalty.network.parameters.gradient - plain.network.parameters.gradient
        named = plain.network.parameters.views(difference)
        slope = 0.1 * (w["conv1.W"] if name == "l2" else np.sign(w["conv1.W"]))
        assert np.allclose(named["conv1.W"], slope) and np.allclose(named["conv1.b"], 0)


def test_clipping_shortens_a_long_gradient() -> None:
    trainer = Trainer(small(), blobs(), SETTINGS.replace(clip_norm=0.001))
    next(trainer.run())
    assert np.linalg.norm(trainer.network.parameters.gradient) == pytest.approx(0.001, rel=1e-5)


@pytest.mark.parametrize("loss", [kind() for kind in LOSSES.values()], ids=lambda item: item.kind)
def test_settings_survive_json(loss: SquaredError) -> None:
    settings = SETTINGS.replace(loss=loss, optimizer=Momentum(momentum=0.5), schedule=Step(every=2),
                                augmentation=Augmentation(shift=2), l2=0.1)
    assert TrainSettings.from_json(settings.to_json()) == settings


def test_images_of_another_size_are_refused_with_the_fix() -> None:
    with pytest.raises(DataError, match="takes 8×8×1, but the images of blobs are 9×8×1") as caught:
        Trainer(small(), blobs(shape=(1, 9, 8)), SETTINGS)
    assert caught.value.fixes[0].value == (1, 9, 8)


def test_too_few_outputs_are_refused_with_the_fix() -> None:
    with pytest.raises(DataError, match="5 classes, but the network has 3 outputs") as caught:
        Trainer(small(), blobs(classes=5), SETTINGS)
    assert (caught.value.fixes[0].layer, caught.value.fixes[0].value) == ("dense1", 5)


def test_the_test_split_is_refused_when_there_is_none() -> None:
    with pytest.raises(DataError, match="no test split"):
        Trainer(small(), blobs(), SETTINGS).evaluate_test()


def test_adding_a_block_leaves_the_other_blocks_start_as_it_was() -> None:
    a, b = Trainer(small(), blobs(), SETTINGS), Trainer(small(Conv2D(4, (1, 1))), blobs(), SETTINGS)
    assert np.array_equal(a.network.parameters.named["conv1.W"], b.network.parameters.named["conv1.W"])
    assert isinstance(a.network.spec["dense1"].layer, Dense)


def test_a_further_run_trains_all_epochs_again_with_schedule_and_patience_begun_anew() -> None:
    trainer = Trainer(small(), blobs(), SETTINGS.replace(schedule=Cosine(), patience=2))
    first = [e for e in trainer.run() if isinstance(e, BatchDone)]
    assert [e for e in trainer.run()] == [Finished("epochs", 15)]
    trainer.begin_run()
    second = [e for e in trainer.run() if isinstance(e, BatchDone)]
    assert [e.learning_rate for e in second] == [e.learning_rate for e in first]
    assert [e.step for e in second] == list(range(16, 31)) and second[0].epoch == 3


def test_a_further_run_leaves_an_epoch_that_was_stopped_in_the_middle_unfinished() -> None:
    trainer = Trainer(small(), blobs(), SETTINGS.replace(epochs=1))
    for _ in trainer.run(until=2):
        pass
    trainer.begin_run()
    events = list(trainer.run())
    assert [(e.epoch, e.batch) for e in events if isinstance(e, BatchDone)] == [(1, b) for b in range(1, 6)]
    losses = [e.loss * e.images for e in events if isinstance(e, BatchDone)]
    assert next(e for e in events if isinstance(e, EpochDone)).train_loss == pytest.approx(sum(losses) / 96)


def test_a_checkpoint_of_a_further_run_resumes_exactly() -> None:
    settings = SETTINGS.replace(schedule=Cosine())
    first = Trainer(small(), blobs(), settings)
    for _ in first.run():
        pass
    first.begin_run()
    for _ in first.run(until=18):
        pass
    second = Trainer(small(), blobs(), settings)
    second.restore(Checkpoint.from_bytes(first.checkpoint().to_bytes()))
    assert list(strip_speed(second.run())) == list(strip_speed(first.run()))


def test_a_checkpoint_in_the_middle_of_a_batch_holds_the_state_before_the_batch() -> None:
    trainer = Trainer(with_everything_random(), blobs(), SETTINGS)
    before = trainer.checkpoint()
    run = trainer.run(grain="layer")
    for _ in range(6):
        next(run)
    inside = trainer.checkpoint()
    assert not np.array_equal(trainer.network.state["batch_norm1.mean"], before.state["batch_norm1.mean"])
    assert parameter_bytes(inside.state) == parameter_bytes(before.state)


def test_what_training_changes_beside_the_parameters_is_all_state_but_the_fit_of_the_input() -> None:
    network = Network(NetworkSpec.of([Input(1, 8, 8, mean="feature"), BatchNorm(), Flatten(), Dense(3), Softmax()]))
    assert any(name.startswith("input.") for name in network.state)
    assert sorted(network.running_state()) == ["batch_norm1.mean", "batch_norm1.variance"]


def test_validation_comes_in_parts_that_add_up_to_the_whole() -> None:
    trainer = Trainer(small(), blobs(2 * (2 * EVALUATION_PART + 7)), SETTINGS.replace(epochs=1))
    events = list(trainer.run())
    validation = trainer.data.validation
    whole = trainer.network.evaluate(validation.images, validation.labels)
    parts = [e for e in events if isinstance(e, Evaluating)]
    assert [e.done for e in parts] == [EVALUATION_PART, 2 * EVALUATION_PART, len(validation)]
    epoch = next(e for e in events if isinstance(e, EpochDone))
    assert (epoch.val_loss, epoch.val_accuracy) == pytest.approx((whole.loss, whole.accuracy), rel=1e-6)
    assert np.array_equal(drained(trainer.evaluation(validation)).predicted, whole.predicted)


def test_a_run_left_during_validation_validates_when_it_goes_on() -> None:
    trainer = Trainer(small(), blobs(), SETTINGS.replace(epochs=1))
    run = trainer.run()
    next(e for e in run if isinstance(e, Evaluating))
    run.close()
    assert [type(e) for e in trainer.run()] == [Evaluating, EpochDone, Finished]


def test_without_validation_images_the_validation_figures_are_not_numbers() -> None:
    data = blobs()
    object.__setattr__(data, "validation", data.validation.select(np.zeros(0, np.int64)))
    epochs = [e for e in Trainer(small(), data, SETTINGS.replace(patience=1)).run() if isinstance(e, EpochDone)]
    assert len(epochs) == 3 and all(np.isnan(e.val_loss) and np.isnan(e.val_accuracy) for e in epochs)


def strip_speed(events: Iterator[Event]) -> Iterator[Event]:
    """The events without what depends on the clock."""
    for event in events:
        yield replace(event, images_per_second=0.0) if isinstance(event, EpochDone) else event


def test_the_number_of_cores_changes_no_bit() -> None:
    spec = NetworkSpec.of([Input(3, 32, 32), Conv2D(8, (5, 5)), ReLU(), MaxPool2D(), Flatten(), Dense(3), Softmax()])
    data, settings = blobs(n=64, shape=(3, 32, 32)), TrainSettings(epochs=1, batch_size=64)
    weights = []
    try:
        for cores in (1, 2):
            allow_cores(cores)
            trainer = Trainer(spec, data, settings)
            assert len(trainer.network.slices(64)) > 1
            list(trainer.run())
            weights.append(trainer.network.parameters.flat.copy())
    finally:
        allow_cores(CORES)
    assert np.array_equal(*weights)
