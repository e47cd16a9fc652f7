"""Walks through a training step: moves the Explain panel from number to number and shows on the canvas who is at work."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Slot

from cnnstudio.canvas.scene import CanvasScene
from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.panel import ExplainPanel
from cnnstudio.panels.explain.subject import Subject
from cnnstudio.selection import CellRef
from cnnstudio.session.messages import RunPhase
from cnnstudio.studio import Studio
from cnnstudio.walk.bar import WalkBar
from cnnstudio.walk.plan import Stop, Walk, part_and_product
from cnnstudio.widgets.numbers import format_count
from engine.snapshot import Snapshot

WAYS = {"forward": True, "loss": True, "backward": False, "update": None}
"""Which way the numbers of a phase go; an update stays where it is."""


class Walker(QObject):
    """Walks the last training batch, or before the first one the chosen sample. Training and edits end the walk."""

    def __init__(self, studio: Studio, panel: ExplainPanel, scene: CanvasScene, bar: WalkBar, parent: QObject) -> None:
        super().__init__(parent)
        self._studio, self._panel, self._scene, self._bar = studio, panel, scene, bar
        self._walk: Walk | None = None
        self._starting = False
        self._stop: Stop | None = None
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._tick)
        bar.hide()
        bar.position_wanted.connect(self.go)
        bar.grain_chosen.connect(self._regrain)
        bar.play_toggled.connect(self._play)
        bar.speed_chosen.connect(self._set_speed)
        bar.closed.connect(self.end)
        panel.explained.connect(self._explained)
        studio.document.graph_changed.connect(self._end_with_network)
        studio.controller.run_started.connect(self.end)

    @property
    def walk(self) -> Walk | None:
        """The walk under way."""
        return self._walk

    @property
    def stop(self) -> Stop | None:
        """Where it is."""
        return self._stop

    @Slot()
    def begin(self) -> None:
        """Show the bar at the beginning of the step."""
        state = self._studio.controller.state
        if state.phase == RunPhase.RUNNING:
            self._studio.controller.pause()
        self._bar.show()
        self._starting = True
        probe = "batch" if state.step else "sample"
        # The loss needs everything forward and backward, so that a snapshot that explains it holds the whole step.
        self._studio.selection.select_cell(CellRef("loss", (), state.step, probe))

    @Slot()
    def end(self) -> None:
        """Leave the step mode."""
        self._walk = self._stop = None
        self._starting = False
        self._clock.stop()
        self._bar.play.setChecked(False)
        self._bar.hide()
        self._panel.part_zoom.show_term(None)
        self._scene.show_flow(None)

    @Slot(int)
    def go(self, position: int) -> None:
        """Go to a position."""
        if self._walk is None or position >= self._walk.length(self._bar.grain):
            return
        stop = self._walk.stop(self._bar.grain, position)
        self._stop = stop
        ref, snapshot = stop.ref, self._walk.snapshot
        if self._panel.subject is None or self._panel.subject.ref != ref:
            self._studio.selection.select_cell(CellRef(ref.array, ref.index, snapshot.step, snapshot.probe))
        self._show_term(stop)
        self._scene.show_flow(stop.stage.block, forward=WAYS[stop.stage.phase])
        self._bar.show_position(position, self._walk.length(self._bar.grain), self._words(stop))

    def _show_term(self, stop: Stop) -> None:
        assert self._walk is not None
        place = part_and_product(stop, self._walk.snapshot)
        if place is None:
            self._panel.part_zoom.show_term(None)
            return
        self._panel.show_part(place[0])
        self._panel.reveal_part()
        self._panel.part_zoom.show_term(place[1])

    def _words(self, stop: Stop) -> str:
        assert self._walk is not None
        name_of = self._studio.document.name_of
        phases = {"forward": self.tr("Forward →"), "loss": self.tr("Loss"), "backward": self.tr("← Backward"),
                  "update": self.tr("Update")}  # fmt: skip
        parts = [phases[stop.stage.phase], name_of(stop.stage.block),
                 Names(self._walk.snapshot, name_of).cell(stop.ref)]
        if self._bar.grain != "layer" and stop.stage.cells > 1:
            text = self.tr("number {n} of {count}")
            parts.append(text.format(n=format_count(stop.cell + 1), count=format_count(stop.stage.cells)))
        if stop.term is not None and stop.stage.terms > 1:
            text = self.tr("term {n} of {count}")
            parts.append(text.format(n=format_count(stop.term + 1), count=format_count(stop.stage.terms)))
        return " · ".join(parts)

    @Slot(object)
    def _explained(self, subject: Subject) -> None:
        """Take the snapshot to walk as soon as it holds a whole step; go on with another one of the same network."""
        snapshot: Snapshot = subject.snapshot
        if self._starting and snapshot.loss is not None:
            self._starting = False
            self._walk = Walk(snapshot)
            self.go(0)
        elif self._walk is not None and snapshot is not self._walk.snapshot and snapshot.probe == self._walk.snapshot.probe:
            walk = Walk(snapshot)
            if walk.stages == self._walk.stages:
                self._walk = walk
            if self._stop is not None and subject.ref == self._stop.ref:
                self._show_term(self._stop)

    @Slot(str)
    def _regrain(self, grain: str) -> None:
        if self._walk is not None and self._stop is not None:
            self.go(self._walk.position(grain, self._stop))

    @Slot(bool)
    def _play(self, on: bool) -> None:
        if not on:
            self._clock.stop()
        elif self._walk is not None:
            if self._stop is not None and self._here() + 1 >= self._walk.length(self._bar.grain):
                self.go(0)
            self._set_speed(self._bar.speed)
            self._clock.start()

    @Slot(float)
    def _set_speed(self, speed: float) -> None:
        self._clock.setInterval(round(1000 / speed))

    @Slot()
    def _tick(self) -> None:
        if self._walk is None or self._here() + 1 >= self._walk.length(self._bar.grain):
            self._bar.play.setChecked(False)
            return
        self.go(self._here() + 1)

    def _here(self) -> int:
        assert self._walk is not None and self._stop is not None
        return self._walk.position(self._bar.grain, self._stop)

    @Slot(object, object)
    def _end_with_network(self, before: object, after: object) -> None:
        if self._bar.isVisible() and getattr(before, "spec", None) != getattr(after, "spec", None):
            self.end()
