"""Curves over training steps with legend, smoothing, logarithm, crosshair and export."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from cnnstudio.theme import SPACE_XS, Theme, theme_changed
from cnnstudio.widgets.curve_chart import CurveChart, LineStyle
from cnnstudio.widgets.curve_export import chart_image, chart_menu, curves_csv, save_chart_svg
from cnnstudio.widgets.curve_options import CurveOptions
from cnnstudio.widgets.curve_series import CurveSeries, Points, nice_ceiling, thin
from cnnstudio.widgets.flow_layout import FlowLayout
from cnnstudio.widgets.numbers import format_count, format_percent, format_value

_GROWTH_INTERVAL = 100  # milliseconds between two drawings of curves that grow


@dataclass
class _Curve:
    style: LineStyle
    button: QToolButton
    data: CurveSeries = field(default_factory=CurveSeries)

    @property
    def shown(self) -> bool:
        return self.button.isChecked()


class CurvePlot(QWidget):
    """Losses on the left axis, accuracies (fractions, shown in percent) on the right one, over steps.

    Holds "train_loss", "val_loss", "train_accuracy" and "val_accuracy"; `define` adds more (learning rate,
    other runs). Data may arrive at any rate: it is drawn ten times a second, while visible.
    """

    pointed = Signal(object)
    """Step under the crosshair, or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: dict[str, _Curve] = {}
        self._epoch_ends: list[float] = []
        self._steps_per_epoch: float | None = None
        self._expected_steps: float | None = None
        self._follow = True
        self._cross: float | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._redraw)
        self._build()
        theme_changed.connect(self._retheme)
        self.define("train_loss", self.tr("loss"), color="loss")
        self.define("val_loss", self.tr("val. loss"), color="loss", validation=True)
        self.define("train_accuracy", self.tr("accuracy"), axis="right", color="accuracy")
        self.define("val_accuracy", self.tr("val. accuracy"), axis="right", color="accuracy", validation=True)

    def _build(self) -> None:
        self.chart = CurveChart(self)
        self.chart.setAccessibleName(self.tr("Training curves"))
        self.chart.pointed.connect(self._point_at)
        self.chart.stepped.connect(self._step)
        self.chart.zoomed.connect(self._on_zoom)
        self.chart.fit_wanted.connect(self.fit)
        self._readout = QLabel(self.chart)
        self._readout.setProperty("role", "readout")
        self._readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._readout.setTextFormat(Qt.TextFormat.PlainText)
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
        axis: Literal["left", "right"] = "left",
        color: str = "loss",
        validation: bool = False,
    ) -> None:
        """Add a series or give it another look; `color` is a theme token or "#rrggbb"."""
        style = LineStyle(label, axis, color, validation)
        if series in self._curves:
            self.chart.remove_line(series)
            self._curves[series].style = style
        else:
            button = QToolButton(self)
            button.setCheckable(True)
            button.setChecked(True)
            button.setProperty("role", "legend")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setIconSize(QSize(26, 12))
            button.toggled.connect(self._changed)
            self._legend.addWidget(button)
            self._curves[series] = _Curve(style, button)
        self.chart.add_line(series, style)
        self._label(self._curves[series])
        self._changed()

    def remove(self, series: str) -> None:
        """Take a series away; KeyError for an unknown one."""
        curve = self._curves.pop(series)
        self.chart.remove_line(series)
        self._legend.removeWidget(curve.button)
        curve.button.hide()
        curve.button.deleteLater()
        self._changed()

    def append(self, series: str, xs: ArrayLike, ys: ArrayLike) -> None:
        """Add one point or many, at steps not before the last one; KeyError for an unknown series."""
        self._curves[series].data.append(xs, ys)
        self._grown()

    def set_series(self, series: str, xs: ArrayLike, ys: ArrayLike) -> None:
        """Replace all points of a series."""
        self._curves[series].data.clear()
        self.append(series, xs, ys)

    def points(self, series: str) -> tuple[Points, Points]:
        """Copies of the steps and values of a series."""
        data = self._curves[series].data
        return data.x.copy(), data.y.copy()

    def clear(self) -> None:
        """Forget all points and epochs and show everything again."""
        for curve in self._curves.values():
            curve.data.clear()
        self._epoch_ends.clear()
        self._steps_per_epoch = self._expected_steps = None
        self.fit()

    def set_length(self, steps: float | None) -> None:
        """The steps this training will take, so that the axis need not grow; None when unknown."""
        if steps != self._expected_steps:
            self._expected_steps = steps
            self._changed()

    def mark_epoch(self, step: float, *, steps_per_epoch: float | None = None) -> None:
        """Draw a line at the end of an epoch, which began at the last such line unless its length is given."""
        before = self._epoch_ends[-1] if self._epoch_ends else 0.0
        self._epoch_ends.append(step)
        self._steps_per_epoch = steps_per_epoch or (step - before if step > before else None)
        self._changed()

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
            self._label(curve)
        self._changed()

    def _label(self, curve: _Curve) -> None:
        curve.button.setText(curve.style.label)
        curve.button.setIcon(curve.style.icon(self.devicePixelRatioF()))

    @Slot()
    def _redraw(self) -> None:
        window, epoch = self.options.smoothing, self._steps_per_epoch
        shown = [curve for curve in self._curves.values() if curve.shown]
        self.options.allow_epochs(epoch is not None)
        self.chart.set_axes(
            left=any(c.style.axis == "left" for c in shown),
            right=any(c.style.axis == "right" for c in shown),
            log=self.options.logarithmic,
            bottom_scale=1.0 / epoch if epoch and self.options.in_epochs else 1.0,
        )
        if self._follow:
            self._fit_ranges(shown)
        self.chart.set_epoch_marks(np.array(self._epoch_ends))
        low, high = self.chart.x_range
        buckets = max(50, int(self.chart.plot_rect.width() * self.devicePixelRatioF() / 2))
        for name, curve in self._curves.items():
            self.chart.show_line(name, curve.shown)
            if curve.shown:
                smooth = window > 1 and not curve.style.validation
                exact = thin(curve.data.x, self._on_axis(curve, curve.data.y), low, high, buckets)
                line = exact
                if smooth:
                    line = thin(curve.data.x, self._on_axis(curve, curve.data.smoothed(window)), low, high, buckets)
                self.chart.draw(name, line, exact if smooth else None)
        self._update_readout()

    def _on_axis(self, curve: _Curve, values: Points) -> Points:
        """Values in the coordinates of their axis: percent, or exponents of ten."""
        if curve.style.axis == "right":
            return values * 100.0
        if self.options.logarithmic:
            return np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)
        return values.copy()

    def _fit_ranges(self, shown: list[_Curve]) -> None:
        last = max((float(c.data.x[-1]) for c in self._curves.values() if len(c.data)), default=0.0)
        expected = self._expected_steps or 0.0
        end = expected if last <= expected else nice_ceiling(last)
        self.chart.set_x_range(0.0, max(end, 1.0) * 1.01)  # the last marker whole
        values = [c.data.y[np.isfinite(c.data.y)] for c in shown if c.style.axis == "left" and len(c.data)]
        values = [v for v in values if v.size]
        highest = max((float(v.max()) for v in values), default=1.0)
        if self.options.logarithmic:
            positive = [float(v[v > 0].min()) for v in values if (v > 0).any()]
            lowest = np.floor(np.log10(min(positive, default=0.1)) * 2) / 2
            self.chart.set_left_range(lowest, max(np.log10(nice_ceiling(highest)), lowest + 0.5))
        else:
            lowest = min((float(v.min()) for v in values), default=0.0)
            self.chart.set_left_range(-nice_ceiling(-lowest) if lowest < 0 else 0.0, nice_ceiling(highest))

    # --- crosshair --------------------------------------------------------------------------------------

    @Slot(object)
    def _point_at(self, x: float | None) -> None:
        at = None if x is None else self._nearest_step(x)
        if at != self._cross:
            self._cross = at
            self.pointed.emit(at)
            self._update_readout()

    def _nearest_step(self, x: float) -> float | None:
        near = [(c.data, c.data.nearest(x)) for c in self._curves.values() if c.shown]
        steps = [float(data.x[i]) for data, i in near if i is not None]
        return min(steps, key=lambda step: abs(step - x), default=None)

    @Slot(int)
    def _step(self, by: int) -> None:
        steps = np.unique(np.concatenate([c.data.x for c in self._curves.values() if c.shown] or [np.zeros(0)]))
        if len(steps):
            at = len(steps) - 1 if self._cross is None else int(np.searchsorted(steps, self._cross)) + by
            self._point_at(float(steps[min(max(at, 0), len(steps) - 1)]))

    def _update_readout(self) -> None:
        self.chart.set_cross(self._cross)
        text = self.readout()
        self._readout.setVisible(bool(text))
        self.chart.setAccessibleDescription(text.replace("\n", ", "))
        if text:
            self._readout.setText(text)
            self._readout.adjustSize()
            area = self.chart.plot_rect
            low, high = self.chart.x_range
            assert self._cross is not None
            x = area.left() + (self._cross - low) / (high - low) * area.width()
            # On the roomier side of the crosshair, so that it never covers the point in question.
            right = x < area.center().x()
            left = x + 8 if right else x - 8 - self._readout.width()
            left = min(max(left, 0.0), self.chart.width() - self._readout.width())
            self._readout.move(int(left), int(area.top() + (area.height() - self._readout.height()) / 2))

    def readout(self) -> str:
        """The values at the crosshair, a line a series; "" without crosshair."""
        if self._cross is None:
            return ""
        lines = [self.tr("step {step}").format(step=format_count(round(self._cross)))]
        if self._steps_per_epoch:
            epoch = self._cross / self._steps_per_epoch
            lines[0] += " · " + self.tr("epoch {epoch}").format(epoch=f"{epoch:.2f}")
        for curve in self._curves.values():
            at = curve.data.nearest(self._cross)
            if curve.shown and at is not None:
                value = float(curve.data.y[at])
                text = format_percent(value, 2) if curve.style.axis == "right" else format_value(value)
                lines.append(f"{curve.style.label}  {text}")
        return "\n".join(lines)

    # --- export -----------------------------------------------------------------------------------------

    def values_csv(self) -> str:
        """All points, unsmoothed, as CSV with the columns series, step, value."""
        return curves_csv((name, curve.data) for name, curve in self._curves.items())

    def picture(self, scale: float = 2.0) -> QImage:
        """The chart as an image of `scale` pixels a logical pixel."""
        return chart_image(self.chart, scale)

    def save_svg(self, path: str) -> None:
        """Write the chart as SVG; OSError if the file cannot be written."""
        save_chart_svg(self.chart, path)

    def context_menu(self) -> QMenu:
        """Copy and save actions, opened by the right button or the menu key."""
        return chart_menu(self, self.chart, self.values_csv)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the context menu."""
        menu = self.context_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
