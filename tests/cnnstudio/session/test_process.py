"""The training process: what crosses to it arrives whole, its death is told and made good, and it outlives nothing."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.session import controller as controller_module
from cnnstudio.session.channel import HEAD, Channel
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.session.process import PACKET_INTERVAL, Outbox, Packet
from cnnstudio.session.remote import RemoteWorker, TrainingProcess
from engine.datasets.dataset import Dataset
from engine.diagnose import Diagnosis
from engine.errors import EngineError, Fix
from engine.events import BatchDone, Finished
from engine.settings import TrainSettings
from engine.snapshot import SnapshotRequest
from engine.trainer import Trainer
from tests.engine.networks import blobs, small

SETTINGS = TrainSettings(epochs=1_000_000, batch_size=20, learning_rate=0.01, seed=3)
SPEC = small()


@pytest.fixture
def data() -> Dataset:
    return blobs()


@pytest.fixture
def controller(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, data: Dataset) -> Iterator[Controller]:
    monkeypatch.setattr(controller_module, "RemoteWorker", RemoteWorker)
    made = Controller()
    made.load(SPEC, data, SETTINGS)
    qtbot.waitUntil(lambda: made.state.phase == RunPhase.READY)
    yield made
    process = process_of(made)
    made.close()
    assert gone(process.pid)


def process_of(controller: Controller) -> TrainingProcess:
    worker = controller._worker
    assert isinstance(worker, RemoteWorker) and worker.process is not None
    return worker.process


def kill(controller: Controller) -> int:
    pid = process_of(controller).pid
    os.kill(pid, signal.SIGKILL)
    return pid


def gone(pid: int) -> bool:
    """Whether a process has ended, also where nobody has asked for its exit code."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("size", [0, 1, 3, 1_000_000])
def test_values_and_arrays_cross_the_channel_as_writable_as_they_were(size: int) -> None:
    ends = socket.socketpair()
    there, here = Channel(ends[0]), Channel(ends[1])
    fixed = np.arange(5.0)
    fixed.flags.writeable = False
    message = {"flat": np.arange(size, dtype=np.float32), "fixed": fixed, "text": "ü" * 9, "turned": np.arange(6).reshape(2, 3).T}
    sender = threading.Thread(target=there.send, args=(message,))
    sender.start()
    got = here.receive()
    sender.join()
    assert got["text"] == message["text"] and all(np.array_equal(got[k], message[k]) for k in ("flat", "fixed", "turned"))
    assert got["flat"].flags.writeable and not got["fixed"].flags.writeable
    there.close()
    with pytest.raises(EOFError):
        here.receive()
    here.close()


def test_a_channel_has_room_for_more_than_the_system_gives_by_itself() -> None:
    ends = socket.socketpair()
    usual = ends[0].getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    channel = Channel(ends[0])
    assert ends[0].getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) > usual
    channel.close()
    ends[1].close()


def test_rows_that_are_kept_do_not_keep_the_frame_that_came_with_them() -> None:
    """A history of a small array a second would otherwise hold a frame a second for good."""
    ends = socket.socketpair()
    there, here = Channel(ends[0]), Channel(ends[1])
    tracemalloc.start()
    kept = []
    for _ in range(20):
        sender = threading.Thread(target=there.send, args=({"row": np.arange(6), "frame": np.zeros(1_000_000, np.uint8)},))
        sender.start()
        kept.append(here.receive()["row"])
        sender.join()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    there.close()
    here.close()
    assert len(kept) == 20 and held < 5_000_000


def test_rows_wait_for_the_next_packet_and_whatever_somebody_waits_for_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wire:
        sent: ClassVar[list[Packet]] = []

        def send(self, packet: Packet) -> None:
            self.sent.append(packet)

    now = 100.0
    monkeypatch.setattr("cnnstudio.session.process.time.monotonic", lambda: now)
    outbox, state = Outbox(Wire()), RunState(RunPhase.RUNNING)  # type: ignore[arg-type]
    outbox.post_state(state, handled=1, busy=False)
    row = BatchDone(1, 0, 1, 10, 1.0, 0.5, 0.1, 20)
    outbox.post(row)
    assert not outbox.awaits_state(1)
    assert outbox.awaits_state(2)  # a message has been handled
    now += PACKET_INTERVAL
    assert outbox.awaits_state(1)
    outbox.post_state(state, handled=1, busy=False)
    outbox.post(Finished("epochs", 1))
    assert outbox.awaits_state(1)
    outbox.post_state(state, handled=1, busy=False)
    assert not outbox.awaits_state(1)
    assert [packet.reports for packet in Wire.sent] == [(), (row,), (Finished("epochs", 1),)]


@pytest.mark.parametrize("kind", [EngineError, Diagnosis])
def test_errors_cross_with_all_that_they_say(kind: type[EngineError]) -> None:
    fix = Fix("set", "use {n}", {"n": 3}, layer="conv1", field="stride", value=3)
    error = kind("{n} is wrong.", code="made.up", layer="conv1", position=2, field="stride", fixes=(fix,), n=4)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and again.message == error.message and again.fixes == error.fixes
    assert (again.code, again.layer, again.position, again.field) == ("made.up", "conv1", 2, "stride")
    assert again.args_by_name == {"n": 4}


def test_a_killed_process_is_told_and_training_goes_on_from_the_last_checkpoint(
    qtbot: QtBot, controller: Controller, data: Dataset
) -> None:
    controller.set_probe(SnapshotRequest(data.train.images[0]))
    controller.run()
    qtbot.waitUntil(lambda: controller.state.step > 5)
    checkpoint = controller.checkpoint_now(10)
    assert checkpoint is not None
    qtbot.waitUntil(lambda: controller.state.step > checkpoint.step)
    with qtbot.waitSignal(controller.failed) as blocker:
        kill(controller)
    assert blocker.args[0].code == "session.killed" and "go on" in blocker.args[0].message and blocker.args[0].fixes
    qtbot.waitUntil(lambda: controller.state.phase == RunPhase.PAUSED)
    assert controller.state.step == checkpoint.step and controller.history.steps[-1] == checkpoint.step
    again = controller.checkpoint_now(10)
    assert again is not None and np.array_equal(again.parameters, checkpoint.parameters)
    qtbot.waitUntil(lambda: controller.snapshot is not None and controller.snapshot.step == checkpoint.step)

    controller.step_batch()
    qtbot.waitUntil(lambda: controller.state.step == checkpoint.step + 1)
    alone = Trainer(SPEC, data, SETTINGS)
    for _ in alone.run(until=checkpoint.step + 1):
        pass
    went_on = controller.checkpoint_now(10)
    assert went_on is not None and np.array_equal(went_on.parameters, alone.checkpoint().parameters)
    controller.catch_up()
    assert controller.history.steps.tolist() == list(range(1, checkpoint.step + 2))


def test_a_process_killed_at_rest_is_told_at_once_and_another_one_has_the_same_weights(
    qtbot: QtBot, controller: Controller, data: Dataset
) -> None:
    controller.set_probe(SnapshotRequest(data.train.images[0]))
    for step in range(1, 4):
        controller.step_batch()
        qtbot.waitUntil(lambda step=step: controller.state.step == step and controller.state.phase == RunPhase.PAUSED)
    present = controller.checkpoint_now(10)
    assert present is not None
    qtbot.waitUntil(lambda: not controller._inbox.waiting and controller.snapshot is not None)
    recorded, shown = len(controller.norms), controller.snapshot
    phases: list[RunPhase] = []
    controller.state_changed.connect(lambda state: phases.append(state.phase))
    with qtbot.waitSignal(controller.failed) as blocker:  # although nobody asks for anything
        pid = kill(controller)
    assert blocker.args[0].code == "session.replaced" and "Nothing is lost" in blocker.args[0].message
    qtbot.waitUntil(lambda: controller.snapshot is not shown)
    assert controller.snapshot is not None and controller.snapshot.step == 3 and process_of(controller).pid != pid
    again = controller.checkpoint_now(10)
    assert again is not None and np.array_equal(again.parameters, present.parameters)
    assert set(phases) == {RunPhase.PAUSED} and controller.history.steps.tolist() == [1, 2, 3]
    assert len(controller.norms) == recorded > 0


def test_a_process_that_dies_again_before_it_was_of_use_is_replaced_when_the_next_one_is_needed(
    qtbot: QtBot, controller: Controller
) -> None:
    for _ in range(2):
        with qtbot.waitSignal(controller.failed):
            pid = kill(controller)
        qtbot.waitUntil(lambda: not controller._inbox.waiting)
    assert process_of(controller).pid == pid and controller.state.phase == RunPhase.READY
    assert controller.checkpoint_now(10) is None and process_of(controller).pid == pid  # what is known needs no process
    with qtbot.waitSignal(controller.answered):
        controller.evaluate("validation")
    controller.step_batch()
    qtbot.waitUntil(lambda: controller.state.step == 1)


def test_who_waits_for_a_checkpoint_gets_the_last_one_if_the_process_dies(qtbot: QtBot, controller: Controller) -> None:
    controller.step_batch()
    qtbot.waitUntil(lambda: controller.state.step == 1)
    known = controller.checkpoint_now(10)
    pid = process_of(controller).pid
    os.kill(pid, signal.SIGSTOP)
    with qtbot.waitSignal(controller.failed):
        controller.request_checkpoint()
        os.kill(pid, signal.SIGKILL)
        assert controller.checkpoint_now(60) is known is not None
    qtbot.waitUntil(lambda: controller.state.phase == RunPhase.PAUSED)


def crash(process: TrainingProcess) -> None:
    os.kill(process.pid, signal.SIGSEGV)


def send_nonsense(process: TrainingProcess) -> None:
    process._channel._socket.sendall(HEAD.pack(1, 0, 1) + b"?")


@pytest.mark.parametrize(
    ("end", "exit_code", "logged"),
    [
        (crash, -11, ("Fatal Python error: Segmentation fault", "cnnstudio/session/worker.py")),
        (send_nonsense, 1, ("UnpicklingError",)),
    ],
)
def test_a_process_that_crashes_in_a_training_is_told_with_what_to_do_and_the_log_says_where(
    qtbot: QtBot, controller: Controller, caplog: pytest.LogCaptureFixture, end: Callable[[TrainingProcess], None],
    exit_code: int, logged: tuple[str, ...],
) -> None:  # fmt: skip
    controller.run()
    qtbot.waitUntil(lambda: controller.state.phase == RunPhase.RUNNING)
    with qtbot.waitSignal(controller.failed) as blocker:
        end(process_of(controller))
    told = blocker.args[0]
    assert told.code == "session.lost" and str(exit_code) in told.message and "go on" in told.message
    assert all(text in caplog.text for text in (f"exit code {exit_code}", *logged))
    qtbot.waitUntil(lambda: controller.state.phase == RunPhase.READY)


def test_who_waits_for_a_checkpoint_of_a_killed_process_is_not_left_waiting(qtbot: QtBot, controller: Controller) -> None:
    pid = process_of(controller).pid
    os.kill(pid, signal.SIGSTOP)  # so that the question is surely on its way when it dies
    with qtbot.waitSignal(controller.failed):
        controller.request_checkpoint()
        os.kill(pid, signal.SIGKILL)
        assert controller.checkpoint_now(60) is None
    qtbot.waitUntil(lambda: controller.state.phase == RunPhase.READY)


def test_another_network_on_the_same_data_does_not_send_the_images_again(
    qtbot: QtBot, controller: Controller, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    send = Channel.send
    monkeypatch.setattr(Channel, "send", lambda channel, message: (sent.append(message), send(channel, message))[1])
    controller.load(SPEC, data, SETTINGS.replace(seed=4))
    qtbot.waitUntil(lambda: controller.state.seed == 4)
    other = blobs(seed=1)
    controller.load(SPEC, other, SETTINGS.replace(seed=5))
    qtbot.waitUntil(lambda: controller.state.seed == 5)
    assert [getattr(message, "data", "none") for message in sent] == [None, other]


def test_a_long_batch_does_not_keep_the_program_from_closing(qtbot: QtBot, controller: Controller) -> None:
    pid = process_of(controller).pid
    os.kill(pid, signal.SIGSTOP)  # a batch that never ends
    controller.close()
    assert gone(pid)


PROGRAM = """
import sys
from PySide6.QtCore import QCoreApplication
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase
from engine.settings import TrainSettings
from tests.engine.networks import blobs, small

app = QCoreApplication([])
controller = Controller()
controller.load(small(), blobs(), TrainSettings(epochs=1_000_000))
controller.run()
controller.state_changed.connect(
    lambda state: state.phase == RunPhase.RUNNING and print(controller._worker.process.pid, flush=True)
)
app.exec()
"""


def test_the_process_dies_with_a_program_that_is_killed(qtbot: QtBot) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        assert not gone(pid)
        program.kill()
    qtbot.waitUntil(lambda: gone(pid))
