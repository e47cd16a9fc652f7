"""Options typed behind the name of a block in the search menu, as in "conv 6 5x5 same" or "dropout 0.3"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from engine.layer import Layer
from engine.options import PADDING_RULES, Option

_PAIR = re.compile(r"(\d+)[x×*](\d+)")
_WHOLE = re.compile(r"\d+")
_REAL = re.compile(r"\d*\.\d+")


def split(text: str) -> tuple[list[str], list[str]]:
    """(the words to search for, the words that set options)."""
    words = text.casefold().split()
    typed = [word for word in words if word in PADDING_RULES or word[0].isdigit() or word[0] == "."]
    return [word for word in words if word not in typed], typed


def options_from(typed: Sequence[str], layer: type[Layer]) -> dict[str, Any] | None:
    """The options that words set for a layer, or None where the layer has no option for one of them.

    A number goes to the first option of its kind that is still free: a whole number to a count (depth, units)
    or else to both sides of a size, a pair to a size, a fraction to a rate, a rule to the padding.
    """
    options: dict[str, Any] = {}
    for word in typed:
        free = [option for option in layer.options() if option.name not in options]
        found = _reading(word, free)
        if found is None:
            return None
        options[found[0].name] = found[1]
    return options


def _reading(word: str, free: Sequence[Option]) -> tuple[Option, Any] | None:
    """The option that a word sets, and its value."""
    kinds: tuple[str, ...]
    value: Any
    if word in PADDING_RULES:
        kinds, value = ("padding",), word
    elif pair := _PAIR.fullmatch(word):
        kinds, value = ("pair",), (int(pair[1]), int(pair[2]))
    elif _WHOLE.fullmatch(word):
        kinds, value = ("int", "pair"), int(word)
    elif _REAL.fullmatch(word):
        kinds, value = ("float",), float(word)
    else:
        return None
    option = next((option for kind in kinds for option in free if option.kind == kind), None)
    return None if option is None else (option, value)
