"""The trail: back, ahead, and what a new step cuts off."""

from cnnstudio.panels.explain.trail import Trail
from cnnstudio.selection import CellRef


def cell(name: str, step: int = 0) -> CellRef:
    return CellRef(name, (0,), step, "sample")


def test_back_and_ahead_along_the_trail() -> None:
    trail = Trail()
    for name in "abc":
        trail.visit(cell(name), name)
    before = trail.before()
    assert before is not None and before.name == "b" and trail.ahead() is None
    trail.jump(before)
    assert [s.name for s in trail.last(9)] == ["a", "b"]
    ahead = trail.ahead()
    assert ahead is not None and ahead.name == "c"


def test_the_same_number_at_another_step_is_no_new_stop() -> None:
    trail = Trail()
    trail.visit(cell("a"), "a")
    trail.visit(cell("a", 5), "a later")
    assert [s.name for s in trail.last(9)] == ["a later"]


def test_another_way_cuts_off_what_lay_ahead() -> None:
    trail = Trail()
    for name in "abc":
        trail.visit(cell(name), name)
    first = trail.last(9)[0]
    trail.jump(first)
    trail.visit(cell("d"), "d")
    assert [s.name for s in trail.last(9)] == ["a", "d"] and trail.ahead() is None
