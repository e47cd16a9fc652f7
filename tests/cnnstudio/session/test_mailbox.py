"""The mailbox: reports are all there and in order, of state and frame only the latest."""

from __future__ import annotations

from cnnstudio.session.mailbox import Mailbox
from cnnstudio.session.messages import Delivery, RunStarted, RunState, WeightsReset
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
    mailbox.post_state(RunState(step=1), handled=1, busy=True)
    mailbox.post_state(RunState(step=2), handled=2, busy=False)
    assert not mailbox.empty
    delivery = mailbox.take()
    assert (delivery.state, delivery.handled, delivery.busy) == (RunState(step=2), 2, False)
    assert mailbox.take().state is None and mailbox.take().handled == 2


def test_only_the_latest_frame_counts_and_it_can_be_taken_back() -> None:
    mailbox = Mailbox()
    mailbox.put_frame(frame(1))
    mailbox.put_frame(frame(2))
    taken = mailbox.take().frame
    assert taken is not None and taken.step == 2
    mailbox.put_frame(frame(3))
    mailbox.put_frame(None)
    assert mailbox.empty


def test_it_rings_once_for_a_frame_when_the_state_has_come_behind_it() -> None:
    mailbox, rings = Mailbox(), list[Delivery]()
    mailbox.bell = lambda: rings.append(mailbox.take())
    mailbox.post_state(RunState(), handled=1, busy=False)
    mailbox.put_frame(frame(3))
    assert not rings
    mailbox.post_state(RunState(step=3), handled=1, busy=False)
    mailbox.post_state(RunState(step=4), handled=1, busy=False)
    (delivery,) = rings
    assert delivery.frame is not None and delivery.frame.step == 3 and delivery.state == RunState(step=3)
    mailbox.put_frame(None)
    mailbox.post_state(RunState(step=5), handled=1, busy=False)
    assert len(rings) == 1
