"""The status bar: what the session does, which step is shown, how good the network is, the seed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QStatusBar, QWidget

from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.studio import Studio
from cnnstudio.widgets.numbers import format_count, format_fixed, format_percent
from cnnstudio.widgets.running_label import RunningLabel
from engine.events import BatchDone, EpochDone


class StatusBar(QStatusBar):
    """Facts at the left, passing messages over them, what is shown at the right."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self.setSizeGripEnabled(False)
        self._phase, self._step, self._loss, self._accuracy, self._seed, self._shown = (RunningLabel() for _ in range(6))
        for label in (self._phase, self._step, self._loss, self._accuracy, self._seed):
            self.addWidget(label)
        self._shown.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.addPermanentWidget(self._shown)
        controller = studio.controller
        controller.state_changed.connect(self._show_state)
        controller.batches_done.connect(self._show_batches)
        controller.epoch_done.connect(self._show_epoch)
        controller.history_replaced.connect(self._show_history)
        studio.readiness_changed.connect(self._show_readiness)
        self._show_state(controller.state)
        self._show_history()

    @Slot()
    def _show_readiness(self) -> None:
        self._show_state(self._studio.controller.state)

    @Slot(object)
    def _show_state(self, state: RunState) -> None:
        words = {
            RunPhase.EMPTY: self.tr("○ Not ready"),
            RunPhase.READY: self.tr("○ Ready"),
            RunPhase.RUNNING: self.tr("● Training"),
            RunPhase.PAUSED: self.tr("❚❚ Paused"),
            RunPhase.STOPPED: self.tr("■ Stopped"),
            RunPhase.FINISHED: self.tr("✓ Finished"),
            RunPhase.FAILED: self.tr("✗ Broke off"),
        }
        blocked = self._studio.obstacle is not None and state.phase != RunPhase.RUNNING
        self._phase.setText(words[RunPhase.EMPTY] if blocked else words[state.phase])
        self._step.setText(self.tr("step {step}").format(step=format_count(state.step)))
        self._seed.setText(self.tr("seed {seed}").format(seed=state.seed))
        if not state.step:
            self._loss.clear()
            self._accuracy.clear()

    @Slot(object)
    def _show_batches(self, batches: list[BatchDone]) -> None:
        last = batches[-1]
        self._step.setText(self.tr("step {step}").format(step=format_count(last.step)))
        self._show_loss(last.loss)

    @Slot()
    def _show_history(self) -> None:
        """Loss and accuracy of a run that was there before: another window showed it, or it has been opened."""
        history = self._studio.controller.history
        self._loss.clear()
        self._accuracy.clear()
        if len(history):
            self._show_loss(float(history.loss[-1]))
        if history.epochs:
            self._show_epoch(history.epochs[-1])

    def _show_loss(self, loss: float) -> None:
        self._loss.setText(self.tr("loss {loss}").format(loss=format_fixed(loss, 3)))

    @Slot(object)
    def _show_epoch(self, done: EpochDone) -> None:
        text = self.tr("validation {accuracy}")
        self._accuracy.setText(text.format(accuracy=format_percent(done.val_accuracy)))

    @Slot(object, object)
    def show_steps(self, oldest: int | None, latest: int | None) -> None:
        """Tell the step that is on display; panels that take turns while training runs may show a few steps."""
        if oldest is None or latest is None:
            self._shown.clear()
        elif oldest == latest:
            self._shown.setText(self.tr("pictures of step {step}").format(step=format_count(latest)))
        else:
            text = self.tr("pictures of steps {first}–{last}")
            self._shown.setText(text.format(first=format_count(oldest), last=format_count(latest)))
