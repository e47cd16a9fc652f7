"""Follows the document and its training, and puts all that happens into the working database at once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.project import disk, files, records, recovery
from cnnstudio.project.folder import refuse_if_open_elsewhere, working_folder
from cnnstudio.project.recovery import Abandoned
from cnnstudio.project.state import DataCard, ProjectState, RunRecord
from cnnstudio.project.working import BUDGET, WorkingDatabase
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase, RunState
from engine.checkpoint import Checkpoint
from engine.errors import StorageError
from engine.trainer import BatchDone, EpochDone

CHECKPOINT_INTERVAL = 9_000
"""Milliseconds between two checkpoints while training runs; a longer batch is waited for. With the time for writing it, at
most ten seconds are lost."""
LOOK_INTERVAL = 1_000
"""Milliseconds between two looks whether the working database can be written."""
CHECKPOINT_TIMEOUT = 5.0
"""Seconds to wait for a checkpoint, which comes after the batch in hand."""


class Autosave(QObject):
    """Owns the working database of the open document, from `begin`, `open` or `recover` to the next of these or `close`."""

    failed = Signal(object)
    """A `StorageError`: the work is not protected against a crash any more. Sent once until it can be written again."""

    def __init__(self, document: Document, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._controller = document, controller
        self._working: WorkingDatabase | None = None
        self._budget = BUDGET
        self._run = 0
        """The id of the run that the present weights come from; 0 while they come from none."""
        self._series = 0
        self._kept_step = 0
        """The step whose weights were asked for last."""
        self._session_is_ours = False
        """False until the session has loaded the network of this document: what comes before belongs to the last one."""
        self._told = False
        self._checkpoint_due = QTimer(self)
        self._checkpoint_due.setInterval(CHECKPOINT_INTERVAL)
        self._checkpoint_due.timeout.connect(self._request_checkpoint)
        self._look = QTimer(self)
        self._look.setInterval(LOOK_INTERVAL)
        self._look.timeout.connect(self._look_for_failure)
        document.graph_changed.connect(self._keep_network)
        document.modified_changed.connect(self._keep_modified)
        controller.carried_over.connect(self._session_loaded)
        controller.history_replaced.connect(self._begin_series)
        controller.run_started.connect(self._begin_run)
        controller.batches_done.connect(self._keep_batches)
        controller.epoch_done.connect(self._keep_epoch)
        controller.checkpoint_taken.connect(self._keep_checkpoint)
        controller.weights_reset.connect(self._request_checkpoint)
        controller.weights_edited.connect(self._request_checkpoint)
        controller.state_changed.connect(self._follow_state)

    @property
    def working(self) -> WorkingDatabase:
        """The working database of the open document."""
        assert self._working is not None, "no document was begun"
        return self._working

    # --- beginning ---

    def begin(self, graph: Graph) -> None:
        """A new document begins; what was open is forgotten."""
        self._take(self._create(graph), None)

    def open(self, path: Path) -> ProjectState:
        """Open a project file; raises StorageError, and then what was open stays open.

        A project with damaged parts counts as a new document, so that its file is not overwritten by what is left.
        """
        refuse_if_open_elsewhere(path, None if self._working is None else self._working.path)
        data = disk.read_file(path)
        source = files.from_image(data, path.name)
        try:
            state = records.read_state(source, path.name)
            working = self._create(source)
        finally:
            source.close()
        if state.damage:
            working.put_modified(True)
        else:
            working.adopt_project(path, disk.digest(data))
        self._take(working, state)
        return state

    def recover(self, abandoned: Abandoned) -> ProjectState:
        """Go on with what a crash left behind; raises StorageError, and then what was open stays open."""
        working = recovery.adopt(abandoned)
        state = working.state()
        self._take(working, state)
        return state

    def _create(self, content: Graph | sqlite3.Connection) -> WorkingDatabase:
        try:
            return WorkingDatabase.create(working_folder(), content)
        except StorageError as error:
            self.failed.emit(error)
            return WorkingDatabase.create(None, content)

    def _take(self, working: WorkingDatabase, state: ProjectState | None) -> None:
        if self._working is not None:
            self._working.close()
        self._working = working
        working.budget = self._budget
        self._session_is_ours, self._told = False, False
        runs = () if state is None else state.runs
        self._run = runs[-1].id if state is not None and len(state.history) else 0
        self._series = runs[-1].series if runs else 0
        self._kept_step = 0 if state is None or state.checkpoint is None else state.checkpoint.step
        self._look.start()

    # --- saving and closing ---

    @property
    def project(self) -> Path | None:
        """The project file of the document."""
        return None if self._working is None else self._working.project

    def changed_on_disk(self) -> bool:
        """Whether another program has changed the project file since it was opened or saved here."""
        return self._working is not None and self._working.changed_on_disk()

    def set_budget(self, megabytes: int) -> None:
        """How much room checkpoints may take."""
        self._budget = megabytes * 2**20
        if self._working is not None:
            self._working.budget = self._budget

    def save(self, path: Path, *, overwrite: bool = False, copy: bool = False) -> None:
        """Make a project file of everything, or a copy of it; raises StorageError, and then the old file is whole."""
        self._keep_present_weights()
        if copy:
            self.working.save_copy(path)
        else:
            self.working.save(path, overwrite=overwrite)

    def close(self, *, keep: bool) -> None:
        """Stop following. Unsaved work is kept for the next start, or forgotten."""
        self._checkpoint_due.stop()
        self._look.stop()
        if self._working is not None:
            if keep:
                self._keep_present_weights()
            self._working.close(keep=keep)
            self._working = None

    def _keep_present_weights(self) -> None:
        checkpoint = self._controller.checkpoint_now(CHECKPOINT_TIMEOUT) if self._session_is_ours else None
        self._controller.catch_up()  # the batches before it
        if checkpoint is not None:
            self._keep_checkpoint(checkpoint)

    # --- following ---

    @Slot(object, object)
    def _keep_network(self, _before: Graph, after: Graph) -> None:
        if self._working is not None:
            self._working.put_network(after)

    @Slot(bool)
    def _keep_modified(self, modified: bool) -> None:
        if self._working is not None:
            self._working.put_modified(modified)

    def keep_data(self, card: DataCard) -> None:
        """The data set in use is another one."""
        self.working.put_data(card)

    @Slot(object, object)
    def _session_loaded(self, kept: tuple[str, ...], _fresh: tuple[str, ...]) -> None:
        self._session_is_ours = True
        if kept:
            self._request_checkpoint()

    @Slot()
    def _begin_series(self) -> None:
        """Weights drawn anew, or another network: what is trained from now on belongs to no run before."""
        if not len(self._controller.history):
            self._run = 0

    @Slot()
    def _begin_run(self) -> None:
        history = self._controller.history
        if not self._run:
            self._series += 1
        document, n = self._document, self.working.next_run
        settings = {**document.training, "seed": self._controller.state.seed}
        first_step = int(history.steps[-1]) if len(history) else 0
        name, network = self.tr("Run {n}").format(n=n), document.spec.to_json()
        run = RunRecord(name, settings, network, document.data, self._series, first_step)
        self._run = self.working.begin_run(run)

    @Slot(object)
    def _keep_batches(self, batches: list[BatchDone]) -> None:
        if self._session_is_ours and self._working is not None:
            if not self._run:
                self._begin_run()
            rows = np.array([(b.step, b.loss, b.accuracy, b.learning_rate) for b in batches])
            self._working.put_batches(self._run, rows)

    @Slot(object)
    def _keep_epoch(self, epoch: EpochDone) -> None:
        if self._session_is_ours and self._working is not None:
            self._working.put_epoch(self._run, epoch)

    @Slot(object)
    def _keep_checkpoint(self, checkpoint: Checkpoint | None) -> None:
        if self._session_is_ours and self._working is not None and checkpoint is not None:
            self._working.put_checkpoint(self._run if checkpoint.step else 0, checkpoint)

    @Slot()
    def _request_checkpoint(self, *_: object) -> None:
        if self._session_is_ours:
            self._kept_step = self._controller.state.step
            self._controller.request_checkpoint()

    @Slot(object)
    def _follow_state(self, state: RunState) -> None:
        if state.phase == RunPhase.RUNNING:
            if not self._checkpoint_due.isActive():
                self._checkpoint_due.start()
            return
        self._checkpoint_due.stop()
        if state.phase != RunPhase.EMPTY and state.step != self._kept_step:
            self._request_checkpoint()

    @Slot()
    def _look_for_failure(self) -> None:
        failure = None if self._working is None else self._working.failure
        if failure is not None and not self._told:
            self.failed.emit(failure)
        self._told = failure is not None
