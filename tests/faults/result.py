"""What a fault test found: one row of the table."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Result:
    """How often a fault was caused, and everything that went wrong; `figures` are measurements worth showing."""

    name: str
    tried: int = 0
    wrong: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)
    skipped: str = ""

    def expect(self, right: bool, otherwise: str) -> None:
        """Note what went wrong."""
        if not right:
            self.wrong.append(f"{self.tried}: {otherwise}")
