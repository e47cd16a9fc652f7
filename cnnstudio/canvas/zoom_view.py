"""A view that zooms at the pointer, pans, fits, and lies on a quiet grid of dots."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QPainter, QPixmap, QTransform
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from cnnstudio.document.layout import PITCH_X, PITCH_Y
from cnnstudio.theme import current_theme

SMALLEST, LARGEST = 0.1, 4.0
_DOT_GRID = 24.0
_FIT_MARGIN = 10.0
_ZOOM_REST = 140
"""Milliseconds without a turn of the wheel after which the zoom has ended."""


class ZoomView(QGraphicsView):
    """Knows nothing of blocks; `fitted` is true until the user has chosen another part to look at."""

    zooming_changed = Signal(bool)
    """True when the scale begins to change, False when it has come to rest."""

    def __init__(self, scene: QGraphicsScene, parent: QWidget | None) -> None:
        super().__init__(scene, parent)
        self.fitted = True
        self._dots = QPixmap()
        self._dots_made_for: tuple[str, float, float] | None = None
        self._zoom_rest = QTimer(self)
        self._zoom_rest.setSingleShot(True)
        self._zoom_rest.setInterval(_ZOOM_REST)
        self._zoom_rest.timeout.connect(self._sharpen)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        # One rectangle: long wires are slow to draw through a clip of hundreds of small ones.
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.BoundingRectViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @property
    def scale_factor(self) -> float:
        """View pixels for one scene pixel."""
        return self.transform().m11()

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom; the place at a point of the view (the middle without one) stays where it is."""
        point = at if at is not None else QPointF(self.viewport().rect().center())
        wanted = min(max(self.scale_factor * factor, SMALLEST), LARGEST)
        anchor = self.to_scene(point)
        self.fitted = False
        self._set_view(wanted, point - anchor * wanted)
        if not self._zoom_rest.isActive():
            self.zooming_changed.emit(True)
        self._zoom_rest.start()

    def pan_by(self, way: QPointF) -> None:
        """Push the canvas by a way in view pixels."""
        self.fitted = False
        horizontal, vertical = self.horizontalScrollBar(), self.verticalScrollBar()
        horizontal.setValue(horizontal.value() - round(way.x()))
        vertical.setValue(vertical.value() - round(way.y()))

    def show_rect(self, rect: QRectF, largest: float) -> None:
        """Show a rectangle of the scene as large as it fits, but not larger than a scale."""
        if rect.isEmpty():
            rect = QRectF(0, 0, PITCH_X, PITCH_Y)
        area = QRectF(self.viewport().rect()).adjusted(_FIT_MARGIN, _FIT_MARGIN, -_FIT_MARGIN, -_FIT_MARGIN)
        if area.width() <= 0 or area.height() <= 0:
            return
        scale = min(area.width() / rect.width(), area.height() / rect.height(), largest)
        scale = min(max(scale, SMALLEST), LARGEST)
        # Like text: from the top left corner, centred only when it fills most of the width.
        spare = area.width() - rect.width() * scale
        left = area.left() + (spare / 2 if spare < 0.25 * area.width() else 0)
        self._set_view(scale, QPointF(left, area.top()) - rect.topLeft() * scale)

    def _set_view(self, scale: float, origin: QPointF) -> None:
        """Show the scene at a scale, with the scene's origin at a point of the view."""
        self.setTransform(QTransform.fromScale(scale, scale))
        offset = QPointF(self.mapFromScene(QPointF(0, 0))) - origin
        horizontal, vertical = self.horizontalScrollBar(), self.verticalScrollBar()
        horizontal.setValue(horizontal.value() + round(offset.x()))
        vertical.setValue(vertical.value() + round(offset.y()))

    def bring_into_view(self, rect: QRectF) -> None:
        """Scroll as little as shows a rectangle of the scene."""
        seen = self.mapFromScene(rect).boundingRect()
        if not self.viewport().rect().contains(seen):
            kept = self.fitted
            self.ensureVisible(rect, 40, 40)
            self.fitted = kept

    def to_scene(self, point: QPointF) -> QPointF:
        """A point of the view, fractions included, in the scene."""
        inverse, _ = self.viewportTransform().inverted()
        return inverse.map(point)

    @Slot()
    def _sharpen(self) -> None:
        self.zooming_changed.emit(False)
        self.viewport().update()

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        """A quiet grid of dots that moves and grows with the canvas."""
        theme = current_theme()
        step = _DOT_GRID * self.scale_factor
        while step < 16:
            step *= 2
        ratio = self.devicePixelRatioF()
        if self._dots_made_for != (theme.name, step, ratio):
            self._dots_made_for = (theme.name, step, ratio)
            self._dots = self._dot_tile(round(step * ratio), ratio)
        world = painter.worldTransform()
        painter.setWorldTransform(QTransform())
        origin = self.viewportTransform().map(QPointF(0, 0))
        area = world.mapRect(QRectF(rect)).toAlignedRect()
        tile = self._dots.width() / ratio
        offset = QPointF((area.x() - origin.x()) % tile, (area.y() - origin.y()) % tile)
        painter.drawTiledPixmap(QRectF(area), self._dots, offset)
        painter.setWorldTransform(world)

    def _dot_tile(self, side: int, ratio: float) -> QPixmap:
        theme = current_theme()
        tile = QPixmap(side, side)
        tile.fill(theme.color("canvas"))
        painter = QPainter(tile)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("canvas_dot"))
        painter.drawEllipse(QPointF(side / 2, side / 2), 1.1 * ratio, 1.1 * ratio)
        painter.end()
        tile.setDevicePixelRatio(ratio)
        return tile
