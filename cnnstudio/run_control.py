"""The buttons of the run: what they do, when they can be pressed, and what is said when training cannot start."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal, Slot

from cnnstudio.actions import Actions
from cnnstudio.banner import Banner, Choice, Kind
from cnnstudio.data_in_use import CHOOSE
from cnnstudio.document.words import error_sentence, fix_label, fix_sentence
from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.session.troubles import PROCESS_KILLED, PROCESS_LOST, PROCESS_REPLACED
from cnnstudio.setting_change import Change
from cnnstudio.studio import Studio
from engine.errors import EngineError, Fix

NOT_FINITE = "training.not_finite"
OBSTACLE, FAILURE, UNPROTECTED, FRESH = "obstacle", "failure", "unprotected", "fresh"
"""What a banner is about."""


class RunControl(QObject):
    """Connects the actions with the session, and the session's troubles with the banner."""

    block_wanted = Signal(str)
    """Show this block: an error lies there."""
    data_wanted = Signal()
    """Ask for a data set."""

    def __init__(self, actions: Actions, studio: Studio, banner: Banner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._actions, self._studio, self._banner = actions, studio, banner
        controller = studio.controller
        actions.train.triggered.connect(self.train_or_pause)
        actions.batch.triggered.connect(self.step_batch)
        actions.layer.triggered.connect(self.step_layer)
        actions.stop.triggered.connect(controller.stop)
        actions.reset.triggered.connect(studio.reset_weights)
        controller.state_changed.connect(self._show_state)
        studio.readiness_changed.connect(self._show_readiness)
        studio.failed.connect(self.show_failure)
        studio.autosave.protected.connect(self._say_protected)
        studio.rebuilt.connect(self._say_fresh)
        self._show_state(controller.state)

    @Slot()
    def train_or_pause(self) -> None:
        """Train, or pause a running training; where it cannot start, say why."""
        if self._studio.controller.state.phase == RunPhase.RUNNING:
            self._studio.controller.pause()
        else:
            self._start(self._studio.controller.run)

    @Slot()
    def step_batch(self) -> None:
        """Train one batch."""
        self._start(self._studio.controller.step_batch)

    @Slot()
    def step_layer(self) -> None:
        """Go one layer further."""
        self._start(self._studio.controller.step_layer)

    def _start(self, act: Callable[[], None]) -> None:
        obstacle = self._studio.obstacle
        if obstacle is None:
            self._banner.clear()
            self._studio.settle()
            act()
        else:
            self.explain(obstacle, OBSTACLE)

    @Slot()
    def _show_readiness(self) -> None:
        obstacle = self._studio.obstacle
        action = self._actions.train
        if obstacle is None:
            self._banner.clear_about(OBSTACLE)
            if self._studio.controller.state.phase != RunPhase.RUNNING:
                action.setToolTip(self.tr("Train the network; again to pause (F5)"))
        else:
            action.setToolTip(self.tr("Cannot train: {reason}").format(reason=error_sentence(obstacle)))

    @Slot(object)
    def _show_state(self, state: RunState) -> None:
        running = state.phase == RunPhase.RUNNING
        begun = state.phase in (RunPhase.RUNNING, RunPhase.PAUSED)
        actions = self._actions
        train, pause, resume = actions.train_texts()
        actions.train.setText(pause if running else resume if state.phase == RunPhase.PAUSED else train)
        actions.set_icon(actions.train, "pause" if running else "train", "on_ok")
        actions.stop.setEnabled(begun)
        actions.batch.setEnabled(not running)
        actions.layer.setEnabled(not running)
        self._show_readiness()

    # --- troubles ---

    @Slot(object)
    def show_failure(self, error: EngineError) -> None:
        """Say what has gone wrong, where, and offer the cures."""
        self.explain(error, UNPROTECTED if error.code.startswith("working.") else FAILURE)

    @Slot()
    def _say_protected(self) -> None:
        self._banner.clear_about(UNPROTECTED)

    def explain(self, error: EngineError, about: str) -> None:
        """Show an error with a button for each cure, and go to the block where it lies."""
        block = self._block_of(error)
        place = self._studio.document.name_of(block) if block is not None else error.layer or ""
        text = f"{place}: {error_sentence(error)}" if place else error_sentence(error)
        if error.code == NOT_FINITE:
            choices = [self._lower_rate()]
        else:
            text = " ".join([text, *(fix_sentence(fix) for fix in error.fixes if fix.action == "advice")])
            choices = [self._fix_choice(fix) for fix in error.fixes if fix.action != "advice"]
        begun = self._studio.controller.state.phase in (RunPhase.PAUSED, RunPhase.FAILED)
        if begun and error.code in (PROCESS_KILLED, PROCESS_LOST, PROCESS_REPLACED):
            choices = [(self.tr("Go on training"), self._go_on)]
        kind: Kind = "info" if error.code == PROCESS_REPLACED else "warning" if about == OBSTACLE else "error"
        self._banner.show_message(kind, text, choices, about=about)
        if block is not None:
            self.block_wanted.emit(block)

    def _block_of(self, error: EngineError) -> str | None:
        derived, graph = self._studio.document.derived, self._studio.document.graph
        if error is derived.blocking:
            return derived.blocking_block
        for block in graph:
            if error.layer in (block.id, block.node.title):
                return block.id
        return None

    def _fix_choice(self, fix: Fix) -> Choice:
        return fix_label(fix), lambda: self._apply(fix)

    def _apply(self, fix: Fix) -> None:
        if fix.action == CHOOSE:
            self.data_wanted.emit()
            return
        try:
            self._studio.apply_fix(fix)
        except EngineError as error:
            self.show_failure(error)

    def _lower_rate(self) -> Choice:
        rate = self._studio.settings.learning_rate / 10
        text = self.tr("Lower the rate to {rate} and go on").format(rate=f"{rate:g}")

        def cure() -> None:
            self._studio.change(Change("learning_rate", rate))
            self._studio.controller.run()

        return text, cure

    @Slot(object, bool)
    def _say_fresh(self, blocks: tuple[str, ...], interrupted: bool) -> None:
        document = self._studio.document
        names = ", ".join(document.name_of(block) for block in blocks if block in document.graph)
        text = self.tr("New random weights: {blocks}. All other weights are kept; undo brings the old ones back.")
        if not names:
            text = self.tr("Training was paused because the network has changed. All its weights are kept.")
        choices: list[Choice] = [(self.tr("Go on training"), self._go_on)] if interrupted else []
        self._banner.show_message("info", text.format(blocks=names), choices, about=FRESH)

    def _go_on(self) -> None:
        self._start(self._studio.controller.run)
