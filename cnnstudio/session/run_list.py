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
from engine.events import BatchDone, EpochDone
from engine.history import RunHistory
from engine.settings import TrainSettings

MOST_SHOWN = 6
"""Runs that can be told apart when they are laid over each other."""


class Runs(QObject):
    """Follows the session, and writes every run into the working database; renaming, notes and deletion can be undone."""

    changed = Signal()
    """A run has come, gone, or is described otherwise, or another one is `present`."""
    grew = Signal()
    """An epoch of the present run has ended."""
    overlaid_changed = Signal()
    """Other runs are laid over the present one."""

    def __init__(self, document: Document, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._controller = document, controller
        self._working: WorkingDatabase | None = None
        self._runs: dict[int, RunRecord] = {}
        self._present = 0
        self._colors: dict[int, int] = {}
        """For each run on display the number of its colour."""
        self._overlaid: set[int] = set()
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
        self._overlaid = set()
        self._show()

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

    # --- laying over each other ---

    @property
    def colors(self) -> dict[int, int]:
        """For each run on display, the present one and those laid over it, the number of its colour from 0 on."""
        return dict(self._colors)

    def overlay(self, id: int, on: bool) -> bool:
        """Lay a run over the present one, or take it away; False when as many are there as can be told apart."""
        if on and id not in self._colors and len(self._colors) >= MOST_SHOWN - (not self._present):
            return False
        (self._overlaid.add if on else self._overlaid.discard)(id)
        self._show()
        return True

    def _show(self) -> None:
        """Give every run on display a colour, which it keeps as long as it is there."""
        self._overlaid = {id for id in self._overlaid if id in self._runs and not self._runs[id].deleted}
        shown = sorted(self._overlaid | ({self._present} if self._present else set()))
        self._colors = {id: color for id, color in self._colors.items() if id in shown}
        for id in shown:
            if id not in self._colors:
                self._colors[id] = next(n for n in range(MOST_SHOWN) if n not in self._colors.values())
        self.changed.emit()
        self.overlaid_changed.emit()

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
        self._show()

    def _put(self, run: RunRecord) -> None:
        self._runs[run.id] = run
        if self._working is not None:
            self._working.change_run(run.id, run)

    # --- following ---

    @Slot()
    def _follow_history(self) -> None:
        history, before = self._controller.history, self._present
        self._present = history.run if history.run in self._runs else 0
        if self._present:
            self._runs[self._present] = replace(self[self._present], history=history)
        if self._overlaid and before and before != self._present:
            self._overlaid.add(before)  # who compares runs wants to see the one that was left
        self._overlaid.discard(self._present)
        while len(self._overlaid) >= MOST_SHOWN:
            self._overlaid.discard(min(self._overlaid))
        self._show()

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
        self._show()

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
