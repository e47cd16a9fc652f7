"""Follows the document and its weights, and puts all that happens into the working database at once; `Runs` adds the runs."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.project import disk, files, records, recovery
from cnnstudio.project.folder import refuse_if_open_elsewhere, working_folder
from cnnstudio.project.recovery import Abandoned
from cnnstudio.project.state import DataCard, ProjectState
from cnnstudio.project.working import BUDGET, WorkingDatabase
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.session.run_list import Runs
from engine.checkpoint import Checkpoint
from engine.errors import StorageError

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
    protected = Signal()
    """The work is protected again after `failed`."""

    def __init__(self, document: Document, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._controller = document, controller
        self._working: WorkingDatabase | None = None
        # First, since it must know the run before a checkpoint of it is kept here.
        self.runs = Runs(document, controller, self)
        self._budget = BUDGET
        self._kept_step = 0
        """The step whose weights were asked for last."""
        self._told = False
        self._refused: StorageError | None = None
        """Why the present document has no working database on the disk."""
        self._checkpoint_due = QTimer(self)
        self._checkpoint_due.setInterval(CHECKPOINT_INTERVAL)
        self._checkpoint_due.timeout.connect(self._request_checkpoint)
        self._look = QTimer(self)
        self._look.setInterval(LOOK_INTERVAL)
        self._look.timeout.connect(self._look_for_failure)
        document.graph_changed.connect(self._keep_network)
        document.modified_changed.connect(self._keep_modified)
        controller.carried_over.connect(self._session_loaded)
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

    def check(self, path: Path) -> None:
        """Raise StorageError if a project file cannot be opened."""
        self._refuse_if_open_elsewhere(path)
        files.open_project(path)

    def open(self, path: Path) -> ProjectState:
        """Open a project file; raises StorageError, and then what was open stays open.

        A project with damaged parts counts as a new document, so that its file is not overwritten by what is left.
        """
        self._refuse_if_open_elsewhere(path)
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

    def _refuse_if_open_elsewhere(self, path: Path) -> None:
        refuse_if_open_elsewhere(path, None if self._working is None else self._working.path)

    def recover(self, abandoned: Abandoned) -> ProjectState:
        """Go on with what a crash left behind; raises StorageError, and then what was open stays open."""
        working = recovery.adopt(abandoned)
        state = working.state()
        self._take(working, state)
        return state

    def _create(self, content: Graph | sqlite3.Connection) -> WorkingDatabase:
        self._refused = None
        try:
            return WorkingDatabase.create(working_folder(), content)
        except StorageError as error:
            self._refused = error  # told a moment later: when the program starts there is no window yet
            return WorkingDatabase.create(None, content)

    def _take(self, working: WorkingDatabase, state: ProjectState | None) -> None:
        if self._working is not None:
            self._working.close()
        self._working = working
        working.budget = self._budget
        if self._told:
            self._told = False
            self.protected.emit()
        self.runs.begin(working, state)
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

    def missing_on_disk(self) -> bool:
        """Whether the project file was deleted or moved since it was opened or saved here."""
        return self._working is not None and self._working.missing_on_disk()

    def set_budget(self, megabytes: int) -> None:
        """How much room checkpoints may take."""
        self._budget = megabytes * 2**20
        if self._working is not None:
            self._working.budget = self._budget

    def save(self, path: Path, *, overwrite: bool = False, copy: bool = False) -> None:
        """Make a project file of everything, or a copy of it; raises StorageError, and then the old file is whole."""
        self.keep_present_weights()
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
                self.keep_present_weights()
            self.runs.begin(None)
            self._working.close(keep=keep)
            self._working = None

    def keep_present_weights(self) -> Checkpoint | None:
        """Wait for a copy of the whole state and keep it; None while the session has no network of this document."""
        checkpoint = self._controller.checkpoint_now(CHECKPOINT_TIMEOUT) if self.runs.following else None
        self._controller.catch_up()  # the batches before it
        self._keep_checkpoint(checkpoint)
        return checkpoint

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
        if kept:
            self._request_checkpoint()

    @Slot(object)
    def _keep_checkpoint(self, checkpoint: Checkpoint | None) -> None:
        if self.runs.following and self._working is not None and checkpoint is not None:
            self._working.put_checkpoint(self.runs.present if checkpoint.step else 0, checkpoint)

    @Slot()
    def _request_checkpoint(self, *_: object) -> None:
        if self.runs.following:
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
        failure = None if self._working is None else self._refused or self._working.failure
        told, self._told = self._told, failure is not None
        if failure is not None and not told:
            self.failed.emit(failure)
        elif told and failure is None:
            self.protected.emit()
