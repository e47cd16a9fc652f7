"""The worker by itself, with a mailbox that nobody empties."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from cnnstudio.session import recorder
from cnnstudio.session.mailbox import Mailbox
from cnnstudio.session.messages import FrameTaken, Load, Message, Pause, Quit, Run, RunPhase, SetProbe, StepBatch, TakeCheckpoint
from cnnstudio.session.worker import Worker
from engine.checkpoint import Checkpoint
from engine.settings import TrainSettings
from engine.snapshot import SnapshotRequest
from engine.trainer import BatchDone
from tests.engine.networks import blobs, small

SETTINGS = TrainSettings(epochs=1_000_000, batch_size=20, seed=3)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def worker(mailbox: Mailbox) -> Iterator[Worker]:
    made = Worker(mailbox)
    made.start()
    yield made
    made.send(Quit())
    made.join(10)
    assert not made.is_alive()


def answer(worker: Worker, *messages: Message) -> Checkpoint | None:
    """Send messages and wait until they have been handled."""
    reply: queue.SimpleQueue[Checkpoint | None] = queue.SimpleQueue()
    for message in (*messages, TakeCheckpoint(0, reply)):
        worker.send(message)
    return reply.get(timeout=10)


def test_an_untaken_frame_of_the_network_before_is_thrown_away(worker: Worker, mailbox: Mailbox) -> None:
    data = blobs()
    answer(worker, Load(small(), data, SETTINGS), SetProbe(SnapshotRequest(data.train.images[0])))
    assert not mailbox.empty
    answer(worker, SetProbe(None), Load(small(), data, SETTINGS))
    assert mailbox.take().frame is None


def test_while_training_another_frame_is_made_only_when_the_last_one_was_taken(
    worker: Worker, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    put = mailbox.put_frame
    monkeypatch.setattr(mailbox, "put_frame", lambda frame: (made.append(1) if frame is not None else None, put(frame)))
    data = blobs()
    answer(worker, Load(small(), data, SETTINGS), SetProbe(SnapshotRequest(data.train.images[0])))
    assert len(made) == 1
    checkpoint = answer(worker, Run())
    while checkpoint is not None and checkpoint.step < 200:
        checkpoint = answer(worker)
    assert len(made) == 2  # one at rest, and one since
    step = checkpoint.step if checkpoint is not None else 0
    checkpoint = answer(worker, FrameTaken(3600.0))
    while checkpoint is not None and checkpoint.step < step + 50:
        checkpoint = answer(worker)
    assert len(made) == 2  # the next one is due in an hour
    worker.send(FrameTaken())
    while len(made) < 3:
        answer(worker)
    answer(worker, Pause())
    assert len(made) == 4  # one for the one that was taken, and one at rest again
    assert len([r for r in mailbox.take().reports if isinstance(r, BatchDone)]) >= 200


def test_a_batch_asked_for_between_the_last_batch_of_an_epoch_and_its_validation_is_trained(mailbox: Mailbox) -> None:
    worker = Worker(mailbox)  # not started: what the thread does is done here event by event
    worker._handle(Load(small(), blobs(), SETTINGS))
    worker._handle(Run())
    trainer = worker._trainer
    assert trainer is not None
    while trainer.batch < trainer.batches:
        worker._advance()
    worker._handle(Pause())
    step = trainer.step
    worker._handle(StepBatch())
    while worker._phase == RunPhase.RUNNING:
        worker._advance()
    assert (trainer.epoch, trainer.batch, trainer.step) == (1, 1, step + 1)


def test_a_pause_shows_its_frame_before_it_is_diagnosed(
    worker: Worker, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A diagnosis takes as long as many batches."""
    told: list[str] = []
    monkeypatch.setattr(recorder, "LARGEST_SHARE", 1e-9)  # none but that of the first epoch while training runs
    post, put = mailbox.post, mailbox.put_frame
    monkeypatch.setattr(mailbox, "put_frame", lambda frame: (told.append("frame"), put(frame)))
    monkeypatch.setattr(worker._recorder, "_post", lambda report: (told.append(type(report).__name__), post(report)))
    data = blobs()
    answer(worker, Load(small(), data, SETTINGS), SetProbe(SnapshotRequest(data.train.images[0])))
    answer(worker, Run())
    while "Diagnosed" not in told:
        answer(worker)
    answer(worker)
    told.clear()
    answer(worker, Pause())
    while "Diagnosed" not in told:
        answer(worker)
    assert told.index("frame") < told.index("Diagnosed") and told.count("Diagnosed") == 1
