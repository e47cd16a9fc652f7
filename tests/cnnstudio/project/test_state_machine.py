"""Edits, runs, undo, saving, opening and crashes in any order: the document is always what a simple model says."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from pytestqt.qtbot import QtBot

from cnnstudio.autosave import Autosave
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.project.folder import working_folder
from cnnstudio.project.recovery import find_abandoned
from cnnstudio.session.controller import Controller
from engine.history import RunHistory
from engine.trainer import BatchDone


class Work(RuleBasedStateMachine):
    """The program without its window; the model is the graph that must be there, and the one that was saved."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.project = self.folder / "p.cnn"
        self.controller = Controller()
        self.start()
        self.autosave.begin(Graph(title="new"))
        self.document.load(Graph(title="new"))
        self.saved: Graph | None = None
        self.saved_runs: list[tuple[str, int]] = []

    def start(self) -> None:
        self.document = Document()
        self.autosave = Autosave(self.document, self.controller)

    @rule(kind=st.sampled_from(["input", "conv", "relu", "dense"]))
    def append(self, kind: str) -> None:
        self.document.append(kind)

    @rule(title=st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
    def rename(self, title: str) -> None:
        self.document.set_title(title)

    @precondition(lambda self: len(self.document.graph))
    @rule()
    def remove(self) -> None:
        self.document.remove(self.document.graph.ids[-1:])

    @rule()
    def undo(self) -> None:
        self.document.undo_stack.undo()

    @rule()
    def redo(self) -> None:
        self.document.undo_stack.redo()

    @rule(batches=st.integers(1, 3))
    def train_anew(self, batches: int) -> None:
        """A run as the session reports it."""
        runs = self.autosave.runs
        runs.following = True
        self.controller._replace_history(RunHistory())
        done = [BatchDone(step, 0, step, 9, 1.0, 0.5, 0.1, 8) for step in range(1, batches + 1)]
        self.controller.history.add_batches(done)
        self.controller.batches_done.emit(done)
        runs.following = False
        self.document.mark_weights_changed()

    @precondition(lambda self: self.autosave.runs.all)
    @rule(name=st.text("abc ü", max_size=3))
    def rename_run(self, name: str) -> None:
        self.autosave.runs.rename(self.autosave.runs.all[0].id, name)

    @precondition(lambda self: len(self.autosave.runs.all) > 1)
    @rule()
    def delete_run(self) -> None:
        runs = self.autosave.runs
        runs.delete(next(run.id for run in runs.all if run.id != runs.present))

    def runs(self) -> list[tuple[str, int]]:
        return [(run.name, len(run.history)) for run in self.autosave.runs.all]

    @rule()
    def save(self) -> None:
        self.autosave.save(self.project)
        self.document.mark_saved()
        self.saved, self.saved_runs = self.document.graph, self.runs()

    @precondition(lambda self: self.saved is not None)
    @rule()
    def reload(self) -> None:
        state = self.autosave.open(self.project)
        self.document.load(Graph.from_json(state.graph))
        assert self.document.graph == self.saved and self.runs() == self.saved_runs

    @rule()
    def crash(self) -> None:
        """The process dies when everything is written; the next start goes on from what it finds."""
        expected, runs, modified = self.document.graph, self.runs(), self.document.modified
        assert self.autosave.working.flush() is None
        left = self.folder / "left"
        shutil.copytree(working_folder(), left)
        self.autosave.close(keep=False)
        shutil.copytree(left, working_folder(), dirs_exist_ok=True)
        shutil.rmtree(left)
        found = find_abandoned(working_folder())
        self.start()
        if not modified:
            assert found == []
            self.autosave.begin(expected)
            self.document.load(expected)
            self.saved = self.saved if self.project.exists() else None
            return
        (item,) = found
        state = self.autosave.recover(item)
        self.document.load(Graph.from_json(state.graph))
        self.document.mark_weights_changed()
        assert self.document.graph == expected and self.runs() == runs

    @invariant()
    def one_database(self) -> None:
        assert len(list(working_folder().glob("*.db"))) == 1

    @invariant()
    def the_database_has_the_runs(self) -> None:
        assert [(run.name, len(run.history)) for run in self.autosave.working.state().runs] == self.runs()

    def teardown(self) -> None:
        self.autosave.close(keep=False)
        self.controller.close()
        assert list(working_folder().iterdir()) == []
        shutil.rmtree(self.folder)


@pytest.mark.usefixtures("qapp")
def test_the_document_is_what_a_simple_model_says(qtbot: QtBot) -> None:
    run_state_machine_as_test(Work, settings=settings(max_examples=15, stateful_step_count=25, deadline=None))
