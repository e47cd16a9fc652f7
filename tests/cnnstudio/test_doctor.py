"""A run that goes wrong is diagnosed in the banner, and the button of the banner mends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.session.messages import RunPhase
from cnnstudio.settings import Settings
from cnnstudio.studio import Studio
from engine.templates import Template


@pytest.fixture
def dying(qtbot: QtBot, templates: tuple[Template, ...]) -> Iterator[MainWindow]:
    """The window with the network whose ReLU is dead."""
    studio = Studio()
    studio.begin(next(t for t in templates if t.name == "defect_dead_relu"))
    qtbot.waitUntil(lambda: studio.controller.state.batches > 0)
    window = MainWindow(studio, Settings(), templates)
    window.show()
    yield window
    window.discard()
    studio.close()
    studio.deleteLater()


def test_a_dead_relu_is_named_at_a_pause_and_replaced_by_the_button(qtbot: QtBot, dying: MainWindow) -> None:
    controller = dying.studio.controller
    controller.run()
    qtbot.waitUntil(lambda: controller.state.step >= 5)
    controller.pause()
    qtbot.waitUntil(lambda: "Dead" in dying.banner.text, timeout=20_000)
    assert "ReLU" in dying.banner.text and dying.banner.about == "diagnosis"
    dying.banner.buttons[0].click()
    assert dying.studio.document.spec["relu2"].layer.kind == "leaky_relu"


def test_a_sound_run_is_left_in_peace(qtbot: QtBot, window: MainWindow) -> None:
    controller = window.studio.controller
    with qtbot.waitSignal(controller.diagnosed, timeout=20_000):
        controller.run()
        qtbot.waitUntil(lambda: controller.state.step >= 3)
        controller.pause()
    qtbot.waitUntil(lambda: controller.state.phase == RunPhase.PAUSED)
    assert not window.banner.text
