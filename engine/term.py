"""Terms: a number together with how it was computed, down to the cells of arrays.

    y = W[0, 0]·x[3] + W[0, 1]·x[4] + b[0]      is the tree      sum(product(cell, cell), product(cell, cell), cell)

A tree is written as the formula is: terms can be added, subtracted, multiplied and divided. A sum over thousands of cells
knows its value at once, but makes its children only when somebody looks at them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class CellRef:
    """One cell of one array of a snapshot: CellRef("conv1.y", (0, 3, 4)); a single number has the index ()."""

    array: str
    index: tuple[int, ...] = ()

    def __str__(self) -> str:
        """As NumPy writes it: "conv1.y[0, 3, 4]"."""
        return f"{self.array}[{', '.join(map(str, self.index))}]" if self.index else self.array


@dataclass(frozen=True, eq=False)
class Term:
    """A number, the operation that gave it, and the terms it was computed from.

    Leaves: "cell" is the cell `ref` of an array; "padding" is a place beside the cells of an array, with `ref` saying where (its
    index lies outside), or None between cells that a stride has spread; "constant" is a number of the formula. All other
    operations are the
    keys of `OPERATIONS`. An inner term whose result is itself a cell of an array has a `ref` too, so that one can go on from
    there.

    `value` is the cell's number where there is a `ref`, otherwise it is computed in float64 from the children's values. `label`
    is the symbol in formulas ("γ", "ε", "δ"). `part` says what a partial sum belongs to: ("channel", 2), ("filter", 0),
    ("image", 5).
    """

    op: str
    value: float
    ref: CellRef | None = None
    label: str = ""
    part: tuple[str, int] | None = None
    inner: Sequence[Term] | Callable[[], Iterable[Term]] = ()

    @cached_property
    def children(self) -> tuple[Term, ...]:
        """The terms that this one was computed from."""
        if not callable(self.inner):
            return tuple(self.inner)
        with np.errstate(all="ignore"):  # what is infinite is shown as infinite
            return tuple(self.inner())

    @cached_property
    def _folded(self) -> float:
        if self.op in LEAVES:
            return self.value
        return OPERATIONS[self.op]([child._folded for child in self.children])

    def fold(self) -> float:
        """The number computed anew from the leaves alone, in float64."""
        with np.errstate(all="ignore"):
            return self._folded

    def all_terms(self) -> Iterator[Term]:
        """This term and all below it; one that several terms share, such as a mean, comes once."""
        seen: set[int] = set()
        waiting = [self]
        while waiting:
            found = waiting.pop()
            if id(found) not in seen:
                seen.add(id(found))
                yield found
                waiting += reversed(found.children)

    def leaves(self) -> Iterator[Term]:
        """All leaves, from left to right."""
        return (found for found in self.all_terms() if found.op in LEAVES)

    @property
    def winner(self) -> int:
        """The place among the children of the first largest one, for "max" and "argmax"."""
        return int(np.argmax([child.value for child in self.children]))

    @property
    def place(self) -> tuple[int, ...]:
        """The index of the cell that this term is, or () when it is none."""
        return self.ref.index if self.ref else ()

    def named(self, label: str) -> Term:
        """The same term with a symbol."""
        return replace(self, label=label)

    def of(self, what: str, number: int) -> Term:
        """The same term as part `number` of a larger one: `term.of("channel", 2)`."""
        return replace(self, part=(what, number))

    def at(self, ref: CellRef, value: float) -> Term:
        """The same term, known to be the cell `ref` with that value."""
        return replace(self, ref=ref, value=value)

    def __add__(self, other: Term | float) -> Term:
        return self._joined("sum", other)

    def __radd__(self, other: float) -> Term:
        return constant(other) + self

    def __sub__(self, other: Term | float) -> Term:
        return term("difference", self, _term(other))

    def __rsub__(self, other: float) -> Term:
        return constant(other) - self

    def __mul__(self, other: Term | float) -> Term:
        return self._joined("product", other)

    def __rmul__(self, other: float) -> Term:
        return constant(other) * self

    def __truediv__(self, other: Term | float) -> Term:
        return term("quotient", self, _term(other))

    def __rtruediv__(self, other: float) -> Term:
        return constant(other) / self

    def __neg__(self) -> Term:
        return term("negative", self)

    def _joined(self, op: str, other: Term | float) -> Term:
        """a + b + c is one sum of three, unless a + b has a name or a place of its own."""
        plain = self.op == op and not callable(self.inner) and self.ref is None and not self.label and self.part is None
        return term(op, *(self.children if plain else (self,)), _term(other))


def _gate(values: Sequence[float]) -> float:
    x, positive, otherwise = values
    return positive if x > 0 else otherwise


LEAVES = ("cell", "padding", "constant")
_MANY = 16
"""Numbers of which NumPy makes a sum faster than Python does, and by a way that rounds less."""
OPERATIONS: Mapping[str, Callable[[Any], float]] = {
    "sum": lambda v: float(np.sum(v)) if len(v) > _MANY else sum(v),
    "product": lambda v: float(np.prod(v)) if len(v) > _MANY else math.prod(v),
    "difference": lambda v: v[0] - v[1],
    "quotient": lambda v: float(np.divide(v[0], v[1])),
    "negative": lambda v: -v[0],
    "mean": lambda v: float(np.mean(v)),
    "max": lambda v: float(np.max(v)),
    "argmax": lambda v: float(np.argmax(v)),
    "equals": lambda v: float(v[0] == v[1]),
    "gate": _gate,
    "copy": lambda v: v[0],
    "exp": lambda v: float(np.exp(v[0])),
    "log": lambda v: float(np.log(v[0])),
    "root": lambda v: float(np.sqrt(v[0])),
    "square": lambda v: v[0] * v[0],
    "power": lambda v: float(np.power(v[0], v[1])),
    "abs": lambda v: abs(v[0]),
    "sign": lambda v: float(np.sign(v[0])),
    "tanh": lambda v: math.tanh(v[0]),
    "normal_cdf": lambda v: 0.5 * math.erfc(-v[0] / math.sqrt(2)),
}
"""What each operation makes of its children's values. "gate" takes x, a, b and gives a where x > 0, otherwise b; "equals"
gives 1 or 0."""


def constant(value: float, label: str = "") -> Term:
    """A number of the formula itself, such as a slope or the size of the batch."""
    return Term("constant", float(value), label=label)


def term(op: str, *children: Term | float) -> Term:
    """The operation on some terms; numbers among them become constants."""
    terms = tuple(map(_term, children))
    with np.errstate(all="ignore"):
        return Term(op, OPERATIONS[op]([child.value for child in terms]), inner=terms)


def lazy(op: str, value: float | Array, make: Callable[[], Iterable[Term]]) -> Term:
    """The operation on terms that are made only when they are looked at; `value` is what they will give."""
    return Term(op, float(value), inner=make)


def _term(value: Term | float) -> Term:
    return value if isinstance(value, Term) else constant(value)
