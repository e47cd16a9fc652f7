"""Opening, training, saving and closing again and again: nothing is left, and memory does not grow."""

from __future__ import annotations

import gc
import os
import subprocess
import threading
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from tests.faults.result import Result

WARM_UP = 20
"""Cycles until caches and pools have their size."""
ALLOWED = 20.0
"""Megabytes that memory may grow afterwards."""
QUIET = ("This plugin does not support",)
"""What the offscreen platform says of itself."""
THREADS, TIMERS, DESCRIPTORS, WIDGETS = "threads left", "timers left", "file descriptors left", "widgets left"
PROCESSES, DATABASES, WARNINGS = "processes left", "working databases left", "warnings of Qt"


def open_and_close(count: int, folder: Path) -> Result:
    """Open one project in a window `count` times: open, train, save, close; look at what is left."""
    from PySide6.QtCore import QCoreApplication, QElapsedTimer, QEvent, QEventLoop, qInstallMessageHandler

    from cnnstudio.app import make_application
    from cnnstudio.mainwindow import MainWindow
    from cnnstudio.project.folder import working_folder
    from cnnstudio.resources import resource_path
    from cnnstudio.setting_change import Change
    from cnnstudio.settings import Settings
    from cnnstudio.studio import Studio
    from engine.templates import load_templates

    result = Result.counting("open, train, save, close", THREADS, TIMERS, DESCRIPTORS, WIDGETS, PROCESSES, DATABASES, WARNINGS)
    folder.mkdir(parents=True)
    os.environ["XDG_DATA_HOME"] = str(folder / "data")
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    app = QCoreApplication.instance() or make_application(["cnnstudio"])
    templates = load_templates(resource_path("templates"))
    template = next(t for t in templates if t.name == "digits")
    project = folder / "p.cnn"

    def wait(studio: Studio, step: int) -> bool:
        clock = QElapsedTimer()
        clock.start()
        while studio.controller.state.step < step and clock.elapsed() < 20_000:
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        return studio.controller.state.step >= step

    def warned(_kind: object, _context: object, text: str) -> None:
        result.expect(text.startswith(QUIET), f"Qt: {text}", WARNINGS)

    handler = qInstallMessageHandler(warned)
    before = after = 0.0
    first: dict[str, int] = {}
    for i in range(count + WARM_UP):
        result.tried += 1
        studio = Studio()
        if project.exists():
            studio.open_project(project)
        else:
            studio.begin(template)
        window = MainWindow(studio, Settings(), templates)
        window.show()
        studio.change(Change("epochs", 100_000))
        step = studio.controller.state.step
        while not studio.controller.state.batches:
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        studio.controller.run()
        result.expect(wait(studio, step + 20), "no training")
        studio.save_project(project)
        studio.discard()
        window.discard()
        studio.close()
        studio.deleteLater()
        del studio, window
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        after = _memory()
        if i == WARM_UP - 1:
            before, first = after, _left()
    qInstallMessageHandler(handler)
    result.measure("memory grown by", max(after - before, 0.0), ALLOWED, "MB")
    for what, number in _left().items():
        result.expect(number <= first[what], f"{number - first[what]} {what}", what)
        result.bounds[what].found = max(number - first[what], 0)
    result.expect(not list(working_folder().iterdir()), "working databases are left", DATABASES)
    return result


def _left() -> dict[str, int]:
    """How many there are of what may not grow."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication
    from shiboken6 import isValid

    found = [thing for thing in gc.get_objects() if type(thing).__module__ != "builtins" and isinstance(thing, QTimer)]
    children = subprocess.run(["ps", "--no-headers", "--ppid", str(os.getpid()), "-o", "cmd"], capture_output=True, text=True)
    return {
        THREADS: threading.active_count(),
        TIMERS: sum(isValid(timer) and timer.isActive() for timer in found),
        DESCRIPTORS: len(os.listdir("/proc/self/fd")),
        WIDGETS: len(QApplication.allWidgets()),
        PROCESSES: sum(not line.startswith("ps ") for line in children.stdout.splitlines()),
    }


def _memory() -> float:
    """Megabytes of memory in use now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
