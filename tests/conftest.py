"""What every test stands on: no screen, nothing of the user's own, and nothing left behind by a Qt test."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from hypothesis import settings

from cnnstudio.resources import resource_path

CHECKOUT = Path(__file__).resolve().parent.parent

settings.register_profile("studio", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("studio")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the comparisons of tests/oracles in full")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The large data sets (MNIST, CIFAR-10 ...) in ../shared/data beside the checkout."""
    folder = CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the large data sets are not in ../shared/data beside this checkout")
    return folder


@pytest.fixture(scope="session")
def bundled() -> Path:
    """The folder of the data sets that come with the program."""
    return resource_path("datasets")


@pytest.fixture(autouse=True)
def _private_user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, application data and caches of the program go to a folder of this one test."""
    home = tmp_path_factory.mktemp("user")
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))


@pytest.fixture(autouse=True)
def _nothing_left_behind(
    request: pytest.FixtureRequest, _private_user_folders: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A test that uses Qt ends without a thread, an active timer or a window that it started."""
    if not {"qtbot", "qapp"} & set(request.fixturenames):
        yield
        return
    from PySide6.QtCore import QCoreApplication, QEvent, QSettings, QThread, QTimer
    from PySide6.QtWidgets import QApplication
    from shiboken6 import isValid

    for format in (QSettings.Format.IniFormat, QSettings.Format.NativeFormat):
        QSettings.setPath(format, QSettings.Scope.UserScope, os.environ["XDG_CONFIG_HOME"])

    timers, qthreads = [], []
    start_timer, start_qthread = QTimer.start, QThread.start

    def recorded_timer(timer: QTimer, *args: Any) -> None:
        timers.append(timer)
        start_timer(timer, *args)

    def recorded_qthread(thread: QThread, *args: Any) -> None:
        qthreads.append(thread)
        start_qthread(thread, *args)

    monkeypatch.setattr(QTimer, "start", recorded_timer)
    monkeypatch.setattr(QThread, "start", recorded_qthread)
    threads_before, windows_before = threading.enumerate(), QApplication.topLevelWidgets()

    def left_behind() -> list[str]:
        # deleteLater() acts only when its event is delivered.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return [
            # The threads that run the slices of a batch belong to the process, like those of BLAS.
            *(
                f"thread {t.name}"
                for t in threading.enumerate()
                if t not in threads_before and not t.name.startswith("slice_")
            ),
            *(f"QThread {t!r}" for t in qthreads if isValid(t) and t.isRunning()),
            *(f"active timer {t!r} of {t.parent()!r}" for t in timers if isValid(t) and t.isActive()),
            *(f"window {w!r}" for w in QApplication.topLevelWidgets() if w not in windows_before),
        ]

    yield

    if left_behind():
        gc.collect()  # what only a cycle of references still holds is not left behind
        if left := left_behind():
            pytest.fail("left behind by this test: " + "; ".join(left), pytrace=False)
