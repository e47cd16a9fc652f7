"""Loss, accuracy and learning rate over the steps of the run and of others beside it, with progress, speed and the time left."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from cnnstudio.panels.curve_options_button import CurveOptionsButton
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.project.state import RunRecord
from cnnstudio.run_words import distinctions
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.session.run_list import Runs
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.curve_series import Points
from cnnstudio.widgets.numbers import format_rate, format_time_left
from cnnstudio.widgets.running_label import RunningLabel
from cnnstudio.widgets.training_plot import QUANTITIES, RUN_COLORS, RunCurves, TrainingPlot
from engine.history import RunHistory
from engine.trainer import BatchDone, EpochDone

RunPoints = Mapping[str, tuple[Points, Points]]


class CurvesPanel(QWidget):
    """Draws what the session reports; the curves always hold the whole history of the run."""

    heading_changed = Signal(str, str)

    def __init__(self, controller: Controller, runs: Runs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller, self._runs = controller, runs
        self._points: dict[int, tuple[RunHistory, int, RunPoints]] = {}
        """What is drawn of other runs: run -> (its history, how long it was, the points)."""
        self._plot = TrainingPlot()
        self._plot.setAccessibleName(self.tr("Training curves"))
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of the run"))
        self._speed = RunningLabel()
        self._speed.setProperty("role", "muted")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._bar, 1)
        row.addWidget(self._speed)
        tip = self.tr("Smoothing, epochs or steps, logarithm; of several runs also which curves are shown")
        row.addWidget(CurveOptionsButton(self._plot, tip))
        tools = PanelTools(
            self, self._plot, self.tr("Point at the curves to read them; drag to see a part, double-click to see all."),
            self.tr("Loss and accuracy after each batch, and on the validation images after each epoch. Where the training loss "
                    "falls and the validation loss rises, the network learns its images by heart. A click on a name in the "
                    "legend hides its curve; the panel “Runs” lays other runs over this one."),
        )  # fmt: skip
        row.addWidget(tools)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, 0, SPACE_S, SPACE_XS)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self._plot, 1)
        layout.addLayout(row)
        controller.batches_done.connect(self._add_batches)
        controller.epoch_done.connect(self._add_epoch)
        controller.state_changed.connect(self.show_state)
        controller.history_replaced.connect(self.show_history)
        runs.overlaid_changed.connect(self._show_runs)
        self.show_history()
        self._show_runs()

    @property
    def plot(self) -> TrainingPlot:
        """The curves."""
        return self._plot

    @Slot()
    def show_history(self) -> None:
        """Draw the whole history anew: the network has been reset, rebuilt or opened."""
        history = self._controller.history
        self._plot.clear(QUANTITIES)
        for series, (steps, values) in _points_of(history).items():
            self._plot.append(series, steps, values)
        for epoch in history.epochs:
            self._plot.mark_epoch(epoch.step)
        self.show_state(self._controller.state)

    @Slot(object)
    def _add_batches(self, batches: list[BatchDone]) -> None:
        steps = [batch.step for batch in batches]
        self._plot.append("train_loss", steps, [batch.loss for batch in batches])
        self._plot.append("train_accuracy", steps, [batch.accuracy for batch in batches])
        self._plot.append("learning_rate", steps, [batch.learning_rate for batch in batches])

    @Slot(object)
    def _add_epoch(self, done: EpochDone) -> None:
        self._plot.append("val_loss", done.step, done.val_loss)
        self._plot.append("val_accuracy", done.step, done.val_accuracy)
        self._plot.mark_epoch(done.step)

    @Slot()
    def _show_runs(self) -> None:
        """Lay the chosen runs over the present one, each in its colour and with what tells it apart."""
        runs, colors, present = self._runs, self._runs.colors, self._runs.present
        shown = [runs[id] for id in sorted(colors, key=lambda id: (id != present, id))]
        details = dict(zip((run.id for run in shown), distinctions(shown), strict=True))
        self._points = {id: points for id, points in self._points.items() if id in colors}
        looks = {run.id: self._look(run, details[run.id], RUN_COLORS[colors[run.id]]) for run in shown}
        own = looks.pop(present, RunCurves("", "", RUN_COLORS[0]))
        self._plot.show_runs(own, {str(id): look for id, look in looks.items()})

    def _look(self, run: RunRecord, detail: str, color: str) -> RunCurves:
        history = run.history
        if run.id == self._runs.present:
            return RunCurves(run.name, detail, color)
        known = self._points.get(run.id)
        if known is None or known[:2] != (history, len(history)):
            known = self._points[run.id] = (history, len(history), _points_of(history))
        last = history.epochs[-1] if history.epochs else None
        return RunCurves(run.name, detail, color, known[2], last.step / last.epoch if last is not None else None)

    @Slot(object)
    def show_state(self, state: RunState) -> None:
        """Show progress, speed and the time left."""
        total = state.epochs * state.batches
        done = min(state.epoch * state.batches + state.batch, total)
        self._bar.setRange(0, max(total, 1))
        self._bar.setValue(done)
        self._plot.set_length(max(total, state.step) or None)
        self._plot.set_epoch_length(state.batches or None)
        detail = ""
        if total:
            template = self.tr("epoch {epoch} of {epochs} · batch {batch} of {batches}")
            detail = template.format(
                epoch=min(state.epoch + 1, state.epochs),
                epochs=state.epochs,
                batch=state.batch if state.epoch < state.epochs else state.batches,
                batches=state.batches,
            )
        self.heading_changed.emit(self.tr("Training"), detail)
        if state.phase == RunPhase.RUNNING and state.images_per_second:
            self._speed.setText(
                f"{format_rate(state.images_per_second)} · {format_time_left(state.seconds_left)}"
            )
        elif state.phase == RunPhase.FINISHED:
            self._speed.setText(self.tr("finished"))
        elif state.images_per_second:
            self._speed.setText(format_rate(state.images_per_second))
        else:
            self._speed.clear()


def _points_of(history: RunHistory) -> RunPoints:
    """(steps, values) of every quantity."""
    steps, epochs = history.steps, history.epochs
    ends = [epoch.step for epoch in epochs]
    points = {
        "train_loss": (steps, history.loss),
        "train_accuracy": (steps, history.accuracy),
        "learning_rate": (steps, history.learning_rate),
        "val_loss": (ends, [epoch.val_loss for epoch in epochs]),
        "val_accuracy": (ends, [epoch.val_accuracy for epoch in epochs]),
    }
    return {series: (np.array(points[series][0], float), np.array(points[series][1], float)) for series in QUANTITIES}
