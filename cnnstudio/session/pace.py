"""How often the GUI thread looks for news of a running training: pictures at display rate, numbers as fast as they are read."""

from __future__ import annotations

import math
import time

FRAME_INTERVAL = 0.03
"""Seconds from one frame to the next: no display shows more that can be followed."""
LARGEST_SHARE = 0.5
"""How much of its time the GUI thread may spend on frames; where they take longer, they come less often."""
ROWS_INTERVAL = 0.1
"""Seconds between two times that rows and states are told, and the longest between two frames."""
LATE = 4
"""Milliseconds between two looks for a frame that is due: it is made only between two batches."""
ANSWER = 8
"""Milliseconds between two looks for an answer: a stroke on the drawing pad is followed at once."""


class Pace:
    """Belongs to the GUI thread, whose time it measures."""

    def __init__(self) -> None:
        self._frame_at = self._rows_at = self._spent = 0.0

    def wait(self, *, frames: bool) -> int:
        """Milliseconds to the next look, when the next frame is due or, where none is wanted, the next rows are."""
        due = self._frame_at if frames else self._rows_at
        return max(LATE, math.ceil(1e3 * (due - time.monotonic())))

    @property
    def rows_due(self) -> bool:
        """Whether it is time to tell rows."""
        return time.monotonic() >= self._rows_at

    def rows_told(self) -> None:
        """Rows have been told."""
        self._rows_at = time.monotonic() + ROWS_INTERVAL

    def frame_came(self) -> None:
        """A frame is there; what the thread has done since the last one tells what one takes, painting included."""
        spent = time.thread_time()
        took, self._spent = spent - self._spent, spent
        self._frame_at = time.monotonic() + min(max(FRAME_INTERVAL, took / LARGEST_SHARE), ROWS_INTERVAL)
