"""The plan computes what the plain layers compute: every kind of layer in every order, ties, NaN, single images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from engine.errors import TrainingError
from engine.layer import Layer
from engine.layers.activation import ReLU, Sigmoid, Tanh
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D, MaxPool2D
from engine.layers.softmax import Softmax
from engine.losses import CrossEntropy, Loss, SquaredError
from engine.network import LayerStep, Network
from engine.plans import calls, conv_innermost, conv_of_one, conv_rows, conv_winograd, pool_innermost
from engine.plans.innermost import InnermostLane
from engine.spec import NetworkSpec
from tests.engine.networks import lenet5
from tests.engine.plans.random_networks import random_network


@pytest.fixture(params=[(False, None), (True, None), (True, 500)], ids=["small kernels", "packing kernels", "small blocks"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of multiplying, whichever BLAS library is here; and blocks so small that every loop over them turns often."""
    packs, block = request.param
    for module in (conv_innermost, conv_rows):
        monkeypatch.setattr(module, "packs_small_products", lambda: packs)
    if block:
        for module in (calls, conv_innermost, conv_of_one, conv_rows, pool_innermost):
            monkeypatch.setattr(module, "BLOCK", block)


def both(spec: NetworkSpec, loss: Loss | None = None) -> tuple[Network, Network]:
    """The network with and without its plan, with the same weights."""
    fast, plain = (Network(spec, loss=loss, dtype=np.float64, fast=fast) for fast in (True, False))
    for network in (fast, plain):
        network.initialize(1)
    rng = np.random.default_rng(2)
    fast.parameters.flat += 0.1 * rng.normal(size=fast.parameters.size)  # so that no bias is 0
    plain.parameters.flat[...] = fast.parameters.flat
    return fast, plain


def assert_equal(spec: NetworkSpec, n: int, loss: Loss | None = None, images: np.ndarray | None = None) -> None:
    """Training and evaluation of `n` images agree."""
    fast, plain = both(spec, loss)
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (n, *plain.placed[0].x)).astype(np.uint8) if images is None else images
    labels = rng.integers(0, plain.outputs, n)
    for network in (fast, plain):
        network.fit_input(images, (0.0, 255.0))
    for step in range(2):  # the second step finds what the first has left behind
        found, wanted = (network.gradient(images, labels, key=(1, step)) for network in (fast, plain))
        assert found.loss == pytest.approx(wanted.loss, rel=1e-9, abs=1e-12) and found.correct == wanted.correct
        for name, gradient in plain.parameters.named_gradient.items():
            scale = np.abs(gradient).max() + 1e-9
            np.testing.assert_allclose(fast.parameters.named_gradient[name], gradient, rtol=0, atol=1e-9 * scale, err_msg=name)
    np.testing.assert_allclose(fast.predict(images), plain.predict(images), rtol=1e-9, atol=1e-12)
    found_, wanted_ = (network.evaluate(images, labels) for network in (fast, plain))
    assert found_.loss == pytest.approx(wanted_.loss, rel=1e-9, abs=1e-12) and np.array_equal(found_.predicted, wanted_.predicted)
    assert any(isinstance(lane, InnermostLane) for lane in fast._lanes.values())


@pytest.mark.parametrize("seed", range(80))
def test_random_networks_agree_with_the_plain_layers(seed: int, way: None) -> None:
    assert_equal(random_network(seed), n=(5, 1, 8, 3)[seed % 4], loss=SquaredError() if seed % 5 == 0 else CrossEntropy())


@pytest.mark.parametrize("wide", [1, 1000], ids=["Winograd", "rows"])
@pytest.mark.parametrize("pool", [[], [MaxPool2D()]], ids=["bare", "pool"])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_what_others_leave_in_the_scratch_memory_changes_nothing(padding: str, pool: list[Layer], wide: int, way: None,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv_winograd, "WIDE", wide)
    first, second = (Conv2D(depth, (3, 3), padding=padding) for depth in (3, 4))
    fast, _ = both(NetworkSpec.of([Input(2, 14, 13), first, ReLU(), second, ReLU(), *pool, Conv2D(3, (2, 2)), ReLU(), Flatten(),
                                   Dense(3), Softmax()]))
    images, labels = np.random.default_rng(3).random((6, 2, 14, 13)), np.arange(6) % 3
    fast.gradient(images, labels)
    wanted = fast.parameters.gradient.copy()
    for lane in fast._lanes.values():
        assert isinstance(lane, InnermostLane)
        for _, of_layer in [*lane.forward, *lane.backward]:
            of_layer.insert(0, partial(lane._scratch._block.fill, np.nan))
    fast.gradient(images, labels)
    assert np.array_equal(fast.parameters.gradient, wanted)


@pytest.mark.parametrize("batch", [1, 31, 64, 65, 100])
def test_lenet_agrees_for_every_way_of_cutting_the_batch(batch: int, way: None) -> None:
    assert_equal(lenet5(), batch)


@pytest.mark.parametrize("between", [[], [ReLU()]], ids=["bare", "relu"])
@pytest.mark.parametrize("size", [(2, 2), (3, 2), (1, 3), (4, 1)])
def test_the_first_of_equal_maxima_wins(between: list[Layer], size: tuple[int, int]) -> None:
    spec = NetworkSpec.of([Input(1, 12, 12, scaling="none"), Conv2D(1, (1, 1)), *between, MaxPool2D(size, size),
                           Conv2D(2, (3, 3)), Flatten(), Dense(3), Softmax()])
    images = np.random.default_rng(0).integers(0, 3, (40, 1, 12, 12)).astype(np.float64)  # three values: ties everywhere
    assert_equal(spec, 40, images=images)


@pytest.mark.parametrize("pool", [MaxPool2D((2, 3), (2, 3)), AvgPool2D((2, 3), (2, 3))])
def test_cells_that_no_window_reads_get_no_delta(pool: Layer) -> None:
    assert_equal(NetworkSpec.of([Input(1, 11, 11), Conv2D(3, (3, 3)), ReLU(), Conv2D(3, (3, 3), padding="same"), ReLU(), pool,
                                 Flatten(), Dense(3), Softmax()]), 6)


@pytest.mark.parametrize("pool", [[], [MaxPool2D()]], ids=["bare", "pool"])
@pytest.mark.parametrize("wide", [1, 1000], ids=["Winograd", "rows"])
@pytest.mark.parametrize("padding", [(2, 0, 0, 0), (0, 2, 0, 0), (0, 0, 2, 0), (0, 0, 0, 2)])
def test_a_side_with_more_padding_than_the_window_reaches_over(padding: tuple[int, int, int, int], wide: int,
                                                               pool: list[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv_winograd, "WIDE", wide)
    assert_equal(NetworkSpec.of([Input(1, 7, 7), Conv2D(3, (3, 3)), ReLU(), Conv2D(2, (2, 2), padding=padding), ReLU(), *pool,
                                 Flatten(), Dense(3), Softmax()]), 6)


@pytest.mark.parametrize("after", [[], [ReLU()], [Tanh()], [Dropout(rate=0.3)]], ids=["bare", "relu", "tanh", "dropout"])
@pytest.mark.parametrize("before", [[], [ReLU()], [Tanh()], [ReLU(), MaxPool2D()], [MaxPool2D((2, 3), (2, 3)), ReLU()],
                                    [AvgPool2D()], [ReLU(), MaxPool2D(stride=(1, 1))], [Conv2D(6, (3, 3), groups=3), ReLU()]])
@pytest.mark.parametrize("maker", [Conv2D(3, (3, 2)), Conv2D(3, (3, 3), bias=False)], ids=["bias", "no bias"])
def test_what_flatten_leaves_where_it_is(maker: Layer, before: list[Layer], after: list[Layer], way: None) -> None:
    assert_equal(NetworkSpec.of([Input(2, 9, 8), maker, *before, Flatten(), *after, Dense(3), Softmax()]), 6)


@pytest.mark.parametrize("end", [[], [Softmax()], [Sigmoid()], [ReLU()]], ids=["bare", "softmax", "sigmoid", "relu"])
@pytest.mark.parametrize("between", [[], [ReLU(), MaxPool2D((1, 2), (1, 2))]], ids=["conv", "pool"])
def test_a_network_may_end_with_flatten(between: list[Layer], end: list[Layer]) -> None:
    loss = SquaredError() if end and not isinstance(end[0], Softmax) else CrossEntropy()
    assert_equal(NetworkSpec.of([Input(1, 4, 5), Conv2D(3, (4, 4)), *between, Flatten(), *end]), 6, loss)


def test_a_projection_of_the_input_runs_as_it_is() -> None:
    assert_equal(NetworkSpec.of([Input(1, 6, 6, projection="zca_whitening"), Conv2D(3, (3, 3)), ReLU(), Flatten(), Dense(3),
                                 Softmax()]), 50)


def test_targets_may_be_rows_of_numbers() -> None:
    fast, plain = both(lenet5())
    rng = np.random.default_rng(0)
    images, targets = rng.random((9, 1, 28, 28)), rng.dirichlet(np.ones(10), 9)
    assert fast.gradient(images, targets).loss == pytest.approx(plain.gradient(images, targets).loss, rel=1e-12)
    np.testing.assert_allclose(fast.parameters.gradient, plain.parameters.gradient, atol=1e-12)


@pytest.mark.parametrize("projection", ["none", "zca_whitening"])
@pytest.mark.parametrize("between", [[], [Dropout(rate=0.3)], [ReLU()], [Conv2D(3, (3, 3))]])
def test_a_single_image_stands_in_the_frame_of_the_convolution_that_reads_it(between: list[Layer], projection: str) -> None:
    spec = NetworkSpec.of([Input(2, 9, 8, projection=projection), *between, Conv2D(4, (3, 3), padding=(1, 0, 2, 1)), Flatten(),
                           Dense(3), Softmax()])
    fast, plain = both(spec)
    for network in (fast, plain):
        network.fit_input(np.random.default_rng(9).normal(size=(200, 2, 9, 8)), (0.0, 255.0))
    for seed in range(2):  # the second image finds what the first has left behind
        image = np.random.default_rng(seed).normal(size=(1, 2, 9, 8))
        np.testing.assert_allclose(fast.predict(image), plain.predict(image), rtol=1e-9)


@pytest.mark.parametrize("largest", [range(10), [3, 4], [7]], ids=["all", "two", "one"])
def test_of_equal_outputs_the_first_is_the_answer(largest: Sequence[int]) -> None:
    images, labels = np.zeros((40, 1, 28, 28)), np.arange(40) % 10
    for network in both(lenet5()):
        network.parameters.flat[...] = 0
        network.parameters.named["dense3.b"][list(largest)] = 1
        assert network.gradient(images, labels).correct == np.count_nonzero(labels == largest[0]) == 4


def test_layer_grain_gives_the_same_bits() -> None:
    network, _ = both(lenet5())
    rng = np.random.default_rng(0)
    images, labels = rng.random((70, 1, 28, 28)), rng.integers(0, 10, 70)
    result = network.gradient(images, labels)
    whole = network.parameters.gradient.copy()
    parts = list(network.gradient_by_layer(images, labels))
    assert parts[-1] == result and np.array_equal(network.parameters.gradient, whole)
    layers = [p.node.id for p in network.placed]
    assert [part.layer for part in parts if isinstance(part, LayerStep)] == [*layers, *reversed(layers[1:-1])]


@pytest.mark.parametrize(("name", "layer", "what"), [("conv2.W", "conv2", "output"), ("dense1.b", "dense1", "output")])
def test_a_nan_ends_the_batch_with_the_layer_named(name: str, layer: str, what: str) -> None:
    network, _ = both(lenet5())
    network.parameters.named[name].flat[0] = np.nan
    with pytest.raises(TrainingError) as error:
        network.gradient(np.random.default_rng(0).random((64, 1, 28, 28)), np.zeros(64, np.int64))
    assert error.value.layer == layer and what in str(error.value)


def test_a_relu_gives_no_negative_zero() -> None:
    # Its bits would open the gate of the backward pass; see plans/calls.py.
    for n in range(1, 70):
        assert not np.signbit(np.maximum(np.full(n, -0.0, np.float32), np.zeros(n, np.float32))).any()


@pytest.mark.parametrize("bits", [np.uint32, np.uint64])
def test_a_shift_by_more_places_than_there_are_leaves_nothing(bits: type[np.unsignedinteger]) -> None:
    # What a loser of a max pooling has lost by is such a shift; see plans/pool_innermost.py.
    most = np.iinfo(bits).max
    for n in range(1, 70):
        for places, left in ((0, most), (most // 2 + 1, 0), (most, 0)):
            assert (np.right_shift(np.full(n, most, bits), np.full(n, places, bits)) == left).all()
