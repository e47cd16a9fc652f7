"""Augmentation: every epoch shows each training image shifted, turned, scaled, mirrored or noisy at random.

The network sees the same content in many poses and cannot learn single pixels by heart. Only training
images are augmented, never those that measure.

How it is made: for every pixel of the result, an affine map says which point of the original it shows,

    (r', c') = A · (r − centre, c − centre) + centre − shift,   A = (1 / scale) · rotation · mirror,

and the value there is interpolated between the four neighbouring pixels (bilinear). Points outside the
image show the nearest pixel of its border, so that any background continues.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.options import Configurable, option

Floats = NDArray[np.float32]

# Images worked on at once: keeps the coordinates in the cache, and their memory small whatever the batch.
_AT_ONCE = 32


@dataclass(frozen=True)
class Augmentation(Configurable):
    """How far images may change at random; amounts are drawn evenly from −limit to +limit, and 0 is off."""

    kind = "augmentation"

    shift: int = option(
        0,
        ge=0,
        live=True,
        label="Shift",
        unit="px",
        help="Moves up, down, left and right by up to so many whole pixels.",
    )
    rotation: float = option(
        0.0,
        ge=0.0,
        le=180.0,
        live=True,
        label="Rotation",
        unit="°",
        help="Turns by up to this angle about the centre.",
    )
    scale: float = option(
        0.0,
        ge=0.0,
        lt=1.0,
        live=True,
        label="Scale",
        help="Enlarges or shrinks by up to this fraction: 0.1 is 90 % to 110 %.",
    )
    flip: bool = option(False, live=True, label="Flip", help="Mirrors half of the images, left to right. Not for digits.")
    noise: float = option(
        0.0,
        ge=0.0,
        live=True,
        label="Noise σ",
        help="Standard deviation of the Gaussian noise added, in units of the pixels.",
    )

    @property
    def moves(self) -> bool:
        """True when pixels change their place."""
        return bool(self.shift or self.rotation or self.scale or self.flip)

    def augment(self, images: Floats, rng: np.random.Generator, out: Floats) -> None:
        """Write a randomly changed copy of each image to `out`; both (N, C, H, W) float32, not overlapping.

        With everything off, `out` is an exact copy and nothing is drawn from `rng`.
        """
        if self.moves:
            self._move(images, rng, out)
        else:
            out[...] = images
        if self.noise:
            for start in range(0, len(out), _AT_ONCE):
                block = out[start : start + _AT_ONCE]
                block += np.float32(self.noise) * rng.standard_normal(block.shape, np.float32)

    def _move(self, images: Floats, rng: np.random.Generator, out: Floats) -> None:
        count, _, height, width = images.shape
        # Everything is drawn whatever is on, so that turning up one amount leaves the others as they were.
        down, right, turned, scaled, mirrored = rng.random((5, count))
        shift = np.floor(np.stack([down, right], axis=1) * (2 * self.shift + 1)) - self.shift
        angle = np.radians(self.rotation) * (2 * turned - 1)
        scale = 1 + self.scale * (2 * scaled - 1)
        mirror = np.where(self.flip & (mirrored >= 0.5), -1, 1)
        cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
        rows = np.arange(height) - (height - 1) / 2
        columns = np.arange(width) - (width - 1) / 2
        # row' = cosine · r + sine · mirror · c and column' = −sine · r + cosine · mirror · c, plus offsets.
        row_by_row = cosine[:, None] * rows + ((height - 1) / 2 - shift[:, :1])
        row_by_column = (sine * mirror)[:, None] * columns
        column_by_row = -sine[:, None] * rows + ((width - 1) / 2 - shift[:, 1:])
        column_by_column = (cosine * mirror)[:, None] * columns
        for start in range(0, count, _AT_ONCE):
            block = slice(start, start + _AT_ONCE)
            row = _outer_sum(row_by_row[block], row_by_column[block])
            column = _outer_sum(column_by_row[block], column_by_column[block])
            _sample(images[block], row, column, out[block])


def _outer_sum(by_row: NDArray[np.float64], by_column: NDArray[np.float64]) -> Floats:
    """(n, H) and (n, W) to (n, H, W)."""
    return by_row.astype(np.float32)[:, :, None] + by_column.astype(np.float32)[:, None, :]


def _sample(images: Floats, row: Floats, column: Floats, out: Floats) -> None:
    """Bilinear values of (n, C, H, W) images at the points (row, column), each (n, H, W), into `out`."""
    count, channels, height, width = images.shape
    np.clip(row, 0, height - 1, out=row)
    np.clip(column, 0, width - 1, out=column)
    # The upper left neighbour; at the lower and right border one further in, the whole weight on the other.
    top = np.minimum(row.astype(np.intp), max(height - 2, 0))
    left = np.minimum(column.astype(np.intp), max(width - 2, 0))
    row -= top
    column -= left
    down, right = (width if height > 1 else 0), (1 if width > 1 else 0)
    pixels = np.ascontiguousarray(images).reshape(-1)
    at = top * width + left + (np.arange(count) * (channels * height * width))[:, None, None]
    from_top, from_left = 1 - row, 1 - column
    for channel in range(channels):
        # Weighted sums, not a + (b − a) · t: they give both ends exactly, so that shifts and mirrors lose nothing.
        first = at + channel * height * width
        upper = pixels.take(first) * from_left + pixels.take(first + right) * column
        first += down
        lower = pixels.take(first) * from_left + pixels.take(first + right) * column
        upper *= from_top
        lower *= row
        np.add(upper, lower, out=out[:, channel])
