"""What an explanation may look at: the arrays of one snapshot, and cells of them in bulk.

A layer explains itself through a `View`, which knows the arrays by the names that the layer's formulas use. `Cells` are many
cells at once, so that a long sum has its value before any of its terms is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import ExplainError
from engine.term import OPERATIONS, Array, CellRef, Term, lazy


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of one array in a fixed order: their numbers in float64 (k,) and places (k, axes).

    `inside` is False for places beside the array, whose number is that of the padding; `between` is True for the zeros that
    a stride puts between the cells.
    """

    array: str
    numbers: Array
    places: Array
    inside: Array
    between: Array

    def terms(self) -> list[Term]:
        """A leaf for each."""
        of = zip(self.numbers.tolist(), self.places.tolist(), self.inside.tolist(), self.between.tolist(), strict=True)
        return [Term("cell" if inside else "padding", number, None if between else CellRef(self.array, tuple(place)))
                for number, place, inside, between in of]

    def __getitem__(self, part: slice) -> Cells:
        return Cells(self.array, self.numbers[part], self.places[part], self.inside[part], self.between[part])

    def join(self, op: str) -> Term:
        """The "sum", "mean", "max" or "argmax" of all of them."""
        return lazy(op, OPERATIONS[op](self.numbers), self.terms)

    def times(self, other: Cells) -> Term:
        """The sum of the products of the cells in pairs."""
        return lazy("sum", self.numbers @ other.numbers,
                    lambda: [Term("product", a.value * b.value, inner=(a, b))
                             for a, b in zip(self.terms(), other.terms(), strict=True)])

    def parts(self, count: int) -> list[Cells]:
        """The cells cut into `count` equal runs."""
        size = len(self.numbers) // count
        return [self[k * size:(k + 1) * size] for k in range(count)]


@dataclass(frozen=True, eq=False)
class View:
    """What the explanation of one layer may look at: the arrays of one snapshot by the names that the layer's formulas use.

    "x" is the layer's input, "y" its output, "dx" and "dy" their deltas; parameters, buffers and state have the names that
    the layer gave
    them. `images` is the number of images on the first axis of x and y, or None in a sample, which has no such axis.
    """

    arrays: Mapping[str, Array]
    layer: str
    before: str
    x_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    images: int | None

    def every_image(self, axes: int = 0) -> tuple[Array, ...]:
        """The beginning of an index that runs over all images and broadcasts against `axes` further axes; nothing in a sample."""
        return () if self.images is None else (np.arange(self.images).reshape(-1, *(1,) * axes),)

    def name(self, name: str) -> str:
        """The array's name in the snapshot: "x" -> "relu1.y"."""
        if name == "x":
            return f"{self.before}.y" if self.before else "image"
        if name == "dx":
            return f"{self.before}.dy" if self.before else "dimage"
        return f"{self.layer}.{name}"

    def array(self, name: str) -> Array:
        """The whole array; raises ExplainError when the snapshot does not hold it."""
        return array_of(self.arrays, self.name(name))

    def cell(self, name: str, *index: int, label: str = "") -> Term:
        """A leaf: one cell."""
        return cell_of(self.arrays, CellRef(self.name(name), tuple(map(int, index))), label)

    def cells(self, name: str, *index: Any, around: float = 0.0, between: Any = False) -> Cells:
        """The cells at broadcast integer indices, row by row; places outside have the number `around`, and so have those
        `between`."""
        array = self.array(name)
        *grids, gap = np.broadcast_arrays(*index, between)
        places = np.stack([grid.ravel() for grid in grids], axis=-1)
        inside = ((places >= 0) & (places < array.shape)).all(axis=1) & ~gap.ravel()
        numbers = np.full(len(places), around, np.float64)
        numbers[inside] = array[tuple(places[inside].T)]
        return Cells(self.name(name), numbers, places, inside, gap.ravel())

    def sum_over_images(self, a: Cells, b: Cells | None = None) -> Term:
        """The sum of cells whose indices began with `every_image`, or of their products with others, image by image."""
        if self.images is None:
            return a.times(b) if b else a.join("sum")
        sums = a.parts(self.images), b.parts(self.images) if b else [None] * self.images
        value = a.numbers @ b.numbers if b else a.numbers.sum()
        return lazy("sum", value, lambda: [(one.times(other) if other else one.join("sum")).of("image", n)
                                           for n, (one, other) in enumerate(zip(*sums, strict=True))])

    def known(self, name: str, index: tuple[int, ...], found: Term) -> Term:
        """The term as a cell of an array, if the snapshot holds that array."""
        full = self.name(name)
        if full not in self.arrays:
            return found
        return found.at(CellRef(full, index), float(self.arrays[full][index]))


def array_of(arrays: Mapping[str, Array], name: str) -> Array:
    """An array of a snapshot; raises ExplainError when it is not there, naming those that are."""
    if name not in arrays:
        raise ExplainError("There is no array {name} here; there are {names}.", code="explain.no_array", name=name,
                           names=", ".join(sorted(arrays)))
    return arrays[name]


def cell_of(arrays: Mapping[str, Array], ref: CellRef, label: str = "") -> Term:
    """One cell as a leaf."""
    return Term("cell", float(array_of(arrays, ref.array)[ref.index]), ref, label)


def all_cells_of(arrays: Mapping[str, Array], name: str) -> Cells:
    """All cells of an array, in row-major order."""
    array = array_of(arrays, name)
    everywhere = np.ones(array.size, bool)
    places = np.indices(array.shape).reshape(array.ndim, array.size).T
    return Cells(name, array.astype(np.float64).ravel(), places, everywhere, ~everywhere)
