"""Options: one declaration gives validation, its message, JSON and the metadata of forms.

A class with options is a frozen dataclass derived from `Configurable`; each field is declared with `option(...)`. Layers,
optimizers, schedules and training settings all work this way.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from engine.errors import Fix, OptionError, SpecError

PADDING_RULES = ("valid", "same", "cover")


@dataclass(frozen=True)
class Option:
    """What is known about one option: its kind, default, limits, and the words that a form shows.

    Kinds: "int", "float", "bool", "choice", "pair" (height, width) and "padding" ((top, bottom, left, right) or one of
    `PADDING_RULES`).
    """

    name: str
    kind: str
    default: Any
    ge: float | None
    gt: float | None
    le: float | None
    lt: float | None
    choices: tuple[str, ...]
    label: str
    help: str
    unit: str
    live: bool

    def check(self, value: Any) -> Any:
        """The value in its normal form; raises OptionError with the nearest legal value as the fix."""
        return _CHECKS[self.kind](self, value)

    def _check_range(self, number: float) -> None:
        """Raise OptionError when the number lies outside the limits; an open limit has the default as its fix."""
        for limit, holds, words, legal in (
            (self.ge, self.ge is None or number >= self.ge, "at least", self.ge),
            (self.gt, self.gt is None or number > self.gt, "greater than", self.default),
            (self.le, self.le is None or number <= self.le, "at most", self.le),
            (self.lt, self.lt is None or number < self.lt, "less than", self.default),
        ):
            if not holds:
                raise self._error(f"{{label}} must be {words} {{limit}}; it is {{value}}.", number, "option.range",
                                  type(self.default)(legal), limit=_plain(limit))

    def _error(self, template: str, value: Any, code: str, legal: Any, **args: Any) -> OptionError:
        fix = Fix("set", "use {legal}", {"legal": _shown(legal)}, field=self.name, value=legal)
        return OptionError(template, code=code, field=self.name, fixes=(fix,), label=self.label, value=_shown(value), **args)


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def _shown(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return " × ".join(str(v) for v in value) if len(value) == 2 else ", ".join(str(v) for v in value)
    return repr(value) if isinstance(value, str) else str(value)


def _whole(value: Any) -> int | None:
    """The value as an int if it is a whole number, otherwise None; True and False are no numbers."""
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return int(value)
    return None


def _check_int(o: Option, value: Any) -> int:
    whole = _whole(value)
    if whole is None:
        raise o._error("{label} must be a whole number; it is {value}.", value, "option.whole", o.default)
    o._check_range(whole)
    return whole


def _check_float(o: Option, value: Any) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise o._error("{label} must be a number; it is {value}.", value, "option.number", o.default)
    number = float(value)
    if not math.isfinite(number):
        raise o._error("{label} must be a finite number; it is {value}.", value, "option.finite", o.default)
    o._check_range(number)
    return number


def _check_bool(o: Option, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise o._error("{label} must be on or off; it is {value}.", value, "option.bool", o.default)
    return bool(value)


def _check_choice(o: Option, value: Any) -> str:
    if value not in o.choices:
        near = difflib.get_close_matches(str(value), o.choices, 1)
        raise o._error("{label} must be one of {choices}; it is {value}.", value, "option.choice",
                       near[0] if near else o.default, choices=", ".join(o.choices))
    return str(value)


def _check_pair(o: Option, value: Any) -> tuple[int, int]:
    parts = (value, value) if _whole(value) is not None else value
    numbers = [_whole(v) for v in parts] if isinstance(parts, Sequence) and not isinstance(parts, str) else []
    if len(numbers) != 2 or None in numbers:
        raise o._error("{label} must be one whole number or height × width; it is {value}.", value, "option.pair", o.default)
    height, width = numbers
    assert height is not None and width is not None
    if o.ge is not None and min(height, width) < o.ge:
        legal = (max(height, int(o.ge)), max(width, int(o.ge)))
        raise o._error("{label} must be at least {limit}; it is {value}.", value, "option.range", legal, limit=_plain(o.ge))
    return (height, width)


def _check_padding(o: Option, value: Any) -> str | tuple[int, int, int, int]:
    if isinstance(value, str):
        if value in PADDING_RULES:
            return value
        near = difflib.get_close_matches(value, PADDING_RULES, 1)
        raise o._error("{label} must be numbers or one of {choices}; it is {value}.", value, "option.choice",
                       near[0] if near else o.default, choices=", ".join(PADDING_RULES))
    one = _whole(value)
    parts = [one] * 4 if one is not None else \
        [_whole(v) for v in value] if isinstance(value, Sequence) else []
    if len(parts) == 2:
        parts = [parts[0], parts[0], parts[1], parts[1]]
    numbers = [v for v in parts if v is not None]
    if len(parts) != 4 or len(numbers) != 4:
        raise o._error("{label} must be one whole number or (top, bottom, left, right); it is {value}.", value,
                       "option.padding", o.default)
    if min(numbers) < 0:
        raise o._error("{label} cannot be negative; it is {value}.", value, "option.range",
                       tuple(max(v, 0) for v in numbers))
    return (numbers[0], numbers[1], numbers[2], numbers[3])


_CHECKS = {"int": _check_int, "float": _check_float, "bool": _check_bool, "choice": _check_choice, "pair": _check_pair,
           "padding": _check_padding}


def option(default: Any, *, ge: float | None = None, gt: float | None = None, le: float | None = None,
           lt: float | None = None, choices: Sequence[str] = (), kind: str = "", label: str, help: str, unit: str = "",
           live: bool = False) -> Any:
    """Declare one option of a `Configurable`; the kind follows from the default unless it is given.

    `live` marks an option that may change between two batches without building the network anew.
    """
    if not kind:
        kind = "choice" if choices else "bool" if isinstance(default, bool) else "int" if isinstance(default, int) \
            else "float" if isinstance(default, float) else "pair"
    return dataclasses.field(default=default, metadata={"option": {
        "kind": kind, "ge": ge, "gt": gt, "le": le, "lt": lt, "choices": tuple(choices), "label": label, "help": help,
        "unit": unit, "live": live}})


@dataclass(frozen=True)
class Configurable:
    """A frozen record of checked options with a `kind`, a form's metadata and a JSON form."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for o in self.options():
            object.__setattr__(self, o.name, o.check(getattr(self, o.name)))

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """The declared options, in order."""
        return tuple(Option(name=f.name, default=f.default, **f.metadata["option"])
                     for f in dataclasses.fields(cls) if "option" in f.metadata)

    @classmethod
    def option(cls, name: str) -> Option:
        """The declared option of that name; raises OptionError naming the nearest one."""
        for o in cls.options():
            if o.name == name:
                return o
        raise _unknown_option(cls, name)

    def replace(self, **changes: Any) -> Self:
        """A copy with some options changed and checked."""
        for name in changes:
            self.option(name)
        return dataclasses.replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """{"kind": …, option: value, …} with every option written out."""
        return {"kind": self.kind} | {o.name: _to_json(getattr(self, o.name)) for o in self.options()}

    @classmethod
    def from_options(cls, values: Mapping[str, Any]) -> Self:
        """Make one from option values by name; raises OptionError for an unknown name or an illegal value."""
        known = {o.name for o in cls.options()}
        for name in values:
            if name not in known:
                raise _unknown_option(cls, name)
        return cls(**dict(values))


def _to_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _unknown_option(cls: type[Configurable], name: str) -> OptionError:
    names = [o.name for o in cls.options()]
    near = difflib.get_close_matches(name, names, 1)
    fixes = (Fix("advice", "use {near}", {"near": repr(near[0])}),) if near else ()
    return OptionError("{kind} has no option {name}; it has {names}.", code="option.unknown", field=name, fixes=fixes,
                       kind=cls.kind, name=repr(name), names=", ".join(names) or "none")


def from_kind(table: Mapping[str, type[Any]], data: Any, what: str) -> Any:
    """Make the `Configurable` that `{"kind": …, option: value}` describes, looking its kind up in a table."""
    if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str):
        raise SpecError("A {what} must be an object with a kind; found {found}.", code="spec.kind", what=what,
                        found=type(data).__name__)
    kind = data["kind"]
    if kind not in table:
        near = difflib.get_close_matches(kind, table, 1)
        fixes = (Fix("advice", "use {near}", {"near": repr(near[0])}),) if near else ()
        raise SpecError("There is no {what} of kind {kind}; there are {kinds}.", code="spec.unknown_kind", fixes=fixes,
                        what=what, kind=repr(kind), kinds=", ".join(sorted(table)))
    return table[kind].from_options({name: _from_json(v) for name, v in data.items() if name != "kind"})


def _from_json(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
