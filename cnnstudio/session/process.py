"""The training process: the worker with an interpreter of its own, so that drawing and training do not take turns.

It ends when it is told to, and when its channel closes, whatever has become of the program at the other end.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from dataclasses import dataclass, replace
from logging.handlers import QueueHandler

from cnnstudio.session.channel import Channel
from cnnstudio.session.messages import ROWS, Load, Report, RunState
from cnnstudio.session.worker import Worker
from engine.datasets.dataset import Dataset
from engine.snapshot import Snapshot

PACKET_INTERVAL = 0.2
"""Seconds for which rows of a running training are gathered into one packet, unless a frame takes them along."""
NICENESS = 5
"""How far training steps back behind the window where both want the same core."""


@dataclass(frozen=True, eq=False)
class Packet:
    """What the process has to say: reports in order, then how things stand, and a frame if there is a new one.

    `forgets_frame` says that a frame sent before belongs to a network that is gone. `handled` messages have been handled;
    `busy` says whether an evaluation is under way.
    """

    reports: tuple[Report | logging.LogRecord, ...]
    state: RunState
    forgets_frame: bool
    frame: Snapshot | None
    handled: int
    busy: bool


class Outbox:
    """The worker's mailbox in this process: gathers, and sends at once what somebody may be waiting for.

    The thread that trains sends by itself. All that is under way has room in the channel, and another thread would take turns
    with this one at the interpreter lock, which takes longer than sending does.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._reports: list[Report | logging.LogRecord] = []
        self._frame: Snapshot | None = None
        self._forgets_frame = self._urgent = False
        self._send_at = 0.0
        self._answered = 0

    def post(self, report: Report) -> None:
        """Put a report behind the others."""
        self._reports.append(report)
        self._urgent |= not isinstance(report, ROWS)

    def put_frame(self, frame: Snapshot | None) -> None:
        """The next frame; None takes the last one back."""
        self._frame, self._forgets_frame = frame, self._forgets_frame or frame is None

    def awaits_state(self, handled: int) -> bool:
        """Whether a state is wanted at once, or the time for the next packet has come."""
        return self._urgent or self._frame is not None or handled != self._answered or time.monotonic() >= self._send_at

    def post_state(self, state: RunState, *, handled: int, busy: bool) -> None:
        """How things stand behind all that was posted: sends everything."""
        self._answered = handled
        packet = Packet(tuple(self._reports), state, self._forgets_frame, self._frame, handled, busy)
        self._reports, self._frame, self._forgets_frame, self._urgent = [], None, False, False
        try:
            self._channel.send(packet)
        except OSError:
            os._exit(0)  # the program is gone
        self._send_at = time.monotonic() + PACKET_INTERVAL

    def post_record(self, record: logging.LogRecord) -> None:
        """What was written to the log."""
        self._reports.append(record)


class _Log(QueueHandler):
    """Sends what is written to the log, which the program at the other end keeps."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__(outbox)  # type: ignore[arg-type]  # any place that `enqueue` knows

    def enqueue(self, record: logging.LogRecord) -> None:
        self.queue.post_record(record)  # type: ignore[attr-defined]


def main(end: str) -> None:
    """The life of the process; `end` is the number of its socket, or "stdin" when standard input describes it."""
    faulthandler.enable()  # what it writes to standard error, the program puts into its log
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's affair; this process ends with it
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    channel = Channel(_socket(end))
    outbox = Outbox(channel)
    logging.getLogger().addHandler(_Log(outbox))
    worker = Worker(outbox)
    threading.Thread(target=_listen, args=(channel, worker), name="messages", daemon=True).start()
    worker.run()


def _socket(end: str) -> socket.socket:
    if sys.platform == "win32":
        return socket.fromshare(sys.stdin.buffer.read())
    return socket.socket(fileno=int(end))


def _listen(channel: Channel, worker: Worker) -> None:
    data: Dataset | None = None
    try:
        while True:
            message = channel.receive()
            if isinstance(message, Load):
                # The images of a network that was edited are here already.
                message = replace(message, data=message.data or data)
                data = message.data
            worker.send(message)
    except EOFError:
        os._exit(0)  # nobody is left to train for
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # rather than train on, deaf
