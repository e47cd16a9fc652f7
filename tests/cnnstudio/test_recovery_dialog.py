"""After a crash: what was found is shown, restored or deleted; nothing goes without being asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from cnnstudio.app import Program
from cnnstudio.checkpoints_dialog import CheckpointsDialog
from cnnstudio.mainwindow import MainWindow
from cnnstudio.overrides import _final
from cnnstudio.project.files import open_project, save_project
from cnnstudio.project.folder import working_folder
from cnnstudio.project.recovery import find_abandoned
from cnnstudio.project.working import WorkingDatabase
from cnnstudio.recovery_dialog import RecoveryDialog
from cnnstudio.studio import template_graph
from engine.templates import Template


@pytest.fixture
def left(templates: tuple[Template, ...]) -> Path:
    """Two documents whose processes died, and a file that cannot be read."""
    for title in ("older", "newer"):
        database = WorkingDatabase.create(working_folder(), dataclasses.replace(template_graph(templates[0]), title=title))
        database.put_modified(True)
        database.close(keep=True)
    (working_folder() / "x.db").write_bytes(b"\x01" * 5000)
    return working_folder()


@pytest.fixture
def program(qtbot: QtBot, qapp: QApplication) -> Iterator[Program]:
    """The program, as it is just after its start."""
    program = Program(qapp)
    program.show()
    qtbot.waitUntil(lambda: program.studio.controller.state.batches > 0)
    yield program
    program.studio.discard()
    program.window.discard()
    program.close()
    program.deleteLater()


def dialog_of(program: Program) -> RecoveryDialog:
    dialog = program.window.findChild(RecoveryDialog)
    assert dialog is not None
    return dialog


def choose(dialog: RecoveryDialog, title: str) -> None:
    rows = [dialog._list.item(row).text() for row in range(dialog._list.count())]
    dialog._list.setCurrentRow(rows.index(title))


def test_a_quiet_start_asks_nothing(program: Program) -> None:
    program.offer_recovery()
    assert program.window.findChild(RecoveryDialog) is None


def test_what_is_restored_is_open_and_the_rest_is_offered_again(qtbot: QtBot, left: Path, program: Program) -> None:
    program.offer_recovery()
    dialog = dialog_of(program)
    choose(dialog, "older")
    dialog._restore.click()
    qtbot.waitUntil(lambda: program.studio.document.title == "older")
    assert program.studio.document.modified and program.studio.path is None
    found = find_abandoned(left)
    assert sorted(item.title for item in found) == ["", "newer"]
    for item in found:
        item.release()


def test_enter_in_the_list_restores_what_is_chosen(
    qtbot: QtBot, left: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecoveryDialog, "accept", _final(RecoveryDialog.accept))  # as in the running program
    program.offer_recovery()
    dialog = dialog_of(program)
    choose(dialog, "older")
    QTest.keyClick(dialog._list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: program.studio.document.title == "older")
    assert not dialog.isVisible()


def test_unreadable_work_can_only_be_deleted_and_only_after_a_question(qtbot: QtBot, left: Path, program: Program) -> None:
    program.offer_recovery()
    dialog = dialog_of(program)
    choose(dialog, "Damaged work")
    assert not dialog._restore.isEnabled()
    dialog._delete.click()
    assert (left / "x.db").exists()
    question = dialog.findChild(QMessageBox)
    assert question is not None
    next(b for b in question.findChildren(QPushButton) if b.text() == "Delete").click()
    assert not (left / "x.db").exists() and dialog._list.count() == 2
    dialog.reject()


def test_not_now_leaves_everything(qtbot: QtBot, left: Path, program: Program) -> None:
    program.offer_recovery()
    dialog_of(program).reject()
    found = find_abandoned(left)
    assert len(found) == 3
    for item in found:
        item.release()


def test_what_somebody_else_changed_is_overwritten_only_on_request(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "p.cnn"
    assert window.files.save_path(path)
    theirs = dataclasses.replace(open_project(path), graph={**open_project(path).graph, "title": "theirs"})
    save_project(path, theirs)
    window.studio.document.set_title("mine")
    window.files.look_at_file()
    assert "p.cnn” was changed by another program" in window.banner.text
    window.banner.clear()
    window.files.look_at_file()
    assert not window.banner.text  # once is enough
    assert not window.files.save_path(path)
    assert open_project(path).graph["title"] == "theirs" and window.studio.document.modified
    question = window.files.question
    assert question is not None
    next(b for b in question.buttons() if b.text() == "Overwrite").click()
    assert open_project(path).graph["title"] == "mine" and not window.studio.document.modified


def test_the_user_sees_and_sets_the_room_for_checkpoints(qtbot: QtBot, window: MainWindow) -> None:
    window.files.show_checkpoints()
    dialog = window.findChild(CheckpointsDialog)
    assert dialog is not None and dialog.megabytes == 64
    dialog._field.setValue(100)
    dialog.accept()
    assert window.settings.checkpoint_room == 100
    assert window.studio.autosave.working.budget == 100 * 2**20
