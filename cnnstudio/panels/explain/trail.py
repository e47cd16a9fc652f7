"""The way a student has gone from number to number, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

from cnnstudio.selection import CellRef


@dataclass(frozen=True)
class Stop:
    """A cell that was looked at, and its name in the trail."""

    cell: CellRef
    name: str


class Trail:
    """Stops in the order in which they were visited; a new one behind the present cuts off those that lay ahead."""

    def __init__(self) -> None:
        self._stops: list[Stop] = []
        self._place = -1

    def visit(self, cell: CellRef, name: str) -> None:
        """Go to a cell. Returning to the present or a neighbouring stop moves along the trail."""
        for place in (self._place, self._place - 1, self._place + 1):
            if 0 <= place < len(self._stops) and _same(self._stops[place].cell, cell):
                self._stops[place] = Stop(cell, name)
                self._place = place
                return
        self._stops = [*self._stops[: self._place + 1], Stop(cell, name)]
        self._place = len(self._stops) - 1

    def before(self) -> Stop | None:
        """The stop to go back to."""
        return self._stops[self._place - 1] if self._place > 0 else None

    def ahead(self) -> Stop | None:
        """The stop to go forward to again."""
        return self._stops[self._place + 1] if self._place + 1 < len(self._stops) else None

    def last(self, count: int) -> list[Stop]:
        """The latest stops up to the present one."""
        return self._stops[max(0, self._place + 1 - count) : self._place + 1]

    def jump(self, stop: Stop) -> None:
        """Go back to one of the stops without cutting off what lies ahead."""
        self._place = self._stops.index(stop)


def _same(a: CellRef, b: CellRef) -> bool:
    return (a.array, a.index, a.probe) == (b.array, b.index, b.probe)
