"""The training runs of the open document: what begins one, what is kept of it, and how it is renamed, noted and deleted.

A run is everything that is trained from one drawing of weights. It begins with the first batch behind
- "Reset weights", also from another seed,
- an edit of the network, another loss or another data set, for which the session is built anew (weights that still fit are
  carried over, but steps, optimizer and curve begin at 0),
- the opening of a new document.
Pause, Stop and Train go on with the same run, and so do other settings in the middle of it, which are noted with their step. A
run that is opened again, after a crash, from a project file or from the list, goes on where its last checkpoint stands.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand

from cnnstudio.document.document import Document
from cnnstudio.project.state import ProjectState, RunRecord, cut
from cnnstudio.project.working import WorkingDatabase
from cnnstudio.session.controller import Controller
from engine.checkpoint import Checkpoint
from engine.history import RunHistory
from engine.settings import TrainSettings
from engine.trainer import BatchDone, EpochDone


class Runs(QObject):
    """Follows the session, and writes every run into the working database; renaming, notes and deletion can be undone."""

    changed = Signal()
    """A run has come, gone, or is described otherwise, or another one is `present`."""
    grew = Signal()
    """An epoch of the present run has ended."""

    def __init__(self, document: Document, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._controller = document, controller
        self._working: WorkingDatabase | None = None
        self._runs: dict[int, RunRecord] = {}
        self._present = 0
        self.following = False
        """False until the session has loaded the network of this document: what comes before belongs to the last one."""
        controller.history_replaced.connect(self._follow_history)
        controller.carried_over.connect(self._session_loaded)
        controller.batches_done.connect(self._keep_batches)
        controller.epoch_done.connect(self._keep_epoch)
        controller.settings_taken.connect(self._note_settings)

    def begin(self, working: WorkingDatabase | None, state: ProjectState | None = None) -> None:
        """Another document was begun or opened, or with None the last one was closed."""
        self._working = working
        self._runs = {} if state is None else {run.id: run for run in state.runs}
        self._present, self.following = 0, False
        self.changed.emit()

    # --- looking ---

    @property
    def all(self) -> tuple[RunRecord, ...]:
        """All runs that are not deleted, in the order in which they began; the history of the present one grows."""
        return tuple(run for _, run in sorted(self._runs.items()) if not run.deleted)

    @property
    def present(self) -> int:
        """The id of the run that the weights in the session come from; 0 while they have not been trained."""
        return self._present

    def __getitem__(self, id: int) -> RunRecord:
        return self._runs[id]

    def history_until(self, id: int, checkpoint: Checkpoint | None) -> RunHistory:
        """The curve of a run up to a checkpoint, for the session to go on with; an empty one for no run."""
        run = self._runs.get(id)
        return RunHistory() if run is None or checkpoint is None else cut(run.history, checkpoint)

    # --- changing ---

    def rename(self, id: int, name: str) -> None:
        """Give a run another name; an undo step. An empty name changes nothing."""
        name = name.strip()
        if name:
            self._edit(id, self.tr("Rename {run} to {name}").format(run=self[id].name, name=name), name=name)

    def set_note(self, id: int, note: str) -> None:
        """Write a note beside a run; an undo step."""
        self._edit(id, self.tr("Note on {run}").format(run=self[id].name), note=note.strip())

    def delete(self, id: int) -> None:
        """Take a run out of the list; an undo step, and final once the document was closed.

        Raises ValueError for the present run, whose weights are in the network.
        """
        if id == self._present:
            raise ValueError("the present run cannot be deleted")
        self._edit(id, self.tr("Delete {run}").format(run=self[id].name), deleted=True)

    def _edit(self, id: int, text: str, **fields: Any) -> None:
        before = {name: getattr(self[id], name) for name in fields}
        if before != fields:
            self._document.undo_stack.push(RunEdit(self, id, before, fields, text))

    def describe(self, id: int, fields: dict[str, Any]) -> None:
        """Change what is said of a run without an undo step; only undo commands do this."""
        self._put(replace(self[id], **fields))
        self.changed.emit()

    def _put(self, run: RunRecord) -> None:
        self._runs[run.id] = run
        if self._working is not None:
            self._working.change_run(run.id, run)

    # --- following ---

    @Slot()
    def _follow_history(self) -> None:
        history = self._controller.history
        self._present = history.run if history.run in self._runs else 0
        if self._present:
            self._runs[self._present] = replace(self[self._present], history=history)
        self.changed.emit()

    @Slot(object, object)
    def _session_loaded(self, _kept: tuple[str, ...], _fresh: tuple[str, ...]) -> None:
        self.following = True

    @Slot(object)
    def _keep_batches(self, batches: list[BatchDone]) -> None:
        if not self.following or self._working is None:
            return
        if not self._present:
            self._begin_run(self._working)
        rows = np.array([(b.step, b.loss, b.accuracy, b.learning_rate) for b in batches])
        self._working.put_batches(self._present, rows)

    def _begin_run(self, working: WorkingDatabase) -> None:
        document, history = self._document, self._controller.history
        settings = TrainSettings.from_json(document.training).replace(seed=self._controller.state.seed)
        places = {block.id: block.position for block in document.graph.main}
        name = self.tr("Run {n}").format(n=working.next_run)
        run = RunRecord(name, settings.to_json(), document.spec.to_json(), document.data, places=places, history=history)
        self._present = history.run = working.begin_run(run)
        self._runs[self._present] = replace(run, id=self._present)
        self.changed.emit()

    @Slot(object)
    def _keep_epoch(self, epoch: EpochDone) -> None:
        if self._present and self._working is not None:
            self._working.put_epoch(self._present, epoch)
            self.grew.emit()

    @Slot(object, object)
    def _note_settings(self, step: int, settings: TrainSettings) -> None:
        if self._present and step:
            run = self[self._present].with_change(step, settings.to_json())
            if run.changes != self[self._present].changes:
                self._put(run)
                self.changed.emit()


class RunEdit(QUndoCommand):
    """What is said of a run, before and after."""

    def __init__(self, runs: Runs, id: int, before: dict[str, Any], after: dict[str, Any], text: str) -> None:
        super().__init__(text)
        self._runs, self._id, self._before, self._after = runs, id, before, after

    def redo(self) -> None:
        """Say what is new."""
        self._runs.describe(self._id, self._after)

    def undo(self) -> None:
        """Say what was said before."""
        self._runs.describe(self._id, self._before)
