"""The real program under watch: what it raises, what Qt warns of and what it leaves behind counts as a failure."""

from __future__ import annotations

import faulthandler
import sys
import threading
import traceback
from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from cnnstudio.app import Program
from cnnstudio.mainwindow import MainWindow
from cnnstudio.studio import Studio
from engine.templates import Template

IGNORED_MESSAGES = ("This plugin does not support",)
"""What the offscreen platform says of itself."""


class WatchedProgram:
    """Opens the program, and again after it has been quit; tells `fail` what must not happen."""

    def __init__(self, app: QApplication, fail: Callable[[str], None]) -> None:
        self._app, self._fail = app, fail
        self._program = self._start()

    @property
    def window(self) -> MainWindow:
        """The window of now: another language makes it anew."""
        return self._program.window

    @property
    def studio(self) -> Studio:
        """What lives behind the window."""
        return self._program.studio

    @property
    def templates(self) -> Sequence[Template]:
        """The networks to begin with."""
        return self._program.templates

    def _start(self) -> Program:
        self._app.quit = lambda: None  # type: ignore[method-assign]
        program = Program(self._app)
        program.log.caught.connect(self._fail)
        program.log.install()
        faulthandler.enable(sys.stderr)  # rather than into the log, which goes with the home folder
        qInstallMessageHandler(self._qt_message)
        program.window.resize(1280, 720)
        program.show()
        return program

    def _qt_message(self, kind: QtMsgType, _context: object, text: str) -> None:
        if kind != QtMsgType.QtDebugMsg and not text.startswith(IGNORED_MESSAGES):
            self._fail(f"Qt: {text}\n{''.join(traceback.format_stack(limit=12))}")

    def restart(self) -> None:
        """Close the program and open it anew."""
        self._program.window.discard()
        self._program.close()
        self._program.deleteLater()
        self._program = self._start()

    def end(self) -> None:
        """Close the program as it closes when its last window is closed."""
        for widget in QApplication.topLevelWidgets():
            if isValid(widget) and widget is not self._program.window:
                widget.close()
        self._program.window.discard()
        self._program.close()
        # The clipboard of the offscreen platform outlives Python, and must not hold what Python made.
        QApplication.clipboard().clear()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        left = [t.name for t in threading.enumerate() if t is not threading.main_thread() and not t.name.startswith("slice_")]
        if left:
            self._fail(f"threads left: {left}")
