"""The crosshair of a chart: a step under the mouse or chosen with the arrow keys, and the values there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from PySide6.QtCore import QObject, QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QWidget

from cnnstudio.theme import DARK, LIGHT, current_theme
from cnnstudio.widgets.curve_chart import CurveChart
from cnnstudio.widgets.curve_series import CurveSeries

_MOST, _ABOVE = 0.6, 4
"""Share of the height of the chart that the values take at most; more of them stand so many pixels above it."""
_OTHER_INKS = {"light": DARK, "dark": LIGHT}


@dataclass(frozen=True)
class Readout:
    """What is read off at a step: a line of words, then a row a curve, or a run, which begins with its name."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    colors: Sequence[str] = ()
    """The theme token of each row, where a row is a run: head and rows are a table then."""

    @property
    def plain(self) -> str:
        """A line each."""
        return "\n".join([" · ".join(self.head), *("  ".join(row) for row in self.rows)])

    @property
    def table(self) -> str:
        """HTML with a mark in its colour before each name."""
        other = _OTHER_INKS[current_theme().name]  # the ground of a tip is that of the other theme
        marks = [f"<span style='color:{getattr(other, color)}'>■</span>&nbsp;" for color in self.colors]
        lines = []
        for mark, (name, *cells) in zip(["", *marks], [self.head, *self.rows], strict=True):
            values = "".join(f"<td align='right'>&nbsp;&nbsp;{escape(cell)}</td>" for cell in cells)
            lines.append(f"<tr><td>{mark}{escape(name)}</td>{values}</tr>")
        return f"<table cellspacing='0' cellpadding='1'>{''.join(lines)}</table>"


class Crosshair(QObject):
    """A line in the chart at the nearest step that has a value, and a label that never covers the point in question."""

    moved = Signal(object)
    """The step, or None."""

    def __init__(
        self,
        plot: QWidget,
        chart: CurveChart,
        drawn: Callable[[], Iterable[tuple[CurveSeries, float]]],
        read: Callable[[float], Readout],
    ) -> None:
        """`drawn` tells what is to be seen, each series with the factor by which its steps are drawn; `read` the values at a
        step.
        """
        super().__init__(plot)
        self._plot, self._chart, self._drawn, self._read = plot, chart, drawn, read
        self._step: float | None = None
        self._label = QLabel(plot)
        self._label.setProperty("role", "readout")
        self._label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._label.hide()
        chart.pointed.connect(self._point_at)
        chart.stepped.connect(self._go)

    @property
    def text(self) -> str:
        """The values, a line a curve or a run; "" while there is no crosshair."""
        return "" if self._step is None else self._read(self._step).plain

    @Slot()
    def renew(self) -> None:
        """Read the values anew."""
        self._chart.set_cross(self._step)
        if self._step is None:
            self.hide()
            self._chart.setAccessibleDescription("")
            return
        readout = self._read(self._step)
        self._chart.setAccessibleDescription(readout.plain.replace("\n", ", "))
        self._label.setTextFormat(Qt.TextFormat.RichText if readout.colors else Qt.TextFormat.PlainText)
        self._label.setText(readout.table if readout.colors else readout.plain)
        self._label.adjustSize()
        window = self._plot.window()
        if self._label.parentWidget() is not window:  # where the chart is low, the values reach beyond its panel
            self._label.setParent(window)
        left, top = self._place(self._step)
        corner = self._chart.mapTo(window, QPoint(int(left), int(top)))
        room = window.size() - self._label.size()
        self._label.move(max(min(corner.x(), room.width()), 0), max(min(corner.y(), room.height()), 0))
        self._label.setVisible(self._plot.isVisible())
        self._label.raise_()

    def hide(self) -> None:
        """Take the values away while the plot is out of sight."""
        self._label.hide()

    @Slot(object)
    def _point_at(self, x: float | None) -> None:
        step = None if x is None else self._nearest(x)
        if step != self._step:
            self._step = step
            self.moved.emit(step)
            self.renew()

    def _nearest(self, x: float) -> float | None:
        near = [(series, stretch, series.nearest(x / stretch)) for series, stretch in self._drawn()]
        steps = [float(series.x[i]) * stretch for series, stretch, i in near if i is not None]
        return min(steps, key=lambda step: abs(step - x), default=None)

    @Slot(int)
    def _go(self, by: int) -> None:
        """To the neighbouring step that has a value, beginning at the last one."""
        steps = np.unique(np.concatenate([np.zeros(0), *(series.x * stretch for series, stretch in self._drawn())]))
        if len(steps):
            at = len(steps) - 1 if self._step is None else int(np.searchsorted(steps, self._step)) + by
            self._point_at(float(steps[min(max(at, 0), len(steps) - 1)]))

    def _place(self, step: float) -> tuple[float, float]:
        """Left and top of the label in the chart."""
        width, height = self._label.width(), self._label.height()
        area, free = self._chart.plot_rect, self._chart.free_rect
        if height > _MOST * area.height():
            return area.left(), area.top() - height - _ABOVE
        if free is not None:  # where curves seldom are: losses fall, accuracies rise
            return free.right() - 6 - width, free.top() + 4 if self._chart.pointer_apart else free.bottom() - 4 - height
        low, high = self._chart.x_range
        x = area.left() + (step - low) / (high - low) * area.width()
        left = x + 8 if x < area.center().x() else x - 8 - width  # the roomier side
        return left, area.top() + (area.height() - height) / 2
