"""The pace of frames and rows, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cnnstudio.session import pace
from cnnstudio.session.pace import FRAME_INTERVAL, GRACE, ROWS_ALONE, ROWS_INTERVAL, SLOWEST, Pace
from tests.cnnstudio.set_clock import SetClock


def frames(clock: SetClock, made: Pace, seconds: float, *, late: Sequence[float] = (0.0,), cost: float = 0.0) -> int:
    """How many frames come in that time, each in turn so much later than it is due, and costing the thread so much."""
    end, count = clock.now + seconds, 0
    while clock.now < end:
        clock.now += made.frame_came() + late[count % len(late)]
        clock.worked += cost
        made.drawn()
        count += 1
    return count


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    return SetClock(monkeypatch, pace.time)


def test_frames_that_come_late_keep_the_beat(clock: SetClock) -> None:
    """A frame that is always 7 ms late still comes thirty times a second."""
    made = Pace()
    made.want_frames(0.0)
    assert frames(clock, made, 10, late=(0.007, 0.002)) >= 300


def test_frames_that_come_too_soon_do_not_put_off_a_later_one(clock: SetClock) -> None:
    made = Pace()
    made.want_frames(0.0)
    for _ in range(30):
        assert made.frame_came() <= FRAME_INTERVAL + 1e-9
        clock.now += FRAME_INTERVAL - 0.003


def test_after_a_long_gap_there_is_no_burst(clock: SetClock) -> None:
    made = Pace()
    made.want_frames(0.0)
    made.frame_came()
    clock.now += 5
    assert made.frame_came() >= FRAME_INTERVAL / 2 - 1e-9


def test_costly_frames_come_less_often_but_not_seldomer_than_that(clock: SetClock) -> None:
    made = Pace()
    made.want_frames(0.0)
    assert frames(clock, made, 10, cost=0.03) == pytest.approx(10 / 0.06, abs=2)  # half of the time goes into frames
    clock.worked += 100
    made.frame_came()
    made.drawn()
    assert made.frame_came() <= SLOWEST


def test_where_training_makes_few_steps_each_is_shown(clock: SetClock) -> None:
    """What the thread does between a frame's painting and a late next one is no cost of the frame."""
    made = Pace()
    made.want_frames(0.0)
    for _ in range(20):
        assert made.frame_came() < 0.04
        clock.now, clock.worked = clock.now + FRAME_INTERVAL, clock.worked + 0.012
        made.drawn()
        clock.now, clock.worked = clock.now + 0.1, clock.worked + 0.03
        made.drawn()


def test_who_wants_frames_seldom_is_asked_seldom(clock: SetClock) -> None:
    made = Pace()
    made.want_frames(0.2)
    assert frames(clock, made, 10) == pytest.approx(50, abs=2)
    made.rows_told()
    made.want_frames(None)
    assert made.wait() == pytest.approx(1e3 * ROWS_INTERVAL, abs=1)


def test_rows_are_told_less_often_where_no_frame_is_drawn(clock: SetClock) -> None:
    made = Pace()
    made.want_frames(None)
    made.rows_told()
    clock.now += ROWS_INTERVAL
    assert not made.rows_due
    clock.now += ROWS_ALONE - ROWS_INTERVAL
    assert made.rows_due


def test_rows_wait_a_little_for_a_frame_with_which_they_come(clock: SetClock) -> None:
    made = Pace()
    made.want_frames(0.0)
    made.rows_told()
    made.frame_came()
    clock.now += ROWS_INTERVAL
    assert made.rows_due
    assert made.wait() == pytest.approx(1e3 * GRACE, abs=1)
    made.want_frames(None)
    assert made.wait() == 1
