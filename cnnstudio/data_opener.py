"""Opening a data set beside the window, so that a large one does not freeze it."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from cnnstudio.data_choice import open_choice
from cnnstudio.resources import resource_path
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.datasets.catalog import BundledSet
    from engine.datasets.dataset import Dataset

LONGEST_GOODBYE = 0.1
"""Seconds that the end of the program waits for a data set that is being read."""
HURRY = 1e-5
"""Seconds after which whoever runs Python lets others have the interpreter lock, while the program ends beside the reading."""


def bundled_sets() -> tuple[BundledSet, ...]:
    """The data sets that come with the program."""
    from engine.datasets.catalog import bundled_names

    return bundled_names(resource_path("datasets"))


class DataOpener(QObject):
    """Opens one data set at a time; of several asked for, only the last is delivered."""

    opened = Signal(object, object)
    """(choice, Dataset)"""
    failed = Signal(object, object)
    """(choice, EngineError)"""

    _done = Signal(int, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ticket = 0
        self._waits = False
        self._waiting: dict[str, Any] | None = None
        self._threads: list[threading.Thread] = []
        self._done.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def hold(self) -> None:
        """Open nothing until `release`: the window that is being built comes first."""
        self._waits = True

    def release(self) -> None:
        """Open what was asked for meanwhile."""
        self._waits = False
        choice, self._waiting = self._waiting, None
        if choice is not None:
            self.open(choice)

    def open(self, choice: dict[str, Any]) -> None:
        """Begin to open; `opened` or `failed` follows."""
        if self._waits:
            self._waiting = choice
            return
        self._ticket += 1
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        # A daemon: reading changes nothing, so that a program that ends need not wait for a large data set.
        thread = threading.Thread(target=self._work, args=(self._ticket, choice), name="open data set", daemon=True)
        self._threads.append(thread)
        thread.start()

    @property
    def busy(self) -> bool:
        """Whether a data set is being opened."""
        return self._waiting is not None or any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Deliver nothing more; what is under way is waited for no longer than `LONGEST_GOODBYE`."""
        self._waiting = None
        self._ticket += 1
        end = time.monotonic() + LONGEST_GOODBYE
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        if self.busy:
            # Each of the hundreds of widgets that are destroyed now takes the lock, and would wait the usual 5 ms for it.
            sys.setswitchinterval(HURRY)

    def _work(self, ticket: int, choice: dict[str, Any]) -> None:
        try:
            result: Dataset | EngineError = open_choice(choice)
        except EngineError as error:
            result = error
        if ticket == self._ticket:  # otherwise nobody wants it, and this object may be gone
            self._done.emit(ticket, choice, result)

    @Slot(int, object, object)
    def _deliver(self, ticket: int, choice: dict[str, Any], result: Dataset | EngineError) -> None:
        if ticket != self._ticket:
            return
        if isinstance(result, EngineError):
            self.failed.emit(choice, result)
        else:
            self.opened.emit(choice, result)
