"""The oracles can fail: every planted fault in a backward pass is caught by a case of the table."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from engine.layer import LAYERS
from tests.oracles.cases import Case, cases
from tests.oracles.driver import run
from tests.oracles.mutations import Mutant, mutants, unchanged
from tests.oracles.test_layers import assert_same, run_case, run_reference


def caught(mutant: Mutant, tried: list[Case]) -> bool:
    """True when a case fails with the mutant in the layer's place, or its backward pass breaks down."""
    for case in tried:
        options = {o.name: getattr(case.layer, o.name) for o in case.layer.options()}
        x, dy, p, state = case.arrays
        truth = run_reference(case, run_case(case))
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                for need_dx in (True, False):
                    faulty = run(mutant.layer(**options), x, dy, p, state, training=case.training, need_dx=need_dx)
                    if not need_dx:
                        faulty.dx = truth.dx
                    assert_same(faulty, truth, case, relative=1e-9)
        except Exception:
            return True
    return False


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_every_planted_fault_is_caught(kind: str) -> None:
    every = cases(kind)
    tried = every[::max(1, len(every) // 60)]
    planted = list(mutants(kind))
    assert len(planted) >= 3
    assert not [mutant.text for mutant in planted if not caught(mutant, tried)]


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_a_layer_without_a_fault_is_not_caught(kind: str) -> None:
    assert not caught(unchanged(kind), cases(kind)[::50])
