"""A studio and its window on the small digits, for tests of the whole program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from cnnstudio.resources import resource_path

# The whole program is imported only by the tests that open it.
if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from cnnstudio.mainwindow import MainWindow
    from cnnstudio.studio import Studio
    from engine.templates import Template


@pytest.fixture(autouse=True)
def _training_in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of tests train on a thread: a process for each would take minutes in all. tests/cnnstudio/session runs both."""
    if {"qtbot", "qapp"} & set(request.fixturenames):
        from cnnstudio.session import controller
        from cnnstudio.session.worker import Worker

        monkeypatch.setattr(controller, "RemoteWorker", Worker)


@pytest.fixture(scope="session")
def templates() -> tuple[Template, ...]:
    """The templates that come with the program."""
    from engine.templates import load_templates

    return load_templates(resource_path("templates"))


@pytest.fixture
def studio(qtbot: QtBot, templates: tuple[Template, ...]) -> Iterator[Studio]:
    """A studio with the template "digits", its data open and its session ready."""
    from cnnstudio.studio import Studio

    studio = Studio()
    studio.begin(next(t for t in templates if t.name == "digits"))
    qtbot.waitUntil(lambda: studio.controller.state.batches > 0)
    yield studio
    studio.close()
    studio.deleteLater()


@pytest.fixture
def other(qtbot: QtBot) -> Iterator[Studio]:
    """A second studio with nothing in it."""
    from cnnstudio.studio import Studio

    studio = Studio()
    yield studio
    studio.close()
    studio.deleteLater()


@pytest.fixture
def window(
    qtbot: QtBot, qapp: QApplication, studio: Studio, templates: tuple[Template, ...]
) -> Iterator[MainWindow]:
    """The main window of that studio, shown, with its first pictures."""
    from cnnstudio.mainwindow import MainWindow
    from cnnstudio.settings import Settings
    from cnnstudio.theme import apply_theme

    apply_theme(qapp, "light")
    window = MainWindow(studio, Settings(), templates)
    window.resize(1280, 800)
    window.show()
    qtbot.waitUntil(lambda: studio.controller.snapshot is not None)
    yield window
    window.discard()
