"""Every panel with pictures says what to do and offers copying and saving."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QMenu, QToolButton
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.panel_tools import PanelTools


@pytest.mark.parametrize("name", ["kernels", "feature_maps", "dense", "gradients", "confusion"])
def test_a_panel_explains_itself_and_copies_its_values(qtbot: QtBot, window: MainWindow, name: str) -> None:
    window.docks.bring_up(name)
    window.view.show_block("conv1")
    panel = getattr(window, name)
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    tools = panel.findChild(PanelTools)
    assert panel.statusTip() and panel.whatsThis().startswith(panel.statusTip())
    more = next(b for b in tools.findChildren(QToolButton) if b.accessibleName() == "Copy or save this picture")
    more.click()
    menu = panel.view.findChild(QMenu)
    assert [action.isEnabled() for action in menu.actions()][:3] == [True, True, True]
    menu.close()
    assert panel.view.values_csv().count("\n") > 3
