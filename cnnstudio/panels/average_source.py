"""Averages over a class, asked of the session while they can be seen."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cnnstudio.panels.live_panel import LivePanel
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase, RunState
from engine.class_average import ClassAverage

SOON = 60
"""Milliseconds after which an average is asked for: a burst of events is one question."""


class AverageSource(QObject):
    """Asks the session for averages, after each epoch and at rest, only while they can be seen; and keeps the last one."""

    changed = Signal()

    def __init__(self, panel: LivePanel, controller: Controller) -> None:
        super().__init__(panel)
        self._panel, self._controller = panel, controller
        self._wanted: tuple[str, int] | None = None
        self._average: ClassAverage | None = None
        self._asked: tuple[str, int, int] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON)
        self._soon.timeout.connect(self._ask)
        controller.class_averaged.connect(self._take)
        controller.epoch_done.connect(self._renew)
        controller.state_changed.connect(self._follow)
        controller.history_replaced.connect(self._forget)
        controller.weights_edited.connect(self._forget)

    def want(self, layer: str | None, label: int | None) -> None:
        """The layer and class whose average is to be had; None for none."""
        wanted = None if layer is None or label is None else (layer, label)
        if wanted != self._wanted:
            self._wanted = wanted
            self._renew()

    @property
    def average(self) -> ClassAverage | None:
        """The average that is wanted, as soon as it is there; of an earlier step while a later one is under way."""
        average = self._average
        return average if average is not None and (average.layer, average.label) == self._wanted else None

    def see(self) -> None:
        """It can be seen again: ask for what has changed meanwhile."""
        self._renew()

    @Slot()
    def _forget(self, *_: object) -> None:
        self._average = self._asked = None
        self._renew()

    @Slot(object)
    def _follow(self, state: RunState) -> None:
        if state.phase not in (RunPhase.RUNNING, RunPhase.EMPTY):
            self._renew()

    @Slot()
    def _renew(self, *_: object) -> None:
        if self._wanted is not None and self._panel.can_be_seen() and not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _ask(self) -> None:
        state = self._controller.state
        if self._wanted is None or state.phase == RunPhase.EMPTY or not self._panel.can_be_seen():
            return
        question = (*self._wanted, state.step)
        if question != self._asked:
            self._asked = question
            self._controller.average_class(*self._wanted)

    @Slot(object)
    def _take(self, average: ClassAverage | None) -> None:
        if average is None:
            self._asked = None
        elif (average.layer, average.label) == self._wanted:
            self._average = average
            self.changed.emit()
