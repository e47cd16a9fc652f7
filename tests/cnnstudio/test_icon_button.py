"""A button with an icon says what it does and follows the theme."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cnnstudio.icon_button import IconButton
from cnnstudio.theme import apply_theme, current_theme


def darkest(button: IconButton) -> QColor:
    """The colour of the drawing where it is densest."""
    image = button.icon().pixmap(20, 20).toImage()
    pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return max(pixels, key=lambda color: color.alpha())


@pytest.mark.parametrize("token", ["text", "muted"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_drawing_has_the_colour_of_the_theme_and_the_text_goes_with_it(
    qtbot: QtBot, qapp: QApplication, theme: str, token: str
) -> None:
    apply_theme(qapp, "light" if theme == "dark" else "dark")
    button = IconButton("next", "One step forward", token=token)
    qtbot.addWidget(button)
    apply_theme(qapp, theme)
    assert darkest(button).name() == current_theme().color(token).name()
    assert button.toolTip() == button.accessibleName() == "One step forward"
    before = button.icon().cacheKey()
    button.show_as("pause", "Pause")
    assert button.icon().cacheKey() != before and button.toolTip() == button.accessibleName() == "Pause"
