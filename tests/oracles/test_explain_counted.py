"""Random cells of every layer and target agree with the reference, a thousand of each with --long; a wrong one is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.layer import LAYERS
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense
from engine.layers.pool import MaxPool2D
from engine.losses import CrossEntropy
from engine.optimizers import Adam
from engine.term import Term, constant, term
from tests.oracles.explain_counted import count, rows

SHORT, LONG = 150, 1000


def test_cells_of_every_layer_and_target_agree_with_the_reference(long: bool) -> None:
    cells = LONG if long else SHORT
    counted = count(cells)
    assert set(counted) == set(rows()) and {row.what for row in counted} >= set(LAYERS)
    assert min(counted.values()) >= cells


def without_the_last(found: Term) -> Term:
    """The same number, but its last term is forgotten."""
    return Term(found.op, found.value, found.ref, inner=found.children[:-1])


def of_a_neighbour(found: Term) -> Term:
    """The same numbers, but the first term claims to be the cell beside it."""
    first, *others = found.children
    while first.children:
        first, *others = first.children
    assert first.ref is not None
    other = first.at(type(first.ref)(first.ref.array, (*first.ref.index[:-1], first.ref.index[-1] + 1)), first.value)
    return term(found.op, other, *others)


@pytest.mark.parametrize(("owner", "method", "spoil"), [
    (Conv2D, "explain_forward", without_the_last), (Conv2D, "explain_backward", without_the_last),
    (Dense, "explain_forward", of_a_neighbour), (MaxPool2D, "explain_backward", lambda found: -found),
    (CrossEntropy, "explain_delta", lambda found: found + constant(1e-9)), (Adam, "explain", lambda found: found * (1 + 1e-9)),
])  # fmt: skip
def test_a_wrong_explanation_is_noticed(owner: type, method: str, spoil: Callable[[Term], Term],
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(owner, method)

    def wrong(*arguments: Any) -> Term:
        return spoil(right(*arguments))

    monkeypatch.setattr(owner, method, wrong)
    with pytest.raises(AssertionError, match=r"is not|no name|outside"):
        count(40)
