"""How fast training goes and how long it will take."""

from __future__ import annotations

import time
from collections import deque

WINDOW = 3.0
"""Seconds of training over which the speed is the mean."""


class Speed:
    """Images per second over the last seconds of training, and the duration of a validation.

    Time at rest does not count: whoever trains calls `resume` when it goes on.
    """

    def __init__(self) -> None:
        self._batches: deque[tuple[float, int]] = deque()
        self._seconds = 0.0
        self._images = 0
        self._mark = 0.0
        self._validation = 0.0

    def resume(self) -> None:
        """Training goes on from here."""
        self._mark = time.perf_counter()

    def batch_done(self, images: int) -> None:
        """A batch has been trained since the last call."""
        seconds = self._lap()
        self._batches.append((seconds, images))
        self._seconds += seconds
        self._images += images
        while self._seconds > WINDOW and len(self._batches) > 1:
            old_seconds, old_images = self._batches.popleft()
            self._seconds -= old_seconds
            self._images -= old_images

    def epoch_done(self) -> None:
        """The validation images have been evaluated since the last call."""
        self._validation = self._lap()

    @property
    def images_per_second(self) -> float:
        """The speed; 0 before the first batch."""
        return self._images / self._seconds if self._seconds > 0 else 0.0

    def seconds_left(self, images: int, validations: int) -> float:
        """The time for so many images and validations; 0 while the speed is not known."""
        speed = self.images_per_second
        return images / speed + validations * self._validation if speed else 0.0

    def _lap(self) -> float:
        now = time.perf_counter()
        seconds, self._mark = now - self._mark, now
        return seconds
