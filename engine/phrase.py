"""A few words with values in them, which a program can show in another language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Phrase:
    """`template.format(**args)` in English; the template is what is translated, "stride {stride}"."""

    template: str
    args: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**self.args)
