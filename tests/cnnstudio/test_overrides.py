"""An error in one of our event handlers is told and never ends the program."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import cnnstudio

ALL_EVENTS = {"event", "viewportEvent", "sceneEvent"}


def test_no_widget_stands_around_its_own_event_handlers() -> None:
    """PySide 6.11 under Python 3.11 crashes when C code such as math.ceil(inf) raises an error in a handler like paintEvent that
    was called through `super().event(event)` of Python. An event filter on the widget itself sees the same events beside it."""
    found = []
    for module in pkgutil.walk_packages(cnnstudio.__path__, "cnnstudio."):
        if module.name.endswith("__main__"):
            continue
        for name, value in inspect.getmembers(import_module(module.name), inspect.isclass):
            if value.__module__ == module.name:
                found += [f"{module.name}.{name}.{handler}" for handler in ALL_EVENTS & set(vars(value))]
    assert found == []
