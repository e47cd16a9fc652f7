"""Unexpected errors of any thread reach the log and the program, and the hooks are given back."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.error_log import ErrorLog, crash_path, log_folder, log_path


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_exceptions_of_every_thread_are_logged_and_told(
    qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks = sys.excepthook, threading.excepthook
    log = ErrorLog()
    told: list[str] = []
    log.caught.connect(told.append)
    log.install()
    try:
        try:
            raise ValueError("from the first thread")
        except ValueError as error:
            sys.excepthook(ValueError, error, error.__traceback__)

        def fail() -> None:
            raise ValueError("from another thread")

        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        qtbot.waitUntil(lambda: len(told) == 2)
    finally:
        log.uninstall()
    assert "from the first thread" in told[0] and "from another thread" in told[1]
    written = log_path().read_text(encoding="utf-8")
    assert "from the first thread" in written and "from another thread" in written
    assert (sys.excepthook, threading.excepthook) == hooks
    capsys.readouterr()


def test_a_crash_is_in_the_log_from_the_next_start_on(qtbot: QtBot) -> None:
    log_folder().mkdir(parents=True)
    crash_path().write_text("Fatal Python error: Segmentation fault\n", encoding="utf-8")
    for _ in range(2):
        log = ErrorLog()
        log.install()
        log.uninstall()
    assert log_path().read_text(encoding="utf-8").count("Fatal Python error: Segmentation fault") == 1
    assert crash_path().read_text() == ""


def test_where_no_log_can_be_written_errors_are_told_all_the_same(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    log, told, hook = ErrorLog(), [], sys.excepthook
    log.caught.connect(told.append)
    log.install()
    try:
        assert log.failure is not None and str(log_path()) in log.failure.message
        sys.excepthook(ValueError, ValueError("unforeseen"), None)
        qtbot.waitUntil(lambda: len(told) == 1)
    finally:
        log.uninstall()
    assert sys.excepthook is hook
