"""The network that the session trains: follows the document's, live where that can be, else built anew with the weights kept."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cnnstudio.data_in_use import DataInUse
from cnnstudio.document.document import Document
from cnnstudio.document.weights_bank import WeightsBank
from cnnstudio.reopen import Standing
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase
from cnnstudio.session.run_list import Runs
from engine.checkpoint import Checkpoint
from engine.datasets.dataset import Dataset
from engine.errors import EngineError
from engine.settings import TrainSettings
from engine.spec import NetworkSpec

CARRY_OVER_TIMEOUT = 5.0
"""Seconds to wait for the weights of a running session, which answers after the batch in hand."""


class NetworkInSession(QObject):
    """Gives the session the document's network and settings, and with them the weights that still fit."""

    rebuilt = Signal(object, bool)
    """(ids of blocks whose weights were drawn anew although the network had been trained, whether a run was interrupted)."""
    renewed = Signal()
    """The session has another network, or `error` is another one."""
    failed = Signal(object)
    """An `EngineError` with which a run broke off."""

    def __init__(
        self, document: Document, controller: Controller, data: DataInUse, runs: Runs, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._controller, self._data, self._runs = document, controller, data, runs
        self.bank = WeightsBank()
        self.error: EngineError | None = None
        """What keeps the session from building the network, or None."""
        self._coming: Standing | None = None
        """What an opened project or run brings to the session, until its network and its data are there."""
        self._keep_weights = False
        """Whether the session's weights are those of this document, which the next build takes over."""
        self._seed: int | None = None
        """The seed of the weights in the session; None while it has no network of this document."""
        self._spec: NetworkSpec | None = None
        """The network that the session has, or is about to have."""
        self._images, self._on_samples = "", False
        """The fingerprint of the data set that the session has, and whether it has no more of it than samples."""
        self._interrupted = False
        """Whether an edit of the network has paused a run that the user may want to go on."""
        # A number that is spun through gives many edits in one turn of the event loop.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._build)
        data.renewed.connect(self.build_soon)
        controller.failed.connect(self._session_failed)

    def take(self, coming: Standing | None) -> None:
        """What is in the session belongs to another document or run from now on: begin with this one's weights, or with none."""
        self._coming = coming
        self.bank = WeightsBank() if coming is None else coming.bank
        self._seed, self._keep_weights, self._interrupted = None, False, False
        self._images, self.error = "", None

    @Slot()
    def build_soon(self) -> None:
        """Build the network in the next turn of the event loop."""
        self._soon.start()

    @property
    def settled(self) -> bool:
        """Whether nothing waits for the next turn of the event loop."""
        return not self._soon.isActive()

    def settle(self) -> None:
        """Give the session now what the last edits have left for the next turn of the event loop."""
        if not self.settled:
            self._soon.stop()
            self._build()

    def close(self) -> None:
        """Build nothing more."""
        self._soon.stop()

    # --- following the document ---

    def follow(self, before: NetworkSpec, after: NetworkSpec) -> None:
        """The document has another network."""
        if self._may_change_live(after):
            self._spec = after
            self._controller.change_layers(after)
        elif not _same_network(before, after):
            if self._controller.state.phase == RunPhase.RUNNING:
                self._controller.pause()
                self._interrupted = self._seed is not None  # not when it is the run of a document that is left
            self.build_soon()

    def _may_change_live(self, spec: NetworkSpec) -> bool:
        """Whether the session can go on with another spec as it is: nothing but a dropout rate or the like is another one."""
        now = self._spec
        if now is None or not self.settled or self._seed is None:
            return False
        return not _same_network(now, spec) and now.differs_live(spec)

    def follow_settings(self, before: TrainSettings, now: TrainSettings) -> None:
        """The document has other training settings; they reach a run between two batches."""
        if now.loss != before.loss:
            self.build_soon()
        elif self._seed is not None:
            if now.seed != before.seed and not self._controller.state.step:
                self._draw(now.seed)
            # Once there is something to lose, another seed waits until the user resets the weights.
            self._controller.change(now.replace(seed=self._seed))

    def reset(self, seed: int) -> None:
        """Draw all weights anew, and forget those of earlier edits."""
        self.bank.clear()
        self._draw(seed)

    def _draw(self, seed: int) -> None:
        self._seed = seed
        self._controller.reset(seed)

    # --- building ---

    @Slot()
    def _build(self) -> None:
        """Build the session for the present network; weights that still fit carry over."""
        derived, data, settings = self._document.derived, self._data.dataset, TrainSettings.from_json(self._document.training)
        if derived.blocking is not None or data is None:
            return
        self.error, self._spec = None, derived.spec
        coming, self._coming = self._coming, None
        interrupted, self._interrupted = self._interrupted, False
        if self._finds_again(data) and coming is None and self._keep_weights:
            coming = Standing(self._document.graph, self._controller.checkpoint_now(CARRY_OVER_TIMEOUT), self._runs.present)
        if coming is not None and coming.checkpoint is not None:
            if _same_training(coming.checkpoint, derived.spec, settings):
                self._go_on(coming.run, coming.checkpoint, data, settings)
                return
            self.bank.deposit(coming.checkpoint.weights())
        trained = self._keep_weights and self._controller.state.step > 0
        if self._keep_weights:
            self._deposit()
        self._keep_weights = True
        kept, fresh = self.bank.withdraw({name: param.shape for name, param in derived.spec.params().items()})
        self._seed = settings.seed
        self._controller.load(derived.spec, data, settings, arrays=kept)
        self.renewed.emit()
        if interrupted or (trained and fresh):
            self.rebuilt.emit(tuple(dict.fromkeys(name.rsplit(".", 1)[0] for name in fresh)), interrupted)

    def _finds_again(self, data: Dataset) -> bool:
        """Whether this is the data set of which the session had samples only, or of which it has only these any more."""
        before, self._images = self._images, data.fingerprint
        had_samples, self._on_samples = self._on_samples, self._data.on_samples
        return before == data.fingerprint and had_samples != self._on_samples

    def _go_on(self, run: int, checkpoint: Checkpoint, data: Dataset, settings: TrainSettings) -> None:
        """Build the session so that training goes on exactly from a checkpoint."""
        self._keep_weights = True
        self._seed = checkpoint.settings.seed
        self._controller.load(self._document.spec, data, settings.replace(seed=self._seed), checkpoint=checkpoint,
                              history=self._runs.history_until(run, checkpoint))  # fmt: skip
        self.renewed.emit()

    def _deposit(self) -> None:
        """Remember the present weights in the bank."""
        checkpoint = self._controller.checkpoint_now(CARRY_OVER_TIMEOUT)
        if checkpoint is not None:
            self.bank.deposit(checkpoint.weights())

    @Slot(object)
    def _session_failed(self, error: EngineError) -> None:
        if self._controller.state.phase != RunPhase.EMPTY:
            self.failed.emit(error)
            return
        # A network under construction: what it misses is an obstacle for those who press Train, not a failure.
        self._seed = None
        self.error = error
        self.renewed.emit()


def _same_training(saved: Checkpoint, spec: NetworkSpec, settings: TrainSettings) -> bool:
    """Whether training can go on exactly from a checkpoint."""
    return _same_network(saved.spec, spec) and saved.settings.loss == settings.loss


def _same_network(before: NetworkSpec, after: NetworkSpec) -> bool:
    """Whether two networks compute the same; names on screen do not matter."""
    return [(n.id, n.layer) for n in before] == [(n.id, n.layer) for n in after]
