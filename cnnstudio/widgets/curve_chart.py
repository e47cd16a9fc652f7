"""The drawing surface of a `CurvePlot`: three value axes over one step axis, lines, epoch marks, crosshair."""

from collections.abc import Collection
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPen
from PySide6.QtWidgets import QGraphicsItem, QWidget

import pyqtgraph as pg  # isort: skip  (after PySide6)

from cnnstudio.theme import Theme, current_theme, theme_changed, ui_font
from cnnstudio.widgets.chart_axes import OVERHANG, ChartAxis, LossAxis, PercentAxis, ValueAxis
from cnnstudio.widgets.curve_line import CurveLine
from cnnstudio.widgets.curve_series import Points
from cnnstudio.widgets.line_style import Axis, LineStyle
from cnnstudio.widgets.step_view import StepView

_GRID = 170
"""Opacity of the lines in the chart, of 255: they are seen, and the curves first."""
_BEFORE_UNIT = 16
"""Pixels of the last number's overhang before the name of what is counted."""


class CurveChart(pg.GraphicsView):
    """Draws what it is given; the owner decides which points and ranges.

    Accuracies lie over the losses, or apart, in a picture of their own at the right.
    """

    pointed = Signal(object)
    """Position on the step axis under the pointer, or None."""
    zoomed = Signal()
    """The user has moved or scaled the view."""
    fit_wanted = Signal()
    """Double click or the key 0: show everything again."""
    stepped = Signal(int)
    """−1 or 1: the crosshair should go to the neighbouring point."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: dict[str, CurveLine] = {}
        self.pointer_apart = False
        """Whether the pointer is over accuracies that are apart."""
        self._state: tuple[frozenset[Axis], bool, float, str, bool] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 40)
        self._view = StepView(takes_mouse=True)
        self._right, self._rate, self._marks = (StepView() for _ in range(3))
        self._views = {"left": self._view, "right": self._right, "rate": self._rate}
        self._slot = pg.GraphicsWidget()
        """Where the accuracies lie when they are apart."""
        self.axes = {
            "left": LossAxis("left"),
            "right": PercentAxis("right"),
            "rate": ValueAxis("right"),
            "bottom": ChartAxis("bottom"),
            "bottom_apart": ChartAxis("bottom"),
        }
        self._unit = pg.LabelItem(justify="right")
        """What the bottom axis counts, below a right axis."""
        self._arrange()
        self._epochs, self._epochs_apart = (pg.PlotCurveItem(connect="pairs") for _ in range(2))
        self._crosses = tuple(pg.InfiniteLine(angle=90) for _ in range(2))
        for cross, view in zip(self._crosses, (self._view, self._right), strict=True):
            cross.hide()
            cross.setZValue(1)  # over the marks of the epochs
            view.addItem(cross, ignoreBounds=True)
        self._marks.addItem(self._epochs, ignoreBounds=True)
        self._right.addItem(self._epochs_apart, ignoreBounds=True)
        self._epochs_apart.hide()
        self._view.sigResized.connect(self._align)
        self._slot.geometryChanged.connect(self._align)
        for view in (self._view, self._right):
            view.sigRangeChangedManually.connect(self._on_zoom)
            view.stretch_marked.connect(self._show_stretch)
        self.scene().sigMouseMoved.connect(self._on_move)
        theme_changed.connect(self.retheme)
        self.retheme(current_theme())

    def _arrange(self) -> None:
        """Axes round the view; the second view, for the right axis, lies over the first one."""
        layout = pg.GraphicsLayout()
        layout.setContentsMargins(0, 6, 0, 0)  # half a number stands out above
        layout.setSpacing(0)
        layout.addItem(self.axes["left"], 0, 0)
        layout.addItem(self._view, 0, 1)
        layout.addItem(self._slot, 0, 2)
        layout.addItem(self.axes["right"], 0, 3)
        layout.addItem(self.axes["rate"], 0, 4)
        layout.addItem(self.axes["bottom"], 1, 1)
        layout.addItem(self.axes["bottom_apart"], 1, 2)
        layout.addItem(self._unit, 1, 3)
        layout.layout.setRowStretchFactor(0, 1)
        self._grid = layout.layout
        self.setCentralItem(layout)
        for over in (self._marks, self._right, self._rate):
            self.scene().addItem(over)
            over.disableAutoRange()
            over.setXLink(self._view)
        # All views lie at −100. So those of the scene are over the layout, its curves over its axes, whose lines run
        # through the whole chart, and the marks of the epochs under everything.
        self._marks.setZValue(-300)
        layout.setZValue(-200)
        for axis in self.axes.values():
            axis.setZValue(-200)
        self._marks.setYRange(0, 100, padding=0)
        for side, view in (("left", self._view), ("bottom", self._view), ("right", self._right), ("bottom_apart", self._right),
                           ("rate", self._rate)):  # fmt: skip
            self.axes[side].linkToView(view)
        self._view.disableAutoRange()
        self.set_right_range(0.0, 100.0)
        self._put_apart(False)

    def _put_apart(self, apart: bool) -> None:
        self._apart = apart
        self._grid.setColumnStretchFactor(1, 1)
        self._grid.setColumnStretchFactor(2, 1 if apart else 0)
        self._grid.setColumnMaximumWidth(2, 1e6 if apart else 0)
        self._grid.setColumnMinimumWidth(2, 60 if apart else 0)
        self._grid.setColumnSpacing(1, OVERHANG if apart else 0)
        self.axes["bottom_apart"].setVisible(apart)
        self._right.setMouseEnabled(x=apart, y=False)
        self._grid.activate()
        self._align()

    @Slot()
    def _align(self, _view: object = None) -> None:
        place = self._view.sceneBoundingRect()
        right = self._slot.sceneBoundingRect() if self._apart else place
        for view, rect in ((self._right, right), (self._rate, right), (self._marks, place)):
            view.setGeometry(rect)

    @Slot(object)
    def _on_zoom(self, _axes: object) -> None:
        self.zoomed.emit()

    @Slot(float, float)
    def _show_stretch(self, first: float, last: float) -> None:
        self.set_x_range(first, last)
        self.zoomed.emit()

    @Slot(object)
    def retheme(self, theme: Theme) -> None:
        """Colours and fonts of the theme."""
        self.setBackground(theme.surface)
        font = ui_font(0.8)
        self._ink_axes()
        for axis in self.axes.values():
            axis.setPen(QPen(theme.color("border"), 1))
            axis.enableAutoSIPrefix(False)
            # Axes change rarely, but would be drawn anew with every frame of the curves.
            axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
            axis.setTickFont(font)
            axis.setStyle(tickLength=-4, tickTextOffset=4)
        self.axes["left"].setGrid(255)
        self.axes["left"].setStyle(tickAlpha=_GRID)
        self._name_unit()
        inks = {self._epochs: "border", self._epochs_apart: "border", **dict.fromkeys(self._crosses, "muted")}
        for item, token in inks.items():
            pen = QPen(theme.color(token), self.devicePixelRatioF())
            pen.setCosmetic(True)
            item.setPen(pen)
        for line in self._lines.values():
            line.restyle(self.devicePixelRatioF())

    def _name_unit(self) -> None:
        font, theme = ui_font(0.8), current_theme()
        self._unit.setText(self._unit.text, size=f"{font.pointSizeF()}pt", color=theme.muted)
        width = self._unit.itemRect().width()
        self._unit.setMaximumSize(*(2 * [1e6 if self._unit.text else 0]))  # without a text it has the height of a line
        self._grid.setColumnMinimumWidth(3, width + _BEFORE_UNIT if self._unit.text else 0)

    def _ink_axes(self) -> None:
        """The numbers wear the colour of their curves, which says whose they are, where these have one."""
        for side, axis in self.axes.items():
            tokens = {line.style.color for line in self._lines.values() if line.style.axis == side}
            axis.setTextPen(current_theme().color(tokens.pop() if len(tokens) == 1 else "muted"))

    # --- lines ------------------------------------------------------------------------------------------

    def add_line(self, name: str, style: LineStyle, *, on_top: bool = True) -> None:
        """Make room for a series; those on top lie over the others, whichever came first."""
        line = CurveLine(style, self.devicePixelRatioF())
        self._lines[name] = line
        for item in line.items:
            item.setZValue(0.5 if on_top else 0.0)
            self._views[style.axis].addItem(item, ignoreBounds=True)
        self._ink_axes()

    def remove_line(self, name: str) -> None:
        """Take a series away."""
        line = self._lines.pop(name)
        for item in line.items:
            self._views[line.style.axis].removeItem(item)
        self._ink_axes()

    def draw(self, name: str, line: tuple[Points, Points], faint: tuple[Points, Points] | None) -> None:
        """Draw a series at positions and values in axis coordinates; `faint` is what the line smooths."""
        curve = self._lines[name]
        (first, last), (low, high) = self.x_range, self.y_range(curve.style.axis)
        curve.draw(line, faint, self.plot_rect.width() / (last - first), high - low)

    def show_line(self, name: str, visible: bool) -> None:
        """Show or hide a series."""
        self._lines[name].show(visible)

    def set_epoch_marks(self, steps: Points) -> None:
        """Vertical lines at the ends of epochs."""
        # No longer than what is in view: a file has no edge that would cut them off.
        for marks, heights in ((self._epochs, (0.0, 100.0)), (self._epochs_apart, self.y_range("right"))):
            marks.setData(np.repeat(steps, 2), np.tile(heights, len(steps)))

    # --- axes -------------------------------------------------------------------------------------------

    def set_axes(self, wanted: Collection[Axis], *, log: bool, bottom_scale: float, unit: str = "", apart: bool = False) -> None:
        """Which value axes are wanted, a logarithmic left one, the factor from steps to what is counted and its name, and whether
        accuracies have a picture of their own.
        """
        apart = apart and {"left", "right"} <= set(wanted)
        state = (frozenset(wanted), log, bottom_scale, unit, apart)
        if state == self._state:
            return
        self._state = state
        for side in ("left", "right", "rate"):
            # `setVisible` would leave a hidden axis its room.
            if side in wanted:
                self.axes[side].show()
            else:
                self.axes[side].hide()
        self.axes["left"].setLogMode(y=log)
        for side in ("bottom", "bottom_apart"):
            self.axes[side].setScale(bottom_scale)
        # Without accuracies there is no room below their axis: the plot reaches further, and the unit stands on its own axis.
        beside = "right" in wanted
        self._unit.text = unit if beside else ""
        self.axes["bottom"].set_unit("" if beside else unit)
        self._name_unit()
        self._epochs_apart.setVisible(apart)
        self._put_apart(apart)

    def set_x_range(self, low: float, high: float) -> None:
        """Show these steps."""
        self._view.setXRange(low, high, padding=0)

    def set_left_range(self, low: float, high: float) -> None:
        """Show these values of the left axis (exponents of ten when it is logarithmic)."""
        self._view.setYRange(low, high, padding=0.02)

    def set_right_range(self, low: float, high: float) -> None:
        """Show these percentages."""
        self._right.setYRange(low, high, padding=0.02)

    def set_rate_range(self, high: float) -> None:
        """Show learning rates from 0 on."""
        self._rate.setYRange(0.0, high, padding=0.02)

    @property
    def x_range(self) -> tuple[float, float]:
        """The steps in view."""
        low, high = self._view.viewRange()[0]
        return float(low), float(high)

    def y_range(self, axis: Axis) -> tuple[float, float]:
        """The values in view on an axis."""
        low, high = self._views[axis].viewRange()[1]
        return float(low), float(high)

    @property
    def free_rect(self) -> QRectF | None:
        """Where accuracies are apart, the picture in which the pointer is not."""
        if not self._apart:
            return None
        view = self._view if self.pointer_apart else self._right
        return QRectF(self.mapFromScene(view.sceneBoundingRect()).boundingRect())

    @property
    def plot_rect(self) -> QRectF:
        """Where the lines are, in the widget; those of the losses where the accuracies are apart."""
        return QRectF(self.mapFromScene(self._view.sceneBoundingRect()).boundingRect())

    # --- crosshair --------------------------------------------------------------------------------------

    def set_cross(self, x: float | None) -> None:
        """Put the crosshair at a step, or take it away."""
        for cross, shown in zip(self._crosses, (True, self._apart), strict=True):
            cross.setVisible(x is not None and shown)
            if x is not None:
                cross.setPos(x)

    @Slot(object)
    def _on_move(self, point: QPointF) -> None:
        under = next((v for v in (self._view, self._right) if v.sceneBoundingRect().contains(point)), None)
        self.pointer_apart = self._apart and under is self._right
        self.pointed.emit(None if under is None else float(under.mapSceneToView(point).x()))

    def leaveEvent(self, event: QEvent) -> None:
        """Take the crosshair away with the pointer."""
        super().leaveEvent(event)
        self.pointed.emit(None)

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Show everything."""
        self.fit_wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right move the crosshair, + and − zoom, 0 shows everything, Escape ends the crosshair."""
        low, high = self.x_range
        match event.key():
            case Qt.Key.Key_Left:
                self.stepped.emit(-1)
            case Qt.Key.Key_Right:
                self.stepped.emit(1)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.set_x_range(low + (high - low) / 4, high - (high - low) / 4)
                self.zoomed.emit()
            case Qt.Key.Key_Minus:
                self.set_x_range(low - (high - low) / 2, high + (high - low) / 2)
                self.zoomed.emit()
            case Qt.Key.Key_0:
                self.fit_wanted.emit()
            case Qt.Key.Key_Escape:
                self.pointed.emit(None)
            case _:
                super().keyPressEvent(event)
