"""Every formula in symbols can be typeset, and none is higher than its fractions and sums need."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cnnstudio.panels.explain import symbols
from cnnstudio.panels.explain.latex import latex
from cnnstudio.panels.explain.subject import subject_of
from cnnstudio.widgets.formula import svg
from engine.losses import LOSSES
from engine.term import CellRef, Term, term
from tests.engine.explain.worlds import probes, random_settings, smallest_network
from tests.oracles.explain_counted import HEADS

HIGHEST = 60.0
"""Pixels, of type of 15 pixels: a sum with bounds in a fraction."""


def height(latex: str) -> float:
    """Of a formula, in pixels."""
    found = re.search(r'viewBox="([^"]*)"', svg(latex, 15.0, "#000").decode())
    assert found is not None
    return float(found[1].split()[3])


LINES = sorted({*symbols._FORWARD.values(), *symbols._BACKWARD.values(), *symbols._GRADIENT.values(),
                *symbols._OF_BATCH_NORM.values(), *symbols._UPDATE.values(), *symbols._SLOTS.values(), symbols._CHAIN,
                *(line for pair in symbols._OF_PROJECTION.values() for line in pair)})


@pytest.mark.parametrize("latex", LINES)
def test_a_line_is_no_higher_than_it_needs_to_be(latex: str) -> None:
    assert height(latex) < HIGHEST


@pytest.mark.parametrize("probe", ["sample", "batch"])
def test_the_lines_of_losses_deltas_and_updates_are_no_higher(probe: str) -> None:
    for head in HEADS:
        for loss in sorted(LOSSES):
            rng = np.random.default_rng(3)
            for snapshot in probes(smallest_network(head), random_settings(rng, "adamw", loss)):
                for name, array in snapshot.arrays.items() if snapshot.probe == probe else ():
                    for line in symbols.symbols(subject_of(snapshot, CellRef(name, (0,) * array.ndim))):
                        assert height(line) < HIGHEST, line


def test_a_line_of_numbers_that_cannot_be_cut_stays_short() -> None:
    cells = [cell(0.001234 * k, "x") for k in range(1, 11)]
    long = cell(0.5, "y") * (cell(0.25, "d") - term("sum", *(a * b for a, b in zip(cells, cells, strict=True))))
    assert len(latex(long, 2)) < 60 < len(latex(long))


def cell(value: float, array: str) -> Term:
    """A leaf."""
    return Term("cell", value, CellRef(array, (0,)))
