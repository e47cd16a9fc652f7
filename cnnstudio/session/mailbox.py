"""The mailbox between worker and GUI: reports are never lost, of state and frame only the latest counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from cnnstudio.session.messages import Delivery, Report, RunState

if TYPE_CHECKING:
    from engine.snapshot import Snapshot


class Answers(Protocol):
    """Where the worker puts its answers: the mailbox, or what takes them to the mailbox of another process."""

    def post(self, report: Report) -> None:
        """Put a report behind the others."""
        ...

    def put_frame(self, frame: Snapshot | None) -> None:
        """Put a frame there in place of the last one; None takes that away."""
        ...

    def awaits_state(self, handled: int) -> bool:
        """Whether a state is wanted after one more batch of a running training; so many messages have been handled."""
        ...

    def post_state(self, state: RunState, *, handled: int, busy: bool) -> None:
        """How things stand, behind all that was posted."""
        ...


class Mailbox:
    """The worker puts in, the GUI takes all out at display rate."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reports: list[Report] = []
        self._state: RunState | None = None
        self._frame: Snapshot | None = None
        self._announces = False
        """Whether the frame has not been rung for yet."""
        self._handled, self._busy = 0, False
        self.bell: Callable[[], None] | None = None
        """What `ring` calls."""

    def ring(self) -> None:
        """Have the GUI look in although it waits for nothing; may be called from any thread."""
        if self.bell is not None:
            self.bell()

    def post(self, report: Report) -> None:
        """Put a report behind the others."""
        with self._lock:
            self._reports.append(report)

    def awaits_state(self, handled: int) -> bool:
        """Always: the GUI takes the latest whenever it looks."""
        return True

    def post_state(self, state: RunState, *, handled: int, busy: bool) -> None:
        """Put the state there in place of an older one, behind all that was posted, and ring if a frame has come with it.

        So many messages have been handled by now; `busy` says whether an evaluation is under way.
        """
        with self._lock:
            self._state, self._handled, self._busy = state, handled, busy
            announces, self._announces = self._announces, False
        if announces:
            self.ring()

    def put_frame(self, frame: Snapshot | None) -> None:
        """Put a frame there in place of an untaken one; None takes that away."""
        with self._lock:
            self._frame, self._announces = frame, frame is not None

    def take(self) -> Delivery:
        """Everything that is there; the mailbox is empty then."""
        with self._lock:
            delivery = Delivery(tuple(self._reports), self._state, self._frame, self._handled, self._busy)
            self._reports, self._state, self._frame = [], None, None
        return delivery

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take."""
        with self._lock:
            return not self._reports and self._state is None and self._frame is None
