"""Random legal networks: shapes, JSON, gradients and memory."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.errors import ShapeError
from engine.layer import LAYERS, Array, Layer, Shape, layer_from_json
from engine.network import Network
from engine.spec import NetworkSpec
from tests.engine.networks import lenet5, with_everything_random
from tests.engine.random_networks import chains, layers
from tests.oracles.driver import random_parameters, random_state, run

SHAPES = st.one_of(st.tuples(st.integers(1, 12)), st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)))


@given(layers(sorted(LAYERS)), SHAPES, st.integers(2, 3))
def test_a_layer_either_says_what_does_not_fit_or_gives_the_shape_it_announced(
        layer: Layer, shape: tuple[int, ...], n: int) -> None:
    assert layer_from_json(json.loads(json.dumps(layer.to_json()))) == layer
    sample = layer.image_shape if layer.kind == "input" else Shape(shape)
    try:
        announced = layer.output_shape(sample)
    except ShapeError as error:
        assert error.code and str(error).endswith(".") and error.fixes
        return
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(n, *sample)), rng.normal(size=(n, *announced))
    result = run(layer, x, dy, random_parameters(layer, sample, rng), random_state(layer, sample, rng))
    assert result.y.shape == (n, *announced)
    assert np.isfinite(result.y).all() and np.isfinite(result.dx).all()
    assert {name: a.shape for name, a in result.g.items()} == {name: p.shape for name, p in layer.params(sample).items()}
    assert all(np.isfinite(a).all() for a in result.g.values())


@given(chains())
def test_a_network_has_the_shapes_that_were_inferred_and_survives_json(spec: NetworkSpec) -> None:
    assert NetworkSpec.from_json(json.dumps(spec.to_json())) == spec
    rng = np.random.default_rng(0)
    placed = spec.placed()
    x = rng.normal(size=(2, *placed[0].x))
    for place in placed:
        layer = place.node.layer
        assert x.shape[1:] == place.x
        x = run(layer, x, None, random_parameters(layer, place.x, rng), random_state(layer, place.x, rng)).y
        assert x.shape[1:] == place.y


def ready(spec: NetworkSpec, *, fast: bool) -> Network:
    """A float64 network whose weights are all away from 0, also those that begin as constants."""
    network = Network(spec, dtype=np.float64, fast=fast)
    network.initialize(0)
    network.parameters.flat += np.random.default_rng(1).normal(0, 0.1, network.parameters.size)
    return network


def batch(spec: NetworkSpec, n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(2)
    return rng.normal(size=(n, *spec.placed()[0].x)), rng.integers(0, 3, n)


@given(chains(smooth=True, whole=True), st.booleans(), st.integers(0, 2**32 - 1))
def test_the_gradient_of_a_network_is_the_slope_of_its_loss(spec: NetworkSpec, fast: bool, seed: int) -> None:
    network, (images, labels) = ready(spec, fast=fast), batch(spec, 4)
    weights, way = network.parameters.flat.copy(), np.random.default_rng(seed).normal(size=network.parameters.size)
    network.gradient(images, labels, key=(0, 1))
    slope = float(network.parameters.gradient @ way)

    def loss(step: float) -> float:
        network.parameters.flat[...] = weights + step * way
        return network.gradient(images, labels, key=(0, 1)).loss

    coarse, fine = ((loss(step) - loss(-step)) / (2 * step) for step in (2e-5, 1e-5))
    scale = max(abs(fine), 1e-3 * float(np.linalg.norm(network.parameters.gradient) * np.linalg.norm(way)), 1e-6)
    assume(abs(coarse - fine) <= 1e-6 * scale)  # otherwise the loss bends too much here for differences
    assert abs(slope - fine) <= 1e-5 * scale


@given(chains(whole=True))
def test_the_fast_forms_give_the_gradient_of_the_plain_layers(spec: NetworkSpec) -> None:
    images, labels = batch(spec, 5)
    plain, fast = (ready(spec, fast=fast) for fast in (False, True))
    results = [network.gradient(images, labels, key=(0, 1)) for network in (plain, fast)]
    assert results[1].loss == pytest.approx(results[0].loss, rel=1e-9)
    expected = plain.parameters.gradient
    np.testing.assert_allclose(fast.parameters.gradient, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("spec", [lenet5(), with_everything_random()], ids=["lenet5", "coupled"])
def test_after_warm_up_a_step_allocates_only_what_the_labels_need(spec: NetworkSpec, fast: bool) -> None:
    def peak(n: int) -> int:
        network = Network(spec, fast=fast)
        network.initialize(0)
        images = np.random.default_rng(0).integers(0, 256, (n, *spec.placed()[0].x), dtype=np.uint8)
        labels = np.arange(n) % network.outputs
        for step in range(2):
            network.gradient(images, labels, key=(0, step))
        tracemalloc.start()
        try:
            network.gradient(images, labels, key=(0, 2))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # The targets, ten numbers for a label, and what the loss makes of them; a single map of LeNet has 3,136 bytes.
    assert (peak(800) - peak(200)) / 600 < 500
