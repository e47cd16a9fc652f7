"""The vertical axes of a chart: which numbers stand on them, however low the chart is."""

import math
from typing import Any

from PySide6.QtGui import QFontMetricsF

import pyqtgraph as pg  # isort: skip  (after PySide6)

from cnnstudio.widgets.curve_series import nice_ceiling


class ValueAxis(pg.AxisItem):
    """An axis whose numbers never run into each other."""

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> Any:
        """The usual distances, unless a low chart has too little room even for the widest."""
        usual = super().tickSpacing(minVal, maxVal, size)
        font = self.style["tickFont"]
        if font is None or size <= 0:
            return usual
        least = (maxVal - minVal) * QFontMetricsF(font).height() / size
        return usual if usual[0][0] >= least else [(nice_ceiling(least), 0)]


class LossAxis(ValueAxis):
    """An axis that, when logarithmic, has lines at 1, 2 and 5 times the powers of ten and numbers at no others."""

    def logTickValues(self, minVal: float, maxVal: float, size: float, stdTicks: Any) -> Any:
        decades = range(math.floor(minVal) - 1, math.ceil(maxVal) + 1)
        ticks = [d + math.log10(step) for d in decades for step in (1, 2, 5)]
        return [(1.0, [tick for tick in ticks if minVal <= tick <= maxVal])]

    def logTickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{10.0**value:.3g}" for value in values]


class PercentAxis(ValueAxis):
    """An axis of percentages."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{value:g} %" for value in values]
