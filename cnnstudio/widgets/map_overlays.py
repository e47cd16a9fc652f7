"""What lies under and over the maps: frames, numbers, winner marks, crosses on NaN, windows, captions, the readout."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from cnnstudio.theme import current_theme, number_font, ui_font
from cnnstudio.widgets.colormaps import Kind, pack_rgb
from cnnstudio.widgets.mosaic import Layout, Maps, Picture
from cnnstudio.widgets.numbers import format_fixed, matrix_decimals

NUMBER_CELL = 34
"""Cells at least this wide (logical pixels) show their number."""

BACKDROP = 0.5
"""How much of a picture that lies over the maps is seen."""
FRAMED_CELL = 8
"""Maps whose cells are at least this wide (logical pixels) have a frame: a cell may have the colour of the ground."""
PALE_KINDS: tuple[Kind, ...] = ("weight", "mask", "counts")
"""Most cells of these may have nearly the colour of the ground: they have a frame however small the cells are."""
SMALLEST_WINDOW = 14
"""Logical pixels that a pooling window must span for its outline to help more than it hides."""
_SMALLEST_MARK = 3
_MOST_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Highlight:
    """A block of cells to outline, in one map or (None) in all; it may reach into the padding."""

    map: int | None
    rows: range
    cols: range


def draw_numbers(
    painter: QPainter, layout: Layout, maps: Maps, picture: Picture, shown: range, scale: float, *, pale_zeros: bool = False
) -> None:
    """Print every cell's value in it, in black or white by the luminance of the cell; where most are 0, these may be pale."""
    across, down = layout.map_width / layout.width, layout.map_height / layout.height
    values = maps[shown.start : shown.stop]
    decimals = min(matrix_decimals(maps), _MOST_DECIMALS)
    texts = [format_fixed(value, decimals) for value in np.asarray(values, float).ravel().tolist()]
    longest = max(4 if decimals else 2, max(map(len, texts), default=0))
    painter.setFont(fitted_font(across - 4 * scale, "0" * longest, scale))
    metrics = QFontMetricsF(painter.font(), painter.device())
    digit, baseline = metrics.horizontalAdvance("0"), (metrics.ascent() - metrics.descent()) / 2
    light = _is_light(picture.pixels[shown.start : shown.stop])
    # Placed by hand and sorted by colour: five times faster than centring each number in a rectangle.
    pale = (values == 0) & pale_zeros
    for color, cells in (("#000000", light & ~pale), ("#ffffff", ~light & ~pale),
                         ("#50000000", light & pale), ("#50ffffff", ~light & pale)):  # fmt: skip
        painter.setPen(QColor(color))
        for index, row, col in np.argwhere(cells).tolist():
            origin = layout.map_rect(shown.start + index)
            text = texts[(index * layout.height + row) * layout.width + col]
            x = origin.x() + (col + 0.5) * across - len(text) * digit / 2
            painter.drawText(QPointF(x, origin.y() + (row + 0.5) * down + baseline), text)


def fitted_font(width: float, widest: str, scale: float = 1.0) -> QFont:
    """The number font, at most 0.95 of the interface's size, in which `widest` fits `width` device pixels."""
    font = number_font(0.95)
    wanted = QFontMetricsF(font).horizontalAdvance(widest) * scale
    font.setPointSizeF(font.pointSizeF() * scale * min(1.0, width / wanted))
    return font


def _is_light(packed: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Whether black is easier to read than white on colours 0xffRRGGBB."""
    red, green, blue = ((packed >> shift & 0xFF) / 255.0 for shift in (16, 8, 0))
    # 0.179 is the luminance at which black and white have the same contrast; 2.2 is near enough to sRGB here.
    return np.asarray(0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.179)


def draw_stamps(painter: QPainter, layout: Layout, masks: Maps, shown: range, shape: str) -> None:
    """Stamp a "dot" or a "cross" on every cell whose mask is set, unless cells are too small to hold one."""
    cell = int(layout.cell)
    if cell < _SMALLEST_MARK:
        return
    stamp = _stamp(cell, shape)
    for index in shown:
        mask = np.asarray(masks[index], bool)
        if mask.any():
            tiles = mask[:, None, :, None] * stamp[None, :, None, :]
            pixels = np.ascontiguousarray(tiles.reshape(layout.height * cell, layout.width * cell))
            height, width = pixels.shape
            image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
            painter.drawImage(layout.map_rect(index), image)


def _stamp(cell: int, shape: str) -> NDArray[np.uint32]:
    """A cell-sized mark, light with a dark rim so that it shows on every colour."""
    image = QImage(cell, cell, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, cell >= 6)
    middle = QPointF(cell / 2, cell / 2)
    if shape == "dot":
        if cell < 6:
            inner = cell // 3
            painter.fillRect(inner, inner, cell - 2 * inner, cell - 2 * inner, QColor("#ffffff"))
        else:
            radius = min(cell * 0.24, 9.0)
            painter.setPen(QPen(QColor("#101418"), max(1.0, radius * 0.35)))
            painter.setBrush(QColor("#ffffff"))
            painter.drawEllipse(middle, radius, radius)
    else:
        inset = cell * 0.22
        box = QRectF(inset, inset, cell - 2 * inset, cell - 2 * inset)
        painter.setPen(QPen(QColor("#ffffff"), max(1.0, cell * 0.1)))
        painter.drawLine(box.topLeft(), box.bottomRight())
        painter.drawLine(box.topRight(), box.bottomLeft())
    painter.end()
    view = np.frombuffer(image.constBits(), np.uint32).reshape(cell, -1)
    return view[:, :cell].copy()


def draw_frames(painter: QPainter, layout: Layout, shown: range, scale: float, kind: Kind) -> None:
    """A thin frame around every map of large cells or pale colours, drawn before the maps: they lie on all but its edge."""
    pale = kind in PALE_KINDS
    if not pale and (layout.cell < FRAMED_CELL * scale or layout.gap == 0):
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(current_theme().color("control_border"))
    width = max(1, round(scale))
    painter.drawRects(_frames_of_units(layout, width) if layout.gap == 0 else _frames(layout, width)[shown.start : shown.stop])


@lru_cache(32)  # panels draw the same ones again and again
def _frames(layout: Layout, width: int) -> list[QRect]:
    return [rect.adjusted(-width, -width, width, width) for rect in layout.rects]


@lru_cache(32)
def _frames_of_units(layout: Layout, width: int) -> list[QRect]:
    """Single units lie like the cells of one map, whose last row may be shorter than the others."""
    first, last, whole = 0, layout.count - 1, layout.count - layout.count % layout.columns - 1
    ends = [(first, whole), (layout.count - layout.count % layout.columns, last)]
    frames = [layout.rects[start].united(layout.rects[end]) for start, end in ends if 0 <= start <= end]
    return [rect.adjusted(-width, -width, width, width) for rect in frames]


def draw_grid(painter: QPainter, layout: Layout, shown: range, step: tuple[int, int], scale: float) -> None:
    """Thin lines every `step` (rows, columns) cells, the windows of a pooling layer, where these are large enough."""
    rows, cols = step
    if min(rows, cols) * layout.cell < SMALLEST_WINDOW * scale:
        return
    painter.setPen(QPen(QColor(255, 255, 255, 170), max(1.0, scale)))
    for index in shown:
        box = QRectF(layout.map_rect(index))
        for row in range(rows, layout.height, rows):
            y = layout.cells_rect(index, range(row, row + 1), range(1)).top()
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        for col in range(cols, layout.width, cols):
            x = layout.cells_rect(index, range(1), range(col, col + 1)).left()
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))


def picture_image(picture: Maps, low: float, high: float) -> QImage:
    """A grey (H, W) or RGB (H, W, 3) picture over [low, high] as an image that owns its pixels."""
    pixels = np.zeros(picture.shape[:2], np.uint32)
    pack_rgb(picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=-1), low, high, pixels)
    height, width = picture.shape[0], picture.shape[1]
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def draw_backdrop(painter: QPainter, layout: Layout, backdrop: QImage, shown: range) -> None:
    """The picture over each map, `BACKDROP` of it and the rest of the map: cells keep their edges."""
    painter.setOpacity(BACKDROP)
    for index in shown:
        painter.drawImage(layout.map_rect(index), backdrop)
    painter.setOpacity(1.0)


def draw_highlights(painter: QPainter, layout: Layout, highlights: Sequence[Highlight], shown: range, scale: float) -> None:
    """Outline blocks of cells, with a dark rim so that the outline shows on every colour."""
    for highlight in highlights:
        for index in shown if highlight.map is None else [highlight.map]:
            if index in shown:
                box = layout.cells_rect(index, highlight.rows, highlight.cols)
                outline(painter, box, current_theme().color("highlight"), 2 * scale)


def outline(painter: QPainter, box: QRectF, color: QColor, width: float) -> None:
    """A line around (not over) a box, with a hairline in black inside and white outside: it shows on any colour."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    half, thin = width / 2, max(1.0, width / 2)
    for pen_color, pen_width, away in (
        (QColor(0, 0, 0, 190), thin, thin / 2),
        (QColor(255, 255, 255, 190), thin, width + thin * 1.5),
        (color, width, half + thin),
    ):
        pen = QPen(pen_color, pen_width)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawRect(box.adjusted(-away, -away, away, away))


def draw_captions(painter: QPainter, layout: Layout, labels: Sequence[str], shown: range, scale: float) -> None:
    """The name of each map above it, shortened to its width."""
    font = ui_font(0.8)
    font.setPointSizeF(font.pointSizeF() * scale)
    painter.setFont(font)
    painter.setPen(current_theme().color("muted"))
    metrics = painter.fontMetrics()
    for index in shown:
        if index < len(labels):
            below = layout.map_rect(index)
            box = QRect(below.x(), below.y() - layout.caption, below.width(), layout.caption)
            text = metrics.elidedText(labels[index], Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def draw_readout(painter: QPainter, area: QRect, cell: QRectF, text: str) -> None:
    """A small tag beside a cell (logical pixels), kept inside the area."""
    theme = current_theme()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(ui_font(0.9))
    metrics = painter.fontMetrics()
    box = QRectF(0, 0, metrics.horizontalAdvance(text) + 16, metrics.height() + 8)
    below = cell.bottom() + 6
    y = below if below + box.height() <= area.bottom() else cell.top() - 6 - box.height()
    x = min(cell.left(), area.right() - box.width() - 2)
    box.moveTo(max(x, area.left() + 2.0), max(y, area.top() + 2.0))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("tooltip"))
    painter.drawRoundedRect(box, 5, 5)
    painter.setPen(theme.color("on_tooltip"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
