"""Loss and accuracy over the steps of the run, with progress, speed and the time left."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.curve_plot import CurvePlot
from cnnstudio.widgets.numbers import format_rate, format_time_left
from cnnstudio.widgets.running_label import RunningLabel
from engine.trainer import BatchDone, EpochDone


class CurvesPanel(QWidget):
    """Draws what the session reports; the curves always hold the whole history of the run."""

    heading_changed = Signal(str, str)

    def __init__(self, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._plot = CurvePlot()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of the run"))
        self._speed = RunningLabel()
        self._speed.setProperty("role", "muted")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self._bar, 1)
        row.addWidget(self._speed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, 0, SPACE_S, SPACE_XS)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self._plot, 1)
        layout.addLayout(row)
        controller.batches_done.connect(self._add_batches)
        controller.epoch_done.connect(self._add_epoch)
        controller.state_changed.connect(self.show_state)
        controller.history_replaced.connect(self.show_history)
        self.show_history()

    @property
    def plot(self) -> CurvePlot:
        """The curves."""
        return self._plot

    @Slot()
    def show_history(self) -> None:
        """Draw the whole history anew: the network has been reset, rebuilt or opened."""
        history = self._controller.history
        self._plot.clear()
        self._plot.append("train_loss", history.steps, history.loss)
        self._plot.append("train_accuracy", history.steps, history.accuracy)
        for epoch in history.epochs:
            self._add_epoch(epoch)
        self.show_state(self._controller.state)

    @Slot(object)
    def _add_batches(self, batches: list[BatchDone]) -> None:
        steps = [batch.step for batch in batches]
        self._plot.append("train_loss", steps, [batch.loss for batch in batches])
        self._plot.append("train_accuracy", steps, [batch.accuracy for batch in batches])

    @Slot(object)
    def _add_epoch(self, done: EpochDone) -> None:
        self._plot.append("val_loss", done.step, done.val_loss)
        self._plot.append("val_accuracy", done.step, done.val_accuracy)
        self._plot.mark_epoch(done.step)

    @Slot(object)
    def show_state(self, state: RunState) -> None:
        """Show progress, speed and the time left."""
        total = state.epochs * state.batches
        done = min(state.epoch * state.batches + state.batch, total)
        self._bar.setRange(0, max(total, 1))
        self._bar.setValue(done)
        self._plot.set_length(max(total, state.step) or None)
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
