"""The program around the window: language and look switched while it runs, unexpected errors shown once."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cnnstudio.app import Program
from cnnstudio.log_dialog import LogDialog
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.theme import apply_theme, current_theme
from cnnstudio.translation import use_language


@pytest.fixture
def program(qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """The program with the template "digits", shown."""
    monkeypatch.setattr("cnnstudio.app.FIRST_TEMPLATE", "digits")
    program = Program(qapp)
    program.show()
    qtbot.waitUntil(lambda: program.studio.controller.state.phase == RunPhase.READY)
    yield program
    program.window.discard()
    program.close()
    program.deleteLater()
    use_language(qapp, "en")
    apply_theme(qapp, "light")


def test_the_frame_is_painted_first_then_come_panels_and_data(
    qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnstudio.app.FIRST_TEMPLATE", "digits")
    program = Program(qapp, at_once=False)
    window, studio = program.window, program.studio
    assert window.docks["kernels"].widget() is None and studio.data is None and studio.obstacle is not None
    with qtbot.waitSignal(window.furnished):
        program.show()
        assert window.docks["kernels"].widget() is None
    assert window.docks["kernels"].widget() is window.kernels
    qtbot.waitUntil(lambda: studio.controller.snapshot is not None)
    assert window.kernels._view.maps is not None and window.docks["kernels"].isVisible()
    window.discard()
    program.close()
    program.deleteLater()


def test_language_changes_while_training_goes_on(qtbot: QtBot, program: Program) -> None:
    studio = program.studio
    studio.change(Change("epochs", 500))
    program.window.actions_.train.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.step > 2)
    program.window.docks["kernels"].close()
    old = program.window
    old.actions_.language.trigger()
    assert program.window is not old and not old.isVisible()
    assert program.window.actions_.train.text() == "暂停"
    assert not program.window.docks["kernels"].isVisible()
    step = studio.controller.state.step
    qtbot.waitUntil(lambda: studio.controller.state.step > step + 5)
    assert studio.controller.state.phase == RunPhase.RUNNING
    program.window.actions_.language.trigger()
    assert program.window.actions_.train.text() == "Pause"
    studio.controller.stop()


def test_look_and_type_size_change_and_are_remembered(program: Program) -> None:
    program.window.actions_.theme.trigger()
    assert current_theme().dark and program.settings.theme == "dark"
    size = program.window.font().pointSizeF()
    program.window.actions_.large_text.trigger()
    assert QApplication.font().pointSizeF() > size * 1.2 and program.settings.large_text
    program.window.actions_.large_text.trigger()


def test_an_unexpected_error_is_shown_once_with_details_to_copy(qtbot: QtBot, program: Program) -> None:
    program.log.install()
    for text in ("first", "second"):
        try:
            raise RuntimeError(text)
        except RuntimeError as error:
            sys.excepthook(RuntimeError, error, error.__traceback__)
    qtbot.waitUntil(lambda: program._error_dialog is not None and program._error_dialog.isVisible())
    dialog = program._error_dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: "second" in dialog._details.toPlainText())
    dialog.copy_details()
    copied = QApplication.clipboard().text()
    assert "RuntimeError: first" in copied and "RuntimeError: second" in copied
    dialog.close()
    assert program.window.isEnabled()


def test_an_error_that_comes_again_is_shown_once_and_survives_another_language(qtbot: QtBot, program: Program) -> None:
    for _ in range(3):
        program._show_unexpected("the same again")
    first = program._error_dialog
    assert first is not None and first._details.toPlainText() == "the same again"
    program.use_language("zh_CN")
    second = program._error_dialog
    assert second is not None and second is not first and second.isVisible() and second.shown == ("the same again",)
    second.close()
    program._show_unexpected("the same again")
    assert not second.isVisible()
    program._show_unexpected("another one")
    assert second.isVisible()
    second.close()


def test_help_shows_the_log(qtbot: QtBot, program: Program) -> None:
    program.log.install()
    try:
        program.window.actions_.open_log.trigger()
        dialog = program.window.findChild(LogDialog)
        assert dialog is not None and "start: Python" in dialog.text
        dialog.copy()
        assert QApplication.clipboard().text() == dialog.text
        dialog.close()
    finally:
        program.log.uninstall()
