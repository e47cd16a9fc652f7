"""The canonical grammar: what it reads, where it stops, and that what it builds it also reads."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.layer import LAYERS
from engine.pattern import Departure, Formula, build, parse
from engine.spec import NetworkSpec


def network(kinds: str) -> NetworkSpec:
    return NetworkSpec.of(LAYERS[kind]() for kind in kinds.split())


@pytest.mark.parametrize(
    ("kinds", "formula"),
    [
        ("input dense", "INPUT → FC"),
        ("input flatten dense softmax", "INPUT → FC"),
        ("input flatten dense relu dense", "INPUT → [FC → ReLU]×1 → FC"),
        ("input conv relu flatten dense", "INPUT → [[CONV → ReLU]×1]×1 → FC"),
        ("input conv relu conv relu max_pool flatten dense", "INPUT → [[CONV → ReLU]×2 → POOL]×1 → FC"),
        ("input conv tanh avg_pool conv tanh avg_pool flatten dense", "INPUT → [[CONV → Tanh]×1 → POOL]×2 → FC"),
        ("input max_pool flatten dense", "INPUT → [POOL]×1 → FC"),
        ("input conv batch_norm relu dropout max_pool flatten dropout dense sigmoid",
         "INPUT → [[CONV → ReLU]×1 → POOL]×1 → FC"),
        ("input conv relu conv tanh flatten dense", "INPUT → [[CONV → ReLU]×1 → [CONV → Tanh]×1]×1 → FC"),
        ("input conv relu conv relu conv relu conv relu max_pool dense",
         "INPUT → [[CONV → ReLU]×3]×1 → [[CONV → ReLU]×1 → POOL]×1 → FC"),
    ],
)  # fmt: skip
def test_canonical_chains_are_read(kinds: str, formula: str) -> None:
    parsed = parse(network(kinds))
    assert isinstance(parsed, Formula)
    assert str(parsed) == formula


@pytest.mark.parametrize(
    ("kinds", "block", "sentence"),
    [
        ("", None, "ends too early: INPUT"),
        ("input", None, "ends too early: CONV, POOL, Flatten or FC"),
        ("conv relu", "conv1", "allows INPUT"),
        ("input conv max_pool dense", "max_pool1", "allows an activation or batch normalisation"),
        ("input relu conv dense", "relu1", "Conv|CONV"),
        ("input conv relu", None, "must follow"),
        ("input flatten dense conv relu dense", "conv1", "an activation"),
        ("input flatten dense relu conv", "conv1", "allows FC"),
        ("input flatten dense softmax dense", "dense2", "behind the output"),
        ("input softmax dense", "softmax1", "out of place"),
        ("input flatten flatten dense", "flatten2", "allows FC"),
        ("input dense relu dense relu dense relu dense relu dense", "dense4", "4 hidden FC"),
    ],
)
def test_the_first_block_that_departs_is_named(kinds: str, block: str | None, sentence: str) -> None:
    departure = parse(network(kinds))
    assert isinstance(departure, Departure)
    assert departure.block == block
    assert re.search(sentence, departure.sentence), departure.sentence


def test_what_may_stand_at_a_departure_are_titles_of_layers() -> None:
    departure = parse(network("input conv max_pool"))
    assert isinstance(departure, Departure)
    assert "ReLU" in departure.may and "Batch norm" in departure.may and "FC" not in departure.may


@given(n=st.integers(0, 3), m=st.integers(0, 3), k=st.integers(0, 3), pool=st.booleans())
def test_a_network_built_from_numbers_has_these_numbers(n: int, m: int, k: int, pool: bool) -> None:
    spec = build(n=n, m=m, k=k, image=(3, 32, 32), pool="max_pool" if pool else None)
    spec.placed()
    formula = parse(spec)
    assert isinstance(formula, Formula)
    assert formula.k == k
    blocks = m if n or pool else 0
    assert sum(stage.n for stage in formula.stages) == n * m
    assert sum(bool(stage.pool) for stage in formula.stages) == (m if pool else 0)
    if pool or n == 3:
        assert formula.m == blocks


@pytest.mark.parametrize("numbers", [{"n": 4}, {"k": -1}, {"m": -1}])
def test_numbers_outside_the_formula_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not within"):
        build(**numbers)


def test_every_block_of_a_canonical_network_belongs_to_one_part() -> None:
    spec = network("input conv batch_norm relu max_pool dropout flatten dense relu dropout dense softmax")
    formula = parse(spec)
    assert isinstance(formula, Formula)
    parts = [formula.input, *(s.ids for s in formula.stages), *(u.ids for u in formula.hidden), formula.output.ids]
    assert sorted(sum(parts, ())) == sorted(node.id for node in spec)


def test_chips_of_equal_stages_stand_for_the_blocks_of_all_of_them() -> None:
    formula = parse(network("input conv relu max_pool conv relu max_pool flatten dense"))
    assert isinstance(formula, Formula)
    chips = {token.text: token.ids for token in formula.tokens() if token.role}
    assert chips["CONV"] == ("conv1", "conv2")
    assert chips["POOL"] == ("max_pool1", "max_pool2")
    assert chips["ReLU"] == ("relu1", "relu2")
