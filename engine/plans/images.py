"""Raw images on their way into a plan's layout: x = (raw − offset) · gain, for N images (N, C, H, W) at once.

Why it is fast: the arithmetic is done on the images as they come, not with the images innermost, and only what is left of it:
nothing is subtracted where all offsets are 0; where all pixels have the same gain, as when a brightness of 0 … 255 becomes 0 … 1,
the factor is one number; and where that is 1 and the images go innermost, they are only moved.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.layer import Array
from engine.plans.boundary import Boundary
from engine.plans.calls import Scratch

PAGE, GAP = 4096, 64
"""Where images begin at whole pages of so many bytes, a gap after each keeps the transposition from reading all of them through
the same few cache lines."""


class ImageReader:
    """Fills a boundary y with images; `state` has offset and gain (C, H, W), which may change in place between two steps."""

    def __init__(self, y: Boundary, state: Mapping[str, Array], scratch: Scratch) -> None:
        self._offset, self._gain = state["offset"], state["gain"]
        self._seen: tuple[bytes, bytes] | None = None
        self._y = y.as_samples(y.y)
        self._even = scratch.take(self._y.shape)
        bytes_each, item = self._gain.size * self._even.itemsize, self._even.itemsize
        gaps = y.rows and bytes_each % PAGE == 0
        # A product may go through the images in their own order; a copy goes through the channels, which are short runs.
        self._always_scales = gaps or not y.rows
        self._ready = self._even if y.rows else self._y
        if gaps:
            apart = scratch.take((y.n, (bytes_each + GAP) // item))[:, :self._gain.size]
            self._ready = apart.reshape(self._even.shape, copy=False)

    def read(self, raw: Array) -> None:
        """y = (raw − offset) · gain."""
        if self._seen != (self._offset.tobytes(), self._gain.tobytes()):
            self._look_at_state()
        images = raw
        if self._shifts:
            images = np.subtract(images, self._offset, self._even)
        if self._scales or images.dtype != self._y.dtype:
            images = np.multiply(images, self._factor, self._ready)
        if images is not self._y:
            np.copyto(self._y, images)

    def _look_at_state(self) -> None:
        """Find out what is left of the arithmetic."""
        self._seen = self._offset.tobytes(), self._gain.tobytes()
        self._shifts = bool(np.count_nonzero(self._offset))
        first = self._gain.flat[0]
        self._factor = np.asarray(first) if np.all(self._gain == first) else self._gain
        self._scales = self._always_scales or self._factor.ndim > 0 or first != 1
