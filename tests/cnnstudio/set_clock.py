"""A clock that a test sets, in place of the one that a module reads."""

from __future__ import annotations

from types import ModuleType

import pytest


class SetClock:
    """The time, and what the thread has worked of it, in seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, time: ModuleType) -> None:
        """`time` is the module as it was imported where it is read."""
        self.now, self.worked = 100.0, 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "thread_time", lambda: self.worked)
