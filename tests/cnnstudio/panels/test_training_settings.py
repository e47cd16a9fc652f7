"""The form of all training settings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from cnnstudio.panels.training_settings import KINDS, TrainingSettingsPanel
from cnnstudio.setting_change import Change
from engine.settings import TrainSettings


@pytest.fixture
def panel(qtbot: QtBot) -> TrainingSettingsPanel:
    """The form, in force as soon as something is changed, as in the program."""
    panel = TrainingSettingsPanel()
    qtbot.addWidget(panel)

    def take(change: Change) -> None:
        panel.show_settings(replace(panel._settings, **{change.option: change.value}))

    panel.changed.connect(take)
    panel.show()
    panel.show_settings(TrainSettings())
    qtbot.waitExposed(panel)
    return panel


def test_a_choice_outlives_the_signal_by_which_it_asks_for_another_form(panel: TrainingSettingsPanel) -> None:
    choice = panel._parts["optimizer"].choice
    told: list[bool] = []
    choice.activated.connect(lambda _: told.append(isValid(choice)))  # told after the panel
    QTest.keyClick(choice, Qt.Key.Key_Down)
    assert told == [True]


def test_the_arrow_keys_go_on_choosing_in_the_new_form(panel: TrainingSettingsPanel) -> None:
    panel._parts["optimizer"].choice.setFocus()
    kinds = []
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Down):
        QTest.keyClick(panel.window().focusWidget(), key)
        kinds.append(panel._settings.optimizer.kind)
    assert kinds == list(KINDS["optimizer"])[:2]
