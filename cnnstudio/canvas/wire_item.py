"""A wire: the arrow between two neighbours with the shape that flows along it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from cnnstudio.canvas.face import pixel_font, smallest_letters
from cnnstudio.canvas.wire_label import WireLabel, label_at_end, place_label, text_width
from cnnstudio.document.graph import Wire
from cnnstudio.theme import current_theme

STUB = 34.0
"""Length of the arrow behind the last block."""
HEAD = 9.0
_LEAD = 20.0
_BEND = 10.0
_LABEL_ROOM = 5.0
"""Between a label and the ends of the wire that it interrupts."""


class Anchor(Protocol):
    """What a wire can be tied to: a card with a port at either side."""

    @property
    def card(self) -> QRectF:
        """The card, in scene coordinates."""

    @property
    def in_port(self) -> QPointF:
        """Where wires arrive, in scene coordinates."""

    @property
    def out_port(self) -> QPointF:
        """Where wires leave, in scene coordinates."""


def route(start: QPointF, end: QPointF, above: float, below: float) -> list[QPointF]:
    """The corners of a wire: straight, one step, or back to the next row through the gap between the rows.

    `above` is the lower edge of the first block and `below` the upper edge of the second, for the gap.
    """
    if end.x() >= start.x() + HEAD + 2 and abs(end.y() - start.y()) < 1:
        return [start, end]
    if end.x() >= start.x() + 2 * _LEAD:
        middle = (start.x() + end.x()) / 2
        return [start, QPointF(middle, start.y()), QPointF(middle, end.y()), end]
    gap = (above + below) / 2 if below > above + 8 else max(above, below) + 24
    right, left = start.x() + _LEAD, end.x() - _LEAD
    return [
        start,
        QPointF(right, start.y()),
        QPointF(right, gap),
        QPointF(left, gap),
        QPointF(left, end.y()),
        end,
    ]


def rounded(points: Sequence[QPointF]) -> QPainterPath:
    """A path through corners that are rounded off."""
    path = QPainterPath(points[0])
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        bend = min(_BEND, _distance(before, corner) / 2, _distance(corner, after) / 2)
        path.lineTo(_towards(corner, before, bend))
        path.quadTo(corner, _towards(corner, after, bend))
    path.lineTo(points[-1])
    return path


def distance_to(points: Sequence[QPointF], point: QPointF) -> float:
    """How far a point is from the nearest place of a wire."""
    return min(_distance_to_segment(a, b, point) for a, b in pairwise(points))


def _distance(a: QPointF, b: QPointF) -> float:
    return math.hypot(a.x() - b.x(), a.y() - b.y())


def _towards(a: QPointF, b: QPointF, length: float) -> QPointF:
    total = _distance(a, b)
    return a + (b - a) * (length / total) if total else a


def _distance_to_segment(a: QPointF, b: QPointF, p: QPointF) -> float:
    along = b - a
    square = QPointF.dotProduct(along, along)
    share = min(max(QPointF.dotProduct(p - a, along) / square, 0.0), 1.0) if square else 0.0
    return _distance(a + along * share, p)


class WireItem(QGraphicsItem):
    """The arrow from one block to the next, or behind the last one; follows the items wherever they are
    dragged.
    """

    def __init__(self, wire: Wire, first: Anchor, second: Anchor | None) -> None:
        super().__init__()
        self.wire = wire
        self.first = first
        self.second = second
        self.label = ""
        self.selected = False
        self.highlighted = False
        self.hovered = False
        self.faint = False
        self.points: list[QPointF] = []
        self._path = QPainterPath()
        self._least = 1
        """Scene pixels of the smallest letters that are legible on the screen."""
        self._text = WireLabel(self._least)
        self._bounds = QRectF()
        self.setZValue(0)
        self.reroute()

    @property
    def is_stub(self) -> bool:
        """Whether this is the arrow behind the last block."""
        return self.second is None

    def set_label(self, label: str, *, faint: bool) -> None:
        """Show the shape that flows here; `faint` where no data can flow."""
        if (label, faint) != (self.label, self.faint):
            self.label, self.faint = label, faint
            self.reroute()

    def mark(self, *, selected: bool, highlighted: bool, hovered: bool) -> None:
        """Show whether the wire is selected, the place where a block would land, or under the pointer."""
        if (selected, highlighted, hovered) != (self.selected, self.highlighted, self.hovered):
            self.selected, self.highlighted, self.hovered = selected, highlighted, hovered
            self.update()

    def reroute(self) -> None:
        """Follow the two blocks."""
        self.prepareGeometryChange()
        first = self.first.card
        start = self.first.out_port
        if self.second is None:
            self.points = [start, start + QPointF(STUB, 0)]
        else:
            self.points = route(start, self.second.in_port, first.bottom(), self.second.card.top())
        self._write()
        self._bounds = self._path.boundingRect().adjusted(-40, -44, 40, 22)
        self.update()

    def shift(self, way: QPointF) -> None:
        """Follow two blocks that have moved the same way; much quicker than to find the route anew."""
        self.prepareGeometryChange()
        self.points = [point + way for point in self.points]
        self._path.translate(way)
        self._text = replace(self._text, lines=tuple((at + way, line) for at, line in self._text.lines))
        self._bounds.translate(way)

    def _write(self) -> None:
        """Place the label and draw the line, which may have to make room for it."""
        if self.is_stub:
            self._text = label_at_end(self.label, self.points[0], least=self._least)
        else:
            self._text = place_label(self.label, self.points, least=self._least)
        self._path = self._drawn_path()

    def _drawn_path(self) -> QPainterPath:
        """The line; where its label lies within it, in two pieces."""
        if len(self.points) != 6 or not self._text.lines:
            return rounded(self.points)
        [(at, line)] = self._text.lines
        y = self.points[2].y()
        path = rounded([*self.points[:3], QPointF(at.x() + text_width(line, self._text.letters) + _LABEL_ROOM, y)])
        path.addPath(rounded([QPointF(at.x() - _LABEL_ROOM, y), *self.points[3:]]))
        return path

    def boundingRect(self) -> QRectF:
        """The arrow with its label."""
        return self._bounds

    def shape(self) -> QPainterPath:
        """The arrow alone."""
        return self._path

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Paint line, head and label."""
        least = math.ceil(smallest_letters(painter))
        if least != self._least:
            self._least = least
            self._write()
        theme = current_theme()
        marked = self.selected or self.highlighted
        color = theme.color("accent" if marked or self.hovered else "wire")
        pen = QPen(color, 3.0 if marked else 1.7)
        if self.faint and not marked:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if len(self.points) == 2:
            painter.drawLine(self.points[0], self.points[1])
        else:
            painter.drawPath(self._path)
        tip = self.points[-1] - (QPointF(0, 0) if self.is_stub else QPointF(4, 0))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([tip, tip + QPointF(-HEAD, -4.5), tip + QPointF(-HEAD, 4.5)]))
        painter.setFont(pixel_font(self._text.letters))
        painter.setPen(theme.color("muted" if self.faint else "text"))
        for at, line in self._text.lines:
            painter.drawText(at, line)
