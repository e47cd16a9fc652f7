"""The worker as the program sees it: two threads that pass messages to the training process and back."""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from cnnstudio.session.channel import Channel
from cnnstudio.session.mailbox import Mailbox
from cnnstudio.session.messages import (
    CheckpointTaken,
    FrameTaken,
    Load,
    Lost,
    Message,
    Quit,
    RunPhase,
    RunState,
    SetProbe,
    TakeCheckpoint,
)
from cnnstudio.session.troubles import process_lost
from engine.checkpoint import Checkpoint

if TYPE_CHECKING:
    from cnnstudio.session.process import Packet
    from engine.datasets.dataset import Dataset

_log = logging.getLogger(__name__)

START = "import sys; sys.path[:] = sys.argv[2:]; from cnnstudio.session.process import main; main(sys.argv[1])"
"""What the process runs: the same modules, but not the script with which the program was started."""
LONGEST_GOODBYE = 1.5
"""Seconds that the process may take to end by itself; a longer batch is not waited for."""


class RemoteWorker:
    """Passes messages to the training process, and puts its answers into the mailbox.

    The process is started by the first message that gives it something to do. If it dies, `Lost` is reported at once, what it has
    not answered counts as handled, and the next message starts another one.
    """

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        # A daemon, so that a program that dies without closing its session does not hang.
        self._sender = threading.Thread(target=self._pass_on, name="training", daemon=True)
        self._process: TrainingProcess | None = None

    @property
    def process(self) -> TrainingProcess | None:
        """The process at work, if one was started."""
        return self._process

    def start(self) -> None:
        """Begin to listen to the program."""
        self._sender.start()

    def send(self, message: Message) -> None:
        """Put a message behind the others."""
        self._messages.put(message)

    def join(self) -> None:
        """Wait for the end that `Quit` brings."""
        self._sender.join()

    def _pass_on(self) -> None:
        probe, count = SetProbe(None), 0
        while not isinstance(message := self._messages.get(), Quit):
            if isinstance(message, FrameTaken):  # needs no answer, and no process if there is none
                if self._process is not None:
                    self._process.send(message, count)
                continue
            count += 1
            if isinstance(message, SetProbe):
                probe = message
                if self._process is None:
                    self._mailbox.post_state(RunState(), handled=count, busy=False)
                    continue
            while self._process is None or not self._process.send(message, count):
                if self._process is not None:
                    self._process.join()  # what it had to say last comes before what the next one says
                self._process = TrainingProcess(self._mailbox, probe, count - 1)
        if self._process is not None:
            self._process.end()


class TrainingProcess:
    """One process, from its start to its end."""

    def __init__(self, mailbox: Mailbox, probe: SetProbe, handled: int) -> None:
        """`handled` messages have been answered before this one was started."""
        self._mailbox = mailbox
        self._lock = threading.Lock()
        self._sent, self._over, self._ending = handled, False, False
        self._before = handled - 1  # the process will count the probe as well
        self._answered, self._busy = handled, False
        self._replies: dict[int, queue.SimpleQueue[Checkpoint | None]] = {}
        self._data: Dataset | None = None
        self._state = RunState()
        # A file, not a pipe: it takes what a dying process writes, however much, and nobody has to read meanwhile.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115, held open
        here, there = socket.socketpair()
        self._process = _start(there, self._errors)
        there.close()  # so that the process's end closes with the process
        self._channel = Channel(here)
        self._receiver = threading.Thread(target=self._receive, name="training answers", daemon=True)
        self._receiver.start()
        self.send(probe, handled)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def send(self, message: Message, count: int) -> bool:
        """Send the message that is number `count` of the session; False when the process is known to be gone."""
        with self._lock:
            if self._over:
                return False
            self._sent = count
            if isinstance(message, TakeCheckpoint) and message.reply is not None:
                self._replies[message.token] = message.reply
                message = replace(message, reply=None)
        if isinstance(message, Load):
            data, self._data = self._data, message.data
            if data is message.data:
                message = replace(message, data=None)
        with contextlib.suppress(OSError):  # the receiver tells what has become of the process
            self._channel.send(message)
        return True

    def end(self) -> None:
        """Let the process end after the batch in hand."""
        self._ending = True
        with contextlib.suppress(OSError):
            self._channel.send(Quit())
        try:
            self._process.wait(LONGEST_GOODBYE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._bury()
        self._receiver.join()

    def join(self) -> None:
        """Wait until a process that is gone has been told of."""
        self._receiver.join()

    def _bury(self) -> int:
        exit_code = self._process.wait()
        self._channel.close()
        return exit_code

    def _keep_errors(self, exit_code: int) -> None:
        """Put what the process wrote to its standard error, at last where it crashed, into the program's log."""
        with self._errors as file:
            file.seek(0)
            text = file.read().decode("utf-8", "replace").strip()
        if not self._ending:
            _log.error("the training process has ended with exit code %d\n%s", exit_code, text)
        elif text:
            _log.warning("the training process wrote:\n%s", text)

    def _receive(self) -> None:
        try:
            while True:
                self._deliver(self._channel.receive())
        except EOFError:
            exit_code = self._bury()
            self._keep_errors(exit_code)
            with self._lock:
                self._over = True
                replies, self._replies = list(self._replies.values()), {}
            for reply in replies:
                reply.put(None)
            if not self._ending:
                self._tell_loss(exit_code)

    def _tell_loss(self, exit_code: int) -> None:
        """Say that the process is gone, also to a program that waits for nothing."""
        state = self._state
        resting = state.phase != RunPhase.RUNNING and self._answered == self._sent and not self._busy
        if not resting:
            state = replace(state, phase=RunPhase.FAILED, reason="error")
        if state.phase != RunPhase.EMPTY:  # without a network nobody has lost anything
            self._mailbox.post(Lost(process_lost(exit_code, resting=resting)))
        self._mailbox.post_state(state, handled=self._sent, busy=False)
        self._mailbox.ring()

    def _deliver(self, packet: Packet) -> None:
        if packet.forgets_frame:
            self._mailbox.put_frame(None)
        for report in packet.reports:
            if isinstance(report, logging.LogRecord):
                logging.getLogger(report.name).handle(report)
            elif isinstance(report, CheckpointTaken) and report.token in self._replies:
                with self._lock:
                    reply = self._replies.pop(report.token)
                reply.put(report.checkpoint)
            else:
                self._mailbox.post(report)
        if packet.frame is not None:
            self._mailbox.put_frame(packet.frame)
        self._state, self._answered, self._busy = packet.state, self._before + packet.handled, packet.busy
        if packet.handled > 1:  # behind the probe alone there is no network yet: until it comes things stand as they stood
            self._mailbox.post_state(packet.state, handled=self._answered, busy=packet.busy)


def _start(end: socket.socket, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the process and give it its end of the channel, by the way that the system has for it."""
    if sys.platform == "win32":
        process = subprocess.Popen([sys.executable, "-c", START, "stdin", *sys.path], stdin=subprocess.PIPE, stderr=errors)
        assert process.stdin is not None
        process.stdin.write(end.share(process.pid))
        process.stdin.close()
        return process
    number = end.fileno()
    command = [sys.executable, "-c", START, str(number), *sys.path]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors, pass_fds=[number])
