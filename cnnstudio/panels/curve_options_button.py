"""The button of a panel that shows the options of its curves, or leaves their room to the curves."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject

from cnnstudio.icon_button import IconButton
from cnnstudio.widgets.curve_plot import CurvePlot

LOW = 14
"""Lines of text below whose height the room belongs to the curves, and their options come when asked for."""


class CurveOptionsButton(IconButton):
    """Down while the options of a plot are shown; it goes up when the plot becomes low, and down when it becomes high."""

    def __init__(self, plot: CurvePlot, text: str) -> None:
        super().__init__("sliders", text, token="muted")
        self._plot, self._is_low = plot, False
        self.setAccessibleName(self.tr("Options of the curves"))
        self.setCheckable(True)
        self.setChecked(True)
        self.make_small(16, 24, 24)
        self.toggled.connect(plot.show_options)
        plot.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the height of the plot."""
        if watched is self._plot and event.type() == QEvent.Type.Resize:
            is_low = self._plot.height() < LOW * self.fontMetrics().height()
            if is_low != self._is_low:
                self._is_low = is_low
                self.setChecked(not is_low)
        return super().eventFilter(watched, event)
