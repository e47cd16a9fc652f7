"""Which checkpoints go when they take more room than they may: what stays is spread evenly over each run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Kept:
    """A checkpoint in a database."""

    id: int
    run: int
    step: int
    size: int


def superfluous(checkpoints: Sequence[Kept], budget: int, deleted: Collection[int] = ()) -> list[int]:
    """The ids that must go so that the rest takes at most `budget` bytes; `checkpoints` are in the order they were taken.

    The newest one stays whatever its size, since training resumes from it. Of the others those of `deleted` runs go
    first, and then the one whose neighbours in its run are closest together; the last of a run, from which it can be
    reopened, goes only when nothing else is left, and then that of the run which was trained least recently.
    """
    if not checkpoints:
        return []
    left = list(checkpoints)
    gone: list[int] = []
    room = budget - sum(c.size for c in left)
    while room < 0 and len(left) > 1:
        worth = _worth(left, deleted)
        first = min(left[:-1], key=lambda c: worth[c.id])
        room += first.size
        gone.append(first.id)
        left.remove(first)
    return gone


def _worth(left: Sequence[Kept], deleted: Collection[int]) -> dict[int, tuple[bool, bool, int, int]]:
    """For each id what is smaller the less the checkpoint is missed."""
    worth = {}
    for run, members in groupby(sorted(left, key=lambda c: (c.run, c.step)), key=lambda c: c.run):
        steps = list(members)
        for before, here, after in zip([None, *steps], steps, [*steps[1:], None], strict=False):
            if after is None:
                worth[here.id] = (run not in deleted, True, here.id, 0)
            else:
                earlier = 2 * here.step - after.step if before is None else before.step
                worth[here.id] = (run not in deleted, False, after.step - earlier, here.id)
    return worth
