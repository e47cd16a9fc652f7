"""The network that is trained follows the document: live, or built anew with the weights that still fit."""

from __future__ import annotations

import numpy as np
from pytestqt.qtbot import QtBot

from cnnstudio.document.graph import Place
from cnnstudio.mainwindow import MainWindow
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.studio import Studio
from engine.templates import Template
from tests.cnnstudio.driven import phase, train, weights


def test_an_edit_of_a_trained_network_keeps_the_other_weights(qtbot: QtBot, window: MainWindow) -> None:
    studio = window.studio
    train(qtbot, studio, 3)
    before = weights(studio)
    studio.document.set_option("conv2", "depth", 12)
    qtbot.waitUntil(lambda: "Conv 2" in window.banner.text)
    assert "FC 1" in window.banner.text and "Conv 1" not in window.banner.text
    np.testing.assert_array_equal(weights(studio).weights()["conv1.W"], before.weights()["conv1.W"])
    studio.document.undo_stack.undo()
    studio.settle()
    np.testing.assert_array_equal(weights(studio).parameters, before.parameters)


def test_an_edit_while_training_pauses_and_offers_to_go_on(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_.train.trigger()
    controller = window.studio.controller
    qtbot.waitUntil(lambda: controller.state.step > 0)
    window.view.canvas.select([next(b.id for b in window.studio.document.graph.main if b.node.layer.kind == "relu")])
    window.view.editor.delete()
    qtbot.waitUntil(lambda: len(window.banner.buttons) == 1)
    assert controller.state.phase != RunPhase.RUNNING and "paused" in window.banner.text
    window.banner.buttons[0].click()
    qtbot.waitUntil(lambda: controller.state.phase == RunPhase.RUNNING)
    assert window.banner.text == ""


def test_a_dropout_rate_changes_while_training_goes_on(qtbot: QtBot, window: MainWindow) -> None:
    studio, controller = window.studio, window.studio.controller
    dense = next(b.id for b in studio.document.graph.main if b.node.layer.kind == "dense")
    studio.document.place("dropout", Place(studio.document.graph.previous(dense) or "", dense))
    studio.settle()
    window.actions_.train.trigger()
    qtbot.waitUntil(lambda: controller.state.step > 1)
    dropout = next(b.id for b in studio.document.graph.main if b.node.layer.kind == "dropout")
    for rate in (0.2, 0.9):
        studio.document.set_option(dropout, "rate", rate)
    assert controller.state.phase == RunPhase.RUNNING
    before = controller.state.step
    qtbot.waitUntil(lambda: controller.state.step > before)
    assert weights(studio).spec == studio.document.spec
    assert window.banner.text == ""


def test_settings_reach_a_running_training_between_two_batches(qtbot: QtBot, window: MainWindow) -> None:
    studio = window.studio
    studio.change(Change("epochs", 500))
    window.actions_.train.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.step > 2)
    studio.change(Change("learning_rate", 0.0123))
    qtbot.waitUntil(lambda: bool(np.isclose(studio.controller.history.learning_rate[-1:], 0.0123).any()))
    assert phase(studio) == RunPhase.RUNNING
    studio.controller.stop()


def test_a_document_that_is_left_while_it_trains_is_no_run_to_go_on_with(
    qtbot: QtBot, studio: Studio, templates: tuple[Template, ...]
) -> None:
    studio.document.set_option("conv2", "depth", 12)
    studio.change(Change("epochs", 500))
    studio.settle()
    studio.controller.run()
    qtbot.waitUntil(lambda: studio.controller.state.step > 2)
    told: list[object] = []
    studio.rebuilt.connect(lambda *said: told.append(said))
    studio.begin(next(t for t in templates if t.name == "digits"))
    studio.settle()
    qtbot.waitUntil(lambda: phase(studio) == RunPhase.READY)
    assert told == []
