"""What happens to an error that nobody expected: it is written to a log file and shown once, and the program goes on."""

from __future__ import annotations

import faulthandler
import logging
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import IO

import platformdirs
from PySide6.QtCore import QMessageLogContext, QObject, Qt, QtMsgType, Signal, Slot, qInstallMessageHandler

from engine.errors import StorageError

_log = logging.getLogger("cnnstudio")
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_folder() -> Path:
    """The folder of the log files, inside the user's data folder."""
    return Path(platformdirs.user_log_dir("cnnstudio", appauthor=False))


def log_path() -> Path:
    """The log file."""
    return log_folder() / "cnnstudio.log"


def crash_path() -> Path:
    """The file into which a dying process writes where it was; the next start moves that into the log."""
    return log_folder() / "crash.log"


class ErrorLog(QObject):
    """Catches exceptions of every thread, messages of Qt and crashes, while it is installed."""

    caught = Signal(str)
    """The traceback of an unexpected exception, as text; sent in the GUI thread."""

    _from_any_thread = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._from_any_thread.connect(self._report, Qt.ConnectionType.QueuedConnection)
        self._crash_file: IO[str] | None = None
        self._handler: logging.Handler | None = None
        self._before: tuple[Callable[..., object], Callable[..., object], object] | None = None
        self.failure: StorageError | None = None
        """Why nothing is written to the log."""

    def install(self) -> None:
        """Open the log and set all hooks. Where no log can be written, `failure` says why, and errors are shown all the same."""
        try:
            self._open()
        except OSError as error:
            self.failure = StorageError(
                "The log {path} cannot be written: {reason}. Unexpected errors are shown, but not kept.", code="log.failed",
                path=str(log_path()), reason=error.strerror or str(error))  # fmt: skip
        self._before = (sys.excepthook, threading.excepthook, qInstallMessageHandler(_qt_message))
        sys.excepthook = self._exception
        threading.excepthook = self._thread_exception

    def _open(self) -> None:
        log_folder().mkdir(parents=True, exist_ok=True)
        self._handler = RotatingFileHandler(log_path(), maxBytes=500_000, backupCount=2, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
        _log.addHandler(self._handler)
        _log.setLevel(logging.INFO)
        if crash_path().exists() and (crash := crash_path().read_text(encoding="utf-8", errors="replace").strip()):
            _log.error("the program has crashed\n%s", crash)
        _log.info("start: Python %s on %s", platform.python_version(), platform.platform())
        self._crash_file = open(crash_path(), "a", encoding="utf-8")  # noqa: SIM115, held open
        self._crash_file.truncate(0)
        faulthandler.enable(self._crash_file)

    def uninstall(self) -> None:
        """Give all hooks back and close the log."""
        if self._before is None:
            return
        sys.excepthook, threading.excepthook, message_handler = self._before
        qInstallMessageHandler(message_handler)  # type: ignore[arg-type]
        faulthandler.disable()
        if self._crash_file is not None:
            self._crash_file.close()
        if self._handler is not None:
            _log.removeHandler(self._handler)
            self._handler.close()
        self._before = None

    def _exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        _log.error("unexpected error\n%s", text)
        print(text, file=sys.stderr)
        self._from_any_thread.emit(text)

    def _thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            self._exception(args.exc_type, args.exc_value, args.exc_traceback)

    @Slot(str)
    def _report(self, text: str) -> None:
        self.caught.emit(text)


def _qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    _log.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", message)
    if kind != QtMsgType.QtDebugMsg:
        print(message, file=sys.stderr)
