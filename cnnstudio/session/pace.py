"""How often the GUI thread looks for news of a running training: pictures at display rate, numbers as fast as they are read."""

from __future__ import annotations

import math
import time

FRAME_INTERVAL = 0.031
"""Seconds from one frame to the next: no display shows more that can be followed."""
LARGEST_SHARE = 0.5
"""How much of its time the GUI thread may spend on frames; where they take longer, they come less often."""
SLOWEST = 0.1
"""The longest time between two frames for that reason."""
ROWS_INTERVAL = 0.3
"""Seconds between two times that rows and states are told."""
ROWS_ALONE = 0.5
"""The same where no frames are wanted: each time wakes a thread that otherwise sleeps, and takes a core from the training."""
GRACE = 0.05
"""Seconds that rows wait for a frame, so that the thread is woken once for both."""
ANSWER = 8
"""Milliseconds between two looks for an answer: a stroke on the drawing pad is followed at once."""


class Pace:
    """Belongs to the GUI thread, whose time it measures."""

    def __init__(self) -> None:
        self._frame_at = self._rows_at = 0.0
        self.took = 0.0
        """Seconds of this thread that the last frame took."""
        self._began: float | None = None
        """The thread's time when the last frame came, until it is drawn."""
        self._interval: float | None = None

    def want_frames(self, interval: float | None) -> None:
        """Frames are wanted that often, or at display rate where that is seldomer, from now on; None wants none."""
        self._interval = None if interval is None else max(interval, FRAME_INTERVAL)
        self._frame_at = 0.0

    def wait(self) -> int:
        """Milliseconds until rows are told at the latest: they come with the next frame if there is one by then."""
        grace = 0.0 if self._interval is None else GRACE
        return max(1, math.ceil(1e3 * (self._rows_at + grace - time.monotonic())))

    @property
    def rows_due(self) -> bool:
        """Whether it is time to tell rows."""
        return time.monotonic() >= self._rows_at

    def rows_told(self) -> None:
        """Rows have been told."""
        self._rows_at = time.monotonic() + (ROWS_ALONE if self._interval is None else ROWS_INTERVAL)

    def drawn(self) -> None:
        """The last frame has been drawn: what the thread has done since it came tells what one takes, painting included."""
        if self._began is not None:
            self.took, self._began = time.thread_time() - self._began, None

    def frame_came(self) -> float:
        """A frame is there; the seconds after which the next one is due.

        Frames keep their beat: one that came late does not put off the next one, nor does one that came too soon.
        """
        now, self._began = time.monotonic(), time.thread_time()
        interval = max(self._interval or 0.0, min(self.took / LARGEST_SHARE, SLOWEST))
        self._frame_at = min(max(self._frame_at + interval, now + interval / 2), now + interval)
        return self._frame_at - now
