"""What a chart draws of one series: the line, its faint unsmoothed twin, the markers."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QPen

import pyqtgraph as pg  # isort: skip  (after PySide6)

from cnnstudio.theme import current_theme
from cnnstudio.widgets.curve_series import Points
from cnnstudio.widgets.line_style import LineStyle

_MARKER, _RIM = 8, 1.5
"""Diameter of a marker in logical pixels, and of that its rim in the colour of the ground: a noisy curve does not hide it."""
_WIDTH = 1.5
_MOST_MARKERS = 150
_CALM, _SHORT = 30.0, 300
"""Heights of a view that a smooth line may travel, and points that a line of dashes may have."""


class CurveLine:
    """The items of one series, for the view of its axis."""

    def __init__(self, style: LineStyle, scale: float) -> None:
        """`scale` is the number of device pixels in a logical one."""
        self.style = style
        self.faint = pg.PlotCurveItem(connect="finite")
        self.line = pg.PlotCurveItem(connect="finite", antialias=True)
        self.faint.setSegmentedLineMode("on")
        self.markers = pg.ScatterPlotItem(size=_MARKER - _RIM, pxMode=True)  # half of the rim lies outside
        self._shown = True
        self.restyle(scale)

    @property
    def items(self) -> tuple[Any, ...]:
        """All of them."""
        return self.faint, self.line, self.markers

    def show(self, shown: bool) -> None:
        """Show or hide the series; what goes with the line only where there is any, which is quicker than to paint nothing."""
        self._shown = shown
        self.line.setVisible(shown)
        for item in (self.faint, self.markers):
            item.setVisible(shown and len(item.getData()[0]) > 0)

    def restyle(self, scale: float) -> None:
        """Take the colours of the theme in force."""
        self._pen, self._whole = self.style.pen(_WIDTH * scale), self.style.pen(_WIDTH * scale)
        faint = self.style.pen(scale, 0.3)
        for whole in (self._whole, faint):
            whole.setStyle(Qt.PenStyle.SolidLine)
        self.faint.setPen(faint)
        self.line.setPen(self._pen)
        rim = QPen(current_theme().color("surface"), _RIM * scale)
        rim.setCosmetic(True)
        self.markers.setPen(rim)
        self.markers.setBrush(self.style.ink())

    def draw(
        self, line: tuple[Points, Points], faint: tuple[Points, Points] | None, step_width: float, height: float
    ) -> None:
        """Draw positions and values in axis coordinates; `faint` is what the line smooths, `step_width` the logical pixels of a
        step, `height` the values that the view spans.
        """
        x, y = line
        few = self.style.validation and len(x) <= _MOST_MARKERS
        good = np.isfinite(y)
        self.markers.setData(x[good], y[good]) if few else self.markers.clear()
        # Smooth edges for calm lines only, and dashes for short ones: Qt strokes a long zigzag a hundred times slower than plain
        # lines.
        travel = float(np.nansum(np.abs(np.diff(y)))) / height  # heights of the view, up and down
        is_long = len(x) > _SHORT
        self.line.opts["antialias"] = bool(travel < _CALM)
        self.line.setSegmentedLineMode("on" if is_long else "off")
        self.line.setPen(self._whole if is_long else self._pen)
        self.line.setData(x, self._with_gaps(x * step_width, y) if is_long and self.style.pattern else y)
        self.faint.setData(*(faint or (np.zeros(0), np.zeros(0))))
        self.show(self._shown)

    def _with_gaps(self, pixels: Points, y: Points) -> Points:
        """Many points without those that lie in gaps between dashes."""
        dash, gap = (_WIDTH * length for length in self.style.pattern)
        return np.where(pixels % (dash + gap) < dash, y, np.nan)
