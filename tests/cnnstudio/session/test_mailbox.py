"""The mailbox: reports are all there and in order, of state and frame only the latest."""

from __future__ import annotations

from cnnstudio.session.mailbox import Mailbox
from cnnstudio.session.messages import RunStarted, RunState, WeightsReset
from engine.snapshot import Snapshot


def frame(step: int) -> Snapshot:
    snapshot = object.__new__(Snapshot)
    object.__setattr__(snapshot, "step", step)
    return snapshot


def test_reports_are_all_taken_in_order_and_once() -> None:
    mailbox = Mailbox()
    for seed in range(1000):
        mailbox.post(WeightsReset(seed))
    mailbox.post(RunStarted())
    assert mailbox.take().reports == (*(WeightsReset(seed) for seed in range(1000)), RunStarted())
    assert mailbox.empty and mailbox.take().reports == ()


def test_only_the_latest_state_counts() -> None:
    mailbox = Mailbox()
    mailbox.post_state(RunState(step=1))
    mailbox.post_state(RunState(step=2))
    assert not mailbox.empty
    assert mailbox.take().state == RunState(step=2) and mailbox.take().state is None


def test_another_frame_is_wanted_only_when_the_last_one_was_taken() -> None:
    mailbox = Mailbox()
    assert mailbox.wants_frame
    mailbox.put_frame(frame(1))
    assert not mailbox.wants_frame
    mailbox.put_frame(frame(2))
    taken = mailbox.take().frame
    assert taken is not None and taken.step == 2 and mailbox.wants_frame
    mailbox.put_frame(frame(3))
    mailbox.put_frame(None)
    assert mailbox.empty
