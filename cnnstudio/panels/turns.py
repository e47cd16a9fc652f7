"""Whose turn it is: where drawing everything takes too long, a frame of a running training is drawn by some of the viewers."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence

from cnnstudio.panels.live_panel import Viewer

SHARE = 0.10
"""How much of its time the GUI thread may work while training runs; beyond that viewers take turns."""
SOON = 0.02
"""A viewer that is due so many seconds after a frame takes part in it: the next one would come too late."""
LONGEST = 0.5
"""Seconds between two frames from which on they are no measure: training has rested in between."""
STEADY = 1.25
"""By what factor the room may change from one frame to the next."""


class Turns:
    """Viewers take part in the order in which they did so last, as many at once as the thread has time for.

    That follows from what the thread has worked since the last frame, painting and everything else included: where all is quickly
    drawn, all is drawn with every frame. Belongs to the thread that draws.
    """

    def __init__(self) -> None:
        self._last: dict[Viewer, float] = {}
        """When each had its last turn, in that order."""
        self._room = math.inf
        """How many viewers there is time for in a frame."""
        self._now = self._worked = 0.0

    def frame_came(self) -> None:
        """A frame is there, and nothing of it has been drawn yet."""
        now, worked = time.monotonic(), time.thread_time()
        seconds, work = now - self._now, worked - self._worked
        self._now, self._worked = now, worked
        if 0 < seconds < LONGEST:
            self._room *= min(max(SHARE * seconds / max(work, 1e-6), 1 / STEADY), STEADY)

    def next(self, viewers: Sequence[Viewer]) -> tuple[Viewer, ...]:
        """Those whose turn it is next: first of all those that are attended to, and at least one if any is due."""
        self._room = max(1.0, min(self._room, len(viewers)))
        due = [viewer for viewer in viewers if self._last.get(viewer, 0.0) + viewer.interval <= self._now + SOON]
        places = {viewer: place for place, viewer in enumerate(self._last)}
        due.sort(key=lambda viewer: (not viewer.is_attended(), places.get(viewer, -1)))
        return self.take(due[: int(self._room)])

    def take(self, viewers: Iterable[Viewer]) -> tuple[Viewer, ...]:
        """These have their turn now."""
        chosen = tuple(viewers)
        for viewer in chosen:
            self._last.pop(viewer, None)
            self._last[viewer] = self._now
        return chosen
