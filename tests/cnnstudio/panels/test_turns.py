"""Which viewers draw a frame, with a clock that the test sets."""

from __future__ import annotations

from collections import Counter

import pytest

from cnnstudio.panels import turns
from cnnstudio.panels.turns import SHARE, Turns
from tests.cnnstudio.set_clock import SetClock

FRAME = 1 / 30


class Picture:
    def __init__(self, cost: float = 0.0, interval: float = 0.0, *, attended: bool = False) -> None:
        self.cost, self.interval, self.attended = cost, interval, attended

    def is_attended(self) -> bool:
        return self.attended


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    return SetClock(monkeypatch, turns.time)


def drawn(clock: SetClock, made: Turns, pictures: list[Picture], seconds: float, *, other_work: float = 0.0) -> Counter[Picture]:
    """How often each is drawn in that time; beside them a frame costs the thread `other_work`."""
    count: Counter[Picture] = Counter()
    for _ in range(round(seconds / FRAME)):
        made.frame_came()
        chosen = made.next(pictures)  # type: ignore[arg-type, type-var]  # all that `Turns` asks of a viewer
        count.update(chosen)  # type: ignore[arg-type]
        clock.now += FRAME
        clock.worked += other_work + sum(picture.cost for picture in chosen)  # type: ignore[attr-defined]
    return count


def test_where_all_is_quickly_drawn_all_is_drawn_with_every_frame(clock: SetClock) -> None:
    pictures = [Picture(0.0003) for _ in range(7)]
    assert set(drawn(clock, Turns(), pictures, 10).values()) == {300}


def test_beyond_their_share_of_the_time_all_come_equally_often(clock: SetClock) -> None:
    made, pictures = Turns(), [Picture(0.002) for _ in range(8)]
    drawn(clock, made, pictures, 5)
    count, worked = drawn(clock, made, pictures, 20), clock.worked
    assert max(count.values()) - min(count.values()) <= 1 and len(count) == 8
    drawn(clock, made, pictures, 20)
    assert clock.worked - worked == pytest.approx(20 * SHARE, rel=0.1)


def test_a_thread_that_is_busy_with_other_things_still_draws_one_with_every_frame(clock: SetClock) -> None:
    made, pictures = Turns(), [Picture(0.002) for _ in range(4)]
    drawn(clock, made, pictures, 5, other_work=0.03)
    assert sum(drawn(clock, made, pictures, 10, other_work=0.03).values()) == 300


def test_who_has_the_mouse_takes_part_in_every_frame(clock: SetClock) -> None:
    made, chosen = Turns(), Picture(0.003, attended=True)
    pictures = [*(Picture(0.003) for _ in range(6)), chosen]
    drawn(clock, made, pictures, 5)
    count = drawn(clock, made, pictures, 10)
    assert count[chosen] == 300 and 0 < min(count.values()) < 100


def test_who_wants_to_come_seldom_comes_seldom(clock: SetClock) -> None:
    slow, quick = Picture(interval=0.2), Picture()
    count = drawn(clock, Turns(), [slow, quick], 10)
    assert count[quick] == 300 and count[slow] == pytest.approx(50, abs=3)


def test_a_rest_is_no_measure(clock: SetClock) -> None:
    """What the thread did while training rested says nothing of how long a frame takes."""
    made, pictures = Turns(), [Picture(0.0005) for _ in range(4)]
    drawn(clock, made, pictures, 5)
    clock.now, clock.worked = clock.now + 60, clock.worked + 60
    assert set(drawn(clock, made, pictures, 1).values()) == {30}
