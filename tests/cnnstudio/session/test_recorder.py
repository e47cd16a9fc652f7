"""What is recorded of a training, with a clock that the test sets."""

from __future__ import annotations

import pytest

from cnnstudio.session import recorder
from cnnstudio.session.messages import Diagnosed, Report
from cnnstudio.session.recorder import HISTOGRAMS_INTERVAL, LARGEST_SHARE, NORMS_INTERVAL, Recorder
from engine.layer_histograms import LayerHistograms
from engine.layer_norms import LayerNorms
from engine.settings import TrainSettings
from engine.trainer import Trainer
from tests.engine.networks import blobs, small


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(recorder.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def posted() -> list[Report]:
    return []


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(small(), blobs(), TrainSettings(epochs=1000, batch_size=20, seed=3))


def advance(trainer: Trainer) -> None:
    for _ in trainer.run(until=trainer.step + 1):
        pass


def count(posted: list[Report], kind: type) -> int:
    return sum(isinstance(report, kind) for report in posted)


def test_norms_and_histograms_are_taken_some_times_a_second_but_at_every_single_step(
    clock: list[float], posted: list[Report], trainer: Trainer
) -> None:
    made = Recorder(posted.append)
    advance(trainer)
    made.batch_done(trainer, stepping=False)
    made.batch_done(trainer, stepping=False)
    assert (count(posted, LayerNorms), count(posted, LayerHistograms)) == (1, 1)
    clock[0] += NORMS_INTERVAL
    made.batch_done(trainer, stepping=False)
    assert (count(posted, LayerNorms), count(posted, LayerHistograms)) == (2, 1)
    clock[0] += HISTOGRAMS_INTERVAL
    made.batch_done(trainer, stepping=False)
    assert (count(posted, LayerNorms), count(posted, LayerHistograms)) == (3, 2)
    made.batch_done(trainer, stepping=True)
    assert (count(posted, LayerNorms), count(posted, LayerHistograms)) == (4, 3)


@pytest.mark.parametrize(("kind", "maker", "slow"), [
    (LayerNorms, "layer_norms", 0.02), (LayerHistograms, "layer_histograms", 0.05), (Diagnosed, "batch_snapshot", 0.5)])
def test_records_that_take_long_are_made_less_often_however_short_batches_and_epochs_are(
    clock: list[float], posted: list[Report], trainer: Trainer, monkeypatch: pytest.MonkeyPatch,
    kind: type, maker: str, slow: float,
) -> None:
    quick = getattr(recorder, maker)

    def slowly(*arguments: object, **options: object) -> object:
        clock[0] += slow
        return quick(*arguments, **options)

    monkeypatch.setattr(recorder, maker, slowly)
    made, begin = Recorder(posted.append), clock[0]
    for _ in range(400):
        advance(trainer)
        clock[0] += 0.5
        made.batch_done(trainer, stepping=False)
        made.epoch_done(trainer)
    spent = slow * count(posted, kind)
    assert count(posted, kind) >= 2 and spent <= (clock[0] - begin) * LARGEST_SHARE + slow


def test_the_end_of_a_run_is_always_diagnosed_and_no_update_twice(posted: list[Report], trainer: Trainer) -> None:
    made = Recorder(posted.append)
    made.diagnose(trainer)
    assert count(posted, Diagnosed) == 0  # nothing has been trained yet
    for _ in range(3):
        advance(trainer)
        made.diagnose(trainer)
        made.diagnose(trainer)
    assert count(posted, Diagnosed) == 3
    made.begin(trainer)
    made.epoch_done(trainer)
    assert count(posted, Diagnosed) == 3
