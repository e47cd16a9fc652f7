"""The inbox: takes news out of the mailbox when they are due, and hands them on in order, in the GUI thread."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, Signal, Slot

from cnnstudio.session.mailbox import Mailbox
from cnnstudio.session.messages import ROWS, Report, RunPhase, RunState
from cnnstudio.session.pace import ANSWER, Pace
from engine.events import BatchDone

if TYPE_CHECKING:
    from engine.snapshot import Snapshot


@dataclass(frozen=True, eq=False)
class Frame:
    """A snapshot that waits for its turn."""

    snapshot: Snapshot


News = Report | list[BatchDone] | Frame | RunState
"""What is handed on: batches that have ended one after the other as one list, the state behind what led to it."""


class Inbox(QObject):
    """Looks into the mailbox when it rings, as it does for a frame, and when something else can have come: soon for an answer,
    for the rows of a running training at their pace, with a frame if there is one.
    """

    _rung = Signal()

    def __init__(self, mailbox: Mailbox, hand_on: Callable[[News], None], frame_taken: Callable[[float, float], None],
                 parent: QObject | None = None) -> None:  # fmt: skip
        """`frame_taken` is told after how many seconds the next frame is due, and how many this one takes to be drawn."""
        super().__init__(parent)
        self._mailbox, self._hand_on, self._frame_taken = mailbox, hand_on, frame_taken
        self.state = RunState()
        """The latest that has come."""
        self._asked = self._handled = 0
        """The numbers of the last message that needs an answer, and of the last one that has been handled."""
        self._rows: list[Report] = []
        """What has come of a running training since it was last told."""
        self._told, self._untold = RunPhase.EMPTY, False
        """The phase that was handed on last, and whether there is a later state."""
        self._pace, self._stopped = Pace(), False
        self._pending: deque[Report | Frame | RunState] = deque()
        self._timer = QTimer(self)
        # Started anew by each look: inside a slot of its own, a repeating timer would be silent.
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._drain)
        self._rung.connect(self._drain, Qt.ConnectionType.QueuedConnection)
        mailbox.bell = self._rung.emit

    @property
    def waiting(self) -> bool:
        """Whether there will be another look without another message."""
        return self._timer.isActive()

    def expect(self) -> None:
        """One more message that needs an answer has been sent."""
        self._asked += 1
        if not self._timer.isActive() or self._timer.remainingTime() > ANSWER:
            self._look_soon()

    def want_frames(self, interval: float | None) -> None:
        """While training runs, frames are wanted that often (seconds); None wants none."""
        self._pace.want_frames(interval)

    def catch_up(self) -> None:
        """Hand on all that has happened, without waiting for the time to tell rows."""
        self._look(at_once=True)

    def stop(self) -> None:
        """Hand nothing on any more."""
        self._stopped = True
        self._timer.stop()
        self._pending.clear()

    def _look_soon(self) -> None:
        running = self.state.phase == RunPhase.RUNNING
        self._timer.start(self._pace.wait() if running and self._handled >= self._asked else ANSWER)

    @Slot()
    def _drain(self) -> None:
        if not self._stopped:  # the mailbox may have rung before
            self._look(at_once=False)

    def _look(self, *, at_once: bool) -> None:
        delivery = self._mailbox.take()
        self._handled = delivery.handled
        if delivery.state is not None:
            self.state, self._untold = delivery.state, True
        running = self.state.phase == RunPhase.RUNNING
        tells = at_once or self._pace.rows_due or not running or self._told != RunPhase.RUNNING
        self._take_reports(delivery.reports, tells=tells)
        if delivery.frame is not None:
            self._pending.append(Frame(delivery.frame))
            if running:
                self._frame_taken(self._pace.frame_came(), self._pace.took)
                # Comes behind the painting of what those update to whom the frame is handed on.
                QCoreApplication.postEvent(self, QEvent(QEvent.Type.User), Qt.EventPriority.LowEventPriority.value)
        if tells:
            self._pace.rows_told()
            if self._untold:
                self._told, self._untold = self.state.phase, False
                self._pending.append(self.state)
        # Otherwise nothing can come before the next message. What waits here is for a dialog that the item before it opens.
        if running or delivery.busy or delivery.handled < self._asked or self._pending:
            self._look_soon()
        self._deliver()

    def customEvent(self, event: QEvent) -> None:
        """A frame has been handed on, and painted."""
        self._pace.drawn()

    def _take_reports(self, reports: Iterable[Report], *, tells: bool) -> None:
        """Put what has happened behind the other things to hand on; rows alone can wait until it is time to tell them.

        Of rows that come together the batches are first, so that they are handed on as one list.
        """
        for report in reports:
            self._rows.append(report)
            if not isinstance(report, ROWS):
                tells = True
        if tells:
            for _, together in itertools.groupby(self._rows, lambda report: isinstance(report, ROWS)):
                self._pending += sorted(together, key=lambda report: not isinstance(report, BatchDone))
            self._rows = []

    def _deliver(self) -> None:
        """Hand on what has come, in order. Where that opens a dialog, the timer calls this again inside it, and the rest goes on
        from there.
        """
        while self._pending:
            item = self._pending.popleft()
            if not isinstance(item, BatchDone):
                self._hand_on(item)
                continue
            batches = [item]
            while self._pending and isinstance(following := self._pending[0], BatchDone):
                batches.append(following)
                self._pending.popleft()
            self._hand_on(batches)
