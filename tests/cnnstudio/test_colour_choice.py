"""Another colour map reaches every picture of its kind, is remembered, and leaves the other kind alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cnnstudio.colour_choice import ColourChoice
from cnnstudio.mainwindow import MainWindow
from cnnstudio.theme import apply_theme
from cnnstudio.widgets.colormaps import CHOICES, choose_colormap, indices, lut, sign_colors, value_range
from tests.cnnstudio.panels.pixels import assert_shows, network_of


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    for kind, names in CHOICES.items():
        choose_colormap(kind, names[0])


def test_activations_are_coloured_anew_and_the_choice_is_kept(qtbot: QtBot, window: MainWindow) -> None:
    window.view.show_block("conv1")
    view = window.feature_maps.view
    qtbot.waitUntil(lambda: view.maps is not None and len(view.maps) == 8)
    next(action for action in window.colours.activations if action.data()[1] == "magma").trigger()
    assert view.colormap == "magma" and window.kernels.view.colormap == "diverging"
    assert window.settings.colormap == "magma"
    picture, maps = view.viewport().grab().toImage(), view.maps
    assert maps is not None
    low, high = value_range(maps, "activation")
    at = view.cell_rect(2, 3, 4).center() * picture.devicePixelRatio()
    color = picture.pixelColor(int(at.x()), int(at.y()))
    expected = lut("magma")[indices(maps[2, 3, 4][None], low, high)[0]]
    assert (color.red(), color.green(), color.blue()) == tuple(int(c) for c in expected)


def test_signed_numbers_are_coloured_anew_and_the_choice_is_kept(qtbot: QtBot, qapp: QApplication, window: MainWindow) -> None:
    window.view.show_block("conv1")
    view = window.kernels.view
    qtbot.waitUntil(lambda: view.maps is not None and window.feature_maps.view.maps is not None)
    next(action for action in window.colours.signed if action.data()[1] == "diverging-teal").trigger()
    assert view.colormap == "diverging-teal" and window.feature_maps.view.colormap == "viridis"
    assert_shows(view, network_of(window.studio).parameters.named["conv1.W"][:, 0])
    assert window.settings.signed_colormap == "diverging-teal"
    assert sign_colors() == tuple(f"#{bytes(lut('diverging-teal')[row]).hex()}" for row in (64, 191))
    apply_theme(qapp, "dark")
    assert view.colormap == "diverging-teal-dark"
    apply_theme(qapp, "light")
    choose_colormap("weight", "diverging")
    again = ColourChoice(window.settings)
    assert [action.isChecked() for action in again.signed] == [False, False, True]


def test_an_unsuitable_map_is_refused() -> None:
    with pytest.raises(ValueError, match="diverging"):
        choose_colormap("activation", "diverging")
    with pytest.raises(ValueError, match="viridis"):
        choose_colormap("weight", "viridis")
