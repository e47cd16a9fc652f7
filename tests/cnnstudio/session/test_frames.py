"""When frames of a running training are made and handed over, with a clock that the test sets."""

from __future__ import annotations

import pytest

from cnnstudio.session import frames
from cnnstudio.session.frames import Frames
from engine.settings import TrainSettings
from engine.snapshot import SnapshotRequest
from engine.trainer import Trainer
from tests.engine.networks import blobs, small

GRADIENT = 0.025
"""Seconds from a frame's making to the next gradient."""


class Clock:
    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(frames.time, "monotonic", lambda: made.now)
    return made


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(small(), blobs(), TrainSettings(batch_size=20, seed=3))


@pytest.fixture
def asked(clock: Clock, trainer: Trainer) -> Frames:
    """Frames of which one was made, held until the next gradient, and handed over."""
    made = Frames()
    made.begin(trainer)
    made.ask(SnapshotRequest(trainer.data.train.images[0]))
    assert made.due(running=True, hold=True) and made.make(trainer, running=True, hold=True) is None
    clock.now += GRADIENT
    assert made.release() is not None
    return made


def test_a_frame_is_made_as_long_before_it_is_due_as_it_will_be_held(asked: Frames, clock: Clock, trainer: Trainer) -> None:
    asked.taken(0.1)
    clock.now += 0.1 - GRADIENT - 0.001
    assert not asked.due(running=True, hold=True)
    clock.now += 0.002
    assert asked.due(running=True, hold=True) and not asked.due(running=True)
    asked.make(trainer, running=True, hold=True)
    clock.now += GRADIENT
    frame = asked.release()
    assert frame is not None and frame.step == trainer.step and asked.release() is None


def test_until_the_last_one_was_taken_one_is_made_and_held_but_not_handed_over(
    asked: Frames, clock: Clock, trainer: Trainer
) -> None:
    assert not asked.due(running=True)
    assert asked.due(running=True, hold=True)
    asked.make(trainer, running=True, hold=True)
    clock.now += 10
    assert asked.release() is None and not asked.due(running=True, hold=True)
    asked.taken(0.0)
    assert asked.release() is not None


@pytest.mark.parametrize(("batch", "made"), [(0.029, 8), (0.024, 4), (0.010, 2)])
def test_a_batch_has_no_frame_only_if_that_of_the_next_one_is_less_than_half_the_time_late(
    asked: Frames, clock: Clock, trainer: Trainer, batch: float, made: int
) -> None:
    handed = 0
    asked.taken(0.033)
    for _ in range(9):
        if asked.due(running=True, hold=True):
            asked.make(trainer, running=True, hold=True)
        clock.now += batch
        if asked.release() is not None:
            handed += 1
            asked.taken(0.033)
    assert handed == made


def test_a_frame_that_was_made_too_early_is_not_shown(asked: Frames, clock: Clock, trainer: Trainer) -> None:
    asked.make(trainer, running=True, hold=True)
    asked.taken(60.0)
    assert asked.release() is None
    clock.now += 60
    assert asked.due(running=True, hold=True)


@pytest.mark.parametrize("what", ["another probe", "new weights"])
def test_what_is_held_is_forgotten_when_it_is_out_of_date(asked: Frames, trainer: Trainer, what: str) -> None:
    asked.make(trainer, running=True, hold=True)
    if what == "new weights":
        asked.begin(trainer)
    else:
        asked.ask(SnapshotRequest(trainer.data.train.images[1]))
    asked.taken(0.0)
    assert asked.release() is None


def test_a_part_that_was_asked_for_is_all_that_the_next_frame_holds_and_at_rest_one_holds_everything(
    asked: Frames, clock: Clock, trainer: Trainer
) -> None:
    image = trainer.data.train.images[0]
    asked.taken(0.0, SnapshotRequest(image, layers=("conv1",), weights_of=(), mark=5))
    asked.make(trainer, running=True, hold=True)
    clock.now += GRADIENT
    part = asked.release()
    assert part is not None and part.mark == 5 and set(part.arrays) == {"image", "conv1.y"}
    whole = asked.make(trainer, running=False)
    assert whole is not None and whole.mark == 0 and "conv1.W" in whole
    asked.taken(0.0)
    next_one = asked.make(trainer, running=True)
    assert next_one is not None and "conv1.W" in next_one


def test_the_window_draws_from_the_handing_over_until_so_long_after_it_took_the_frame(asked: Frames, clock: Clock) -> None:
    clock.now += 1
    assert asked.drawing
    asked.taken(0.03, drawing=0.01)
    assert asked.drawing
    clock.now += 0.011
    assert not asked.drawing
