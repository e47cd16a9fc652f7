"""One curve of a plot: its points, its look, and the values that are read off it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtWidgets import QToolButton

from cnnstudio.widgets.curve_series import CurveSeries, Points
from cnnstudio.widgets.line_style import LineStyle
from cnnstudio.widgets.numbers import format_percent, format_value


@dataclass(eq=False)
class Curve:
    """A series with its look; it is shown while its button in the legend is down, and those that it shares with others."""

    style: LineStyle
    button: QToolButton | None
    shared: tuple[QToolButton, ...] = ()
    data: CurveSeries = field(default_factory=CurveSeries)
    steps_per_epoch: float | None = None
    """Where it is another one than that of the plot."""
    drawn: object = None
    """What the last drawing was made from."""

    @property
    def shown(self) -> bool:
        """Whether it is to be seen."""
        return (self.button is None or self.button.isChecked()) and all(button.isChecked() for button in self.shared)

    def stretch(self, epoch: float | None) -> float:
        """The factor by which its steps are drawn: an epoch of its own fills one of `epoch` steps; 1 where steps are counted."""
        return epoch / self.steps_per_epoch if epoch and self.steps_per_epoch else 1.0

    def on_axis(self, values: Points, *, logarithmic: bool) -> Points:
        """Values in the coordinates of their axis: percent, or exponents of ten."""
        if self.style.axis == "right":
            return values * 100.0
        if logarithmic and self.style.axis == "left":
            return np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)
        return values.copy()

    def words_at(self, step: float) -> str:
        """The value nearest to one of its own steps; "" where it has ended before."""
        at = self.data.nearest(step)
        if at is None:
            return ""
        x = self.data.x
        gap = float(x[-1] - x[-2]) if len(x) > 1 else float(x[-1])
        if step > x[-1] + gap:
            return ""
        value = float(self.data.y[at])
        return format_percent(value, 2) if self.style.axis == "right" else format_value(value)
