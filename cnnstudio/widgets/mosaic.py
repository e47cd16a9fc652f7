"""How N maps become one picture: colours, and where each map and cell lies, in device pixels."""

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from cnnstudio.widgets.colormaps import (
    Bounds,
    Kind,
    colorize_packed,
    default_colormap,
    pack_rgb,
    value_range,
)

Maps = NDArray[np.generic]

# From this size on, all cells get the same whole number of pixels; below, that would waste half the room.
_WHOLE_CELL = 3


@dataclass(frozen=True)
class Layout:
    """Where N maps of H×W cells lie; all lengths in device pixels."""

    count: int
    height: int
    width: int
    columns: int
    cell: float
    gap: int
    caption: int
    margin: int
    left: int = 0
    top: int = 0
    """Room for names beside and above a single map."""
    aspect: float = 1.0
    """Height of a cell by its width `cell`."""

    @cached_property
    def map_height(self) -> int:
        """Height of one map without its caption."""
        return max(1, math.floor(self.height * self.cell * self.aspect + 1e-6))

    @cached_property
    def map_width(self) -> int:
        """Width of one map."""
        return max(1, math.floor(self.width * self.cell + 1e-6))

    @property
    def rows(self) -> int:
        """Rows of maps."""
        return math.ceil(self.count / self.columns) if self.count else 0

    @property
    def size(self) -> QSize:
        """Size of the whole mosaic with its margins."""
        if not self.count:
            return QSize(0, 0)
        columns = min(self.columns, self.count)
        return QSize(
            columns * (self.map_width + self.gap) - self.gap + 2 * self.margin + self.left,
            self.rows * (self.map_height + self.caption + self.gap) - self.gap + 2 * self.margin + self.top,
        )

    @cached_property
    def rects(self) -> tuple[QRect, ...]:
        """The rectangles of all maps' cells, for who draws them again and again."""
        return tuple(map(self.map_rect, range(self.count)))

    def map_rect(self, index: int) -> QRect:
        """The rectangle of a map's cells."""
        row, column = divmod(index, self.columns)
        x = self.margin + self.left + column * (self.map_width + self.gap)
        y = self.margin + self.top + row * (self.map_height + self.caption + self.gap) + self.caption
        return QRect(x, y, self.map_width, self.map_height)

    def cells_rect(self, index: int, rows: range, columns: range) -> QRectF:
        """The rectangle around a block of cells, which may reach beyond the map (padding)."""
        origin = self.map_rect(index)
        x_step, y_step = self.map_width / self.width, self.map_height / self.height
        return QRectF(
            origin.x() + columns.start * x_step,
            origin.y() + rows.start * y_step,
            len(columns) * x_step,
            len(rows) * y_step,
        )

    def hit(self, x: float, y: float) -> tuple[int, int, int] | None:
        """The (map, row, column) at a point, or None between and beside the maps."""
        column, in_x = divmod(math.floor(x) - self.margin - self.left, self.map_width + self.gap)
        row, in_y = divmod(math.floor(y) - self.margin - self.top, self.map_height + self.caption + self.gap)
        in_y -= self.caption
        index = row * self.columns + column
        inside = 0 <= in_x < self.map_width and 0 <= in_y < self.map_height
        if not inside or not 0 <= column < self.columns or not 0 <= index < self.count:
            return None
        # The same rounding as nearest-neighbour drawing: the centre of the pixel decides.
        at_row = int((in_y + 0.5) * self.height / self.map_height)
        return index, at_row, int((in_x + 0.5) * self.width / self.map_width)

    def visible(self, top: int, bottom: int) -> range:
        """The maps that touch the band of pixels from top to bottom."""
        pitch = self.map_height + self.caption + self.gap
        start = self.margin + self.top
        first = max(0, (top - start) // pitch)
        last = max(0, (bottom - start) // pitch + 1)
        return range(min(first * self.columns, self.count), min(last * self.columns, self.count))


def arrange(
    shape: tuple[int, int, int],
    area: QSize,
    *,
    gap: int,
    caption: int = 0,
    margin: int = 0,
    max_cell: int,
    min_map: int,
    columns: int | None = None,
    names: tuple[int, int] = (0, 0),
    oblong: bool = False,
) -> Layout:
    """The layout of (N, H, W) maps with the largest cells that fit an area (device pixels).

    Cells never exceed `max_cell`; where maps would become smaller than `min_map`, the mosaic grows taller.
    Equal choices go to the fuller, then to the wider one. `names` is the room to the left of the maps and above them. The cells
    of an `oblong` map may be taller than wide, so that a flat matrix fills the area, too.
    """
    if shape[1] == shape[2] == 1:
        gap = 0  # single units stand side by side like the cells of one map
    left, top = names
    layout = _arranged(shape, area.width() - left, area.height() - top, gap, caption, margin, max_cell, min_map, columns)
    if oblong and shape[0] == 1:
        tall = min(max_cell, (area.height() - top - 2 * margin) // max(shape[1], 1))
        layout = replace(layout, aspect=max(tall / layout.cell, 1.0))
    return replace(layout, left=left, top=top) if left or top else layout


@lru_cache(256)  # thumbnails are drawn anew all the time, at the same places
def _arranged(shape: tuple[int, int, int], area_width: int, area_height: int, gap: int, caption: int, margin: int, max_cell: int,
              min_map: int, columns: int | None) -> Layout:  # fmt: skip
    count, height, width = shape
    room_x, room_y = area_width - 2 * margin, area_height - 2 * margin
    smallest = min(float(max_cell), min_map / max(height, width, 1))
    smallest = math.ceil(smallest) if smallest >= _WHOLE_CELL else smallest
    best = (0.0, 0, 0)
    for tried in [columns] if columns else range(1, max(count, 1) + 1):
        rows = math.ceil(count / tried)
        cell = min(
            (room_x - (tried - 1) * gap) / (tried * width),
            (room_y - rows * caption - (rows - 1) * gap) / max(1, rows * height),
            max_cell,
        )
        if cell < best[0]:
            continue
        best = max(best, (math.floor(cell) if cell >= _WHOLE_CELL else cell, count - rows * tried, tried))
    cell, _, chosen = best
    if cell < smallest or not chosen:
        cell = smallest
        chosen = columns or max(1, int((room_x + gap) // (max(1, math.floor(width * cell)) + gap)))
        if columns is None and chosen == 1 and width * cell > room_x > 0:
            cell = room_x / width
    return Layout(count, height, width, min(chosen, max(count, 1)), cell, gap, caption, margin)


class Picture:
    """The colours of N maps: one buffer, one QImage with the maps below each other, one pixel a cell."""

    def __init__(self, count: int, height: int, width: int) -> None:
        self.shape = (count, height, width)
        self.pixels = np.zeros(self.shape, np.uint32)
        self.image = QImage(self.pixels.data, width, count * height, 4 * width, QImage.Format.Format_RGB32)
        self._places = tuple(QRect(0, index * height, width, height) for index in range(0 if height == width == 1 else count))

    def color(self, maps: Maps, kind: Kind, colormap: str | None, low: float | Bounds, high: float | Bounds) -> None:
        """Recolour in place from maps (N, H, W) or (N, H, W, 3); bounds are numbers or one per map."""
        if isinstance(low, np.ndarray) or isinstance(high, np.ndarray):
            axes = (-1,) + (1,) * (maps.ndim - 1)
            low, high = np.reshape(low, axes), np.reshape(high, axes)
        _color(maps, kind, colormap, low, high, self.pixels)

    def draw(self, painter: QPainter, layout: Layout, indices: range) -> None:
        """Draw some maps at their places, cells as sharp squares."""
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        _, height, width = self.shape
        if height == width == 1:
            self._draw_units(painter, layout)
            return
        rects = layout.rects
        for index in indices:
            painter.drawImage(rects[index], self.image, self._places[index])

    def _draw_units(self, painter: QPainter, layout: Layout) -> None:
        """Draw 1×1 maps as whole rows: thousands of units in two calls."""
        full, rest = divmod(layout.count, layout.columns)
        for first, rows, columns in ((0, full, layout.columns), (full, 1, rest)):
            if rows and columns:
                start = self.pixels.reshape(-1)[first * layout.columns :]
                image = QImage(start.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
                corner = layout.map_rect(first * layout.columns).topLeft()
                painter.drawImage(QRect(corner, QSize(columns * layout.map_width, rows * layout.map_height)), image)


def _color(values: Maps, kind: Kind, colormap: str | None, low: float | Bounds, high: float | Bounds,
           out: NDArray[np.uint32]) -> None:  # fmt: skip
    """Write the colours of values, or of RGB triples, as 0xffRRGGBB into `out`."""
    if values.ndim > out.ndim:
        pack_rgb(values, low, high, out)
    else:
        colorize_packed(values, colormap or default_colormap(kind), low, high, out)


def as_maps(maps: Maps) -> Maps:
    """The array as given if it is (N, H, W) or (N, H, W, 3); ValueError otherwise."""
    if maps.ndim not in (3, 4) or (maps.ndim == 4 and maps.shape[3] != 3):
        raise ValueError(f"maps must be (N, H, W) or (N, H, W, 3), not {maps.shape}")
    return maps


def mosaic_thumbnail(
    maps: Maps,
    kind: Kind,
    size: QSize,
    low: float | None = None,
    high: float | None = None,
    device_pixel_ratio: float = 1.0,
    *,
    colormap: str | None = None,
    smallest_map: int = 12,
    outline: QColor | None = None,
) -> QImage:
    """A picture of at most `size` (logical pixels) with as many of the first maps as are still legible.

    The image is cropped to its mosaic, transparent between the maps, and carries the device pixel ratio.
    Without bounds the maps share their range. An outline, one pixel wide, tells dark maps from a dark ground.
    A null image for an empty array.
    """
    as_maps(maps)
    scale = device_pixel_ratio
    area = QSize(max(1, int(size.width() * scale)), max(1, int(size.height() * scale)))
    gap = max(1, round(2 * scale))
    shown = maps[: _legible(maps.shape, area, gap, round(smallest_map * scale))]
    if shown.size == 0:
        return QImage()
    if low is None or high is None:
        low, high = value_range(maps, kind)
    line = max(1, round(scale)) if outline is not None else 0
    layout = arrange(shown.shape[:3], area, gap=gap, margin=line, max_cell=round(16 * scale), min_map=1)
    image = QImage(layout.size.boundedTo(area), QImage.Format.Format_ARGB32_Premultiplied)
    pixels = np.frombuffer(image.bits(), np.uint32).reshape(image.height(), image.width())
    cells, between, around = _cells(layout, image.height(), image.width())
    # Of large maps there are fewer pixels than cells: only those that are seen are coloured.
    _color(shown.reshape(-1, *shown.shape[3:]).take(cells, axis=0), kind, colormap, low, high, pixels)
    pixels.put(between, 0)
    if outline is not None:
        pixels.put(around, outline.rgba())
    image.setDevicePixelRatio(scale)
    return image


@lru_cache(128)
def _cells(layout: Layout, height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """For each pixel of a picture of the mosaic its cell, counted through all maps; the pixels between the maps; and those
    of them that lie around a map, no farther than the margin is wide.
    """
    cells, between, around = np.zeros((height, width), np.intp), np.ones((height, width), bool), np.zeros((height, width), bool)
    # The same rounding as nearest-neighbour drawing: the centre of the pixel decides.
    rows = ((np.arange(layout.map_height) + 0.5) * layout.height / layout.map_height).astype(np.intp)
    columns = ((np.arange(layout.map_width) + 0.5) * layout.width / layout.map_width).astype(np.intp)
    within, line = rows[:, None] * layout.width + columns, layout.margin
    for index in range(layout.count):
        rect = layout.map_rect(index)
        place = np.s_[rect.top() : rect.bottom() + 1, rect.left() : rect.right() + 1]
        part = cells[place]
        part[:] = (index * layout.height * layout.width + within)[: part.shape[0], : part.shape[1]]
        between[place] = False
        around[rect.top() - line : rect.bottom() + 1 + line, rect.left() - line : rect.right() + 1 + line] = True
    return cells, np.flatnonzero(between), np.flatnonzero(between & around)


def _legible(shape: tuple[int, ...], area: QSize, gap: int, smallest: int) -> int:
    """How many maps of at least `smallest` pixels fit the area, at least one. Single units are cells."""
    count, height, width = shape[:3]
    if height == width == 1:
        smallest, gap = 2, 0
    columns = max(1, (area.width() + gap) // (smallest + gap))
    rows = max(1, (area.height() + gap) // (max(1, round(smallest * height / max(width, 1))) + gap))
    return min(count, columns * rows)
