"""What holds for every layer in the registry: its words, its JSON, and that it keeps its hands off its inputs."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from engine.layer import LAYERS, Shape, layer_from_json
from tests.oracles.cases import cases
from tests.oracles.driver import bench, run

ROLES = {"input", "conv", "activation", "pool", "norm", "flatten", "dense", "dropout", "output"}


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_a_layer_says_what_it_is_and_so_does_each_option(kind: str) -> None:
    cls = LAYERS[kind]
    assert cls.title and cls.role in ROLES
    assert cls.summary.endswith(".") and len(cls.summary) <= 80
    assert cls.__doc__ and cls.__doc__.rstrip().count(".")
    for option in cls.options():
        assert option.label and option.help.endswith((".", "half."))
        assert option.check(option.default) == option.default


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_json_gives_the_same_layer_back(kind: str) -> None:
    for case in cases(kind)[::9]:
        assert layer_from_json(case.layer.to_json()) == case.layer


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_x_dy_and_parameters_are_left_as_they_were(kind: str) -> None:
    for case in cases(kind)[::25]:
        x, dy, p, state = (a.copy() if isinstance(a, np.ndarray) else {k: v.copy() for k, v in a.items()}
                           for a in case.arrays)
        result = run(case.layer, x, dy, p, state, training=case.training)
        np.testing.assert_array_equal(result.ws.x, case.arrays[0])
        for ours, before in ((x, case.arrays[0]), (dy, case.arrays[1])):
            np.testing.assert_array_equal(ours, before)
        for name, value in p.items():
            np.testing.assert_array_equal(value, case.arrays[2][name])


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_labels_and_counts_are_sensible(kind: str) -> None:
    for case in cases(kind)[::25]:
        assert len(case.layer.label()) <= 64
        assert case.layer.macs(case.shape) >= 0
        window = case.layer.window(case.shape)
        assert (window is None) == (case.layer.kind not in ("conv", "max_pool", "avg_pool"))


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_a_step_allocates_nothing_that_grows_with_the_batch(kind: str) -> None:
    def peak(n: int) -> int:
        x, dy, p, state = case.arrays
        many = bench(case.layer, np.resize(x, (n, *x.shape[1:])), p, state)
        delta = np.resize(dy, (n, *dy.shape[1:]))
        many.forward()
        many.backward(delta)
        gc.collect()  # what other tests left behind is not to be collected in between
        tracemalloc.start()
        try:
            many.forward()
            many.backward(delta)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    for case in sorted(cases(kind), key=lambda case: case.shape.size)[-1:-60:-15]:
        # NumPy converts numbers in pieces of 8,192; both batches hold more.
        n = 8192 // case.layer.output_shape(case.shape).size + 1
        growth = peak(3 * n) - peak(n)
        assert growth < 2 * n * 4, f"{case} allocates {growth / (2 * n):.1f} bytes an image"


def test_shapes_are_written_as_the_field_writes_them() -> None:
    assert str(Shape((3, 28, 14))) == "28×14×3"
    assert str(Shape((400,))) == "400"
