"""The look of the program: colour tokens for light and dark, fonts, spacing, and switching between them."""

import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from cnnstudio.style_sheet import style_sheet

Mode = Literal["light", "dark", "system"]


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one mode, as "#rrggbb"; text reaches WCAG AA on every ground it may stand on."""

    name: Literal["light", "dark"]
    window: str  # ground of the main window, tool bars and dock titles
    surface: str  # ground of panels, blocks, lists, inputs
    canvas: str  # ground of the network canvas
    canvas_dot: str  # the dots of the canvas grid
    border: str  # 1 px lines between areas
    control_border: str  # 1 px outline of buttons and inputs
    hover: str  # ground of a control under the pointer
    pressed: str  # ground of a control held down
    text: str
    muted: str  # secondary text
    disabled: str  # text of what cannot be used now (exempt from AA)
    accent: str  # focus, selection, links, the primary button
    on_accent: str  # text on accent
    accent_soft: str  # ground of selected rows and checked tool buttons
    danger: str
    on_danger: str
    warning: str
    warning_soft: str  # ground of warning notes
    danger_soft: str  # ground of error notes
    ok: str
    on_ok: str
    wire: str  # arrows between blocks
    tooltip: str
    on_tooltip: str
    loss: str  # curve of the loss
    accuracy: str  # curve of the accuracy
    rate: str  # curve of the learning rate
    run1: str  # curves of runs, or of layers, that are shown together, told apart also by colour-blind eyes
    run2: str
    run3: str
    run4: str
    run5: str
    run6: str
    highlight: str  # outline of a window or cell over pictures
    winner: str  # mark of a pooling winner and of the top class
    positive: str  # a number above 0, in the red that weights have
    negative: str  # a number below 0, in the blue that weights have

    @property
    def dark(self) -> bool:
        """Whether light text stands on dark grounds."""
        return self.name == "dark"

    def color(self, token: str) -> QColor:
        """The token as a QColor, for painting code."""
        return QColor(getattr(self, token))


LIGHT = Theme(
    name="light",
    window="#f6f7f9",
    surface="#ffffff",
    canvas="#eef0f4",
    canvas_dot="#d3d8e0",
    border="#dde1e7",
    control_border="#c9cfd8",
    hover="#f0f3f7",
    pressed="#e4e9f0",
    text="#1b222c",
    muted="#596273",
    disabled="#a2a9b5",
    accent="#1c68d0",
    on_accent="#ffffff",
    accent_soft="#e2edfc",
    danger="#c3271c",
    on_danger="#ffffff",
    warning="#8a5300",
    warning_soft="#fdf3dc",
    danger_soft="#fdeae8",
    ok="#1c7a34",
    on_ok="#ffffff",
    wire="#8189a0",
    tooltip="#232a35",
    on_tooltip="#f3f5f8",
    loss="#c8321f",
    accuracy="#1a6fbd",
    rate="#7b4bb0",
    run1="#1565d0",
    run2="#b45400",
    run3="#00805c",
    run4="#9c4f9a",
    run5="#584400",
    run6="#3a3f50",
    highlight="#f08c00",
    winner="#0b8074",
    positive="#b3202c",
    negative="#1c55b0",
)

DARK = Theme(
    name="dark",
    window="#1d2127",
    surface="#24292f",
    canvas="#191c21",
    canvas_dot="#30363f",
    border="#363d47",
    control_border="#474f5b",
    hover="#2d333b",
    pressed="#383f49",
    text="#e8ebef",
    muted="#a6afbc",
    disabled="#69717d",
    accent="#6cabf7",
    on_accent="#0c1622",
    accent_soft="#243a56",
    danger="#ff8579",
    on_danger="#250906",
    warning="#f2b94b",
    warning_soft="#3a3020",
    danger_soft="#44262a",
    ok="#5fc77a",
    on_ok="#07200f",
    wire="#7c8698",
    tooltip="#e8ebef",
    on_tooltip="#1b222c",
    loss="#ff8a75",
    accuracy="#66b2f5",
    rate="#c3a1f0",
    run1="#4aa3f7",
    run2="#fa864c",
    run3="#37ea8c",
    run4="#ff9db4",
    run5="#f3e03c",
    run6="#cab6ec",
    highlight="#ffac3d",
    winner="#3ccbb9",
    positive="#ff9c8f",
    negative="#8fbcff",
)

# Headers of blocks, chips and bars; the same in light and dark, and so deep that small white text is readable.
LAYER_COLORS = {
    "input": "#3fae2a",
    "conv": "#1f7ac2",
    "activation": "#6b7485",
    "pool": "#f0a30a",
    "norm": "#586adf",
    "flatten": "#d43e26",
    "dense": "#c2308f",
    "dropout": "#7a6a58",
    "output": "#0c8378",
}

# The layer colours that are too deep for icons, stripes and outlines on a dark ground, as they are drawn there.
_STROKES_ON_DARK = {
    "conv": "#4f9fe0",
    "activation": "#97a1b1",
    "norm": "#929eff",
    "flatten": "#f5796a",
    "dense": "#ea72bd",
    "dropout": "#b09d8a",
    "output": "#2fb3a4",
}

# Distances in logical pixels: everything sits on a grid of 8, small things on 4.
SPACE_XS, SPACE_S, SPACE_M, SPACE_L, SPACE_XL = 4, 8, 12, 16, 24
RADIUS = 6


def layer_color(role: str) -> str:
    """The colour "#rrggbb" of a layer role (a key of `LAYER_COLORS`); KeyError for an unknown role."""
    return LAYER_COLORS[role]


def layer_stroke(role: str, theme: Theme) -> str:
    """The colour of a layer role for thin strokes on the grounds of a theme."""
    return _STROKES_ON_DARK.get(role, layer_color(role)) if theme.dark else layer_color(role)


def layer_ink(role: str) -> str:
    """The text colour, white or black, to use on a layer's colour."""
    return ink_on(layer_color(role))


@lru_cache(1024)
def ink_on(ground: str) -> str:
    """White where it reaches 4.5:1 on the ground, else black, which then always does."""
    return "#ffffff" if contrast("#ffffff", ground) >= 4.5 else "#000000"


def contrast(first: str, second: str) -> float:
    """The WCAG 2 contrast ratio of two colours, 1 to 21 (source: WCAG 2.1, success criterion 1.4.3)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# --- fonts ------------------------------------------------------------------------------------------------

_UI_FAMILIES = {
    "win32": ["Segoe UI", "Microsoft YaHei UI", "Microsoft YaHei"],
    "darwin": ["PingFang SC", "Hiragino Sans GB"],
    "linux": ["Noto Sans CJK SC", "Noto Sans SC", "WenQuanYi Micro Hei", "Droid Sans Fallback"],
}
_MONO_FAMILIES = {
    "win32": ["Cascadia Mono", "Consolas"],
    "darwin": ["SF Mono", "Menlo"],
    "linux": ["DejaVu Sans Mono", "Noto Sans Mono", "Liberation Mono"],
}
_base_points: float | None = None
_text_scale = 1.0


def ui_font(scale: float = 1.0, *, bold: bool = False) -> QFont:
    """The system's interface font at `scale` times its size, with Chinese fallbacks and tabular digits."""
    return QFont(_ui_font(scale, bold))  # a copy, which the caller may change


@lru_cache
def _ui_font(scale: float, bold: bool) -> QFont:
    font = _sized(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont), scale, bold)
    families = [f for f in _platform(_UI_FAMILIES) if f in _installed() and f != font.family()]
    font.setFamilies([font.family(), *families])
    return font


def in_type(pixels: float) -> int:
    """A length that grows with the type, from its pixels at the system's size."""
    return round(pixels * _text_scale)


def number_font(scale: float = 1.0, *, bold: bool = False) -> QFont:
    """A monospaced font for numbers, code and matrices at `scale` times the interface size."""
    return QFont(_number_font(scale, bold))


@lru_cache
def _number_font(scale: float, bold: bool) -> QFont:
    font = _sized(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont), scale, bold)
    families = [f for f in _platform(_MONO_FAMILIES) if f in _installed()]
    font.setFamilies([*families, font.family()])
    font.setStyleHint(QFont.StyleHint.Monospace)
    return font


@lru_cache
def _installed() -> frozenset[str]:
    return frozenset(QFontDatabase.families())


def _sized(font: QFont, scale: float, bold: bool) -> QFont:
    global _base_points
    if _base_points is None:
        _base_points = max(font.pointSizeF(), 9.0)
    font.setPointSizeF(_base_points * _text_scale * scale)
    font.setBold(bold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _platform(table: dict[str, list[str]]) -> list[str]:
    return table.get(sys.platform, table["linux"])


# --- switching --------------------------------------------------------------------------------------------


class _Switch(QObject):
    """Holds the theme in force and follows the desktop while the mode is "system"."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.theme = LIGHT
        self.mode: Mode = "light"

    @Slot(Qt.ColorScheme)
    def follow_system(self, scheme: Qt.ColorScheme) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            _wear(app, DARK if scheme == Qt.ColorScheme.Dark else LIGHT)


_switch = _Switch()

theme_changed = _switch.changed
"""Signal carrying the new `Theme`, sent after palette, fonts and style sheet have changed."""


def current_theme() -> Theme:
    """The theme in force; light until `apply_theme` has been called."""
    return _switch.theme


def apply_theme(app: QApplication, mode: Mode, *, text_scale: float = 1.0) -> Theme:
    """Give the whole program the look of `mode`, with text at `text_scale` times the system's size.

    "system" follows the desktop's light or dark setting, now and when it changes.
    """
    global _text_scale
    _text_scale = text_scale
    _ui_font.cache_clear()
    _number_font.cache_clear()
    hints = QGuiApplication.styleHints()
    if _switch.mode == "system":
        hints.colorSchemeChanged.disconnect(_switch.follow_system)
    _switch.mode = mode
    scheme = Qt.ColorScheme
    # Asked for even where our own palette decides: it also colours native title bars and file dialogs.
    hints.setColorScheme({"light": scheme.Light, "dark": scheme.Dark, "system": scheme.Unknown}[mode])
    dark = mode == "dark" or (mode == "system" and hints.colorScheme() == scheme.Dark)
    _wear(app, DARK if dark else LIGHT)
    if mode == "system":
        hints.colorSchemeChanged.connect(_switch.follow_system)
    return _switch.theme


def _wear(app: QApplication, theme: Theme) -> None:
    _switch.theme = theme
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    app.setFont(ui_font())
    app.setPalette(_palette(theme))
    app.setStyleSheet(style_sheet(theme, ui_font().pointSizeF(), QFontMetrics(ui_font()).height()))
    _switch.changed.emit(theme)


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    colors = {
        role.Window: theme.surface,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.window,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.surface,
        role.ButtonText: theme.text,
        role.BrightText: theme.danger,
        role.Light: theme.surface,
        role.Midlight: theme.hover,
        role.Mid: theme.border,
        role.Dark: theme.control_border,
        role.Shadow: theme.control_border,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Accent: theme.accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.ToolTipBase: theme.tooltip,
        role.ToolTipText: theme.on_tooltip,
    }
    palette = QPalette()
    for key, value in colors.items():
        palette.setColor(key, QColor(value))
    for key in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, key, QColor(theme.disabled))
    return palette
