"""The look: contrast of every text on every ground, fonts with Chinese, switching between light and dark."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QColor, QFontInfo, QFontMetrics, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QWidget

from cnnstudio.banner import Banner
from cnnstudio.theme import (
    DARK,
    LAYER_COLORS,
    LIGHT,
    Theme,
    apply_theme,
    contrast,
    current_theme,
    ink_on,
    layer_color,
    layer_ink,
    layer_stroke,
    number_font,
    theme_changed,
    ui_font,
)
from cnnstudio.widgets.training_plot import RUN_COLORS

GROUNDS = ("window", "surface", "canvas", "hover", "pressed", "accent_soft")
READ_ON_GROUNDS = ("text",)
READ_ON_PANELS = ("muted", "accent", "danger", "warning", "ok", "loss", "accuracy", "rate",
                  "run1", "run2", "run3", "run4", "run5", "run6")  # fmt: skip
PAIRS = [
    *((ink, ground) for ink in READ_ON_GROUNDS for ground in GROUNDS),
    *((ink, ground) for ink in READ_ON_PANELS for ground in ("window", "surface")),
    ("muted", "canvas"),
    ("muted", "hover"),
    ("on_accent", "accent"),
    ("on_danger", "danger"),
    ("on_ok", "ok"),
    ("on_tooltip", "tooltip"),
    ("warning", "warning_soft"),
    ("danger", "danger_soft"),
    ("text", "danger_soft"),
    ("text", "warning_soft"),
]
# Lines that carry meaning without being text.
LINES = [("wire", "canvas"), ("wire", "surface"), ("winner", "surface"), ("accent", "canvas")]


@pytest.fixture
def app(qapp: QApplication) -> QApplication:
    yield qapp
    apply_theme(qapp, "light")


def test_the_contrast_formula_gives_the_ratios_of_the_wcag():
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the well-known near miss
    assert contrast("#123456", "#123456") == 1.0


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_reaches_wcag_aa(theme: Theme, ink: str, ground: str):
    assert contrast(getattr(theme, ink), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize(("line", "ground"), LINES)
def test_meaningful_lines_reach_three_to_one(theme: Theme, line: str, ground: str):
    assert contrast(getattr(theme, line), getattr(theme, ground)) >= 3.0


# What is left of red, green and blue light without one kind of cones (Machado, Oliveira and Fernandes 2009, severity 1).
COLOUR_VISION = {
    "full": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(color: str, vision: ArrayLike) -> NDArray[np.float64]:
    """CIE L*a*b* of what is seen of a colour "#rrggbb"; a distance of 2.3 is just noticed."""
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    light = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(vision) @ light, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ seen / to_xyz.sum(axis=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", COLOUR_VISION)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_curves_that_are_shown_together_are_told_apart_by_every_eye(theme: Theme, vision: str):
    seen = [lab(getattr(theme, token), COLOUR_VISION[vision]) for token in RUN_COLORS]
    assert min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)) > 15


@pytest.mark.parametrize("role", LAYER_COLORS)
def test_text_on_a_layer_colour_is_readable(role: str):
    assert contrast(layer_ink(role), layer_color(role)) >= 4.5


@pytest.mark.parametrize("role", LAYER_COLORS)
def test_thin_strokes_of_a_layer_are_seen_on_dark_grounds(role: str):
    assert contrast(layer_stroke(role, DARK), DARK.surface) >= 4.5
    assert layer_stroke(role, LIGHT) == layer_color(role)


def test_only_the_bright_layer_colours_need_black_letters():
    assert [role for role in LAYER_COLORS if layer_ink(role) == "#000000"] == ["input", "pool"]


@pytest.mark.parametrize("grey", range(0, 256, 5))
def test_black_or_white_is_readable_on_every_ground(grey: int):
    ground = f"#{grey:02x}{grey:02x}{grey:02x}"
    assert contrast(ink_on(ground), ground) >= 4.5


def test_switching_changes_palette_and_tells_who_listens(app: QApplication, qtbot):
    apply_theme(app, "light")
    with qtbot.waitSignal(theme_changed) as told:
        apply_theme(app, "dark")
    assert told.args == [DARK]
    assert current_theme() is DARK
    assert app.palette().color(QPalette.ColorRole.Base) == QColor(DARK.surface)
    apply_theme(app, "light")
    assert app.palette().color(QPalette.ColorRole.Base) == QColor(LIGHT.surface)


def test_system_follows_the_desktop_and_then_stops(app: QApplication, qtbot):
    apply_theme(app, "system")
    hints = QGuiApplication.styleHints()
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert current_theme() is DARK
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert current_theme() is LIGHT
    apply_theme(app, "light")
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert current_theme() is LIGHT


def test_a_focused_button_has_a_ring_and_does_not_grow(app: QApplication, qtbot):
    apply_theme(app, "light")
    window = QWidget()
    qtbot.addWidget(window)
    button = QPushButton("Train", window)
    window.show()
    before = button.sizeHint()
    window.activateWindow()
    button.setFocus()
    qtbot.waitUntil(button.hasFocus)
    assert button.sizeHint() == before
    edge = button.grab().toImage().pixelColor(button.width() // 2, 1)
    assert edge.name() == LIGHT.accent


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_choice_in_a_menu_is_marked_by_a_full_dot(app: QApplication, qtbot, theme: str):
    apply_theme(app, theme)
    try:
        menu = QMenu()
        qtbot.addWidget(menu)
        group = QActionGroup(menu)
        for text in ("one", "two"):
            action = QAction(text, group)
            action.setCheckable(True)
            menu.addAction(action)
        group.actions()[0].setChecked(True)
        menu.show()
        box, picture = menu.actionGeometry(group.actions()[0]), menu.grab().toImage()
        row = [picture.pixelColor(x, box.center().y()) == current_theme().color("muted") for x in range(box.left() + 24)]
        assert sum(row) >= 4 and "".join(map(str, map(int, row))).strip("0") == "1" * sum(row)
    finally:
        apply_theme(app, "light")


@pytest.mark.parametrize(("kind", "token"), [("info", "accent_soft"), ("warning", "warning_soft"), ("error", "danger_soft")])
def test_a_banner_hides_what_it_lies_on(app: QApplication, qtbot, kind: str, token: str):
    apply_theme(app, "light")
    canvas = QWidget()
    qtbot.addWidget(canvas)
    banner = Banner(canvas)
    banner.show_message(kind, "Something has happened.")
    canvas.show()
    banner.adjustSize()
    assert canvas.grab().toImage().pixelColor(4, banner.height() // 2).name() == getattr(LIGHT, token)


def test_digits_are_equally_wide_in_both_fonts(app: QApplication):
    for font in (ui_font(), number_font()):
        metrics = QFontMetrics(font)
        assert len({metrics.horizontalAdvance(digit * 10) for digit in "0123456789"}) == 1


def test_larger_text_scales_every_font(app: QApplication):
    apply_theme(app, "light", text_scale=1.0)
    normal = ui_font().pointSizeF(), number_font(0.9).pointSizeF()
    apply_theme(app, "light", text_scale=1.5)
    assert ui_font().pointSizeF() == pytest.approx(1.5 * normal[0])
    assert number_font(0.9).pointSizeF() == pytest.approx(1.5 * normal[1])
    assert QFontInfo(app.font()).pointSizeF() == pytest.approx(1.5 * normal[0], rel=0.1)


def test_chinese_falls_back_to_a_font_that_is_installed(app: QApplication):
    families = ui_font().families()
    assert families[0]
    assert QFontMetrics(ui_font()).inFontUcs4(ord("卷")) or len(families) > 1
