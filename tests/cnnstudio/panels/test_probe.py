"""Who is given which frame, and what is asked for in return; the session is played by the test."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from cnnstudio.panels import probe as probe_module
from cnnstudio.panels import turns
from cnnstudio.panels.live_panel import Needs
from cnnstudio.panels.probe import EVERYBODY, Probe
from cnnstudio.selection import SampleRef, Selection
from cnnstudio.session.messages import RunPhase
from engine.losses import CrossEntropy
from engine.snapshot import Snapshot, SnapshotRequest
from tests.cnnstudio.set_clock import SetClock
from tests.engine.networks import small

FRAME = 1 / 30


class Session(QObject):
    """The controller, as far as the probe needs it."""

    frame_arrived = Signal(object)
    state_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.state = SimpleNamespace(phase=RunPhase.PAUSED)
        self.whole: list[SnapshotRequest | None] = []
        self.parts: list[SnapshotRequest] = []

    def set_probe(self, request: SnapshotRequest | None, interval: float = 0.0) -> None:
        self.whole.append(request)

    def ask_for_part(self, request: SnapshotRequest) -> None:
        self.parts.append(request)

    def send(self, step: int, mark: int) -> None:
        self.frame_arrived.emit(Snapshot(step, "sample", {}, small(), CrossEntropy(), mark=mark))


class Picture:
    interval = 0.0

    def __init__(self, layer: str) -> None:
        self.layer, self.seen, self.steps = layer, True, []  # type: ignore[var-annotated]

    def can_be_seen(self) -> bool:
        return self.seen

    def is_attended(self) -> bool:
        return False

    def needs(self) -> Needs:
        return Needs(frozenset([self.layer] if self.layer else []))

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        self.steps.append(None if snapshot is None else snapshot.step)


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def pictures() -> list[Picture]:
    return [Picture(layer) for layer in ("a", "b", "c", "d")]


@pytest.fixture
def probe(qtbot: QtBot, session: Session, pictures: Sequence[Picture], monkeypatch: pytest.MonkeyPatch) -> Probe:
    """Pictures of which a busy thread has time for one in a frame."""
    clock = SimpleNamespace(now=100.0, worked=0.0)

    def worked() -> float:
        clock.now, clock.worked = clock.now + FRAME, clock.worked + FRAME
        return clock.worked

    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: clock.now, thread_time=worked))
    selection = Selection()
    made = Probe(session, selection)  # type: ignore[arg-type]
    for picture in pictures:
        made.add_viewer(picture)
    selection.select_sample(SampleRef("drawn", 0, np.zeros((1, 8, 8), np.float32), 0))
    qtbot.waitUntil(lambda: bool(session.whole))
    return made


def run(session: Session, frames: int) -> None:
    """Training goes on: two frames with everything, as they are under way then, and then what was asked for."""
    session.state.phase = RunPhase.RUNNING
    for step in range(frames):
        session.send(step, EVERYBODY if step < 2 else session.parts[step - 2].mark)


@pytest.mark.usefixtures("probe")
def test_at_rest_everybody_draws_the_frame_that_holds_everything(session: Session, pictures: Sequence[Picture]) -> None:
    request = session.whole[-1]
    assert request is not None and request.layers == ("a", "b", "c", "d") and request.mark == EVERYBODY
    session.send(7, EVERYBODY)
    assert [picture.steps for picture in pictures] == [[7]] * 4 and not session.parts


@pytest.mark.usefixtures("probe")
def test_who_shows_no_arrays_has_no_turn_while_training_runs(session: Session, pictures: Sequence[Picture]) -> None:
    pictures[2].layer = ""
    run(session, 20)
    assert pictures[2].steps == [0, 1] and all(len(picture.steps) > 4 for picture in pictures if picture is not pictures[2])


@pytest.mark.usefixtures("probe")
def test_while_training_runs_they_draw_in_turn_what_was_asked_for_them(session: Session, pictures: Sequence[Picture]) -> None:
    run(session, 40)
    late = session.parts[-9:-1]
    assert [request.layers for request in late[4:]] == [request.layers for request in late[:4]]
    assert sorted(layer for request in late[:4] for layer in request.layers) == ["a", "b", "c", "d"]
    by_layer = {picture.layer: picture for picture in pictures}
    assert [by_layer[request.layers[0]].steps[-1] for request in late[-5:-1]] == [36, 37, 38, 39]  # each two frames later
    assert max(len(picture.steps) for picture in pictures) < 20


@pytest.mark.usefixtures("probe")
def test_at_the_pause_all_show_the_same_step(session: Session, pictures: Sequence[Picture]) -> None:
    run(session, 20)
    session.state.phase = RunPhase.PAUSED
    parts = len(session.parts)
    session.send(20, EVERYBODY)
    assert {picture.steps[-1] for picture in pictures} == {20} and len(session.parts) == parts


@pytest.mark.usefixtures("probe")
def test_a_frame_that_nobody_asked_for_any_more_is_not_drawn(session: Session, pictures: Sequence[Picture]) -> None:
    run(session, 20)
    before = [len(picture.steps) for picture in pictures]
    session.send(20, session.parts[0].mark)
    assert [len(picture.steps) for picture in pictures] == before


def test_the_oldest_and_the_latest_step_on_display_are_told(probe: Probe, session: Session, pictures: Sequence[Picture]) -> None:
    told: list[tuple[int | None, int | None]] = []
    probe.steps_shown.connect(lambda *steps: told.append(steps))  # type: ignore[arg-type]
    run(session, 20)
    session.send(20, session.parts[-2].mark)
    session.send(21, session.parts[-2].mark)
    assert told[-1] == (1, 1)  # nothing has been told since all drew the same frame
    session.state_changed.emit(session.state)
    latest = [picture.steps[-1] for picture in pictures]
    assert told[-1] == (min(latest), max(latest)) and min(latest) < max(latest)
    session.send(22, EVERYBODY)
    assert told[-1] == (22, 22)
    session.frame_arrived.emit(None)
    assert told[-1] == (None, None)


@pytest.mark.usefixtures("probe")
def test_what_cannot_be_seen_takes_no_turn(session: Session, pictures: Sequence[Picture]) -> None:
    pictures[1].seen = False
    run(session, 30)
    assert pictures[1].steps == [] and not any("b" in request.layers for request in session.parts)


def test_while_training_runs_not_every_frame_asks_who_can_be_seen(
    probe: Probe, session: Session, pictures: Sequence[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, probe_module.time)
    run(session, 3)
    looks = []
    monkeypatch.setattr(pictures[1], "can_be_seen", lambda: bool(looks.append(None)))
    for step in range(3, 20):
        session.send(step, session.parts[-2].mark)
    assert not looks
    clock.now += 1.0
    session.send(20, session.parts[-2].mark)
    assert looks
