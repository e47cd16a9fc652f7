"""What every tree of terms must fulfil."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from engine.layer import Array
from engine.term import CellRef, Term


def assert_true(term: Term, arrays: Mapping[str, Array], tolerance: float) -> None:
    """Every leaf and every named inner term is the cell that it names, and the leaves fold to the root and to all inner values.

    `tolerance` is relative to the largest number of the root's array and to what its terms would sum up to if none cancelled.
    """
    assert term.ref is not None
    assert_names(term, arrays)
    assert_close(term.fold(), term.value, [*arrays[term.ref.array].flat, size(term)], tolerance, str(term.ref))


def size(term: Term, known: dict[int, float] | None = None) -> float:
    """The value of a tree whose leaves are all positive: how large the numbers were that a float32 sum had to go through."""
    known = {} if known is None else known
    if id(term) not in known:
        parts = [size(child, known) for child in term.children]
        match term.op:
            case "sum" | "difference":
                found = sum(parts)
            case "product":
                found = math.prod(parts)
            case "quotient" if term.children[1].value:
                found = parts[0] / abs(term.children[1].value)
            case _:
                found = abs(term.value)
        known[id(term)] = found
    return known[id(term)]


def assert_names(root: Term, arrays: Mapping[str, Array]) -> None:
    """Every leaf that is a cell, and every inner term with a name, has the value of the cell that it names."""
    for term in root.all_terms():
        if term.ref is not None and term.op == "padding":
            shape = arrays[term.ref.array].shape
            assert any(not 0 <= i < n for i, n in zip(term.ref.index, shape, strict=True)), f"{term.ref} is not outside"
        elif term.ref is not None:
            assert arrays[term.ref.array][term.ref.index] == term.value, f"{term.ref} is not {term.value}"
        else:
            assert term.op != "cell", "a cell without a name"


def assert_close(a: float, b: float, among: Iterable[float], tolerance: float, what: str) -> None:
    """Two numbers agree, measured by the largest finite number of the array they belong to."""
    numbers = np.abs(np.asarray(among, float))
    largest = numbers[np.isfinite(numbers)].max(initial=1e-30)
    assert abs(a - b) <= tolerance * largest, f"{what}: {a} is not {b}"


def some_cells(name: str, array: Array, count: int, rng: np.random.Generator) -> list[CellRef]:
    """Some cells of an array, drawn at random, or all of them if there are no more."""
    if array.size <= count:
        return [CellRef(name, tuple(int(i) for i in index)) for index in np.ndindex(array.shape)]
    return [CellRef(name, tuple(int(i) for i in np.unravel_index(k, array.shape)))
            for k in rng.choice(array.size, count, replace=False)]
