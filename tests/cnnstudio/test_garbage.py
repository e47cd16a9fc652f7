"""Cyclic garbage is collected by the GUI thread, whoever made it, and by Python again afterwards."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.garbage import GarbageCollector


class Knot:
    """Something that only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


def make_garbage(freed_by: list[int]) -> None:
    for _ in range(3 * gc.get_threshold()[0]):
        knot = Knot()
        weakref.finalize(knot, lambda: freed_by.append(threading.get_ident()))


def test_garbage_of_any_thread_is_freed_by_the_gui_thread(qtbot: QtBot) -> None:
    collector = GarbageCollector()
    try:
        freed_by: list[int] = []
        thread = threading.Thread(target=make_garbage, args=(freed_by,))
        thread.start()
        thread.join()
        assert not freed_by
        qtbot.waitUntil(lambda: len(freed_by) > gc.get_threshold()[0])
        assert set(freed_by) == {threading.get_ident()}
    finally:
        collector.stop()


@pytest.mark.usefixtures("qapp")
def test_python_collects_again_afterwards() -> None:
    collector = GarbageCollector()
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()
