"""A data set is opened beside the window, and the end of the program does not wait for it."""

from __future__ import annotations

import sys
import threading

import pytest
from pytestqt.qtbot import QtBot

from cnnstudio import data_opener
from cnnstudio.data_opener import HURRY, DataOpener


def test_closing_does_not_wait_for_a_data_set_that_is_being_read(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on, delivered, intervals = threading.Event(), [], []

    def slow(choice: dict[str, str]) -> None:
        may_go_on.wait(20)

    monkeypatch.setattr(data_opener, "open_choice", slow)
    monkeypatch.setattr(data_opener, "LONGEST_GOODBYE", 0.01)
    monkeypatch.setattr(sys, "setswitchinterval", intervals.append)
    opener = DataOpener()
    opener.opened.connect(lambda *result: delivered.append(result))
    opener.open({"name": "large"})
    opener.close()
    assert opener.busy
    assert intervals == [HURRY], "destroying the window would wait for the interpreter lock widget by widget"
    may_go_on.set()
    qtbot.waitUntil(lambda: not opener.busy)
    assert delivered == []
    opener.deleteLater()
