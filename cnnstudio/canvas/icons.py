"""Small pictures of layers, drawn from their role; an activation is drawn as the curve that its own
mathematics gives.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from cnnstudio.theme import current_theme, layer_stroke
from engine.layer import LAYERS, Context, Layer, Shape, Workspace

SIDE = 20


def layer_icon(kind: str, scale: float = 2.0) -> QIcon:
    """The icon of a layer kind, in the colour of its role."""
    return QIcon(layer_pixmap(kind, scale))


def layer_pixmap(kind: str, scale: float = 2.0) -> QPixmap:
    """The picture of a layer kind, 20×20 logical pixels at `scale` device pixels each."""
    return _pixmap(kind, scale, layer_stroke(LAYERS[kind].role, current_theme()))


@lru_cache(maxsize=128)
def _pixmap(kind: str, scale: float, color: str) -> QPixmap:
    pixmap = QPixmap(QSize(round(SIDE * scale), round(SIDE * scale)))
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint_icon(painter, LAYERS[kind], QColor(color))
    painter.end()
    return pixmap


def paint_icon(painter: QPainter, layer: type[Layer], color: QColor) -> None:
    """Draw the icon of a layer kind into the square (0, 0, 20, 20)."""
    painter.setPen(QPen(color, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _DRAWINGS[layer.role](painter, color, layer)


def _input(painter: QPainter, color: QColor, _layer: type[Layer]) -> None:
    painter.drawRoundedRect(QRectF(2.5, 3.5, 15, 13), 2, 2)
    painter.setBrush(color)
    painter.drawEllipse(QPointF(6.8, 7.6), 1.1, 1.1)
    painter.drawPolygon(QPolygonF([QPointF(5, 14), QPointF(10.5, 8.5), QPointF(15.2, 14)]))


def _conv(painter: QPainter, color: QColor, _layer: type[Layer]) -> None:
    thin = QPen(color, 1.0)
    painter.setPen(thin)
    for i in range(5):
        at = 2.5 + i * 3.75
        painter.drawLine(QPointF(at, 2.5), QPointF(at, 17.5))
        painter.drawLine(QPointF(2.5, at), QPointF(17.5, at))
    painter.fillRect(QRectF(6.25, 2.5, 7.5, 7.5), color)


def _activation(painter: QPainter, _color: QColor, layer: type[Layer]) -> None:
    x = np.linspace(-3, 3, 41)[None]
    curve = layer_curve(layer, x)[0]
    low, high = float(min(curve.min(), 0)), float(max(curve.max(), 1e-6))
    path = QPainterPath()
    for i, value in enumerate(curve):
        point = QPointF(2.5 + i * 15 / 40, 16.5 - (float(value) - low) / (high - low) * 13)
        path.lineTo(point) if i else path.moveTo(point)
    painter.drawPath(path)


def layer_curve(layer: type[Layer], x: np.ndarray) -> np.ndarray:
    """What an element-wise layer with default options makes of the numbers (1, M)."""
    instance = layer()
    shape = Shape(x.shape[1:])
    y = np.zeros_like(x)
    workspace = Workspace()
    for name, buffer in instance.workspace(shape, 1).items():
        workspace[name] = np.zeros(buffer.shape, float if buffer.dtype == "float" else buffer.dtype)
    workspace.x, workspace.y = x, y
    instance.forward(x, y, {}, workspace, Context())
    return y


def _pool(painter: QPainter, color: QColor, _layer: type[Layer]) -> None:
    for i in range(2):
        for j in range(2):
            cell = QRectF(2.5 + 4.5 * j, 5.5 + 4.5 * i, 4.5, 4.5)
            painter.drawRect(cell)
    painter.fillRect(QRectF(7, 5.5, 4.5, 4.5), color)
    painter.drawLine(QPointF(12.2, 10), QPointF(13.6, 10))
    painter.fillRect(QRectF(14.4, 7.6, 4.6, 4.6), color)


def _norm(painter: QPainter, _color: QColor, _layer: type[Layer]) -> None:
    path = QPainterPath(QPointF(2.5, 15.5))
    path.cubicTo(QPointF(8, 15.5), QPointF(7.5, 4), QPointF(10, 4))
    path.cubicTo(QPointF(12.5, 4), QPointF(12, 15.5), QPointF(17.5, 15.5))
    painter.drawPath(path)
    painter.drawLine(QPointF(10, 15.5), QPointF(10, 17))


def _flatten(painter: QPainter, color: QColor, _layer: type[Layer]) -> None:
    painter.drawRect(QRectF(2.5, 5.5, 7, 9))
    painter.drawLine(QPointF(2.5, 10), QPointF(9.5, 10))
    painter.drawLine(QPointF(6, 5.5), QPointF(6, 14.5))
    painter.drawLine(QPointF(11, 10), QPointF(13, 10))
    painter.fillRect(QRectF(14.5, 2.5, 3, 15), color)


def _dense(painter: QPainter, color: QColor, _layer: type[Layer]) -> None:
    painter.setPen(QPen(color, 0.9))
    left, right = (4.5, 10.0, 15.5), (6.5, 13.5)
    for a in left:
        for b in right:
            painter.drawLine(QPointF(4, a), QPointF(16, b))
    painter.setBrush(color)
    for a in left:
        painter.drawEllipse(QPointF(4, a), 1.8, 1.8)
    for b in right:
        painter.drawEllipse(QPointF(16, b), 1.8, 1.8)


def _dropout(painter: QPainter, color: QColor, _layer: type[Layer]) -> None:
    for i, (x, y) in enumerate(((5, 5), (15, 5), (5, 15), (15, 15))):
        painter.setBrush(color if i in (0, 3) else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(x, y), 2.6, 2.6)


def _output(painter: QPainter, color: QColor, _layer: type[Layer]) -> None:
    for i, width in enumerate((4.0, 7.0, 14.5, 3.0)):
        painter.fillRect(QRectF(3, 3 + i * 3.9, width, 2.5), color)


_DRAWINGS = {
    "input": _input,
    "conv": _conv,
    "activation": _activation,
    "pool": _pool,
    "norm": _norm,
    "flatten": _flatten,
    "dense": _dense,
    "dropout": _dropout,
    "output": _output,
}
