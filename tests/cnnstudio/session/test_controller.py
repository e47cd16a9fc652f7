"""The session from the GUI's side: commands, what they lead to, and that nothing is lost between the threads."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import QEventLoop, QObject, QTimer, Slot
from pytestqt.qtbot import QtBot

from cnnstudio.session import controller as controller_module
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase
from cnnstudio.session.remote import RemoteWorker
from engine.checkpoint import Checkpoint
from engine.datasets.augmentation import Augmentation, Floats
from engine.datasets.dataset import Dataset
from engine.errors import TrainingError
from engine.history import RunHistory
from engine.layers.conv import Conv2D
from engine.losses import SquaredError
from engine.network import Evaluation
from engine.optimizers import SGD
from engine.settings import TrainSettings
from engine.snapshot import Snapshot, SnapshotRequest
from engine.trainer import BatchDone, EpochDone, LayerDone, Trainer
from tests.engine.networks import blobs, small, with_everything_random

SETTINGS = TrainSettings(epochs=3, batch_size=20, learning_rate=0.01, seed=3)
ENDLESS = SETTINGS.replace(epochs=1_000_000)
SPEC = with_everything_random()
T = TypeVar("T")


class Broken(Augmentation):
    """Fails at the beginning of a step."""

    def augment(self, images: Floats, rng: np.random.Generator, out: Floats) -> None:
        raise ZeroDivisionError("made for the test")


class Listener(QObject):
    """Writes down every signal, in order."""

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self.heard: list[object] = []
        for signal in (controller.epoch_done, controller.layer_done, controller.weights_reset, controller.failed,
                       controller.frame_arrived, controller.checkpoint_taken, controller.evaluated,
                       controller.weights_edited):  # fmt: skip
            signal.connect(self.note)
        controller.batches_done.connect(self.note_batches)
        controller.run_started.connect(self.note_start)
        controller.carried_over.connect(self.note_pair)

    @Slot(object)
    def note(self, what: object) -> None:
        self.heard.append(what)

    @Slot(object)
    def note_batches(self, batches: list[BatchDone]) -> None:
        self.heard.extend(batches)

    @Slot()
    def note_start(self) -> None:
        self.heard.append("run started")

    @Slot(object, object)
    def note_pair(self, kept: tuple[str, ...], fresh: tuple[str, ...]) -> None:
        self.heard.append((kept, fresh))

    def of(self, kind: type[T]) -> list[T]:
        return [e for e in self.heard if isinstance(e, kind)]


@pytest.fixture
def data() -> Dataset:
    return blobs()


@pytest.fixture(params=["process", "thread"])
def controller(qtbot: QtBot, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Controller]:
    if request.param == "process":
        monkeypatch.setattr(controller_module, "RemoteWorker", RemoteWorker)
    made = Controller()
    yield made
    made.close()


@pytest.fixture
def listener(controller: Controller) -> Listener:
    return Listener(controller)


def wait_for(qtbot: QtBot, controller: Controller, phase: RunPhase) -> None:
    qtbot.waitUntil(lambda: controller.state.phase == phase)


def begin(qtbot: QtBot, controller: Controller, data: Dataset, settings: TrainSettings = SETTINGS) -> None:
    controller.load(SPEC, data, settings)
    wait_for(qtbot, controller, RunPhase.READY)


def saved(controller: Controller) -> Checkpoint:
    checkpoint = controller.checkpoint_now(10)
    assert checkpoint is not None
    return checkpoint


def trained_directly(data: Dataset, settings: TrainSettings = SETTINGS, runs: int = 1) -> Checkpoint:
    trainer = Trainer(SPEC, data, settings)
    for _ in range(runs):
        trainer.begin_run()
        for _event in trainer.run():
            pass
    return trainer.checkpoint()


def same_weights(a: Checkpoint, b: Checkpoint) -> bool:
    return np.array_equal(a.parameters, b.parameters) and all(np.array_equal(a.state[k], b.state[k]) for k in a.state)


def test_a_loaded_network_is_ready_with_the_weights_of_its_seed(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    assert controller.state.phase == RunPhase.EMPTY
    begin(qtbot, controller, data)
    assert controller.state.seed == 3 and controller.state.epochs == 3 and controller.state.batches == 5
    (kept, fresh), = listener.of(tuple)
    assert kept == () and "conv1.W" in fresh and "dense1.b" in fresh
    assert same_weights(saved(controller), Trainer(SPEC, data, SETTINGS).checkpoint())


def test_a_run_reports_every_batch_and_epoch_and_ends_with_the_weights_of_the_engine_alone(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    state = controller.state
    assert (state.step, state.epoch, state.batch, state.reason) == (15, 3, 0, "epochs")
    assert [b.step for b in listener.of(BatchDone)] == list(range(1, 16))
    assert [e.step for e in listener.of(EpochDone)] == [5, 10, 15]
    order = [e for e in listener.heard if isinstance(e, (BatchDone, EpochDone))]
    assert [e.step for e in order if isinstance(e, EpochDone) or e.batch == 5] == [5, 5, 10, 10, 15, 15]
    assert listener.heard.count("run started") == 1
    assert controller.history.steps.tolist() == list(range(1, 16))
    assert controller.history.loss.tolist() == [b.loss for b in listener.of(BatchDone)]
    assert controller.history.epochs == listener.of(EpochDone)
    assert same_weights(saved(controller), trained_directly(data))


def test_pause_keeps_the_place_and_run_goes_on_exactly(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    settings = SETTINGS.replace(epochs=240)
    begin(qtbot, controller, data, settings)
    controller.run()
    qtbot.waitUntil(lambda: controller.state.step > 0)
    controller.pause()
    wait_for(qtbot, controller, RunPhase.PAUSED)
    place = controller.state.step
    assert 0 < place < 1200 and saved(controller).step == place
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert listener.heard.count("run started") == 1
    assert same_weights(saved(controller), trained_directly(data, settings))


def test_after_stop_run_trains_all_epochs_again_from_the_present_weights(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    controller.step_batch()
    wait_for(qtbot, controller, RunPhase.PAUSED)
    controller.stop()
    wait_for(qtbot, controller, RunPhase.STOPPED)
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert controller.state.step == 16 and listener.heard.count("run started") == 2


def test_after_the_end_run_trains_all_epochs_again(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    controller.run()
    qtbot.waitUntil(lambda: controller.state.step == 30 and controller.state.phase == RunPhase.FINISHED)
    assert (controller.state.epoch, controller.state.epochs) == (3, 3)
    assert [e.epoch for e in listener.of(EpochDone)] == [1, 2, 3, 4, 5, 6]
    assert same_weights(saved(controller), trained_directly(data, runs=2))


def test_one_batch_at_a_time_and_the_last_of_an_epoch_brings_the_validation(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data, SETTINGS.replace(epochs=1))
    for step in range(1, 5):
        controller.step_batch()
        qtbot.waitUntil(lambda step=step: controller.state.step == step and controller.state.phase == RunPhase.PAUSED)
    assert not listener.of(EpochDone)
    controller.step_batch()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert [e.step for e in listener.of(EpochDone)] == [5] and len(listener.of(BatchDone)) == 5


def test_one_layer_at_a_time_and_then_the_rest_of_the_batch(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    for count in range(1, 13):
        controller.step_layer()
        qtbot.waitUntil(lambda count=count: len(listener.of(LayerDone)) == count)
    phases = [e.phase for e in listener.of(LayerDone)]
    assert phases == ["forward"] * 9 + ["backward"] * 3
    assert not listener.of(BatchDone) and saved(controller).step == 0
    controller.step_batch()
    qtbot.waitUntil(lambda: len(listener.of(BatchDone)) == 1 and controller.state.phase == RunPhase.PAUSED)
    assert listener.of(LayerDone)[-1].phase == "update" and controller.state.step == 1
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert same_weights(saved(controller), trained_directly(data))


def test_run_in_the_middle_of_a_batch_computes_the_batch_again(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    for count in range(1, 7):
        controller.step_layer()
        qtbot.waitUntil(lambda count=count: len(listener.of(LayerDone)) == count)
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert [b.step for b in listener.of(BatchDone)] == list(range(1, 16))
    assert same_weights(saved(controller), trained_directly(data))


def test_layers_can_be_stepped_in_the_middle_of_a_run_and_the_run_goes_on_in_batches(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    controller.step_batch()
    wait_for(qtbot, controller, RunPhase.PAUSED)
    for count in range(1, 4):
        controller.step_layer()
        qtbot.waitUntil(lambda count=count: len(listener.of(LayerDone)) == count)
    assert [e.step for e in listener.of(LayerDone)] == [2, 2, 2]
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert len(listener.of(LayerDone)) == 3
    assert same_weights(saved(controller), trained_directly(data))


def test_reset_during_training_draws_new_weights_and_empties_the_history(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data, ENDLESS)
    controller.run()
    qtbot.waitUntil(lambda: controller.state.step > 0)
    controller.reset(8)
    wait_for(qtbot, controller, RunPhase.READY)
    assert (controller.state.step, controller.state.seed, len(controller.history)) == (0, 8, 0)
    assert listener.heard.count(8) == 1
    assert same_weights(saved(controller), Trainer(SPEC, data, ENDLESS.replace(seed=8)).checkpoint())


def test_a_live_change_applies_at_the_next_batch(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data, ENDLESS)
    controller.run()
    qtbot.waitUntil(lambda: controller.state.step > 0)
    controller.change(ENDLESS.replace(learning_rate=0.5))
    qtbot.waitUntil(lambda: listener.of(BatchDone)[-1].learning_rate == 0.5)
    rates = [b.learning_rate for b in listener.of(BatchDone)]
    assert rates == sorted(rates) and set(rates) == {0.01, 0.5}


def test_a_change_that_cannot_be_made_within_a_run_is_refused_and_training_goes_on(
    qtbot: QtBot, controller: Controller, data: Dataset
) -> None:
    begin(qtbot, controller, data, ENDLESS)
    controller.run()
    wait_for(qtbot, controller, RunPhase.RUNNING)
    with qtbot.waitSignal(controller.failed, check_params_cb=lambda error: error.code == "training.change"):
        controller.change(ENDLESS.replace(loss=SquaredError()))
    step = controller.state.step
    qtbot.waitUntil(lambda: controller.state.step > step)
    assert controller.state.phase == RunPhase.RUNNING


def test_a_number_that_is_not_finite_stops_the_run_with_finite_weights_and_a_lower_rate_goes_on(
    qtbot: QtBot, controller: Controller, data: Dataset
) -> None:
    wild = SETTINGS.replace(learning_rate=1e60, optimizer=SGD())
    begin(qtbot, controller, data, wild)
    with qtbot.waitSignal(controller.failed) as blocker:
        controller.run()
    error = blocker.args[0]
    wait_for(qtbot, controller, RunPhase.FAILED)
    assert error.code == "training.not_finite" and error.layer in [n.title for n in SPEC]
    assert controller.state.reason == "error"
    assert np.isfinite(saved(controller).parameters).all()
    controller.change(wild.replace(learning_rate=0.01))
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)


def test_weights_that_no_rate_can_save_are_called_lost(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data, SETTINGS.replace(learning_rate=1e38, optimizer=SGD()))
    controller.run()
    wait_for(qtbot, controller, RunPhase.FAILED)
    controller.change(SETTINGS)
    controller.run()
    qtbot.waitUntil(lambda: len(listener.of(TrainingError)) == 2)
    first, second = listener.of(TrainingError)
    assert (first.code, second.code) == ("training.not_finite", "session.weights_lost")
    assert second.layer == first.layer and "Reset the weights" in second.message
    controller.reset(3)
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)


def test_a_network_that_does_not_fit_the_data_is_refused_and_leaves_nothing_loaded(
    qtbot: QtBot, controller: Controller, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    controller.set_probe(SnapshotRequest(data.train.images[0]))
    qtbot.waitUntil(lambda: controller.snapshot is not None)
    with qtbot.waitSignal(controller.frame_arrived, check_params_cb=lambda frame: frame is None), qtbot.waitSignal(
        controller.failed, check_params_cb=lambda error: error.code == "data.shape"
    ):
        controller.load(SPEC, blobs(shape=(1, 9, 8)), SETTINGS)
    wait_for(qtbot, controller, RunPhase.EMPTY)
    assert controller.snapshot is None and controller.checkpoint_now(10) is None
    with qtbot.waitSignal(controller.failed, check_params_cb=lambda error: error.code == "session.empty"):
        controller.run()


def test_an_unexpected_error_is_logged_and_reported_and_the_thread_stays_usable(
    qtbot: QtBot, controller: Controller, data: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    begin(qtbot, controller, data)
    controller.change(SETTINGS.replace(augmentation=Broken()))
    with caplog.at_level(logging.ERROR, "cnnstudio"):
        with qtbot.waitSignal(controller.failed) as blocker:
            controller.run()
        wait_for(qtbot, controller, RunPhase.FAILED)
    assert blocker.args[0].code == "session.unexpected" and "made for the test" in blocker.args[0].message
    assert "ZeroDivisionError" in caplog.text and "in augment" in caplog.text
    controller.change(SETTINGS)
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert same_weights(saved(controller), trained_directly(data))


def test_a_probe_at_rest_is_answered_at_once_with_the_arrays_of_the_present_weights(
    qtbot: QtBot, controller: Controller, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    with qtbot.waitSignal(controller.frame_arrived) as blocker:
        controller.set_probe(SnapshotRequest(data.train.images[0], int(data.train.labels[0]), ("conv1",)))
    frame = blocker.args[0]
    assert isinstance(frame, Snapshot) and frame.step == 0 and controller.snapshot is frame
    assert np.array_equal(frame["conv1.W"], Trainer(SPEC, data, SETTINGS).network.parameters.named["conv1.W"])
    assert "conv1.dW" in frame and "dense1.W" not in frame


def test_frames_come_during_training_and_the_last_one_is_of_the_last_step(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data, SETTINGS.replace(epochs=100))
    controller.set_probe(SnapshotRequest(data.train.images[0], layers=("dense1",)))
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    steps = [frame.step for frame in listener.of(Snapshot)]
    assert steps == sorted(steps) and 2 < len(steps) < 300 and steps[-1] == 500


def test_without_a_probe_or_with_a_sample_of_another_size_there_are_no_frames(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    controller.set_probe(SnapshotRequest(np.zeros((1, 5, 5), np.float32)))
    controller.set_probe(None)
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert not listener.of(Snapshot)


def test_weights_that_fit_are_carried_over_to_another_network(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    other = small(Conv2D(6, (1, 1)))
    arrays = {"conv1.W": np.full((4, 1, 3, 3), 0.25), "dense1.W": np.zeros((3, 5)), "gone.W": np.zeros(3)}
    controller.load(other, data, SETTINGS, arrays=arrays)
    qtbot.waitUntil(lambda: len(listener.of(tuple)) == 2)
    kept, fresh = listener.of(tuple)[1]
    assert kept == ("conv1.W",) and set(fresh) == {"conv1.b", "conv2.W", "conv2.b", "dense1.W", "dense1.b"}
    controller.set_probe(SnapshotRequest(data.train.images[0]))
    qtbot.waitUntil(lambda: controller.snapshot is not None)
    assert controller.snapshot is not None and (controller.snapshot["conv1.W"] == 0.25).all()


def test_a_checkpoint_inside_a_run_is_loaded_paused_and_resumes_exactly(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    trainer = Trainer(SPEC, data, SETTINGS)
    for _ in trainer.run(until=7):
        pass
    history = RunHistory(np.ones((7, 4)))
    controller.load(SPEC, data, SETTINGS, checkpoint=Checkpoint.from_bytes(trainer.checkpoint().to_bytes()), history=history)
    wait_for(qtbot, controller, RunPhase.PAUSED)
    assert (controller.state.step, controller.state.epoch, controller.state.batch) == (7, 1, 2)
    assert np.array_equal(controller.history.rows, history.rows)
    controller.run()
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert same_weights(saved(controller), trained_directly(data))
    assert len(controller.history) == 15 and "run started" not in listener.heard


def test_a_checkpoint_at_the_end_of_a_run_is_loaded_finished(qtbot: QtBot, controller: Controller, data: Dataset) -> None:
    controller.load(SPEC, data, SETTINGS, checkpoint=trained_directly(data))
    wait_for(qtbot, controller, RunPhase.FINISHED)
    assert controller.state.reason == "epochs"


def test_weights_are_edited_by_hand_at_rest_only(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data, ENDLESS)
    controller.set_probe(SnapshotRequest(data.train.images[0], layers=("conv1",)))
    values = np.arange(36, dtype=float).reshape(4, 1, 3, 3)
    controller.set_weights("conv1.W", values)
    qtbot.waitUntil(lambda: "conv1.W" in listener.heard)
    qtbot.waitUntil(lambda: controller.snapshot is not None and bool((controller.snapshot["conv1.W"] == values).all()))
    for name, array, code in (("conv9.W", values, "session.no_parameter"), ("conv1.W", values[:1], "session.weights"),
                              ("conv1.W", values * np.nan, "session.weights")):  # fmt: skip
        with qtbot.waitSignal(controller.failed, check_params_cb=lambda error, code=code: error.code == code):
            controller.set_weights(name, array)
    controller.run()
    with qtbot.waitSignal(controller.failed, check_params_cb=lambda error: error.code == "session.weights_running"):
        controller.set_weights("conv1.W", values)
    assert controller.state.phase == RunPhase.RUNNING


def test_the_test_images_are_evaluated_on_request_even_while_training(
    qtbot: QtBot, controller: Controller, data: Dataset
) -> None:
    begin(qtbot, controller, data, ENDLESS)
    with qtbot.waitSignal(controller.failed, check_params_cb=lambda error: error.code == "data.no_test"):
        controller.evaluate()
    begin(qtbot, controller, dataclasses.replace(data, test=data.validation), ENDLESS)
    controller.run()
    with qtbot.waitSignal(controller.evaluated) as blocker:
        controller.evaluate()
    assert blocker.args[0].predicted.shape == (48,)
    step = controller.state.step
    qtbot.waitUntil(lambda: controller.state.step > step)


def test_a_class_is_averaged_on_request_even_beside_an_evaluation(
    qtbot: QtBot, controller: Controller, data: Dataset
) -> None:
    begin(qtbot, controller, data, ENDLESS)
    controller.run()
    answers: list[Evaluation] = []
    controller.answered.connect(lambda _, evaluation: answers.append(evaluation))
    with qtbot.waitSignal(controller.class_averaged) as blocker:
        controller.evaluate("validation")
        controller.average_class(SPEC.nodes[-1].id, 1)
    average, evaluation = blocker.args[0], answers[0]
    assert (evaluation.confidence > 0).all() and evaluation.confidence.shape == evaluation.predicted.shape
    assert average.count == np.count_nonzero(data.validation.labels == 1)
    step = controller.state.step
    qtbot.waitUntil(lambda: controller.state.step > step)
    with qtbot.waitSignal(controller.class_averaged) as blocker:
        controller.average_class("gone", 1)
    assert blocker.args == [None]


def test_histograms_begin_with_the_drawn_weights_and_grow_with_every_single_step(
    qtbot: QtBot, controller: Controller, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    qtbot.waitUntil(lambda: controller.histograms.steps.tolist() == [0])
    controller.step_batch()
    qtbot.waitUntil(lambda: controller.histograms.steps.tolist() == [0, 1])
    weights = saved(controller).parameters
    assert controller.histograms.shares("W", controller.histograms.layers[0])[1] <= max(np.abs(weights).max(), 1) * 2
    controller.reset(5)
    qtbot.waitUntil(lambda: controller.histograms.steps.tolist() == [0])


def test_a_pause_records_the_spread_of_the_weights_at_that_step(qtbot: QtBot, controller: Controller, data: Dataset) -> None:
    begin(qtbot, controller, data, SETTINGS.replace(epochs=2000))
    controller.run()
    qtbot.waitUntil(lambda: controller.state.step > 3)
    controller.pause()
    qtbot.waitUntil(lambda: controller.state.phase == RunPhase.PAUSED)
    for quantity in ("W", "dW", "W_update", "W_change"):
        qtbot.waitUntil(lambda quantity=quantity: controller.histograms.steps_of(quantity)[-1] == controller.state.step)


def test_a_checkpoint_can_be_asked_for_by_signal(qtbot: QtBot, controller: Controller, data: Dataset) -> None:
    begin(qtbot, controller, data)
    with qtbot.waitSignal(controller.checkpoint_taken) as blocker:
        controller.request_checkpoint()
    assert same_weights(blocker.args[0], Trainer(SPEC, data, SETTINGS).checkpoint())


def test_commands_that_do_not_fit_the_state_do_nothing(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data)
    controller.pause()
    controller.stop()
    with qtbot.waitSignal(controller.checkpoint_taken):
        controller.request_checkpoint()
    assert controller.state.phase == RunPhase.READY and not listener.of(Exception)


def test_speed_and_time_left_are_known_while_training(qtbot: QtBot, controller: Controller, data: Dataset) -> None:
    begin(qtbot, controller, data, ENDLESS)
    assert (controller.state.images_per_second, controller.state.seconds_left) == (0, 0)
    controller.run()
    qtbot.waitUntil(lambda: controller.state.images_per_second > 0)
    state = controller.state
    images_left = state.epochs * 96 - (state.epoch * 96 + state.batch * 20)
    assert state.seconds_left >= images_left / state.images_per_second * 0.999


def test_a_slot_that_opens_a_dialog_does_not_change_the_order(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data, SETTINGS.replace(epochs=20))
    loops: list[QEventLoop] = []
    inside: list[EpochDone] = []

    def dialog(_: object) -> None:
        if not loops:
            loop = QEventLoop()
            loops.append(loop)
            controller.state_changed.connect(lambda state: loop.quit() if state.phase == RunPhase.FINISHED else None)
            QTimer.singleShot(5000, loop.quit)
            loop.exec()
            inside.extend(listener.of(EpochDone))

    controller.epoch_done.connect(dialog)
    controller.run()
    qtbot.waitUntil(lambda: len(listener.of(EpochDone)) == 20)
    assert [b.step for b in listener.of(BatchDone)] == list(range(1, 101))
    assert len(inside) == 20 and controller.history.steps.tolist() == list(range(1, 101))
    assert controller.state.phase == RunPhase.FINISHED


def test_at_rest_no_timer_runs(qtbot: QtBot, controller: Controller, data: Dataset) -> None:
    begin(qtbot, controller, data)
    controller.set_probe(SnapshotRequest(data.train.images[0]))
    controller.step_batch()
    wait_for(qtbot, controller, RunPhase.PAUSED)
    qtbot.waitUntil(lambda: not controller._inbox.waiting)


def test_closing_during_training_ends_the_thread_and_silences_everything(
    qtbot: QtBot, controller: Controller, listener: Listener, data: Dataset
) -> None:
    begin(qtbot, controller, data, ENDLESS)
    controller.run()
    wait_for(qtbot, controller, RunPhase.RUNNING)
    controller.close()
    assert "training" not in [thread.name for thread in threading.enumerate()]
    count = len(listener.heard)
    controller.close()
    controller.run()
    assert controller.checkpoint_now(10) is None
    qtbot.wait(1)
    assert len(listener.heard) == count and not controller._inbox.waiting
