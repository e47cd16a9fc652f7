"""One process of the monkey: opens the real program and does random things to it until something breaks."""

from __future__ import annotations

import faulthandler
import sys
import time
import traceback
from collections import deque
from pathlib import Path
from random import Random

from PySide6.QtCore import QObject, QSettings, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication

from cnnstudio.app import make_application
from tests.faults.answered_dialogs import Files, answer_dialogs
from tests.faults.monkey import PATIENCE
from tests.faults.random_actions import Actions
from tests.faults.random_hands import Hands
from tests.faults.watched_program import WatchedProgram


class Monkey(QObject):
    """Does one random event after the other from the event loop, as a user would."""

    over = Signal()

    def __init__(self, app: QApplication, seed: int, events: int, home: Path, *, trace: bool) -> None:
        super().__init__()
        self._seed, self._events, self._trace = seed, events, trace
        self._done = 0
        self._said: deque[str] = deque(maxlen=25)
        self._slowest: list[tuple[float, str]] = []
        self.failure = ""
        files = Files(home)
        self._program = WatchedProgram(app, self.fail)
        self._hands = Hands(self._program)
        self._actions = Actions(self._program, self._hands, files)
        answer_dialogs(self._program, self._hands, files)
        self._began: float | None = None
        self._rescue = QTimer(self)
        self._rescue.timeout.connect(self._close_menu)
        self._rescue.start(200)

    def begin(self) -> None:
        """Do the first event as soon as the event loop runs."""
        QTimer.singleShot(0, self._step)

    def _step(self) -> None:
        if self.failure or self._done >= self._events:
            self.over.emit()
            return
        number = self._done
        self._done += 1
        self._hands.rng = Random(f"{self._seed}.{number}")
        act = self._actions.choose()
        if self._trace:
            print(f"{number} {act.__name__}", end=" ", flush=True)
        began = self._began = time.perf_counter()
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        try:
            said = f"{number} {act.__name__}: {act()}"
        except Exception:
            said = f"{number} {act.__name__}: raised"
            self.fail(traceback.format_exc())
        faulthandler.cancel_dump_traceback_later()
        self._began = None
        if self._trace:
            print(said, flush=True)
        self._said.append(said)
        self._slowest = sorted([*self._slowest, (time.perf_counter() - began, said)], reverse=True)[:5]
        QTimer.singleShot(0, self._step)

    @Slot()
    def _close_menu(self) -> None:
        """End the event loop that Qt opens for the menu of a spin box inside the event that asked for it."""
        popup = QApplication.activePopupWidget()
        if self._began is not None and time.perf_counter() - self._began > 0.2 and popup is not None:
            popup.close()

    def fail(self, why: str) -> None:
        """Keep the first failure, with what had been done before."""
        if not self.failure:
            self.failure = f"{why}\nlast events:\n  " + "\n  ".join(self._said)

    @property
    def done(self) -> int:
        """How many events have happened."""
        return self._done

    def report(self) -> str:
        """The slowest events, one a line."""
        return "\n".join(f"{seconds:7.3f} s  {said}" for seconds, said in self._slowest)

    def end(self) -> None:
        """Close the program as it closes when its last window is closed."""
        self._program.end()


def main(arguments: list[str]) -> int:
    """SEED EVENTS HOME [--trace]."""
    seed, events, home = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    for form in (QSettings.Format.IniFormat, QSettings.Format.NativeFormat):
        QSettings.setPath(form, QSettings.Scope.UserScope, str(home / "config"))
    app = make_application(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    leave = app.exit
    monkey = Monkey(app, seed, events, home, trace="--trace" in arguments)
    monkey.over.connect(lambda: leave(0))
    monkey.begin()
    app.exec()
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    monkey.end()
    faulthandler.cancel_dump_traceback_later()
    print(monkey.report())
    if monkey.done < events and not monkey.failure:
        monkey.fail(f"the program ended after {monkey.done} events")
    if monkey.failure:
        print(monkey.failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
