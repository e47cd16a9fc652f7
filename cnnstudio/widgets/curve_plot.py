"""Curves over training steps with legend, smoothing, logarithm, crosshair and export."""

import time
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QSize, QTimer, Slot
from PySide6.QtGui import QContextMenuEvent, QHideEvent, QPainter, QShowEvent
from PySide6.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from cnnstudio.theme import SPACE_XS, Theme, theme_changed
from cnnstudio.widgets.crosshair import Crosshair, Readout
from cnnstudio.widgets.curve import Curve
from cnnstudio.widgets.curve_chart import CurveChart
from cnnstudio.widgets.curve_export import chart_size, curves_csv, paint_chart
from cnnstudio.widgets.curve_legend import CurveLegend
from cnnstudio.widgets.curve_options import CurveOptions
from cnnstudio.widgets.curve_ranges import marked_epochs, percent_range, value_range
from cnnstudio.widgets.curve_series import CurveSeries, Points, nice_ceiling, thin
from cnnstudio.widgets.line_style import Axis, LineStyle
from cnnstudio.widgets.numbers import format_count
from cnnstudio.widgets.picture_menu import picture_menu, pop_up

_GROWTH_INTERVAL, _STILL_INTERVAL = 100, 800
"""Milliseconds between two drawings of curves that grow, and of those whose end has hardly moved."""
_NOTICED = 3.0
"""Pixels by which an end has moved that is soon drawn anew."""


class CurvePlot(QWidget):
    """Values on the left axis, fractions (shown in percent) on the right one, rates on a third, over steps.

    Data may arrive at any rate: it is drawn ten times a second at most, while visible.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: dict[str, Curve] = {}
        self._epoch_ends: list[float] = []
        self._steps_per_epoch: float | None = None
        self._expected_steps: float | None = None
        self._follow = True
        self._apart = False
        """Whether fractions have a picture of their own beside the values."""
        self._drawn_end = self._drawn_at = 0.0
        """Where the curves ended that are drawn, and when that was."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._redraw)
        self._build()
        theme_changed.connect(self._retheme)

    def _build(self) -> None:
        self.chart = CurveChart(self)
        self.chart.setAccessibleName(self.tr("Training curves"))
        self.chart.zoomed.connect(self._on_zoom)
        self.chart.fit_wanted.connect(self.fit)
        self.crosshair = Crosshair(self, self.chart, self._drawn_series, self._read)
        self._legend = CurveLegend()
        self._legend.changed.connect(self._changed)
        self.options = CurveOptions()
        self.options.changed.connect(self._changed)
        self.options.fit_wanted.connect(self.fit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(self._legend)
        layout.addWidget(self.chart, 1)
        layout.addWidget(self.options)

    # --- series -----------------------------------------------------------------------------------------

    def define(
        self,
        series: str,
        label: str,
        *,
        axis: Axis = "left",
        color: str = "loss",
        validation: bool = False,
        dashes: tuple[int, ...] = (),
        shared: tuple[QToolButton, ...] = (),
    ) -> None:
        """Add a series or give it another look, as `LineStyle` has it.

        It has a button in the legend, unless it is to be shown and hidden by buttons that it shares with others.
        """
        style = LineStyle(label, axis, color, validation, dashes)
        curve = self._curves.get(series)
        if curve is None:
            curve = self._curves[series] = Curve(style, None if shared else self._legend.add(style), shared)
        elif style == curve.style:
            return
        else:
            self.chart.remove_line(series)
            curve.style, curve.drawn = style, None
            if curve.button is not None:
                self._legend.show_as(curve.button, style)
        self.chart.add_line(series, style, on_top=curve.button is not None)
        self._changed()

    def remove(self, series: str) -> None:
        """Take a series away; KeyError for an unknown one."""
        curve = self._curves.pop(series)
        if curve.button is not None:
            self._legend.forget(curve.button)
        self.chart.remove_line(series)
        self._changed()

    def append(self, series: str, xs: ArrayLike, ys: ArrayLike) -> None:
        """Add one point or many, at steps not before the last one; KeyError for an unknown series."""
        self._curves[series].data.append(xs, ys)
        self._grown()

    def set_series(self, series: str, xs: ArrayLike, ys: ArrayLike) -> None:
        """Replace all points of a series."""
        self._curves[series].data.clear()
        self._curves[series].drawn = None
        self.append(series, xs, ys)

    def points(self, series: str) -> tuple[Points, Points]:
        """Copies of the steps and values of a series."""
        data = self._curves[series].data
        return data.x.copy(), data.y.copy()

    def clear(self, series: Iterable[str] | None = None) -> None:
        """Forget all epochs and points, or the points of some series alone, and show everything again."""
        for name in self._curves if series is None else series:
            self._curves[name].data.clear()
            self._curves[name].drawn = None
        self._epoch_ends.clear()
        self._steps_per_epoch = self._expected_steps = None
        self.fit()

    def set_length(self, steps: float | None) -> None:
        """The steps this training will take, so that the axis need not grow; None when unknown."""
        if steps != self._expected_steps:
            self._expected_steps = steps
            self._changed()

    def set_epoch_length(self, steps: float | None) -> None:
        """How many steps an epoch has, so that epochs can be counted before the first one has ended."""
        if steps and steps != self._steps_per_epoch:
            self._steps_per_epoch = steps
            self._changed()

    def mark_epoch(self, step: float, *, steps_per_epoch: float | None = None) -> None:
        """Draw a line at the end of an epoch, which began at the last such line unless its length is given."""
        before = self._epoch_ends[-1] if self._epoch_ends else 0.0
        self._epoch_ends.append(step)
        self._steps_per_epoch = steps_per_epoch or (step - before if step > before else None)
        self._grown()

    @Slot(bool)
    def show_options(self, shown: bool) -> None:
        """Whether the options stand below the chart; without them it has their room."""
        self.options.setVisible(shown)

    @Slot()
    def fit(self) -> None:
        """Show all steps and follow new ones."""
        self._follow = True
        self._changed()

    @Slot()
    def _on_zoom(self) -> None:
        self._follow = False
        self._changed()

    # --- drawing ----------------------------------------------------------------------------------------

    def _grown(self) -> None:
        """Draw new points soon: curves look the same for the tenth of a second, and longer while their end is where it was."""
        if self.isVisible():
            (low, high), way = self.chart.x_range, abs(self._end - self._drawn_end)
            still = way * self.chart.plot_rect.width() < _NOTICED * (high - low)
            rest = 1e3 * (self._drawn_at - time.monotonic()) + _STILL_INTERVAL if still else 0.0
            wait = max(_GROWTH_INTERVAL, round(rest))
            if not self._timer.isActive() or self._timer.remainingTime() > wait:
                self._timer.start(wait)

    @Slot()
    def _changed(self) -> None:
        if self.isVisible():
            self._timer.start(0)

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what came while hidden."""
        super().showEvent(event)
        self._redraw()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing is drawn while hidden."""
        super().hideEvent(event)
        self._timer.stop()
        self.crosshair.hide()

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        for curve in self._curves.values():
            curve.drawn = None
        self._changed()

    @property
    def _epoch(self) -> float | None:
        """How many steps an epoch has, where epochs are counted."""
        return self._steps_per_epoch if self.options.in_epochs else None

    @property
    def _end(self) -> float:
        """The position of the last point."""
        return max((float(c.data.x[-1]) * c.stretch(self._epoch) for c in self._curves.values() if len(c.data)), default=0.0)

    def _drawn_series(self) -> list[tuple[CurveSeries, float]]:
        return [(curve.data, curve.stretch(self._epoch)) for curve in self._curves.values() if curve.shown]

    @Slot()
    def _redraw(self) -> None:
        self._drawn_end, self._drawn_at = self._end, time.monotonic()
        shown = [curve for curve in self._curves.values() if curve.shown]
        self.options.allow_epochs(self._steps_per_epoch is not None)
        self.chart.set_axes(
            {curve.style.axis for curve in shown},
            log=self.options.logarithmic,
            bottom_scale=1.0 / (self._epoch or 1.0),
            unit=self.tr("epoch") if self._epoch else self.tr("step"),
            apart=self._apart,
        )
        if self._follow:
            self._show_all_steps()
        self._fit_values(shown)
        self.chart.set_epoch_marks(
            marked_epochs(np.array(self._epoch_ends), *self.chart.x_range, self.chart.plot_rect.width())
        )
        for name, curve in self._curves.items():
            self.chart.show_line(name, curve.shown)
            if curve.shown:
                self._draw(name, curve)
        self.crosshair.renew()

    def _draw(self, name: str, curve: Curve) -> None:
        """Draw a curve unless it is drawn already: another run, which no longer grows, costs nothing."""
        window, log, stretch = self.options.smoothing, self.options.logarithmic, curve.stretch(self._epoch)
        low, high = self.chart.x_range
        buckets = max(50, int(self.chart.plot_rect.width() * self.devicePixelRatioF() / 2))
        made_from = (len(curve.data), stretch, low, high, buckets, window, log, self.chart.y_range(curve.style.axis))
        if curve.drawn == made_from:
            return
        curve.drawn = made_from
        x = curve.data.x * stretch
        line = exact = thin(x, curve.on_axis(curve.data.y, logarithmic=log), low, high, buckets)
        smooth = window > 1 and not curve.style.validation and curve.style.axis != "rate"
        if smooth:
            line = thin(x, curve.on_axis(curve.data.smoothed(window), logarithmic=log), low, high, buckets)
        self.chart.draw(name, line, exact if smooth else None)

    def _show_all_steps(self) -> None:
        last, expected = self._end, self._expected_steps or 0.0
        end = expected if last <= expected else nice_ceiling(last)
        self.chart.set_x_range(0.0, max(end, 1.0) * 1.01)  # the last marker whole

    def _fit_values(self, shown: list[Curve]) -> None:
        """What is in view fills the height: of a part of the steps the values there, of all steps all percentages."""
        low, high = self.chart.x_range

        def seen(axis: Axis) -> Points:
            curves = [(c.data, c.stretch(self._epoch)) for c in shown if c.style.axis == axis]
            values = np.concatenate([np.zeros(0), *(data.between(low / s, high / s) for data, s in curves)])
            return values[np.isfinite(values)]

        self.chart.set_left_range(*value_range(seen("left"), logarithmic=self.options.logarithmic))
        self.chart.set_right_range(*((0.0, 100.0) if self._follow else percent_range(seen("right"))))
        self.chart.set_rate_range(nice_ceiling(float(seen("rate").max(initial=0.0))))

    # --- crosshair --------------------------------------------------------------------------------------

    def _read(self, step: float) -> Readout:
        """What the crosshair says at a step of the axis."""
        rows = [(curve.style.label, self._words_at(curve, step)) for curve in self._curves.values() if curve.shown]
        return Readout([self._place_words(step)], [row for row in rows if row[1]])

    def _words_at(self, curve: Curve, step: float) -> str:
        """The value of a curve at a step of the axis; "" where it has ended before."""
        return curve.words_at(step / curve.stretch(self._epoch))

    def _place_words(self, at: float) -> str:
        """Step and epoch; only what the axis counts where the curves have epochs of different lengths."""
        own = self._steps_per_epoch
        step = self.tr("step {step}").format(step=format_count(round(at)))
        if not own:
            return step
        epoch = self.tr("epoch {epoch}").format(epoch=f"{at / own:.2f}")
        if len({curve.steps_per_epoch or own for curve in self._curves.values() if curve.shown}) > 1:
            return epoch if self.options.in_epochs else step
        return f"{step} · {epoch}"

    # --- export -----------------------------------------------------------------------------------------

    def values_csv(self) -> str:
        """All points, unsmoothed, as CSV with the columns series, step, value."""
        return curves_csv(((name,), curve.data) for name, curve in self._curves.items())

    def picture_size(self) -> QSize:
        """The size of the chart with its legend; empty while there are no points."""
        return chart_size(self.chart, self._legend.keys) if any(len(c.data) for c in self._curves.values()) else QSize()

    def paint_picture(self, painter: QPainter) -> None:
        """Draw the legend, and the chart below it."""
        paint_chart(painter, self.chart, self._legend.keys)

    def context_menu(self) -> QMenu:
        """The menu with the copy and save actions."""
        return picture_menu(self, self, "curves")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the context menu."""
        pop_up(self.context_menu(), event.globalPos())
