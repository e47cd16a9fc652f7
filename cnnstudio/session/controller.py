"""The controller: the session as the program sees it, in the GUI thread."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from cnnstudio.session.inbox import Frame, Inbox, News
from cnnstudio.session.layer_history import HistogramHistory, NormHistory
from cnnstudio.session.lifeline import Lifeline
from cnnstudio.session.mailbox import Mailbox
from cnnstudio.session.messages import (
    NEED_NO_NETWORK,
    AverageClass,
    BatchProbed,
    Change,
    ChangeLayers,
    CheckpointTaken,
    ClassAveraged,
    Diagnosed,
    Evaluate,
    Evaluated,
    Failed,
    FrameTaken,
    Load,
    Loaded,
    Lost,
    Message,
    Pause,
    ProbeBatch,
    Quit,
    Reset,
    Run,
    RunPhase,
    RunStarted,
    RunState,
    SetProbe,
    SettingsTaken,
    SetWeights,
    StepBatch,
    StepLayer,
    Stop,
    TakeCheckpoint,
    WeightsReset,
    WeightsSet,
)
from cnnstudio.session.remote import RemoteWorker
from engine.checkpoint import Checkpoint
from engine.events import EpochDone, LayerDone
from engine.history import RunHistory
from engine.layer import Array
from engine.layer_histograms import LayerHistograms
from engine.layer_norms import LayerNorms
from engine.settings import TrainSettings
from engine.spec import NetworkSpec

if TYPE_CHECKING:
    from engine.datasets.dataset import Dataset
    from engine.snapshot import Snapshot, SnapshotRequest


class Controller(QObject):
    """Every method returns at once: it sends a message to the worker, and signals tell what came of it.

    Signals come in the order in which things happened; `state` is the latest when they arrive, and `state_changed`
    comes after them. Commands that do not fit the present state (pause at rest, …) do nothing.
    """

    state_changed = Signal(object)
    """A `RunState`: every change of phase, and some times a second where a running training has got to."""
    batches_done = Signal(object)
    """A list of `BatchDone`; none is ever left out."""
    epoch_done = Signal(object)
    """An `EpochDone`."""
    layer_done = Signal(object)
    """A `LayerDone`."""
    frame_arrived = Signal(object)
    """A `Snapshot` of what `set_probe` asked for; None when there is no network any more."""
    failed = Signal(object)
    """An `EngineError`: a command was refused, or (phase FAILED) the run broke off."""
    checkpoint_taken = Signal(object)
    """A `Checkpoint`, the answer to `request_checkpoint`; None without a network."""
    evaluated = Signal(object)
    """The `Evaluation` of the test images; None when the weights changed before its end."""
    answered = Signal(object, object)
    """(split, its `Evaluation`), the answer to `evaluate` for any split; None as with `evaluated`."""
    batch_probed = Signal(object)
    """The last training batch as a `Snapshot`, the answer to `probe_batch`; None when none has been trained yet."""
    class_averaged = Signal(object)
    """A `ClassAverage`, the answer to `average_class`; None when the weights changed before its end."""
    norms_recorded = Signal()
    """`norms` has grown, or begins anew."""
    histograms_recorded = Signal()
    """`histograms` has grown, or begins anew."""
    diagnosed = Signal(object)
    """What goes wrong in the training, a tuple of `Diagnosis`, at the end of an epoch and at a pause."""
    settings_taken = Signal(object, object)
    """(step, the `TrainSettings` in force from then on), after `change`."""
    run_started = Signal()
    weights_reset = Signal(object)
    """The seed from which all weights were drawn anew."""
    weights_edited = Signal(object)
    """The name of a parameter that got other values by hand."""
    carried_over = Signal(object, object)
    """(names of parameters whose weights were taken over, names of those drawn anew), after `load`."""
    history_replaced = Signal()
    """`history` is another one: after `load`, and empty after weights were reset."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        mailbox = Mailbox()
        self._worker = RemoteWorker(mailbox)
        self._inbox = Inbox(mailbox, self._signal, self._frame_taken, self)
        self._lifeline = Lifeline()
        self._lost = False
        """Whether the training process has died, and no network is on its way to the next one yet."""
        self._brought_back = False
        """Whether the present network is another process's, which has died."""
        self._was_of_use = True
        """Whether the present process has more to show than that it got such a network."""
        self._snapshot: Snapshot | None = None
        self._part: SnapshotRequest | None = None
        """What the next frame but one holds."""
        self._history, self._norms, self._histograms = RunHistory(), NormHistory(), HistogramHistory()
        self._tokens = itertools.count()
        self._closed = False
        self._worker.start()

    # --- looking ---

    @property
    def state(self) -> RunState:
        """The latest state that has arrived."""
        return self._inbox.state

    @property
    def snapshot(self) -> Snapshot | None:
        """The last frame of the present network, or None."""
        return self._snapshot

    @property
    def history(self) -> RunHistory:
        """Loss and accuracy of all batches and epochs since the weights were drawn."""
        return self._history

    @property
    def norms(self) -> NormHistory:
        """The norms of gradient, weights and update of all layers since the weights were drawn, or the program was opened."""
        return self._norms

    @property
    def histograms(self) -> HistogramHistory:
        """The histograms around all layers' weights since the weights were drawn, or the program was opened."""
        return self._histograms

    # --- commands ---

    def load(self, spec: NetworkSpec, data: Dataset, settings: TrainSettings, *, checkpoint: Checkpoint | None = None,
             arrays: Mapping[str, Array] | None = None, history: RunHistory | None = None) -> None:  # fmt: skip
        """Take another network, at rest.

        Weights in `arrays` are taken by name where the shape fits; the rest is drawn anew. A checkpoint of the same
        network brings weights, optimizer and place in the run: inside a run the phase becomes PAUSED, and Run resumes
        it exactly; `settings` apply from the next batch on, but for the seed.
        """
        self._begin(Load(spec, data, settings, checkpoint, dict(arrays or {}), history))

    @Slot()
    def run(self) -> None:
        """Train: go on inside a run, otherwise begin a run of all epochs that are set, from the present weights."""
        self._train(Run())

    @Slot()
    def pause(self) -> None:
        """Rest after the batch (or layer) in hand, keeping the place in the run."""
        self._send(Pause())

    @Slot()
    def step_batch(self) -> None:
        """Train to the end of the next batch, and of its epoch's validation, then rest."""
        self._train(StepBatch())

    @Slot()
    def step_layer(self) -> None:
        """Go one layer forward or backward, then rest."""
        self._train(StepLayer())

    @Slot()
    def stop(self) -> None:
        """End the run; the weights stay."""
        self._send(Stop())

    def reset(self, seed: int) -> None:
        """Draw all weights anew, also in the middle of a run, which ends."""
        self._lifeline.reset(seed)
        self._send(Reset(seed))

    def change(self, settings: TrainSettings) -> None:
        """Train with other settings from the next batch on; `failed` tells when they cannot change within a run."""
        self._lifeline.change(settings)
        self._send(Change(settings))

    def change_layers(self, spec: NetworkSpec) -> None:
        """Train with other live options of the layers, such as a dropout rate, from the next batch on."""
        self._lifeline.change_layers(spec)
        self._send(ChangeLayers(spec))

    def set_probe(self, request: SnapshotRequest | None, interval: float = 0.0) -> None:
        """What frames hold from now on. At rest one comes at once, while training runs one every `interval` seconds, at most at
        display rate.
        """
        self._part = None
        self._inbox.want_frames(None if request is None else interval)
        self._send(SetProbe(request))

    def ask_for_part(self, request: SnapshotRequest) -> None:
        """A running training's next frame but one holds this part of what `set_probe` asked for: the next one is under way.

        At rest a frame always holds everything.
        """
        self._part = request

    def set_weights(self, name: str, array: Array) -> None:
        """Give one parameter, such as "conv1.W", other values; only at rest."""
        self._send(SetWeights(name, array.copy()))

    def evaluate(self, split: str = "test") -> None:
        """Evaluate the "test", "validation" or "train" images; `answered` follows, and `evaluated` for the test images."""
        self._send(Evaluate(split))

    def average_class(self, layer: str, label: int) -> None:
        """Average the output of a layer over validation images of a class; `class_averaged` follows."""
        self._send(AverageClass(layer, label))

    def probe_batch(self) -> None:
        """Compute the last training batch once more; `batch_probed` follows."""
        self._send(ProbeBatch())

    def request_checkpoint(self) -> None:
        """Copy the whole state; `checkpoint_taken` follows."""
        self._send(TakeCheckpoint(next(self._tokens)))

    def checkpoint_now(self, timeout: float) -> Checkpoint | None:
        """Wait for a copy of the whole state, which takes at most one batch; None without a network or after the
        timeout in seconds. If the training process dies, it is the last one that was taken.
        """
        if self._closed:
            return None
        if self._lost:
            return self._lifeline.checkpoint
        reply: queue.SimpleQueue[Checkpoint | None] = queue.SimpleQueue()
        self._send(TakeCheckpoint(next(self._tokens), reply))
        try:
            checkpoint = reply.get(timeout=timeout) or self._lifeline.checkpoint
        except queue.Empty:
            return None
        self._lifeline.keep(checkpoint)
        return checkpoint

    def catch_up(self) -> None:
        """Signal now all that has happened, without waiting for the next look into the mailbox or for the time to tell rows."""
        if not self._closed:
            self._inbox.catch_up()

    def close(self) -> None:
        """End the worker after the batch in hand and wait for it; nothing is sent or signalled afterwards."""
        if self._closed:
            return
        self._closed = True
        self._inbox.stop()
        self._worker.send(Quit())
        self._worker.join()

    # --- to the worker ---

    def _send(self, message: Message) -> None:
        if not self._closed:
            if self._lost and not isinstance(message, NEED_NO_NETWORK):
                self._bring_back()
            self._worker.send(message)
            self._inbox.expect()

    def _frame_taken(self, wait: float, drawing: float) -> None:
        self._worker.send(FrameTaken(wait, self._part, drawing))
        self._part = None

    def _begin(self, load: Load) -> None:
        self._lost, self._brought_back, self._was_of_use = False, False, True
        self._lifeline.begin(load)
        self._send(load)

    def _bring_back(self) -> None:
        """Give another training process the network of the one that has died."""
        load = self._lifeline.again(self._history)
        if load is not None:
            self._begin(load)
            self._brought_back, self._was_of_use = True, False

    def _train(self, message: Message) -> None:
        self._send(message)
        self._was_of_use = True

    # --- from the worker ---

    def _signal(self, report: News) -> None:
        match report:
            case list():
                self._history.add_batches(report)
                self.batches_done.emit(report)
            case Frame():
                self._show(report.snapshot)
            case RunState():
                if report.phase == RunPhase.EMPTY and self._snapshot is not None:
                    self._show(None)
                self.state_changed.emit(report)
            case EpochDone():
                self._history.add_epoch(report)
                self.epoch_done.emit(report)
            case LayerDone():
                self.layer_done.emit(report)
            case Loaded():
                self._snapshot = None
                self._lifeline.loaded()
                self._replace_history(report.history, keep_layers=self._brought_back)
                self.carried_over.emit(report.kept, report.fresh)
            case SettingsTaken():
                self.settings_taken.emit(report.step, report.settings)
            case RunStarted():
                self.run_started.emit()
            case WeightsReset():
                self._replace_history(RunHistory())
                self.weights_reset.emit(report.seed)
            case WeightsSet():
                self.weights_edited.emit(report.name)
            case Evaluated():
                if report.split == "test":
                    self.evaluated.emit(report.evaluation)
                self.answered.emit(report.split, report.evaluation)
            case BatchProbed():
                self.batch_probed.emit(report.snapshot)
            case LayerNorms():
                self._norms.add(report)
                self.norms_recorded.emit()
            case LayerHistograms():
                self._histograms.add(report)
                self.histograms_recorded.emit()
            case ClassAveraged():
                self.class_averaged.emit(report.average)
            case Diagnosed():
                self.diagnosed.emit(report.findings)
            case CheckpointTaken():
                self._lifeline.keep(report.checkpoint)
                self.checkpoint_taken.emit(report.checkpoint)
            case Failed():
                self.failed.emit(report.error)
            case Lost():
                self._lost = True
                self.failed.emit(report.error)
                # Where one dies again before it was of any use, the next one waits until it is needed: no death leads to another.
                if self._lost and self._lifeline.taken and self._was_of_use:
                    self._bring_back()

    def _show(self, frame: Snapshot | None) -> None:
        self._snapshot = frame
        self.frame_arrived.emit(frame)

    def _replace_history(self, history: RunHistory, *, keep_layers: bool = False) -> None:
        """Another curve; of the same run, `keep_layers` says, which then still knows its layers up to that step."""
        self._history = history
        if keep_layers:
            last = int(history.steps[-1]) if len(history) else 0
            self._norms.cut(last)
            self._histograms.cut(last)
        else:
            self._norms, self._histograms = NormHistory(), HistogramHistory()
        self.history_replaced.emit()
        self.norms_recorded.emit()
        self.histograms_recorded.emit()
