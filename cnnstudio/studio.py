"""What lives behind the window: the document, the session and the chosen sample, and how each follows the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cnnstudio.autosave import Autosave
from cnnstudio.data_choice import open_choice
from cnnstudio.data_opener import DataOpener
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.document.layout import tidy
from cnnstudio.document.weights_bank import WeightsBank
from cnnstudio.examples import Example
from cnnstudio.project.recovery import Abandoned
from cnnstudio.project.state import DataCard, ProjectState
from cnnstudio.reopen import Reopen, Standing, graph_of
from cnnstudio.selection import SampleRef, Selection, Source
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change, change_words, merge_key
from cnnstudio.weight_edit import WeightEdit
from engine.checkpoint import Checkpoint
from engine.datasets.dataset import Dataset
from engine.datasets.typed import NAME as TYPED
from engine.errors import DataError, EngineError, Fix, SpecError, StorageError
from engine.layer import Array
from engine.memory import Parameters
from engine.settings import TrainSettings
from engine.spec import NetworkSpec
from engine.templates import Template

FIRST_TEMPLATE = "lenet5"
CARRY_OVER_TIMEOUT = 5.0
"""Seconds to wait for the weights of a running session, which answers after the batch in hand."""


class Studio(QObject):
    """One document with its training.

    Edits of the network pause a run and build the session anew with the weights carried over; edits of the
    settings reach the run between two batches; another data set is opened beside the window.
    """

    data_changed = Signal(object)
    """The `Dataset` in use, or None."""
    settings_changed = Signal(object)
    """The `TrainSettings` in force."""
    readiness_changed = Signal()
    """`obstacle` may be another one."""
    failed = Signal(object)
    """An `EngineError` to show: data that cannot be read, a run that broke off."""
    file_changed = Signal()
    """`path` is another one."""
    rebuilt = Signal(object, bool)
    """(ids of blocks whose weights were drawn anew although the network had been trained, whether a run was interrupted)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = Document(parent=self)
        self.selection = Selection(self)
        self.controller = Controller(self)
        self.autosave = Autosave(self.document, self.controller, self)
        self.runs = self.autosave.runs
        self.data: Dataset | None = None
        self.settings = TrainSettings()
        self._discarded = False
        self._card: DataCard | None = None
        """What the project says about its data set, which may be missing here."""
        self._coming: Standing | None = None
        """What an opened project or run brings to the session, until its network and its data are there."""
        self._bank = WeightsBank()
        self._keep_weights = False
        """Whether the session's weights are those of this document, which the next build takes over."""
        self._weights_seed: int | None = None
        """The seed of the weights in the session; None while it has no network."""
        self._data_error: EngineError | None = None
        self._session_error: EngineError | None = None
        self.weights_age = 0
        """Grows whenever the session's weights have changed otherwise than by hand."""
        self._in_session: NetworkSpec | None = None
        """The network that the session has, or is about to have."""
        self._interrupted = False
        """Whether an edit of the network has paused a run that the user may want to go on."""
        self._opened: dict[str, Dataset] = {}
        self._opener = DataOpener(self)
        self._opener.opened.connect(self._data_is_open)
        self._opener.failed.connect(self._data_is_missing)
        # A number that is spun through gives many edits in one turn of the event loop.
        self._rebuild_soon = QTimer(self)
        self._rebuild_soon.setSingleShot(True)
        self._rebuild_soon.setInterval(0)
        self._rebuild_soon.timeout.connect(self._rebuild)
        self.autosave.failed.connect(self.failed)
        self.document.graph_changed.connect(self._follow)
        self.controller.failed.connect(self._session_failed)
        self.controller.batches_done.connect(self._note_training)
        self.controller.weights_reset.connect(self._note_training)
        self.controller.weights_edited.connect(self._note_edit)

    # --- beginning ---

    def begin(self, template: Template) -> None:
        """Begin anew with a template: no history of edits, nothing to save."""
        self._begin_new(template_graph(template))

    def begin_example(self, example: Example) -> None:
        """Begin anew with a worked example: its image, its network and its weights."""
        graph = Graph.of(example.network, title=example.title, training=TrainSettings.from_json(example.training).to_json(),
                         data=dict(example.data))  # fmt: skip
        self._begin_new(graph.moved(tidy(graph)))
        self._bank.deposit(example.weights)

    def begin_empty(self) -> None:
        """Begin anew with an Input block alone, and the data set in use."""
        self._begin_new(Graph(data=self.document.data))
        self.document.append("input")
        self.document.undo_stack.clear()

    def _begin_new(self, graph: Graph) -> None:
        self.autosave.begin(graph)
        self._show(graph, None)

    def _show(self, graph: Graph, state: ProjectState | None) -> None:
        self._weights_seed = None  # the session is that of the last document
        self.document.load(graph)
        self._bank.clear()
        self._keep_weights = False
        self._coming = None if state is None else Standing(graph, state.checkpoint, state.run)
        self._card = None if state is None else state.data
        self._data_error = self._session_error = None
        self._read_settings()
        self._follow_data()
        self.file_changed.emit()

    # --- the project ---

    @property
    def path(self) -> Path | None:
        """The project file, if there is one."""
        return self.autosave.project

    def open_project(self, path: Path) -> None:
        """Open a project; raises EngineError and leaves everything as it is when that fails."""
        self._show_opened(self.autosave.open(path))

    def recover(self, abandoned: Abandoned) -> None:
        """Go on with unsaved work that a crash left behind; raises EngineError as `open_project` does."""
        self._show_opened(self.autosave.recover(abandoned))
        self.document.mark_weights_changed()

    def _show_opened(self, state: ProjectState) -> None:
        self._show(Graph.from_json(state.graph), state)
        if state.damage:
            self.document.mark_weights_changed()
            self.failed.emit(
                StorageError(
                    "A part of the project could not be read and was left out: {parts}",
                    code="project.left_out",
                    parts=" ".join(state.damage),
                )
            )

    def save_project(self, path: Path, *, overwrite: bool = False) -> None:
        """Save everything to a file; raises EngineError when that fails, and then the old file is whole.

        A file that was changed by another program is refused, unless it is to be overwritten.
        """
        self.settle()
        self.autosave.save(path, overwrite=overwrite)
        self.document.mark_saved()
        self.file_changed.emit()

    def save_copy(self, path: Path) -> None:
        """Write everything to another file; the project stays where it is. Raises EngineError as `save_project` does."""
        self.settle()
        self.autosave.save(path, copy=True)

    def discard(self) -> None:
        """What is not saved may be forgotten when the program ends."""
        self._discarded = True

    # --- runs ---

    def reopen_run(self, id: int) -> bool:
        """Go back to a run: its network, settings, data set, weights and curve become the present ones, as one undo step.

        Everything that is present is kept. False when no weights of the run are kept any more; then they are drawn anew.
        """
        self.settle()
        if id == self.runs.present:
            return True
        run, checkpoint = self.runs[id], self.autosave.working.checkpoint_of(id)
        graph = graph_of(run, checkpoint, self.document.graph)
        text = self.tr("Reopen {run}").format(run=run.name)
        self.document.undo_stack.push(Reopen(self, Standing(graph, checkpoint, id), text))
        return checkpoint is not None

    def exchange(self, wanted: Standing) -> Standing:
        """Put another standing in place of the present one, which is given back; only undo commands do this."""
        self.settle()
        self.controller.pause()
        left = self.autosave.keep_present_weights()
        present = Standing(self.document.graph, left, self.runs.present, self._bank)
        if wanted.checkpoint is not None:
            self.autosave.working.put_checkpoint(wanted.run, wanted.checkpoint)
        self._weights_seed = None  # the session is that of the standing that is left
        self._keep_weights, self._interrupted = False, False
        self._coming, self._bank = wanted, wanted.bank
        self.document.show_graph(wanted.graph)
        self._rebuild_soon.start()
        self.settle()
        return present

    # --- settings ---

    def change(self, change: Change) -> None:
        """Change one training setting; an undo step. Raises OptionError for an illegal value."""
        settings = self.settings.replace(**{change.option: change.value})
        before = getattr(self.settings, change.option)
        self.document.set_training(settings.to_json(), change_words(change), merge_key(change, before))

    def _read_settings(self) -> None:
        """Take the settings from the document."""
        self.settings = TrainSettings.from_json(self.document.training)
        self.settings_changed.emit(self.settings)

    def _apply_settings(self, before: TrainSettings) -> None:
        now = self.settings
        if now.loss != before.loss:
            self._rebuild_soon.start()
        elif self._weights_seed is not None:
            if now.seed != before.seed and not self.controller.state.step:
                self._reset(now.seed)
            # Once there is something to lose, another seed waits until the user resets the weights.
            self.controller.change(now.replace(seed=self._weights_seed))

    def _reset(self, seed: int) -> None:
        self._weights_seed = seed
        self.controller.reset(seed)

    @Slot()
    def reset_weights(self) -> None:
        """Draw all weights anew from the seed that is set."""
        self._bank.clear()
        self._reset(self.settings.seed)

    # --- data ---

    def choose_data(self, choice: dict[str, Any]) -> None:
        """Use another data set; when it is open, one undo step takes it and fits the Input block to it."""
        self._opener.open(choice)

    def type_image(self, choice: dict[str, Any], text: str) -> None:
        """Use a typed image (a choice made by `typed_choice`), at once and as one undo step; raises DataError."""
        data = open_choice(choice)
        self._opened[_key(choice)] = data
        stack = self.document.undo_stack
        stack.beginMacro(text)
        self.document.set_data(choice, text)
        self.fit_input(data.shape)
        stack.endMacro()

    def edit_weights(self, name: str, before: Array, after: Array, text: str) -> None:
        """Give a parameter such as "conv1.W" other values by hand, at rest; an undo step until training goes on."""
        self.document.undo_stack.push(WeightEdit(self, name, before, after, text))

    def hold_data(self) -> None:
        """Open no data set until `release_data`."""
        self._opener.hold()

    @Slot()
    def release_data(self) -> None:
        """Open the data set that was asked for meanwhile."""
        self._opener.release()

    def _follow_data(self) -> None:
        """Open what the document says, unless it is open already."""
        choice = self.document.data
        if not choice:
            self._set_data(None)
        elif (data := self._opened.get(_key(choice))) is not None:
            self._note_data(data)
            self._set_data(data)
        else:
            self._set_data(None)
            self._opener.open(choice)

    @Slot(object, object)
    def _data_is_open(self, choice: dict[str, Any], data: Dataset) -> None:
        self._opened[_key(choice)] = data
        if choice == self.document.data:
            self._note_data(data)
            self._set_data(data)
            return
        stack = self.document.undo_stack
        stack.beginMacro(self.tr("Data set {name}").format(name=data.title))
        self.document.set_data(choice)
        self.fit_input(data.shape)
        stack.endMacro()

    @Slot(object, object)
    def _data_is_missing(self, choice: dict[str, Any], error: EngineError) -> None:
        if choice == self.document.data:
            if self._card is not None and choice == self._card.choice:
                self._set_data(self._card.dataset())
            self._data_error = error
            self.readiness_changed.emit()
        self.failed.emit(error)

    def _note_data(self, data: Dataset) -> None:
        """Describe the data set for the project; tell when it is another one than the project was made with."""
        known = self._card
        if known is not None and known.choice == self.document.data and known.fingerprint != data.fingerprint:
            self.failed.emit(DataError(
                "The images of {name} are not those with which this project was made.", code="data.other_images",
                name=data.title, fixes=(Fix("advice", "choose the right data set, or reset the weights"),)))  # fmt: skip
        self._card = DataCard.of(data, self.document.data)
        self.autosave.keep_data(self._card)

    def _set_data(self, data: Dataset | None) -> None:
        self._data_error = None
        if data is not self.data:
            self.data = data
            self.data_changed.emit(data)
            self._choose_sample()
        self._rebuild_soon.start()
        self.readiness_changed.emit()

    def _choose_sample(self) -> None:
        data = self.data
        if data is None:
            self.selection.select_sample(None)
            return
        source: Source = "validation" if len(data.validation) else "train"
        if data.name == TYPED:
            self.selection.select_sample(SampleRef("typed", 0, data.train.images[0], int(data.train.labels[0])))
            return
        part = data.validation if source == "validation" else data.train
        self.selection.select_sample(SampleRef(source, 0, part.images[0], int(part.labels[0])))

    def fit_input(self, shape: tuple[int, int, int]) -> None:
        """Let the Input block take images of a shape (C, H, W); an undo step if it did not."""
        main = self.document.graph.main
        if main:
            channels, height, width = shape
            layer = main[0].node.layer.replace(channels=channels, height=height, width=width)
            if layer != main[0].node.layer:
                self.document.set_layer(main[0].id, layer)

    # --- training ---

    @property
    def obstacle(self) -> EngineError | None:
        """Why the network cannot be trained now, or None."""
        if self.document.derived.blocking is not None:
            return self.document.derived.blocking
        if self._data_error is not None:
            return self._data_error
        if self.data is None:
            wait = SpecError("The data set is being opened.", code="studio.opening")
            choose = SpecError("No data set is chosen.", code="studio.no_data")
            return wait if self._opener.busy else choose
        return self._session_error

    def apply_fix(self, fix: Fix) -> None:
        """Apply a fix that an error offers: an edit of the network or of the settings. Raises EngineError."""
        if fix.field == "shape" and fix.layer is not None:
            self.fit_input(fix.value)
        elif fix.action == "append":
            self.document.append(str(fix.value))
        elif fix.action == "set" and fix.layer is None and fix.field:
            self.change(Change(fix.field, fix.value))
        else:
            self.document.apply_fix(fix)

    @Slot(object, object)
    def _follow(self, before: Graph, after: Graph) -> None:
        """What an edit, an undo or a redo means for the session."""
        if after.data != before.data:
            self._follow_data()
        if after.training != before.training:
            settings = self.settings
            self._read_settings()
            self._apply_settings(settings)
        if self._may_change_live(after.spec):
            self._in_session = after.spec
            self.controller.change_layers(after.spec)
        elif not _same_network(before.spec, after.spec):
            if self.controller.state.phase == RunPhase.RUNNING:
                self.controller.pause()
                self._interrupted = True
            self._rebuild_soon.start()
        self.readiness_changed.emit()

    def _may_change_live(self, spec: NetworkSpec) -> bool:
        """Whether the session can go on with another spec as it is: nothing but a dropout rate or the like is another one."""
        now = self._in_session
        if now is None or self._rebuild_soon.isActive() or self._weights_seed is None:
            return False
        return not _same_network(now, spec) and now.differs_live(spec)

    def settle(self) -> None:
        """Give the session now what the last edits have left for the next turn of the event loop."""
        if self._rebuild_soon.isActive():
            self._rebuild_soon.stop()
            self._rebuild()

    @Slot()
    def _rebuild(self) -> None:
        """Build the session for the present network; weights that still fit carry over."""
        spec, derived = self.document.spec, self.document.derived
        if derived.blocking is not None or self.data is None:
            return
        self._session_error, self._in_session = None, spec
        coming, self._coming = self._coming, None
        if coming is not None and coming.checkpoint is not None:
            if _same_training(coming.checkpoint, spec, self.settings):
                self._keep_weights = True
                self._weights_seed = coming.checkpoint.settings.seed
                settings = self.settings.replace(seed=self._weights_seed)
                history = self.runs.history_until(coming.run, coming.checkpoint)
                self.controller.load(spec, self.data, settings, checkpoint=coming.checkpoint, history=history)
                self.readiness_changed.emit()
                return
            self._bank.deposit(named_parameters(coming.checkpoint))
        trained = self._keep_weights and self.controller.state.step > 0
        if self._keep_weights:
            self._deposit()
        self._keep_weights = True
        kept, fresh = self._bank.withdraw(_parameter_shapes(spec))
        self._weights_seed = self.settings.seed
        self.controller.load(spec, self.data, self.settings, arrays=kept)
        self.readiness_changed.emit()
        interrupted, self._interrupted = self._interrupted, False
        if interrupted or (trained and fresh):
            self.rebuilt.emit(tuple(dict.fromkeys(name.rsplit(".", 1)[0] for name in fresh)), interrupted)

    def _deposit(self) -> None:
        """Remember the present weights in the bank."""
        checkpoint = self.controller.checkpoint_now(CARRY_OVER_TIMEOUT)
        if checkpoint is not None:
            self._bank.deposit(named_parameters(checkpoint))

    @Slot(object)
    def _session_failed(self, error: EngineError) -> None:
        if self.controller.state.phase != RunPhase.EMPTY:
            self.failed.emit(error)
            return
        # A network under construction: what it misses is an obstacle for those who press Train, not a failure.
        self._weights_seed = None
        self._session_error = error
        self.readiness_changed.emit()

    @Slot()
    def _note_training(self, *_: object) -> None:
        self.weights_age += 1
        self.document.mark_weights_changed()

    @Slot()
    def _note_edit(self, *_: object) -> None:
        self.document.mark_weights_changed()

    def close(self) -> None:
        """End all threads. Work that was neither saved nor given up is offered at the next start."""
        self._rebuild_soon.stop()
        self._opener.close()
        self.autosave.close(keep=self.document.modified and not self._discarded)
        self.controller.close()


def template_graph(template: Template) -> Graph:
    """The graph of a template, laid out tidily, with its settings and data set."""
    graph = Graph.of(
        template.network,
        title=template.title,
        training=TrainSettings.from_json(template.training).to_json(),
        data={"name": template.data},
    )
    return graph.moved(tidy(graph))


def named_parameters(checkpoint: Checkpoint) -> dict[str, Array]:
    """The weights of a checkpoint by name, as in "conv1.W"."""
    wanted = {
        f"{p.node.id}.{name}": param
        for p in checkpoint.spec.placed()
        for name, param in p.node.layer.params(p.x).items()
    }
    return Parameters(wanted, checkpoint.parameters.dtype).views(checkpoint.parameters)


def _parameter_shapes(spec: NetworkSpec) -> dict[str, tuple[int, ...]]:
    return {
        f"{p.node.id}.{name}": param.shape
        for p in spec.placed()
        for name, param in p.node.layer.params(p.x).items()
    }


def _same_training(saved: Checkpoint, spec: NetworkSpec, settings: TrainSettings) -> bool:
    """Whether training can go on exactly from a checkpoint."""
    return _same_network(saved.spec, spec) and saved.settings.loss == settings.loss


def _same_network(before: NetworkSpec, after: NetworkSpec) -> bool:
    """Whether two networks compute the same; names on screen do not matter."""
    return [(n.id, n.layer) for n in before] == [(n.id, n.layer) for n in after]


def _key(choice: dict[str, Any]) -> str:
    return json.dumps(choice, sort_keys=True)
