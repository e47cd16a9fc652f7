"""What a fault test found: how often the fault was caused, what must hold, and everything that went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

UNREADABLE = "unreadable files"
LOST = "confirmed saves lost"
STRAY = "things left after the next start"
NEITHER = "neither the old nor the new file"
SILENT = "faults met with silence"
CRASHES = "crashes"


@dataclass
class Bound:
    """A figure that may be at most `allowed`. Without a unit it is a count."""

    found: float
    allowed: float = 0
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the figure is as small as was promised."""
        return self.found <= self.allowed


@dataclass
class Result:
    """How often a fault was caused, and what came of it; `figures` are counts worth showing beside what must hold."""

    name: str
    tried: int = 0
    wrong: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    bounds: dict[str, Bound] = field(default_factory=dict)
    skipped: str = ""
    seconds: float = 0.0

    @classmethod
    def counting(cls, name: str, *never: str) -> Result:
        """A result in which each of these must be counted 0 times."""
        return cls(name, bounds={what: Bound(0) for what in never})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Result:
        """What `to_json` gave."""
        return cls(**{**value, "bounds": {what: Bound(**bound) for what, bound in value["bounds"].items()}})

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        return asdict(self)

    def expect(self, right: bool, otherwise: str, breaks: str = "") -> None:
        """Note what went wrong; `breaks` names the count that it belongs to."""
        if not right:
            self.wrong.append(f"{self.tried}: {otherwise}")
            if breaks:
                self.bounds[breaks].found += 1

    def measure(self, what: str, found: float, allowed: float, unit: str) -> None:
        """Note a measurement, of which the largest counts."""
        bound = self.bounds.setdefault(what, Bound(0.0, allowed, unit))
        bound.found = max(bound.found, found)
        self.expect(found <= allowed, f"{what}: {found:.2f} {unit}, allowed are {allowed:g}")

    def add(self, part: Result) -> None:
        """Take in another part of the same test."""
        self.tried += part.tried
        self.wrong += part.wrong
        self.figures = dict(Counter(self.figures) + Counter(part.figures))
        self.skipped = self.skipped or part.skipped
        self.seconds += part.seconds
        for what, bound in part.bounds.items():
            mine = self.bounds.setdefault(what, Bound(0.0, bound.allowed, bound.unit))
            mine.found = max(mine.found, bound.found) if bound.unit else mine.found + bound.found
