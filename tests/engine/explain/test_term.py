"""Terms: formulas written as formulas, folding, laziness, cells of arrays."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.errors import ExplainError
from engine.term import OPERATIONS, CellRef, Term, constant, lazy, term
from engine.view import View, all_cells_of, cell_of

ARRAYS = {"conv1.y": np.arange(12.0).reshape(1, 3, 4), "relu1.W": np.array([2.0, 3.0])}


def view(images: int | None = None) -> View:
    return View(ARRAYS, "relu1", "conv1", (1, 3, 4), (1, 3, 4), images)


def test_a_formula_is_written_as_it_is_read() -> None:
    x, w = constant(3), constant(4, "w")
    found = 1 - w * x / 2 + (-x) - 0.5
    assert found.op == "difference"
    assert found.value == found.fold() == 1 - 4 * 3 / 2 - 3 - 0.5
    assert (2 / x).value == pytest.approx(2 / 3)


def test_equal_signs_in_a_row_are_one_sum_unless_a_part_has_a_name() -> None:
    a, b, c = constant(1), constant(2), constant(3)
    assert len((a + b + c).children) == 3
    assert len(((a + b).named("s") + c).children) == 2
    assert len(((a + b).of("channel", 0) + c).children) == 2
    assert len((a * b * c).children) == 3


@pytest.mark.parametrize(("op", "values", "expected"), [
    ("sum", [1, 2, 4], 7), ("product", [2, 3, 4], 24), ("difference", [2, 5], -3), ("quotient", [3, 2], 1.5),
    ("quotient", [1, 0], math.inf), ("negative", [2], -2), ("mean", [1, 2, 6], 3), ("max", [1, 5, 5], 5),
    ("argmax", [1, 5, 5], 1),
    ("equals", [2, 2], 1), ("equals", [2, 3], 0), ("gate", [0.1, 7, 8], 7), ("gate", [0, 7, 8], 8), ("copy", [3], 3),
    ("exp", [0], 1), ("exp", [1e4], math.inf), ("log", [0], -math.inf), ("root", [9], 3), ("square", [-3], 9),
    ("power", [2, 3], 8), ("abs", [-2], 2), ("sign", [-2], -1), ("tanh", [0], 0), ("normal_cdf", [0], 0.5), ("sum", [], 0)])
def test_operations(op: str, values: list[float], expected: float) -> None:
    found = term(op, *values)
    assert found.value == found.fold() == expected


def test_every_operation_is_tested_above() -> None:
    marks = test_operations.pytestmark[0].args[1]
    assert {mark[0] for mark in marks} == set(OPERATIONS)


def test_folding_uses_the_leaves_and_not_the_values_in_between() -> None:
    rounded = (constant(1) / 3).at(CellRef("a"), 0.333)
    assert (rounded * 3).value == pytest.approx(0.999)
    assert (rounded * 3).fold() == pytest.approx(1)


def test_children_are_made_when_they_are_looked_at_and_once_only() -> None:
    made = []

    def make() -> list[Term]:
        made.append(1)
        return [constant(1), constant(2)]

    found = lazy("sum", 3, make)
    assert (found.value, made) == (3, [])
    assert found.fold() == 3
    assert len(found.children) == 2
    assert made == [1]


def test_the_winner_is_the_first_of_the_largest() -> None:
    assert term("max", 1, 4, 4).winner == 1


def test_the_view_knows_the_arrays_by_the_names_of_the_formulas() -> None:
    v = view()
    assert [v.name(n) for n in ("x", "dx", "y", "W")] == ["conv1.y", "conv1.dy", "relu1.y", "relu1.W"]
    first = View(ARRAYS, "input", "", (), (), None)
    assert [first.name(n) for n in ("x", "dx")] == ["image", "dimage"]
    assert v.cell("x", 0, 1, 2).ref == CellRef("conv1.y", (0, 1, 2))
    assert v.cell("W", 1, label="γ") .value == 3
    with pytest.raises(ExplainError, match=r"no array relu1\.b here; there are conv1\.y, relu1\.W"):
        v.array("b")


def test_cells_beside_the_array_are_padding_that_knows_its_place() -> None:
    i, j = np.ix_([-1, 0], [2, 3, 4])
    cells = view().cells("x", 0, i, j, around=-np.inf)
    assert cells.numbers.tolist() == [-math.inf] * 3 + [2, 3, -math.inf]
    leaves = cells.terms()
    assert [leaf.op for leaf in leaves] == ["padding"] * 3 + ["cell", "cell", "padding"]
    assert leaves[0].ref == CellRef("conv1.y", (0, -1, 2))
    assert cells.join("max").value == cells.join("max").fold() == 3


def test_zeros_between_cells_have_no_place() -> None:
    cells = view().cells("x", 0, 0, np.arange(3), between=np.array([False, True, False]))
    assert [(leaf.op, leaf.value, leaf.place) for leaf in cells.terms()] == [
        ("cell", 0, (0, 0, 0)), ("padding", 0, ()), ("cell", 2, (0, 0, 2))]


def test_a_sum_over_a_batch_has_a_part_for_each_image() -> None:
    arrays = {"conv1.y": np.arange(6.0).reshape(2, 3), "relu1.y": np.ones((2, 3))}
    v = View(arrays, "relu1", "conv1", (3,), (3,), 2)
    a, b = (v.cells(name, *v.every_image(1), np.arange(3)) for name in ("x", "y"))
    found = v.sum_over_images(a, b)
    assert found.value == found.fold() == 15
    assert [(part.part, part.fold()) for part in found.children] == [(("image", 0), 3), (("image", 1), 12)]
    assert v.sum_over_images(a).fold() == 15


def test_single_numbers_and_whole_arrays() -> None:
    arrays = {"loss": np.array(2.5), "W": np.array([[1.0, 2.0], [3.0, 4.0]])}
    assert cell_of(arrays, CellRef("loss")).value == 2.5
    cells = all_cells_of(arrays, "W").terms()
    assert [(c.place, c.value) for c in cells] == [((0, 0), 1), ((0, 1), 2), ((1, 0), 3), ((1, 1), 4)]
    assert all_cells_of(arrays, "loss").terms()[0].ref == CellRef("loss")
    assert (str(CellRef("loss")), str(CellRef("W", (0, 1)))) == ("loss", "W[0, 1]")
