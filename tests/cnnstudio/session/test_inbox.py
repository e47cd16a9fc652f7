"""In which order the inbox hands on what has come together."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from cnnstudio.session.inbox import Inbox, News
from cnnstudio.session.mailbox import Mailbox
from cnnstudio.session.messages import RunPhase, RunState
from engine.events import BatchDone, EpochDone
from engine.layer_norms import LayerNorms


def batch(step: int) -> BatchDone:
    return BatchDone(step, 0, step, 100, 1.0, 0.5, 0.1, 20)


def test_batches_that_came_together_are_one_list_before_the_other_rows_and_what_follows_stays_behind(qtbot: QtBot) -> None:
    norms = [LayerNorms(step, ("fc",), (1.0,), (1.0,), (0.1,)) for step in (1, 3)]
    epoch, state = EpochDone(1, 3, 1.0, 0.5, 1.0, 0.5, 100.0, 0.1), RunState(RunPhase.RUNNING, step=4)
    mailbox, told = Mailbox(), list[News]()
    inbox = Inbox(mailbox, told.append, lambda wait, drawing: None)
    for report in (batch(1), norms[0], batch(2), batch(3), norms[1], epoch, batch(4)):
        mailbox.post(report)
    mailbox.post_state(state, handled=0, busy=False)
    inbox.catch_up()
    inbox.stop()
    assert told == [[batch(1), batch(2), batch(3)], *norms, epoch, [batch(4)], state]
