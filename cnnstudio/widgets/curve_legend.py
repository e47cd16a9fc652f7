"""The legend of a plot: what its lines mean, and buttons that hide and show them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QToolButton

from cnnstudio.theme import Theme, theme_changed
from cnnstudio.widgets.flow_layout import FlowLayout
from cnnstudio.widgets.line_style import LEGEND_ICON, LineStyle


class CurveLegend(FlowLayout):
    """A button for each line, or for several: a piece of it and its name. What a button shows is seen while it is down."""

    changed = Signal()
    """Another choice is to be seen."""

    def __init__(self) -> None:
        super().__init__(gap=2, line_gap=0)
        self._styles: dict[QToolButton, LineStyle] = {}
        theme_changed.connect(self._retheme)

    def add(self, style: LineStyle) -> QToolButton:
        """A button at the end, which is down."""
        button = QToolButton(self.parentWidget())
        button.setCheckable(True)
        button.setChecked(True)
        button.setProperty("role", "legend")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(LEGEND_ICON)
        button.toggled.connect(self.changed)
        self.addWidget(button)
        self.show_as(button, style)
        button.show()
        return button

    def show_as(self, button: QToolButton, style: LineStyle, text: str = "") -> None:
        """Give a button another line; `text` stands beside it in place of the whole label."""
        self._styles[button] = style
        button.setText(text or style.label)
        button.setIcon(style.icon(button.devicePixelRatioF()))

    def forget(self, button: QToolButton) -> None:
        """Take a button away."""
        del self._styles[button]
        self.removeWidget(button)
        button.hide()
        button.deleteLater()

    @property
    def keys(self) -> list[LineStyle]:
        """What a picture of the chart must say beside it: the lines whose buttons are down."""
        return [style for button, style in self._styles.items() if button.isChecked()]

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        for button, style in self._styles.items():
            button.setIcon(style.icon(button.devicePixelRatioF()))
