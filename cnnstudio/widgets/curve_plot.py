"""Curves over training steps with legend, smoothing, logarithm, crosshair and export."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from cnnstudio.theme import SPACE_S, Theme, theme_changed
from cnnstudio.widgets.curve_chart import CurveChart, LineStyle
from cnnstudio.widgets.curve_export import chart_image, curves_csv, save_chart_svg
from cnnstudio.widgets.curve_series import CurveSeries, Points, nice_ceiling, thin
from cnnstudio.widgets.flow_layout import FlowLayout
from cnnstudio.widgets.numbers import format_count, format_percent, format_value

Unit = Literal["step", "epoch"]
_WINDOWS = (1, 3, 5, 10, 20, 50, 100, 200, 500)


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
    other runs). Data may arrive at any rate: it is drawn once per pass of the event loop, while visible.
    """

    pointed = Signal(object)
    """Step under the crosshair, or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: dict[str, _Curve] = {}
        self._epoch_ends: list[float] = []
        self._steps_per_epoch: float | None = None
        self._expected_steps: float | None = None
        self._unit: Unit = "step"
        self._follow = True
        self._cross: float | None = None
        self._build()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._redraw)
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
        self._log = QToolButton()
        self._log.setText(self.tr("Log"))
        self._log.setCheckable(True)
        self._log.setToolTip(self.tr("Logarithmic loss axis"))
        self._log.toggled.connect(self._changed)
        self._epochs = QToolButton()
        self._epochs.setText(self.tr("Epochs"))
        self._epochs.setCheckable(True)
        self._epochs.setToolTip(self.tr("Count epochs instead of steps along the axis"))
        self._epochs.clicked.connect(self._choose_unit)
        self._fit = QToolButton()
        self._fit.setText(self.tr("Fit"))
        self._fit.setToolTip(self.tr("Show all steps (double click or the key 0)"))
        self._fit.clicked.connect(self.fit)
        self._smoothing = QSlider(Qt.Orientation.Horizontal)
        self._smoothing.setRange(0, len(_WINDOWS) - 1)
        self._smoothing.setPageStep(1)
        self._smoothing.setMinimumWidth(70)
        self._smoothing.setMaximumWidth(140)
        self._smoothing.setAccessibleName(self.tr("Smoothing"))
        self._smoothing.setToolTip(self.tr("Mean of the last steps; the faint line stays exact"))
        self._smoothing.valueChanged.connect(self._changed)
        self._window = QLabel()
        self._window.setProperty("role", "muted")
        for button in (self._epochs, self._log, self._fit):
            button.setProperty("role", "quiet")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        smoothing = QLabel(self.tr("Smoothing"))
        smoothing.setProperty("role", "muted")
        for widget in (smoothing, self._smoothing, self._window):
            row.addWidget(widget)
        row.addStretch(1)
        for button in (self._epochs, self._log, self._fit):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._legend)
        layout.addWidget(self.chart, 1)
        layout.addLayout(row)
        self._changed()

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
        self._changed()

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
        self._expected_steps = None
        self.fit()

    def set_length(self, steps: float | None) -> None:
        """The steps this training will take, so that the axis need not grow; None when unknown."""
        self._expected_steps = steps
        self._changed()

    def mark_epoch(self, step: float, *, steps_per_epoch: float | None = None) -> None:
        """Draw a line at the end of an epoch; with its length the axis can count epochs."""
        self._epoch_ends.append(step)
        self._steps_per_epoch = steps_per_epoch or self._steps_per_epoch
        self._changed()

    @Slot(bool)
    def _choose_unit(self, epochs: bool) -> None:
        self.set_unit("epoch" if epochs else "step")

    def set_unit(self, unit: Unit) -> None:
        """Let the axis count steps, or epochs (as soon as the length of one is known)."""
        self._unit = unit
        self._changed()

    # --- options ----------------------------------------------------------------------------------------

    @property
    def smoothing(self) -> int:
        """Number of steps whose mean a point shows."""
        return _WINDOWS[self._smoothing.value()]

    def set_smoothing(self, window: int) -> None:
        """Choose the largest offered window that is not above `window`."""
        self._smoothing.setValue(max(i for i, w in enumerate(_WINDOWS) if w <= max(window, 1)))

    @property
    def logarithmic(self) -> bool:
        """Whether the loss axis is logarithmic."""
        return self._log.isChecked()

    def set_logarithmic(self, on: bool) -> None:
        """Switch the loss axis."""
        self._log.setChecked(on)

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

    @Slot()
    def _changed(self) -> None:
        if hasattr(self, "_timer") and self.isVisible() and not self._timer.isActive():
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
        window = self.smoothing
        self._window.setText(self.tr("{count} steps").format(count=window) if window > 1 else self.tr("off"))
        in_epochs = self._unit == "epoch" and bool(self._steps_per_epoch)
        shown = [curve for curve in self._curves.values() if curve.shown]
        self._epochs.setChecked(in_epochs)
        self._epochs.setEnabled(bool(self._steps_per_epoch))
        self.chart.set_axes(
            left=any(c.style.axis == "left" for c in shown),
            right=any(c.style.axis == "right" for c in shown),
            log=self.logarithmic,
            bottom_scale=1.0 / self._steps_per_epoch if in_epochs and self._steps_per_epoch else 1.0,
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
        if self.logarithmic:
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
        if self.logarithmic:
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
