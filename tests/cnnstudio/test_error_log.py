"""Unexpected errors of any thread reach the log and the program, and the hooks are given back."""

from __future__ import annotations

import sys
import threading

import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.error_log import ErrorLog, log_path


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
