"""The one style sheet of the program, written from the tokens of a theme."""

from __future__ import annotations

import tempfile
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnstudio.theme import Theme

# Qt style sheets take arrows and ticks only as image files. They are written here in the theme's own
# colours to a folder that lives as long as the program, as SVG, so that they are sharp at every scale.
_GLYPHS = {
    "down": '<path d="M3 5l4 4 4-4"/>',
    "up": '<path d="M3 9l4-4 4 4"/>',
    "right": '<path d="M5 3l4 4-4 4"/>',
    "check": '<path d="M3 7.5l3 3 5.5-6.5"/>',
    "dash": '<path d="M3.5 7h7"/>',
    "dot": '<circle cx="7" cy="7" r="1.5" stroke-width="3"/>',  # so wide a line leaves no hole
    "close": '<path d="M3 3l8 8m0-8l-8 8"/>',
    "float": '<path d="M2.5 5.5v6h6M5.5 2.5h6v6h-6z"/>',
}
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="14" height="14" viewBox="0 0 14 14" fill="none" '
    'stroke="{color}" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">{shape}</svg>'
)
_folder: tempfile.TemporaryDirectory[str] | None = None


def style_sheet(theme: Theme, text_points: float, line_height: int) -> str:
    """The Qt style sheet of a theme for text of a size in points and of a line height in pixels.

    Widgets choose a variant by the dynamic property `role`: QPushButton and QToolButton "primary" | "go" |
    "danger" | "quiet"; QLabel "title" | "heading" | "section" | "muted" | "error" | "warning" | "ok";
    QFrame "card" | "bar" | "foot" | "info" | "note" | "alert".
    """
    tokens = {name: getattr(theme, name) for name in theme.__dataclass_fields__}
    for name in _GLYPHS:
        tokens[f"{name}_icon"] = _glyph(name, theme.name, theme.muted)
    tokens["check_on_accent"] = _glyph("check", f"{theme.name}-on", theme.on_accent)
    tokens["dash_on_accent"] = _glyph("dash", f"{theme.name}-on", theme.on_accent)
    tokens["dot_on_accent"] = _glyph("dot", f"{theme.name}-on", theme.on_accent)
    tokens["down_off"] = _glyph("down", f"{theme.name}-off", theme.disabled)
    tokens["up_off"] = _glyph("up", f"{theme.name}-off", theme.disabled)
    tokens["small"] = f"{text_points * 0.85:.1f}pt"
    tokens["title"] = f"{text_points * 1.4:.1f}pt"
    tokens["line"] = f"{line_height}px"
    tokens["above_group"] = f"{line_height + 6}px"
    return Template(_SHEET).substitute(tokens)


def _glyph(name: str, variant: str, color: str) -> str:
    global _folder
    if _folder is None:
        _folder = tempfile.TemporaryDirectory(prefix="cnnstudio-look-")
    path = Path(_folder.name) / f"{name}-{variant}.svg"
    path.write_text(_SVG.format(color=color, shape=_GLYPHS[name]), encoding="utf-8")
    return path.as_posix()


# Focus shows as a 2 px accent outline; the padding gives back the pixel so that nothing moves.
_SHEET = """
QToolTip { background: $tooltip; color: $on_tooltip; border: none; padding: 5px 8px; }

QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }

QMainWindow { background: $surface; }
QMainWindow::separator { background: $border; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: $accent; }
QSplitter::handle { background: $border; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: $accent; }

QLabel[role="title"] { font-size: $title; font-weight: 600; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="section"] { color: $muted; font-weight: 600; letter-spacing: 1px; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="error"] { color: $danger; }
QLabel[role="warning"] { color: $warning; }
QLabel[role="ok"] { color: $ok; font-weight: 600; }
QLabel[role="readout"] { background: $tooltip; color: $on_tooltip; border-radius: 5px; padding: 4px 7px; font-size: $small; }
QLabel:disabled { color: $disabled; }
QFrame[role="card"] { background: $surface; border: 1px solid $border; border-radius: 6px; }
QFrame[role="bar"] { background: $window; border: none; border-bottom: 1px solid $border; }
QFrame[role="foot"] { border: none; border-top: 1px solid $border; }
QFrame[role="info"] { background: $accent_soft; border: none; border-radius: 6px; }
QFrame[role="note"] { background: $warning_soft; border: none; border-radius: 6px; }
QFrame[role="alert"] { background: $danger_soft; border: none; border-radius: 6px; }

QPushButton, QToolButton, QComboBox, QSpinBox, QDoubleSpinBox, QLineEdit {
    background: $surface; color: $text; border: 1px solid $control_border; border-radius: 6px;
    padding: 4px 10px; min-height: $line; selection-background-color: $accent; selection-color: $on_accent;
}
QPushButton:hover, QToolButton:hover, QComboBox:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed, QComboBox:on { background: $pressed; }
QPushButton:checked, QToolButton:checked { background: $accent_soft; border-color: $accent; }
QPushButton:focus, QToolButton:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QLineEdit:focus {
    border: 2px solid $accent; padding: 3px 9px;
}
QPushButton:disabled, QToolButton:disabled, QComboBox:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled,
QLineEdit:disabled { color: $disabled; background: $window; border-color: $border; }
QPushButton:default { border-color: $accent; }
QPushButton[role="primary"], QToolButton[role="primary"] {
    background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[role="go"], QToolButton[role="go"] {
    background: $ok; color: $on_ok; border-color: $ok; font-weight: 600; }
QPushButton[role="danger"], QToolButton[role="danger"] {
    background: $danger; color: $on_danger; border-color: $danger; font-weight: 600; }
QPushButton[role="primary"]:focus, QToolButton[role="primary"]:focus, QPushButton[role="go"]:focus,
QToolButton[role="go"]:focus, QPushButton[role="danger"]:focus, QToolButton[role="danger"]:focus {
    border: 2px solid $text; }
QPushButton[role="primary"]:disabled, QToolButton[role="primary"]:disabled, QPushButton[role="go"]:disabled,
QToolButton[role="go"]:disabled, QPushButton[role="danger"]:disabled, QToolButton[role="danger"]:disabled {
    background: $pressed; color: $disabled; border-color: $border; }
QPushButton[role="quiet"], QToolButton[role="quiet"] { background: transparent; border-color: transparent; }
QToolButton[small="true"] { padding: 0; min-height: 0; }
QPushButton[role="quiet"]:hover, QToolButton[role="quiet"]:hover { background: $hover; }
QPushButton[role="quiet"]:pressed, QToolButton[role="quiet"]:pressed { background: $pressed; }
QPushButton[role="quiet"]:checked, QToolButton[role="quiet"]:checked { background: $accent_soft; }
QPushButton[role="quiet"]:focus, QToolButton[role="quiet"]:focus { border: 2px solid $accent; }
QToolButton[role="legend"] { background: transparent; border-color: transparent; padding: 0 4px; }
QToolButton[role="legend"]:!checked { color: $muted; }
QToolButton[role="legend"]:hover { background: $hover; }
QToolButton[role="legend"]:focus { border: 1px solid $accent; }
QPushButton::menu-indicator, QToolButton::menu-indicator { image: url("$down_icon"); width: 14px; height: 14px;
    subcontrol-origin: padding; subcontrol-position: right center; right: 6px; }
QToolButton { padding: 4px 8px; }
QToolButton:focus { padding: 3px 7px; }
QToolButton[small="true"]:focus { padding: 0; border-width: 1px; }
QToolButton[popupMode="1"] { padding-right: 22px; }
QToolButton[popupMode="2"] { padding-right: 22px; }
QToolButton::menu-button { border: none; width: 18px; }
QToolButton::menu-arrow { image: url("$down_icon"); }

QComboBox { padding-right: 3px; combobox-popup: 0; }
QComboBox:focus { padding-right: 2px; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url("$down_icon"); width: 14px; height: 14px; }
QComboBox::down-arrow:disabled { image: url("$down_off"); }
QComboBox QAbstractItemView, QComboBox QAbstractItemView:focus {
    background: $surface; border: 1px solid $control_border; border-radius: 0; padding: 4px;
    selection-background-color: $accent_soft; selection-color: $text; }
QComboBox QAbstractItemView::item { min-height: $line; padding: 2px 6px; border-radius: 4px; }
QComboBox QAbstractItemView::item:selected { background: $accent_soft; color: $text; }

QAbstractSpinBox::up-button { subcontrol-position: top right; margin: 1px 1px 0 0; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; margin: 0 1px 1px 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; border-radius: 4px; width: 20px; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover; }
QAbstractSpinBox::up-arrow { image: url("$up_icon"); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url("$down_icon"); width: 10px; height: 10px; }
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off { image: url("$up_off"); }
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off { image: url("$down_off"); }

QCheckBox, QRadioButton { spacing: 8px; padding: 2px; border: 1px solid transparent; border-radius: 4px; }
QCheckBox:focus, QRadioButton:focus { border-color: $accent; }
QCheckBox::indicator, QRadioButton::indicator, QGroupBox::indicator {
    width: 14px; height: 14px; background: $surface; border: 1px solid $wire; border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked, QGroupBox::indicator:checked {
    background: $accent; border-color: $accent; image: url("$check_on_accent"); }
QCheckBox::indicator:indeterminate {
    background: $accent; border-color: $accent; image: url("$dash_on_accent"); }
QRadioButton::indicator:checked {
    background: $accent; border-color: $accent; image: url("$dot_on_accent"); }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {
    border-color: $border; background: $window; }
QCheckBox:disabled, QRadioButton:disabled { color: $disabled; }

QPlainTextEdit, QTextEdit, QTextBrowser {
    background: $surface; color: $text; border: 1px solid $border; border-radius: 6px;
    selection-background-color: $accent; selection-color: $on_accent; }
QPlainTextEdit:focus, QTextEdit:focus { border-color: $accent; }

QGroupBox { border: 1px solid $border; border-radius: 6px; margin-top: $above_group; padding: 8px; font-weight: 600; }
QGroupBox::title { subcontrol-origin: margin; left: 2px; color: $muted; }

QTabWidget::pane { border: none; border-top: 1px solid $border; }
QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: $muted; border: none; border-bottom: 2px solid transparent;
    padding: 6px 8px; margin: 0 2px; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; font-weight: 600; }
QTabBar::tab:focus { background: $accent_soft; border-radius: 4px; }
QTabBar::tab:disabled { color: $disabled; }
QTabBar::close-button { image: url("$close_icon"); border-radius: 4px; }
QTabBar::close-button:hover { background: $pressed; }

QDockWidget { color: $text; font-weight: 600; titlebar-close-icon: url("$close_icon");
    titlebar-normal-icon: url("$float_icon"); }
QDockWidget::title { background: $surface; padding: 7px 10px; text-align: left; }
QDockWidget::close-button, QDockWidget::float-button {
    background: transparent; border: none; border-radius: 4px; padding: 0; icon-size: 14px; }
QDockWidget::close-button:hover, QDockWidget::float-button:hover { background: $pressed; }

QMenuBar { background: $window; border: none; padding: 2px 6px; }
QMenuBar::item { background: transparent; padding: 5px 9px; border-radius: 5px; }
QMenuBar::item:selected { background: $pressed; }
QMenu { background: $surface; border: 1px solid $control_border; padding: 5px; }
QMenu::item { padding: 6px 28px 6px 26px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $border; margin: 5px 6px; }
QMenu::icon { padding-left: 6px; }
QMenu::indicator { width: 14px; height: 14px; left: 7px; }
QMenu::indicator:checked { image: url("$check_icon"); }
QMenu::indicator:exclusive:checked { image: url("$dot_icon"); }
QMenu::right-arrow { image: url("$right_icon"); width: 14px; height: 14px; right: 6px; }

QToolBar { background: $window; border: none; border-bottom: 1px solid $border;
    padding: 5px 8px; spacing: 8px; }
QToolBar::separator { background: $border; width: 1px; margin: 4px 4px; }
QStatusBar { background: $window; border-top: 1px solid $border; color: $muted; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: $muted; padding: 1px 6px; }

QScrollBar { background: transparent; border: none; margin: 0; }
QScrollBar:vertical { width: 12px; }
QScrollBar:horizontal { height: 12px; }
QScrollBar::handle { background: $control_border; border-radius: 4px; margin: 2px; }
QScrollBar::handle:hover { background: $wire; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }

QProgressBar { background: $pressed; border: none; border-radius: 3px; min-height: 6px; max-height: 6px;
    color: transparent; }
QProgressBar::chunk { background: $ok; border-radius: 3px; }

QSlider { min-height: 20px; border: 1px solid transparent; border-radius: 6px; }
QSlider:focus { border-color: $accent; }
QSlider::groove:horizontal { height: 4px; background: $pressed; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -6px 0; border-radius: 8px;
    background: $surface; border: 1px solid $wire; }
QSlider::handle:horizontal:hover { border-color: $accent; }
QSlider::sub-page:horizontal:disabled { background: $control_border; }

QAbstractItemView { background: $surface; alternate-background-color: $window; color: $text;
    border: 1px solid $border; border-radius: 6px; outline: none; gridline-color: $border;
    selection-background-color: $accent_soft; selection-color: $text; }
QListView::item, QTreeView::item { padding: 4px 6px; border-radius: 4px; }
QListView::item:hover, QTreeView::item:hover { background: $hover; }
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected {
    background: $accent_soft; color: $text; }
QListView[role="pictures"]::item:selected { background: $accent; }
QListView:focus, QTreeView:focus, QTableView:focus { border-color: $accent; }
QTreeView::branch:closed:has-children { image: url("$right_icon"); }
QTreeView::branch:open:has-children { image: url("$down_icon"); }
QTableView::item { padding: 3px 6px; }
QHeaderView { background: $surface; border: none; }
QHeaderView::section { background: $surface; color: $muted; border: none; border-bottom: 1px solid $border;
    padding: 5px 8px; font-weight: 600; }
QTableCornerButton::section { background: $surface; border: none; border-bottom: 1px solid $border; }
"""
