"""Curves over training steps with legend, smoothing, logarithm, crosshair and export."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from cnnstudio.theme import SPACE_XS, Theme, theme_changed
from cnnstudio.widgets.curve_chart import Axis, CurveChart, LineStyle
from cnnstudio.widgets.curve_export import chart_image, chart_menu, curves_csv, save_chart
from cnnstudio.widgets.curve_options import CurveOptions
from cnnstudio.widgets.curve_ranges import percent_range, value_range
from cnnstudio.widgets.curve_series import CurveSeries, Points, nice_ceiling, thin
from cnnstudio.widgets.flow_layout import FlowLayout
from cnnstudio.widgets.numbers import format_count, format_percent, format_value
from cnnstudio.widgets.picture_menu import pop_up

_GROWTH_INTERVAL = 100  # milliseconds between two drawings of curves that grow


@dataclass(eq=False)
class Curve:
    """A series with its look; it is shown while its buttons in the legend are down, which it may share with others."""

    style: LineStyle
    buttons: tuple[QToolButton, ...]
    data: CurveSeries = field(default_factory=CurveSeries)
    steps_per_epoch: float | None = None
    """Where it is another one than that of the plot."""
    drawn: object = None
    """What the last drawing was made from."""

    @property
    def shown(self) -> bool:
        """Whether it is to be seen."""
        return all(button.isChecked() for button in self.buttons)


class CurvePlot(QWidget):
    """Values on the left axis, fractions (shown in percent) on the right one, rates on a third, over steps.

    Data may arrive at any rate: it is drawn ten times a second, while visible.
    """

    pointed = Signal(object)
    """Step under the crosshair, or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: dict[str, Curve] = {}
        self._epoch_ends: list[float] = []
        self._steps_per_epoch: float | None = None
        self._expected_steps: float | None = None
        self._follow = True
        self._cross: float | None = None
        self._apart = False
        """Whether fractions have a picture of their own beside the values."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._redraw)
        self._build()
        theme_changed.connect(self._retheme)

    def _build(self) -> None:
        self.chart = CurveChart(self)
        self.chart.setAccessibleName(self.tr("Training curves"))
        self.chart.pointed.connect(self._point_at)
        self.chart.stepped.connect(self._step)
        self.chart.zoomed.connect(self._on_zoom)
        self.chart.fit_wanted.connect(self.fit)
        # Of the plot, not of the chart: where that is low, the values may reach over the legend.
        self._readout = QLabel(self)
        self._readout.setProperty("role", "readout")
        self._readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._readout.hide()
        self._legend = FlowLayout(gap=2, line_gap=0)
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
        if curve is not None:
            if style == curve.style:
                return
            self.chart.remove_line(series)
            curve.style, curve.drawn = style, None
        else:
            curve = self._curves[series] = Curve(style, shared or (self._legend_button(),))
        self.chart.add_line(series, style, on_top=not shared)
        if not shared:
            self._label(curve)
        self._changed()

    def _legend_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setCheckable(True)
        button.setChecked(True)
        button.setProperty("role", "legend")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(26, 12))
        button.toggled.connect(self._changed)
        self._legend.addWidget(button)
        button.show()
        return button

    def remove(self, series: str) -> None:
        """Take a series away; KeyError for an unknown one."""
        self._forget_button(self._curves[series].buttons[0])
        self._take_away(series)

    def _take_away(self, series: str) -> None:
        """Remove a series whose buttons others need."""
        del self._curves[series]
        self.chart.remove_line(series)
        self._changed()

    def _forget_button(self, button: QToolButton) -> None:
        self._legend.removeWidget(button)
        button.hide()
        button.deleteLater()

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

    @property
    def _own(self) -> Iterable[str]:
        """The series that `clear` empties."""
        return self._curves

    def clear(self) -> None:
        """Forget all points and epochs and show everything again."""
        for series in self._own:
            self._curves[series].data.clear()
            self._curves[series].drawn = None
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
        self._changed()

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
        """Draw new points soon: a curve of hundreds of steps looks the same for the tenth of a second."""
        if self.isVisible() and not self._timer.isActive():
            self._timer.start(_GROWTH_INTERVAL)

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

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        for curve in self._curves.values():
            curve.drawn = None
        self._name_legend()
        self._changed()

    def _name_legend(self) -> None:
        """Words and lines of all buttons of the legend."""
        for curve in self._curves.values():
            self._label(curve)

    def _label(self, curve: Curve) -> None:
        button = curve.buttons[0]
        button.setText(curve.style.label)
        button.setIcon(curve.style.icon(self.devicePixelRatioF()))

    @Slot()
    def _redraw(self) -> None:
        window, epoch = self.options.smoothing, self._steps_per_epoch
        shown = [curve for curve in self._curves.values() if curve.shown]
        self.options.allow_epochs(epoch is not None)
        self.chart.set_axes(
            {curve.style.axis for curve in shown},
            log=self.options.logarithmic,
            bottom_scale=1.0 / epoch if epoch and self.options.in_epochs else 1.0,
            apart=self._apart,
        )
        if self._follow:
            self._show_all_steps()
        self._fit_values(shown)
        self.chart.set_epoch_marks(np.array(self._epoch_ends))
        low, high = self.chart.x_range
        buckets = max(50, int(self.chart.plot_rect.width() * self.devicePixelRatioF() / 2))
        for name, curve in self._curves.items():
            self.chart.show_line(name, curve.shown)
            view = (low, high, buckets, window, self.options.logarithmic, self.chart.y_range(curve.style.axis))
            made_from = (len(curve.data), self._stretch(curve), *view)
            if curve.shown and curve.drawn != made_from:  # another run, which no longer grows, costs nothing
                curve.drawn = made_from
                smooth = window > 1 and not curve.style.validation and curve.style.axis != "rate"
                x = curve.data.x * made_from[1]
                exact = thin(x, self._on_axis(curve, curve.data.y), low, high, buckets)
                line = exact
                if smooth:
                    line = thin(x, self._on_axis(curve, curve.data.smoothed(window)), low, high, buckets)
                self.chart.draw(name, line, exact if smooth else None)
        self._update_readout()

    def _stretch(self, curve: Curve) -> float:
        """The factor by which the steps of a curve are drawn: where epochs are counted, those of another length lie over each
        other.
        """
        own, its = self._steps_per_epoch, curve.steps_per_epoch
        return own / its if own and its and self.options.in_epochs else 1.0

    def _on_axis(self, curve: Curve, values: Points) -> Points:
        """Values in the coordinates of their axis: percent, or exponents of ten."""
        if curve.style.axis == "right":
            return values * 100.0
        if self.options.logarithmic and curve.style.axis == "left":
            return np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)
        return values.copy()

    def _show_all_steps(self) -> None:
        last = max((float(c.data.x[-1]) * self._stretch(c) for c in self._curves.values() if len(c.data)), default=0.0)
        expected = self._expected_steps or 0.0
        end = expected if last <= expected else nice_ceiling(last)
        self.chart.set_x_range(0.0, max(end, 1.0) * 1.01)  # the last marker whole

    def _fit_values(self, shown: list[Curve]) -> None:
        """What is in view fills the height: of a part of the steps the values there, of all steps all percentages."""
        low, high = self.chart.x_range

        def seen(axis: Axis) -> Points:
            curves = [(c.data, self._stretch(c)) for c in shown if c.style.axis == axis]
            values = np.concatenate([np.zeros(0), *(data.between(low / s, high / s) for data, s in curves)])
            return values[np.isfinite(values)]

        self.chart.set_left_range(*value_range(seen("left"), logarithmic=self.options.logarithmic))
        self.chart.set_right_range(*((0.0, 100.0) if self._follow else percent_range(seen("right"))))
        self.chart.set_rate_range(nice_ceiling(float(seen("rate").max(initial=0.0))))

    # --- crosshair --------------------------------------------------------------------------------------

    @Slot(object)
    def _point_at(self, x: float | None) -> None:
        at = None if x is None else self._nearest_step(x)
        if at != self._cross:
            self._cross = at
            self.pointed.emit(at)
            self._update_readout()

    def _nearest_step(self, x: float) -> float | None:
        near = [(c, c.data.nearest(x / self._stretch(c))) for c in self._curves.values() if c.shown]
        steps = [float(c.data.x[i]) * self._stretch(c) for c, i in near if i is not None]
        return min(steps, key=lambda step: abs(step - x), default=None)

    @Slot(int)
    def _step(self, by: int) -> None:
        all_steps = [c.data.x * self._stretch(c) for c in self._curves.values() if c.shown]
        steps = np.unique(np.concatenate(all_steps or [np.zeros(0)]))
        if len(steps):
            at = len(steps) - 1 if self._cross is None else int(np.searchsorted(steps, self._cross)) + by
            self._point_at(float(steps[min(max(at, 0), len(steps) - 1)]))

    def _update_readout(self) -> None:
        self.chart.set_cross(self._cross)
        text = self.readout()
        self._readout.setVisible(bool(text))
        self.chart.setAccessibleDescription(text.replace("\n", ", "))
        if text:
            self._readout.setText(self._readout_text(text))
            self._readout.adjustSize()
            left, top = self._readout_place()
            corner = self.chart.mapTo(self, QPoint(int(left), int(top)))
            room = self.size() - self._readout.size()
            self._readout.move(max(min(corner.x(), room.width()), 0), max(min(corner.y(), room.height()), 0))
            self._readout.raise_()

    def _readout_place(self) -> tuple[float, float]:
        """Left and top of the values, so that they never cover the point in question."""
        width, height = self._readout.width(), self._readout.height()
        area, free = self.chart.plot_rect, self.chart.free_rect
        if free is not None:  # where curves seldom are: losses fall, accuracies rise
            return free.right() - 6 - width, free.top() + 4 if self.chart.pointer_apart else free.bottom() - 4 - height
        low, high = self.chart.x_range
        assert self._cross is not None
        x = area.left() + (self._cross - low) / (high - low) * area.width()
        left = x + 8 if x < area.center().x() else x - 8 - width  # the roomier side
        return left, area.top() + (area.height() - height) / 2

    def readout(self) -> str:
        """The values at the crosshair, a line a series; "" without crosshair."""
        if self._cross is None:
            return ""
        lines = [self._place_words(self._cross)]
        for curve in self._curves.values():
            value = self._value_words(curve, self._cross)
            if curve.shown and value:
                lines.append(f"{curve.style.label}  {value}")
        return "\n".join(lines)

    def _readout_text(self, plain: str) -> str:
        """What stands beside the crosshair."""
        return plain

    def _place_words(self, cross: float) -> str:
        """Step and epoch; only what the axis counts where the curves have epochs of different lengths."""
        own = self._steps_per_epoch
        step = self.tr("step {step}").format(step=format_count(round(cross)))
        if not own:
            return step
        epoch = self.tr("epoch {epoch}").format(epoch=f"{cross / own:.2f}")
        if len({curve.steps_per_epoch or own for curve in self._curves.values() if curve.shown}) > 1:
            return epoch if self.options.in_epochs else step
        return f"{step} · {epoch}"

    def _value_words(self, curve: Curve, cross: float) -> str:
        """The value of a curve nearest to the crosshair; "" where the curve has ended before."""
        at = curve.data.nearest(cross / self._stretch(curve))
        if at is None:
            return ""
        x = curve.data.x
        gap = float(x[-1] - x[-2]) if len(x) > 1 else float(x[-1])
        if cross / self._stretch(curve) > x[-1] + gap:
            return ""
        value = float(curve.data.y[at])
        return format_percent(value, 2) if curve.style.axis == "right" else format_value(value)

    # --- export -----------------------------------------------------------------------------------------

    def values_csv(self) -> str:
        """All points, unsmoothed, as CSV with the columns series, step, value."""
        return curves_csv(((name,), curve.data) for name, curve in self._curves.items())

    def _keys(self) -> list[tuple[LineStyle, str]]:
        """What a picture of the chart must say beside the chart: a line and its words."""
        return [(curve.style, curve.style.label) for curve in self._curves.values() if curve.shown]

    def picture(self, scale: float = 2.0) -> QImage:
        """The chart with its legend as an image of `scale` pixels a logical pixel."""
        return chart_image(self.chart, scale, self._keys())

    def save(self, path: Path, kind: str = "") -> None:
        """Write chart and legend, or the values, as the suffix of the path says, else as `kind` contains it; OSError if the
        file cannot be written.
        """
        save_chart(self.chart, self._keys(), self.values_csv(), path, kind)

    def context_menu(self) -> QMenu:
        """Copy and save actions, opened by the right button or the menu key."""
        return chart_menu(self, self.picture, self.values_csv, self.save)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the context menu."""
        pop_up(self.context_menu(), event.globalPos())
