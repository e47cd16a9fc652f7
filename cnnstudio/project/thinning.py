"""Which checkpoints go when they take more room than they may: what stays is spread evenly over each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Kept:
    """A checkpoint in a database."""

    id: int
    run: int
    step: int
    size: int


def superfluous(checkpoints: Sequence[Kept], budget: int) -> list[int]:
    """The ids that must go so that the rest takes at most `budget` bytes; `checkpoints` are in the order they were taken.

    The newest one stays whatever its size, since training resumes from it. Of the others that one goes first whose
    neighbours in its run are closest together; the last of a run goes only when nothing else is left, the oldest run's
    first.
    """
    left = list(checkpoints)
    gone: list[int] = []
    room = budget - sum(c.size for c in left)
    while room < 0 and len(left) > 1:
        place = min(range(len(left) - 1), key=lambda i: _worth(left, i))
        room += left[place].size
        gone.append(left.pop(place).id)
    return gone


def _worth(left: Sequence[Kept], i: int) -> tuple[bool, int, int]:
    here = left[i]
    after = left[i + 1]
    if after.run != here.run:
        return True, here.id, 0
    before = left[i - 1].step if i and left[i - 1].run == here.run else 2 * here.step - after.step
    return False, after.step - before, here.id
