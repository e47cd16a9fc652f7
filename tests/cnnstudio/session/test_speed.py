"""Speed and time left, with a clock that the test sets."""

from __future__ import annotations

import pytest

from cnnstudio.session import speed
from cnnstudio.session.speed import WINDOW, Speed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(speed.time, "perf_counter", lambda: now[0])
    return now


def train(measured: Speed, clock: list[float], seconds: float, images: int, count: int = 1) -> None:
    for _ in range(count):
        clock[0] += seconds
        measured.batch_done(images)


def test_nothing_is_known_before_the_first_batch() -> None:
    assert (Speed().images_per_second, Speed().seconds_left(1000, 3)) == (0, 0)


def test_time_at_rest_does_not_count(clock: list[float]) -> None:
    measured = Speed()
    measured.resume()
    train(measured, clock, 0.1, 64)
    clock[0] += 1000
    measured.resume()
    train(measured, clock, 0.1, 64)
    assert measured.images_per_second == pytest.approx(640)


def test_the_speed_is_that_of_the_last_seconds(clock: list[float]) -> None:
    measured = Speed()
    measured.resume()
    train(measured, clock, 0.1, 10, count=100)
    train(measured, clock, 0.1, 50, count=int(WINDOW / 0.1) + 1)
    assert measured.images_per_second == pytest.approx(500)


def test_a_batch_longer_than_the_window_still_gives_a_speed(clock: list[float]) -> None:
    measured = Speed()
    measured.resume()
    train(measured, clock, 0.1, 10)
    train(measured, clock, 5 * WINDOW, 30)
    assert measured.images_per_second == pytest.approx(30 / (5 * WINDOW))


def test_validation_counts_in_the_time_left_but_not_in_the_speed(clock: list[float]) -> None:
    measured = Speed()
    measured.resume()
    train(measured, clock, 0.5, 100)
    clock[0] += 2.0
    measured.epoch_done()
    train(measured, clock, 0.5, 100)
    assert measured.images_per_second == pytest.approx(200)
    assert measured.seconds_left(1000, 3) == pytest.approx(1000 / 200 + 3 * 2.0)
