"""Where the shape that flows along a wire is written, and how large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontMetricsF

from cnnstudio.canvas.face import pixel_font

LETTERS = 9
"""Size in scene pixels where it is legible: "10×10×16" has room in the usual gap, and all labels look alike."""
_LARGEST = 16
"""Where letters would have to be larger to be legible, the blocks are too small for any."""
_RISE = 6.0
"""Of a label above its wire: clear of ports and arrow head."""
_BESIDE = 2.0
"""Room that a label leaves at either side of it."""


@dataclass(frozen=True)
class WireLabel:
    """Lines of text in letters of one size, each with the left end of its base line."""

    letters: int
    lines: tuple[tuple[QPointF, str], ...] = ()


def place_label(shape: str, points: Sequence[QPointF], *, least: int) -> WireLabel:
    """The label of a wire through `points`, in letters of at least a size in scene pixels.

    It lies above the wire, in one line if that fits, else in two; within a wire that goes back between two rows,
    which are too near for a line above it; and nowhere if there is no room.
    """
    size = max(LETTERS, least)
    if not shape or least > _LARGEST:
        return WireLabel(size)
    goes_back = len(points) == 6
    start, end = (points[3], points[2]) if goes_back else (points[0], points[1])
    room, middle = end.x() - start.x() - 2 * _BESIDE, (start + end) / 2
    for lines in [[shape]] if goes_back else _broken(shape):
        if max(text_width(line, size) for line in lines) <= room:
            base = middle.y() + (0.37 * size if goes_back else -_RISE)
            return WireLabel(size, tuple(
                (QPointF(middle.x() - text_width(line, size) / 2, base - below * size), line)
                for line, below in zip(lines, reversed(range(len(lines))), strict=True)
            ))  # fmt: skip
    return WireLabel(size)


def label_at_end(shape: str, start: QPointF, *, least: int) -> WireLabel:
    """The label of the arrow behind the last block, beside which there is room for any."""
    letters = max(LETTERS, least)
    return WireLabel(letters, ((start + QPointF(8, -_RISE), shape),) if shape and least <= _LARGEST else ())


def _broken(shape: str) -> list[list[str]]:
    """The ways to break a shape into lines."""
    *sides, channels = shape.split("×")
    return [[shape], ["×".join(sides), f"×{channels}"]] if len(sides) == 2 else [[shape]]


@lru_cache(maxsize=1024)
def text_width(text: str, letters: int) -> float:
    """The width of a line in scene pixels."""
    return QFontMetricsF(pixel_font(letters)).horizontalAdvance(text)
