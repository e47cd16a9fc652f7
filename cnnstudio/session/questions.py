"""Long answers of the worker: worked out part by part, so that messages are looked at in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

from cnnstudio.session.messages import Report

Work = Generator[object, None, Report]
"""Yields after each part, and returns the answer."""


class Questions:
    """Open questions, answered one after the other. A new question of the same kind takes the place of the one before."""

    def __init__(self) -> None:
        self._open: deque[tuple[Work, Report]] = deque()

    def __bool__(self) -> bool:
        return bool(self._open)

    def ask(self, work: Work, unanswered: Report) -> list[Report]:
        """Begin a question; returns what is to be said to those of the same kind that are dropped for it.

        `unanswered` is what will be said if it has to be given up.
        """
        dropped = [entry for entry in self._open if type(entry[1]) is type(unanswered)]
        for entry in dropped:
            self._open.remove(entry)
        self._open.append((work, unanswered))
        return [entry[1] for entry in dropped]

    def advance(self) -> Report | None:
        """Work out the next part of the first question; returns the answer when that was the last part."""
        try:
            next(self._open[0][0])
        except StopIteration as end:
            self._open.popleft()
            answer: Report = end.value
            return answer
        return None

    def give_up(self) -> list[Report]:
        """Drop all questions, because the weights have changed; returns what is to be said instead of the answers."""
        dropped = [unanswered for _, unanswered in self._open]
        self._open.clear()
        return dropped
