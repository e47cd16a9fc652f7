"""Which arrays the visible panels need together, asked of the session once; and each frame handed to those that draw it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cnnstudio.panels.live_panel import LivePanel, Needs, Viewer
from cnnstudio.panels.turns import Turns
from cnnstudio.selection import SampleRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase
from engine.snapshot import Snapshot, SnapshotRequest

EVERYBODY = 0
"""The mark of frames that hold everything."""
MOST_UNDER_WAY = 3
"""Frames that may be on their way; one that was asked for before these does not come any more."""
LOOK_INTERVAL = 0.25
"""Seconds between two looks at who can be seen and needs arrays, unless something is known to have changed."""


class Probe(QObject):
    """Keeps the session's probe equal to what can be seen: a closed panel costs nothing.

    At rest, and whenever what can be seen changes, a frame holds everything and all draw it. While training runs those draw it
    whose turn it is, and it holds only what these need.
    """

    steps_shown = Signal(object, object)
    """(oldest, latest step) of what is on display now; (None, None) when nothing is."""

    def __init__(self, controller: Controller, selection: Selection, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller, self._selection = controller, selection
        self._viewers: list[Viewer] = []
        self._turns, self._mark = Turns(), EVERYBODY
        self._coming: dict[int, tuple[Viewer, ...]] = {}
        """Who draws the frames that are under way, by their mark."""
        self._steps: dict[Viewer, int] = {}
        self._visible: list[Viewer] = []
        self._needing: list[Viewer] = []
        """Who of those that can be seen shows arrays now, and not a hint or a history."""
        self._look_at = 0.0
        # Many changes in one turn of the event loop (a layout restored, a block chosen) become one request.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._ask)
        selection.sample_changed.connect(self.renew)
        controller.frame_arrived.connect(self._show)
        # While training runs, with the other numbers of the status bar: all of them are then painted at once.
        controller.state_changed.connect(self._tell_steps)

    def add_panel(self, panel: LivePanel) -> None:
        """Serve a panel from now on."""
        panel.needs_changed.connect(self.renew)
        self.add_viewer(panel)

    def add_viewer(self, viewer: Viewer) -> None:
        """Serve someone who calls `renew` when the needs change."""
        self._viewers.append(viewer)
        self.renew()

    @Slot()
    def renew(self) -> None:
        """Ask the session anew, as soon as the present events have been handled."""
        self._soon.start()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._soon.stop()
        self._viewers.clear()
        self._coming.clear()

    def _look(self) -> None:
        self._visible = [viewer for viewer in self._viewers if viewer.can_be_seen()]
        self._needing = [viewer for viewer in self._visible if viewer.needs() != Needs()]
        self._look_at = time.monotonic() + LOOK_INTERVAL

    @Slot()
    def _ask(self) -> None:
        self._look()
        visible, sample = self._visible, self._selection.sample
        if not visible or sample is None or sample.image is None:
            self._controller.set_probe(None)
            return
        self._controller.set_probe(_request(visible, sample, EVERYBODY), min(viewer.interval for viewer in visible))

    def _ask_for_turn(self) -> None:
        """Ask for what those need whose turn it is then."""
        sample = self._selection.sample
        if self._controller.state.phase != RunPhase.RUNNING or sample is None or sample.image is None:
            return
        chosen = self._turns.next(self._needing)
        if not chosen:
            return
        self._mark += 1
        self._coming = {mark: viewers for mark, viewers in self._coming.items() if mark > self._mark - MOST_UNDER_WAY}
        self._coming[self._mark] = chosen
        self._controller.ask_for_part(_request(chosen, sample, self._mark))

    @Slot(object)
    def _show(self, snapshot: Snapshot | None) -> None:
        self._turns.frame_came()
        whole = snapshot is None or snapshot.mark == EVERYBODY
        if whole or time.monotonic() >= self._look_at:
            self._look()
        for viewer in self._whose(snapshot):
            viewer.show_snapshot(snapshot)
            if snapshot is not None:
                self._steps[viewer] = snapshot.step
        if snapshot is None:
            self._steps.clear()
        self._ask_for_turn()
        if whole:
            self._tell_steps()

    @Slot()
    def _tell_steps(self, *_: object) -> None:
        """Tell what is on display."""
        steps = [self._steps[viewer] for viewer in self._needing if viewer in self._steps]
        self.steps_shown.emit(*(min(steps), max(steps)) if steps else (None, None))

    def _whose(self, snapshot: Snapshot | None) -> Sequence[Viewer]:
        """Who of the visible ones draws a frame."""
        if snapshot is None or snapshot.mark == EVERYBODY:
            return self._turns.take(self._visible)
        return [viewer for viewer in self._coming.get(snapshot.mark, ()) if viewer in self._visible]


def _request(viewers: Iterable[Viewer], sample: SampleRef, mark: int) -> SnapshotRequest:
    """What viewers need together of a sample that has an image."""
    needs = Needs()
    for viewer in viewers:
        needs |= viewer.needs()
    return SnapshotRequest(
        image=sample.image,
        label=sample.label if needs.deltas or needs.gradients else None,
        layers=tuple(sorted(needs.outputs)),
        weights_of=tuple(sorted(needs.weights)),
        deltas_of=tuple(sorted(needs.deltas)),
        gradients=needs.gradients,
        changes=needs.changes,
        other=needs.other[0] if needs.other else None,
        other_layer=needs.other[1] if needs.other else None,
        mark=mark,
    )
