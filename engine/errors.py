"""Errors of the engine: where, what, the arithmetic, and the nearest fixes.

Every message is a template with named arguments and a code, so that a program can show it in another language, put it on
the block concerned, and offer each fix as a button.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fix:
    """One way to mend an error, as a sentence and as an edit that a program can apply.

    `action` is "set" (option `field` of `layer` becomes `value`), "insert" (a new layer of kind `value` before `layer`),
    "remove" (`layer` goes) or "advice" (nothing that a program can do by itself).
    """

    action: str
    template: str
    args: dict[str, Any] = field(default_factory=dict)
    layer: str | None = None
    field: str | None = None
    value: Any = None

    @property
    def label(self) -> str:
        """The fix as an English sentence."""
        return self.template.format(**self.args)


class EngineError(Exception):
    """Something the engine cannot do: `code` names the kind of error, `layer` and `field` say where it lies.

    The message is `template.format(**args)`, preceded by the layer when one is known ("conv3 (layer 7): …") and followed by
    the fixes. `template` ends with a full stop.
    """

    def __init__(self, template: str, *, code: str, layer: str | None = None, position: int | None = None,
                 field: str | None = None, fixes: tuple[Fix, ...] = (), **args: Any) -> None:
        self.template = template
        self.code = code
        self.layer = layer
        self.position = position
        self.field = field
        self.fixes = fixes
        self.args_by_name = args
        super().__init__(self.message)

    @property
    def what(self) -> str:
        """The sentence without the place and without the fixes."""
        return self.template.format(**self.args_by_name)

    @property
    def message(self) -> str:
        """Where, what and the fixes, in English."""
        parts = [self.what]
        if self.fixes:
            first = self.fixes[0].label
            sentence = first[:1].upper() + first[1:]
            for fix in self.fixes[1:]:
                sentence += f", or {fix.label}"
            parts.append(sentence + ".")
        return self.where + " ".join(parts)

    @property
    def where(self) -> str:
        """The place as a prefix of the message, "conv3 (layer 7): ", or an empty string."""
        if self.layer is None:
            return ""
        return f"{self.layer}: " if self.position is None else f"{self.layer} (layer {self.position}): "

    def at(self, layer: str, position: int) -> EngineError:
        """The same error placed at a layer; fixes without a layer of their own are placed there too."""
        fixes = tuple(fix if fix.layer else Fix(fix.action, fix.template, fix.args, layer, fix.field, fix.value)
                      for fix in self.fixes)
        return type(self)(self.template, code=self.code, layer=layer, position=position, field=self.field,
                          fixes=fixes, **self.args_by_name)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """So that an error can be told from another process."""
        place = {"code": self.code, "layer": self.layer, "position": self.position, "field": self.field, "fixes": self.fixes}
        return _again, (type(self), self.template, place | self.args_by_name)


def _again(kind: type[EngineError], template: str, arguments: dict[str, Any]) -> EngineError:
    return kind(template, **arguments)


class OptionError(EngineError):
    """An option of a layer, optimizer or setting has a value that it cannot have."""


class ShapeError(EngineError):
    """The shapes along the chain do not fit."""


class SpecError(EngineError):
    """A network description is not a network: unknown layer kinds, missing Input, doubled names, unreadable JSON."""


class DataError(EngineError):
    """A data set cannot be read, or does not fit the network."""


class TrainingError(EngineError):
    """Training cannot start or go on, for example because a number is no longer finite."""


class ExplainError(EngineError):
    """A snapshot does not hold the array or the cell that is to be explained."""


class StorageError(EngineError):
    """Saved bytes are not what they should be."""
