"""What lives behind the window: the document with its project, its data, its settings and its session. Joins them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from cnnstudio.autosave import Autosave
from cnnstudio.data_in_use import DataInUse
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.document.layout import tidy
from cnnstudio.examples import Example
from cnnstudio.network_in_session import NetworkInSession
from cnnstudio.project.recovery import Abandoned
from cnnstudio.project.state import ProjectState
from cnnstudio.reopen import Reopen, Standing, graph_of
from cnnstudio.selection import Selection
from cnnstudio.session.controller import Controller
from cnnstudio.setting_change import Change, change_words, merge_key
from cnnstudio.weight_edit import WeightEdit
from engine.datasets.dataset import Dataset
from engine.errors import EngineError, Fix, SpecError, StorageError
from engine.layer import Array
from engine.settings import TrainSettings
from engine.templates import Template

FIRST_TEMPLATE = "lenet5"


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
        self.settings = TrainSettings()
        self.weights_age = 0
        """Grows whenever the session's weights have changed otherwise than by hand."""
        self._discarded = False
        self._data = DataInUse(self.document, self.selection, self)
        self._network = NetworkInSession(self.document, self.controller, self._data, self.runs, self)
        self._data.changed.connect(self.data_changed)
        self._data.described.connect(self.autosave.keep_data)
        self._network.rebuilt.connect(self.rebuilt)
        for part in (self._data, self._network):
            part.renewed.connect(self.readiness_changed)
            part.failed.connect(self.failed)
        self.autosave.failed.connect(self.failed)
        self.document.graph_changed.connect(self._follow)
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
        self._network.bank.deposit(example.weights)

    def begin_empty(self) -> None:
        """Begin anew with an Input block alone, which takes the images of the data set in use."""
        self._begin_new(Graph(data=self.document.data))
        self.document.append("input")
        if self.data is not None:
            self._data.fit_input(self.data.shape)
        self.document.undo_stack.clear()

    def _begin_new(self, graph: Graph) -> None:
        self.autosave.begin(graph)
        self._show(graph, None)

    def _show(self, graph: Graph, state: ProjectState | None) -> None:
        self._network.take(None if state is None else Standing(graph, state.checkpoint, state.run))
        self.document.load(graph)
        self._read_settings()
        self._data.begin(None if state is None else state.data)
        self.file_changed.emit()

    # --- the project ---

    @property
    def path(self) -> Path | None:
        """The project file, if there is one."""
        return self.autosave.project

    def check_project(self, path: Path) -> None:
        """Raise the EngineError with which `open_project` would fail."""
        self.autosave.check(path)

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
        graph = replace(graph, data=self._data.as_found(graph.data))
        text = self.tr("Reopen {run}").format(run=run.name)
        self.document.undo_stack.push(Reopen(self, Standing(graph, checkpoint, id), text))
        return checkpoint is not None

    def exchange(self, wanted: Standing) -> Standing:
        """Put another standing in place of the present one, which is given back; only undo commands do this."""
        self.settle()
        self.controller.pause()
        left = self.autosave.keep_present_weights()
        present = Standing(self.document.graph, left, self.runs.present, self._network.bank)
        if wanted.checkpoint is not None:
            self.autosave.working.put_checkpoint(wanted.run, wanted.checkpoint)
        self._network.take(wanted)
        self.document.show_graph(wanted.graph)
        self._network.build_soon()
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

    @Slot()
    def reset_weights(self) -> None:
        """Draw all weights anew from the seed that is set."""
        self._network.reset(self.settings.seed)

    def edit_weights(self, name: str, before: Array, after: Array, text: str) -> None:
        """Give a parameter such as "conv1.W" other values by hand, at rest; an undo step until training goes on."""
        self.document.undo_stack.push(WeightEdit(self, name, before, after, text))

    # --- data ---

    @property
    def data(self) -> Dataset | None:
        """The data set in use."""
        return self._data.dataset

    def choose_data(self, choice: dict[str, Any]) -> None:
        """Use another data set; when it is open, one undo step takes it and fits the Input block to it."""
        self._data.choose(choice)

    def type_image(self, choice: dict[str, Any], text: str) -> None:
        """Use a typed image (a choice made by `typed_choice`), at once and as one undo step; raises DataError."""
        self._data.type_image(choice, text)

    def hold_data(self) -> None:
        """Open no data set until `release_data`."""
        self._data.hold()

    @Slot()
    def release_data(self) -> None:
        """Open the data set that was asked for meanwhile."""
        self._data.release()

    # --- training ---

    @property
    def obstacle(self) -> EngineError | None:
        """Why the network cannot be trained now, or None."""
        if self.document.derived.blocking is not None:
            return self.document.derived.blocking
        if self._data.error is not None:
            return self._data.error
        if self.data is None:
            wait = SpecError("The data set is being opened.", code="studio.opening")
            choose = SpecError("No data set is chosen.", code="studio.no_data")
            return wait if self._data.opening else choose
        return self._network.error

    def apply_fix(self, fix: Fix) -> None:
        """Apply a fix that an error offers: an edit of the network or of the settings. Raises EngineError."""
        if fix.field == "shape" and fix.layer is not None:
            self._data.fit_input(fix.value)
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
            self._data.follow()
        if after.training != before.training:
            settings = self.settings
            self._read_settings()
            self._network.follow_settings(settings, self.settings)
        self._network.follow(before.spec, after.spec)
        self.readiness_changed.emit()

    @property
    def settled(self) -> bool:
        """Whether the session has what the last edits have made of the network."""
        return self._network.settled

    def settle(self) -> None:
        """Give the session now what the last edits have left for the next turn of the event loop."""
        self._network.settle()

    @Slot()
    def _note_training(self, *_: object) -> None:
        self.weights_age += 1
        self.document.mark_weights_changed()

    @Slot()
    def _note_edit(self, *_: object) -> None:
        self.document.mark_weights_changed()

    def close(self) -> None:
        """End all threads. Work that was neither saved nor given up is offered at the next start."""
        self._network.close()
        self._data.close()
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
