"""The axes of a chart: which numbers stand on them, however low the chart is, and the lines that go with these."""

import math
import sys
from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF, QPainter

import pyqtgraph as pg  # isort: skip  (after PySide6)

from cnnstudio.widgets.curve_series import nice_ceiling

OVERHANG = 20
"""Pixels by which the first and the last number may stand out over the ends of a level axis."""
_HALF_LINE = 9
"""The same of an upright one."""
_BEFORE_UNIT = 8
"""Pixels between the last number and the unit of an axis that has both."""


class ChartAxis(pg.AxisItem):
    """An axis whose first and last number are whole, and which has a line for each number and no others."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self._unit = ""

    def set_unit(self, unit: str) -> None:
        """Say at the right end of a level axis what it counts, in place of the numbers that would be there; "" says nothing."""
        self._unit = unit
        self.picture = None
        self.update()

    def boundingRect(self) -> QRectF:
        """With room for what stands out, and no more: of an item larger than the view Qt keeps old parts when it is drawn."""
        across, down = (0, _HALF_LINE) if self.orientation in ("left", "right") else (OVERHANG, 0)
        return super().boundingRect().adjusted(-across, -down, across, down)

    def generateDrawSpecs(self, painter: QPainter) -> Any:
        """(line of the axis, lines of the numbers, numbers)"""
        specs = super().generateDrawSpecs(painter)
        if specs is None:  # not on a screen yet
            return None
        axis, lines, texts = specs
        texts, unit = self._make_room(texts)
        upright = self.orientation in ("left", "right")
        numbered = {round(rect.center().y() if upright else rect.center().x(), 3) for rect, _, _ in texts}
        return axis, [line for line in lines if round(line[1].y() if upright else line[1].x(), 3) in numbered], [*texts, *unit]

    def _make_room(self, texts: list[Any]) -> tuple[list[Any], list[Any]]:
        """The numbers that have room, and the unit after them."""
        if not self._unit or not texts:
            return texts, []
        line, flags, _ = texts[0]
        width = QFontMetricsF(self.style["tickFont"]).horizontalAdvance(self._unit)
        place = QRectF(self.size().width() - width, line.y(), width, line.height())
        return [text for text in texts if text[0].right() + _BEFORE_UNIT <= place.left()], [(place, flags, self._unit)]


class ValueAxis(ChartAxis):
    """An upright axis whose numbers never run into each other."""

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> Any:
        """The usual distances, unless a low chart has too little room even for the widest."""
        usual = super().tickSpacing(minVal, maxVal, size)
        least = self._least_distance(maxVal - minVal, size)
        return usual if usual[0][0] >= least else [(nice_ceiling(least), 0)]

    def _least_distance(self, reach: float, size: float) -> float:
        """How far apart two numbers must be on an axis that shows so much in so many pixels; 0 where nobody can see it."""
        font = self.style["tickFont"]
        return 0.0 if font is None or size <= 0 else reach * QFontMetricsF(font).height() / size


DECADES = 20
"""Powers of ten up to which an axis has numbers between them, and numbers that it has at most beyond."""


class LossAxis(ValueAxis):
    """An axis that, when logarithmic, has lines at 1, 2 and 5 times the powers of ten, or at powers alone where room is short."""

    def logTickValues(self, minVal: float, maxVal: float, size: float, stdTicks: Any) -> Any:
        """Where the lines are, as exponents of ten."""
        # A view that was zoomed out reaches further than numbers do.
        least, most = max(minVal, sys.float_info.min_10_exp), min(maxVal, sys.float_info.max_10_exp)
        first, last = math.floor(least) - 1, math.ceil(most) + 1
        room = self._least_distance(maxVal - minVal, size)
        apart = max(1, math.ceil((last - first) / DECADES), math.ceil(room))
        steps = (1, 2, 5) if apart == 1 and room <= math.log10(2.0) else (1,)
        ticks = [d + math.log10(step) for d in range(first, last, apart) for step in steps]
        return [(1.0, [tick for tick in ticks if least <= tick <= most])]

    def logTickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """The numbers themselves in place of their exponents."""
        return [f"{10.0**value:.3g}" for value in values]


class PercentAxis(ValueAxis):
    """An axis of percentages."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Numbers with their unit."""
        return [f"{value:g} %" for value in values]
