"""The look: contrast of every text on every ground, fonts with Chinese, switching between light and dark."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontInfo, QFontMetrics, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

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
    number_font,
    theme_changed,
    ui_font,
)

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


@pytest.mark.parametrize("role", LAYER_COLORS)
def test_text_on_a_layer_colour_is_readable(role: str):
    assert contrast(layer_ink(role, bold=True), layer_color(role)) >= 3.0
    assert contrast(layer_ink(role, bold=False), layer_color(role)) >= 4.5


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
