"""Where the lines of a chart are drawn over the steps: a drag marks the stretch that is to be seen."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QGraphicsRectItem

import pyqtgraph as pg  # isort: skip  (after PySide6)

from cnnstudio.theme import current_theme

LEAST = 6.0
"""Pixels below which a drag was a click with an unsteady hand."""


class StepView(pg.ViewBox):
    """The wheel scales it and a drag with the left button marks a stretch; one that only lies over others leaves both to them."""

    stretch_marked = Signal(float, float)
    """The first and last position of the stretch, when the button is let go."""

    def __init__(self, *, takes_mouse: bool = False) -> None:
        super().__init__(enableMenu=False, enableMouse=takes_mouse)
        self.setMouseEnabled(x=takes_mouse, y=False)
        self._stretch = QGraphicsRectItem(self)
        self._stretch.setZValue(1)
        self._stretch.hide()

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        """Mark a stretch with the left button; the middle one, or a drag along an axis, moves the view."""
        if not self.state["mouseEnabled"][0] or ev.button() == Qt.MouseButton.RightButton:  # that one opens the menu
            ev.ignore()
        elif ev.button() == Qt.MouseButton.LeftButton and axis is None:
            ev.accept()
            self._mark(ev.buttonDownPos(), ev.pos(), done=ev.isFinish())
        else:
            super().mouseDragEvent(ev, axis)

    def _mark(self, start: QPointF, end: QPointF, *, done: bool) -> None:
        area = self.rect()
        left, right = (min(max(x, area.left()), area.right()) for x in sorted((start.x(), end.x())))
        color = current_theme().color("accent")
        self._stretch.setPen(QPen(color, 0))
        color.setAlphaF(0.15)
        self._stretch.setBrush(color)
        self._stretch.setRect(left, area.top(), right - left, area.height())
        self._stretch.setVisible(not done)
        if done and right - left >= LEAST:
            first, last = (self.mapToView(QPointF(x, 0.0)).x() for x in (left, right))
            self.stretch_marked.emit(first, last)
