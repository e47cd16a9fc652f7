"""Another colour map reaches every picture of activations, is remembered, and leaves weights alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.widgets.colormaps import SEQUENTIAL, choose_activation_colormap, indices, lut, value_range


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    choose_activation_colormap(SEQUENTIAL[0])


def test_activations_are_coloured_anew_and_the_choice_is_kept(qtbot: QtBot, window: MainWindow) -> None:
    window.view.show_block("conv1")
    view = window.feature_maps.view
    qtbot.waitUntil(lambda: view.maps is not None and len(view.maps) == 8)
    next(action for action in window.colours.actions if action.data() == "magma").trigger()
    assert view.colormap == "magma" and window.kernels.view.colormap == "diverging"
    assert window.settings.colormap == "magma"
    picture, maps = view.viewport().grab().toImage(), view.maps
    assert maps is not None
    low, high = value_range(maps, "activation")
    at = view.cell_rect(2, 3, 4).center() * picture.devicePixelRatio()
    color = picture.pixelColor(int(at.x()), int(at.y()))
    expected = lut("magma")[indices(maps[2, 3, 4][None], low, high)[0]]
    assert (color.red(), color.green(), color.blue()) == tuple(int(c) for c in expected)


def test_an_unsuitable_map_is_refused() -> None:
    with pytest.raises(ValueError, match="diverging"):
        choose_activation_colormap("diverging")
