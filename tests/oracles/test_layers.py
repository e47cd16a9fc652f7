"""The case table: every layer against PyTorch, central differences, the reference loops, and itself in float32."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from engine import reference
from engine.layer import LAYERS, Array, Context
from engine.layers.conv import Conv2D
from engine.layers.pool import Pool2D
from tests.oracles.cases import ROWS, Case, cases
from tests.oracles.driver import Run, run

FLOAT32_BOUND = 4e-6
"""Largest error of float32, relative to the largest number of the array; sums have up to about 100 terms here."""

KINDS = sorted(LAYERS)


def run_case(case: Case, dtype: type = np.float64, *, need_dx: bool = True) -> Run:
    """The engine's results for a case."""
    x, dy, p, state = case.arrays
    return run(case.layer, x, dy, p, state, training=case.training, dtype=dtype, need_dx=need_dx)


def run_reference(case: Case, ours: Run) -> Run:
    """The reference loops' results for a case; Dropout's mask is that of `ours`."""
    x, dy, p, state = case.arrays
    drawn = {"mask": ours.ws["mask"]} if case.layer.random else {}
    ctx = Context(case.training, None, {name: a.copy() for name, a in state.items()} | drawn)
    y = reference.forward(case.layer, x, p, ctx)
    dx, g = reference.backward(case.layer, x, dy, p, Context(case.training, None, state | drawn))
    return Run(y, dx, g, ours.ws, {name: ctx.state[name] for name in state})


def assert_same(ours: Run, theirs: Run, case: Case, *, relative: float, absolute: float = 1e-15) -> None:
    """All arrays agree cell by cell; of the largest number of an array a thousandth of `relative` is allowed on
    top, for sums whose terms cancel."""
    pairs = [("y", ours.y, theirs.y), ("∂E/∂x", ours.dx, theirs.dx)]
    pairs += [(f"∂E/∂{name}", ours.g[name], theirs.g[name]) for name in theirs.g]
    pairs += [(f"state {name}", ours.state[name], theirs.state[name]) for name in ours.state]
    for name, a, b in pairs:
        assert a.shape == b.shape, f"{name} of {case}"
        allowed = relative * np.abs(b) + 1e-3 * relative * np.abs(b).max() + absolute
        assert (np.abs(a - b) <= allowed).all(), f"{name} of {case}: off by {np.abs(a - b).max():.2e}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_layer_has_cases_and_reference_loops(kind: str) -> None:
    assert kind in ROWS, f"{kind} needs a row in tests/oracles/cases.py"
    case = cases(kind)[0]
    run_reference(case, run_case(case))


def test_the_table_has_2000_distinct_cases_and_covers_the_corners() -> None:
    every = [case for kind in KINDS for case in cases(kind)]
    assert len({case.triple for case in every}) >= 2000
    found: Counter[str] = Counter()
    for case in every:
        found["one image"] += case.n == 1
        found["equal numbers"] += case.whole
        found["evaluation"] += not case.training
        layer = case.layer
        if not isinstance(layer, (Conv2D, Pool2D)):
            continue
        _, height, width = case.shape
        top, bottom, left, right = layer.window(case.shape).padding
        found["one cell"] += height == width == 1
        found["not square"] += height != width and layer.kernel_size[0] != layer.kernel_size[1]
        found["stride"] += layer.stride != (1, 1)
        found["stride beyond the window"] += min(layer.stride) > max(layer.kernel_size)
        found["asymmetric padding"] += top != bottom and left != right
        found["1×1 window"] += layer.kernel_size == (1, 1)
        if isinstance(layer.padding, str):
            found[f"padding rule {layer.padding}"] += 1
        found["ceil mode"] += isinstance(layer, Pool2D) and layer.ceil_mode
        found["padding not counted"] += getattr(layer, "count_padding", True) is False
        if isinstance(layer, Conv2D):
            found["dilation"] += layer.dilation != (1, 1)
            found["groups"] += layer.groups > 1
            found["depthwise"] += 1 < layer.groups == case.shape[0]
            found["no bias"] += not layer.bias
            found["window as large as the input"] += (height, width) == layer.kernel_size
    assert min(found.values()) >= 10, found


@pytest.mark.parametrize("kind", KINDS)
def test_forward_and_all_gradients_equal_pytorch(kind: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is an optional oracle")
    from tests.oracles import pytorch

    for case in cases(kind):
        ours = run_case(case)
        assert_same(ours, pytorch.run(case, ours.ws.get("mask")), case, relative=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_forward_and_all_gradients_equal_the_reference_loops(kind: str) -> None:
    for case in cases(kind):
        ours = run_case(case)
        assert_same(ours, run_reference(case, ours), case, relative=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_equal_central_differences(kind: str, long: bool) -> None:
    smooth = [case for case in cases(kind) if not case.whole]
    for case in smooth if long else smooth[::max(1, len(smooth) // 60)]:
        x, _, p, _ = case.arrays
        ours = run_case(case)

        def loss(x: Array, p: dict[str, Array], case: Case = case) -> float:
            y = run(case.layer, x, None, p, case.arrays[3], training=case.training).y
            return float((y * case.arrays[1]).sum())

        of_x = _differences(lambda a, p=p: loss(a, p), x)
        of_p = {name: _differences(lambda a, name=name, x=x, p=p: loss(x, p | {name: a}), p[name]) for name in p}
        # A difference of two losses near 1 over 2e-5 is exact to some 1e-11.
        numeric = Run(ours.y, of_x, of_p, ours.ws, ours.state)
        assert_same(ours, numeric, case, relative=1e-6, absolute=1e-10)


def _differences(loss: Callable[[Array], float], at: Array, step: float = 1e-5) -> Array:
    """∂loss/∂a at `at`, each cell moved up and down by a step."""
    slopes, a = np.zeros_like(at), at.copy()
    for cell in np.ndindex(a.shape):
        a[cell] = at[cell] + step
        up = loss(a)
        a[cell] = at[cell] - step
        slopes[cell] = (up - loss(a)) / (2 * step)
        a[cell] = at[cell]
    return slopes


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_within_its_bound(kind: str) -> None:
    for case in cases(kind):
        if case.layer.random:
            continue  # the two precisions draw different masks
        exact, single = run_case(case), run_case(case, np.float32)
        for name, a, b in (("y", single.y, exact.y), ("dx", single.dx, exact.dx),
                           *((name, single.g[name], exact.g[name]) for name in exact.g)):
            assert a.dtype == np.float32
            error = np.abs(a - b).max() / max(np.abs(b).max(), 1)
            assert error <= FLOAT32_BOUND, f"{name} of {case}: {error:.1e}"


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_parameters_do_not_need_the_gradient_of_the_input(kind: str) -> None:
    for case in cases(kind)[::7]:
        full, part = run_case(case), run_case(case, need_dx=False)
        assert np.isnan(part.dx).all()
        for name in full.g:
            np.testing.assert_array_equal(part.g[name], full.g[name])
