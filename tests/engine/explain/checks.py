"""What every tree of terms must fulfil."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from engine.layer import Array
from engine.term import CellRef, Term


def assert_true(term: Term, arrays: Mapping[str, Array], tolerance: float) -> None:
    """Every leaf and every named inner term is the cell that it names, and the leaves fold to the root and to all inner values.

    `tolerance` is relative to the largest number of the array that the root belongs to, or to the root's value.
    """
    root = [term.value] if term.ref is None else arrays[term.ref.array]
    assert_names(term, arrays)
    assert_close(term.fold(), term.value, root, tolerance, str(term.ref))


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
