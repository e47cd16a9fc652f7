"""The face of a block: what it says, and how that is painted on a card with a coloured header."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from cnnstudio.document.layout import BLOCK_HEIGHT, BLOCK_WIDTH
from cnnstudio.theme import Theme, layer_color, layer_ink, layer_stroke, ui_font

MARGIN = 8.0
"""Room around the card for shadow, ports and outline."""
HEADER = 24.0
PORT_Y = BLOCK_HEIGHT / 2
PORT_RADIUS = 4.0
RADIUS = 7.0
PADDING = 8.0
_LINE = 16.0
THUMBNAIL = QRectF(PADDING, HEADER + 2 * _LINE + 5, BLOCK_WIDTH - 2 * PADDING, BLOCK_HEIGHT - HEADER - 2 * _LINE - 12)
"""Where the picture of the block's maps is painted."""

_LEGIBLE = 9.0
"""Height of letters, in logical pixels, below which they cannot be read."""
_SMALL = 11
"""Pixels of the letters of all that is said beside title and main options."""
_BUTTON_MARGIN, _BUTTON_PADDING = 4.0, 2.0
_TEXT_FLAGS = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop


@dataclass(frozen=True)
class Face:
    """All that a block says; two equal faces look the same."""

    role: str
    title: str
    parameters: str = ""
    main: str = ""
    shape: str = ""
    """The shape behind the block."""
    detail: str = ""
    problem: str = ""
    """The sentence of an error, or of what the block waits for or misses."""
    is_error: bool = False
    fixes: tuple[str, ...] = ()
    """Labels of the buttons that mend the error."""
    pale: bool = False
    """Whether the block takes no part in the network."""


@lru_cache(maxsize=256)
def pixel_font(pixels: float, bold: bool = False) -> QFont:
    """The interface font at a size in scene pixels, so that a drawing looks the same on every screen."""
    font = ui_font(bold=bold)
    font.setPixelSize(round(pixels))
    return font


def forget_fonts() -> None:
    """Read the fonts anew, after the theme or the text size has changed."""
    pixel_font.cache_clear()
    _measured.cache_clear()


def face_height(face: Face) -> float:
    """The height of the card: the usual one, or more when an error needs the room."""
    if not face.problem:
        return BLOCK_HEIGHT
    buttons = fix_rects(face)
    bottom = buttons[-1].bottom() if buttons else _problem_bottom(face)
    return max(BLOCK_HEIGHT, bottom + _BUTTON_MARGIN)


def fix_rects(face: Face) -> list[QRectF]:
    """Where the buttons of the fixes lie, one below the other, each as high as its label."""
    rects: list[QRectF] = []
    top, width = _problem_bottom(face), BLOCK_WIDTH - 2 * _BUTTON_MARGIN
    for label in face.fixes:
        height = _measured(label, width - 2 * _BUTTON_PADDING) + 6
        rects.append(QRectF(_BUTTON_MARGIN, top, width, height))
        top += height + 3
    return rects


def _problem_rect(face: Face) -> QRectF:
    top = HEADER + 6.0
    if not face.is_error:
        top += (_LINE if face.main or face.shape else 0) + (_LINE if face.detail else 0)
    indent = 20.0 if face.is_error else 0.0
    return QRectF(PADDING + indent, top, BLOCK_WIDTH - 2 * PADDING - indent, 400)


def _problem_bottom(face: Face) -> float:
    rect = _problem_rect(face)
    return rect.top() + _measured(face.problem, rect.width()) + 4


@lru_cache(maxsize=512)
def _measured(text: str, width: float) -> float:
    metrics = QFontMetricsF(pixel_font(_SMALL))
    return metrics.boundingRect(QRectF(0, 0, width, 1000), int(_TEXT_FLAGS), text).height()


def smallest_letters(painter: QPainter) -> float:
    """The height, in what the painter takes for pixels, of the smallest letters that can be read.

    How many device pixels a logical one has does not count: they make letters finer, but no larger to the eye. An exported
    picture of higher resolution is scaled by its painter, and looked at as large as that.
    """
    return _LEGIBLE / painter.worldTransform().m11()


def paint_face(painter: QPainter, face: Face, theme: Theme) -> None:
    """Paint the card with its shadow; the top left corner of the card is the origin.

    Where small letters would be illegible there are none: the shape is said at the arrow, the rest by the panels.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    card = QRectF(0, 0, BLOCK_WIDTH, face_height(face))
    _paint_shadow(painter, card, theme)
    outline = QPainterPath()
    outline.addRoundedRect(card, RADIUS, RADIUS)
    painter.fillPath(outline, theme.color("surface"))
    legible = smallest_letters(painter) <= _SMALL
    said = face if legible else replace(face, parameters="", shape="", detail="")
    _paint_header(painter, said, theme)
    if not face.is_error:
        _paint_options(painter, said, theme)
    if face.problem:
        _paint_problem(painter, face, theme)
    border = "danger" if face.is_error else "border"
    pen = QPen(theme.color(border), 1.5 if face.is_error else 1.0)
    if face.pale:
        pen = QPen(theme.color("wire"), 1.2, Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(outline)
    paint_ports(painter, face, theme, filled=False)


def paint_ports(painter: QPainter, face: Face, theme: Theme, *, filled: bool) -> None:
    """Paint the circles where wires arrive and leave; an Input block has only the second."""
    painter.setPen(QPen(theme.color("wire"), 1.2))
    painter.setBrush(theme.color("accent" if filled else "surface"))
    painter.drawEllipse(QPointF(BLOCK_WIDTH, PORT_Y), PORT_RADIUS, PORT_RADIUS)
    if face.role != "input":
        painter.drawEllipse(QPointF(0, PORT_Y), PORT_RADIUS, PORT_RADIUS)


def _paint_shadow(painter: QPainter, card: QRectF, theme: Theme) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    strength = 26 if theme.dark else 10
    for spread in (1.0, 2.0, 3.5, 5.0):
        painter.setBrush(QColor(0, 0, 0, strength))
        shadow = card.adjusted(-spread + 1, -spread + 2.5, spread - 1, spread + 1)
        painter.drawRoundedRect(shadow, RADIUS + spread, RADIUS + spread)


@lru_cache
def _header_shape() -> QPainterPath:
    """The head of a card. A path, not a clip, which an SVG file would not have."""
    path, side = QPainterPath(QPointF(0, HEADER)), 2 * RADIUS
    path.arcTo(0, 0, side, side, 180, -90)
    path.arcTo(BLOCK_WIDTH - side, 0, side, side, 90, -90)
    path.lineTo(BLOCK_WIDTH, HEADER)
    path.closeSubpath()
    return path


def _paint_header(painter: QPainter, face: Face, theme: Theme) -> None:
    color = QColor(layer_color(face.role))
    ink = QColor(layer_ink(face.role))
    if face.pale:
        color, ink = theme.color("pressed"), theme.color("muted")
    painter.fillPath(_header_shape(), color)
    if face.pale:
        painter.fillRect(QRectF(PADDING, HEADER - 2, BLOCK_WIDTH - 2 * PADDING, 2), QColor(layer_stroke(face.role, theme)))
    painter.setPen(ink)
    room = QRectF(PADDING, 0, BLOCK_WIDTH - 2 * PADDING, HEADER)
    if face.parameters:
        small = pixel_font(_SMALL)
        painter.setFont(small)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, face.parameters)
        room.setRight(room.right() - QFontMetricsF(small).horizontalAdvance(face.parameters) - 6)
    _paint_line(painter, face.title, room, pixel_font(13, True), ink)


def _paint_options(painter: QPainter, face: Face, theme: Theme) -> None:
    """Main options and shape, below them the other options; an error needs the room for itself."""
    width = BLOCK_WIDTH - 2 * PADDING
    text = theme.color("muted" if face.pale else "text")
    top = HEADER + 2
    room = QRectF(PADDING, top, width, _LINE)
    if face.shape:
        small = pixel_font(_SMALL)
        painter.setFont(small)
        painter.setPen(theme.color("muted"))
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, face.shape)
        room.setRight(room.right() - QFontMetricsF(small).horizontalAdvance(face.shape) - 6)
    _paint_line(painter, face.main, room, pixel_font(13, True), text)
    top += _LINE - 1  # nearer to the line above than to the picture below
    if face.detail:
        _paint_line(painter, face.detail, QRectF(PADDING, top, width, _LINE), pixel_font(_SMALL), theme.color("muted"))


def _paint_problem(painter: QPainter, face: Face, theme: Theme) -> None:
    rect = _problem_rect(face)
    if face.is_error:
        _paint_warning(painter, QPointF(PADDING + 7, rect.top() + 7), theme)
    painter.setFont(pixel_font(_SMALL))
    painter.setPen(theme.color("danger" if face.is_error else "muted"))
    painter.drawText(rect, int(_TEXT_FLAGS), face.problem)
    for label, button in zip(face.fixes, fix_rects(face), strict=True):
        painter.setBrush(theme.color("accent_soft"))
        painter.setPen(QPen(theme.color("accent"), 1))
        painter.drawRoundedRect(button.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.setPen(theme.color("text"))
        room = button.adjusted(_BUTTON_PADDING, 0, -_BUTTON_PADDING, 0)
        painter.drawText(room, int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter), label)


def _paint_warning(painter: QPainter, centre: QPointF, theme: Theme) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("danger"))
    painter.drawEllipse(centre, 7, 7)
    painter.setPen(QPen(theme.color("on_danger"), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(centre + QPointF(0, -3.6), centre + QPointF(0, 0.8))
    painter.drawPoint(centre + QPointF(0, 3.6))


def _paint_line(painter: QPainter, text: str, rect: QRectF, font: QFont, color: QColor) -> None:
    """One line of text, cut off with … where it is too long."""
    painter.setFont(font)
    painter.setPen(color)
    shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
