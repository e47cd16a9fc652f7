"""Which checkpoints stay within the budget when there are several runs."""

from __future__ import annotations

from itertools import pairwise

from cnnstudio.project.thinning import Kept, superfluous


def kept(*taken: tuple[int, int]) -> list[Kept]:
    """Checkpoints of 10 bytes at (run, step), in the order in which they were taken."""
    return [Kept(id, run, step, 10) for id, (run, step) in enumerate(taken, 1)]


def left(checkpoints: list[Kept], count: int, deleted: tuple[int, ...] = ()) -> list[tuple[int, int]]:
    """What a budget for so many leaves, as (run, step)."""
    gone = superfluous(checkpoints, 10 * count, deleted)
    return [(c.run, c.step) for c in checkpoints if c.id not in gone]


def test_nothing_goes_within_the_budget() -> None:
    assert superfluous([], 0) == []
    assert superfluous(kept((1, 1), (2, 1)), 20) == []


def test_every_run_keeps_its_last_weights_as_long_as_others_can_go() -> None:
    many = kept((1, 10), (1, 20), (1, 30), (2, 10), (2, 20), (3, 10), (3, 20))
    assert left(many, 3) == [(1, 30), (2, 20), (3, 20)]
    assert left(many, 2) == [(2, 20), (3, 20)]
    assert left(many, 0) == [(3, 20)]


def test_a_run_that_was_reopened_is_one_run_wherever_its_checkpoints_lie() -> None:
    again = kept((1, 10), (1, 20), (2, 10), (2, 20), (1, 30), (1, 40))
    assert left(again, 2) == [(2, 20), (1, 40)]


def test_what_stays_of_a_run_is_spread_evenly() -> None:
    steps = [step for _, step in left(kept(*((1, step) for step in range(0, 160, 10))), 5)]
    gaps = [b - a for a, b in pairwise(steps)]
    assert steps[-1] == 150 and max(gaps) <= 2 * min(gaps) + 10


def test_weights_of_deleted_runs_go_first() -> None:
    many = kept((1, 10), (1, 20), (2, 10), (2, 20), (3, 10), (3, 20))
    assert left(many, 4, deleted=(2,)) == [(1, 10), (1, 20), (3, 10), (3, 20)]
