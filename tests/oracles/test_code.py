"""The source that each layer writes of itself, run as it stands, over the case table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import reference
from engine.layer import LAYERS, Array, Context
from tests.oracles.cases import Case, cases

KINDS = sorted(LAYERS)
TOLERANCE = 1e-12


def chosen(kind: str, long: bool) -> list[Case]:
    every = cases(kind)
    return every if long else every[::max(1, len(every) // 100)]


def expected(case: Case) -> Array:
    """The reference loops' output in evaluation mode."""
    x, _, p, state = case.arrays
    mask = {"mask": np.ones_like(x)} if case.layer.random else {}
    return reference.forward(case.layer, x, p, Context(False, None, state | mask))


def assert_same(y: Array, case: Case, code: str) -> None:
    wanted = expected(case)
    assert y.shape == wanted.shape, f"{case}\n{code}"
    np.testing.assert_allclose(y, wanted, rtol=TOLERANCE, atol=TOLERANCE, err_msg=f"{case}\n{code}")


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_source_computes_the_layer(kind: str, long: bool) -> None:
    for case in chosen(kind, long):
        x, _, p, state = case.arrays
        code = case.layer.code_numpy(case.shape)
        names: dict[str, Any] = {"np": np, "x": x, **p, **state}
        exec(code, names)
        assert_same(names["y"], case, code)


@pytest.mark.parametrize("kind", KINDS)
def test_pytorch_source_computes_the_layer(kind: str, long: bool) -> None:
    torch = pytest.importorskip("torch", reason="the comparison needs PyTorch")
    for case in chosen(kind, long):
        x, _, p, state = case.arrays
        code = case.layer.code_pytorch(case.shape)
        names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional, "x": torch.tensor(x)}
        names |= {name: torch.tensor(a) for name, a in (p | state).items()}
        exec(code, names)
        assert_same(names["y"].numpy(), case, code)
