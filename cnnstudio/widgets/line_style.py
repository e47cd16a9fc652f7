"""How a curve is drawn, in a chart and in its legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

from cnnstudio.theme import current_theme

Axis = Literal["left", "right", "rate"]
"""Losses, accuracies in percent, learning rates."""
LEGEND_ICON = QSize(30, 12)
"""Of a piece of a line in a legend."""
_OFF = 0.35
"""How much of its colour a piece has whose line is not shown."""


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How a series is drawn; `color` is a theme token; validation is dashed with markers."""

    label: str
    axis: Axis = "left"
    color: str = "loss"
    validation: bool = False
    dashes: tuple[int, ...] = ()
    """Lengths of dashes and gaps in widths of the line; empty for a whole line."""

    @property
    def pattern(self) -> tuple[int, ...]:
        """The dashes and gaps that are drawn."""
        return (4, 3) if self.validation else self.dashes

    def ink(self, strength: float = 1.0) -> QColor:
        """The colour in the theme in force, mixed with its ground."""
        theme = current_theme()
        color, ground = theme.color(self.color), theme.color("surface")
        return QColor.fromRgbF(
            *(
                strength * of_line + (1 - strength) * of_ground
                for of_line, of_ground in (
                    (color.redF(), ground.redF()),
                    (color.greenF(), ground.greenF()),
                    (color.blueF(), ground.blueF()),
                )
            )
        )

    def pen(self, width: float, strength: float = 1.0) -> QPen:
        """The pen of the line, its width in device pixels."""
        pen = QPen(self.ink(strength), width)
        pen.setCosmetic(True)
        if self.pattern:
            pen.setDashPattern(self.pattern)
        return pen

    def icon(self, scale: float) -> QIcon:
        """A short piece of the line, for the legend; pale on a button that is not down."""
        icon = QIcon()
        for state, strength in ((QIcon.State.On, 1.0), (QIcon.State.Off, _OFF)):
            icon.addPixmap(self._piece(scale, strength), QIcon.Mode.Normal, state)
        return icon

    def _piece(self, scale: float, strength: float) -> QPixmap:
        size = LEGEND_ICON
        pixmap = QPixmap(size * scale)
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.pen(2.0 * scale, strength))
        painter.drawLine(QPointF(1, 6), QPointF(25, 6))  # the rest is a gap before the name
        if self.validation:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.ink(strength))
            painter.drawEllipse(QPointF(13, 6), 3, 3)
        painter.end()
        return pixmap
