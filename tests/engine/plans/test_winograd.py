"""Winograd's convolution computes what the plain one computes: every width of kernel, height of map, pooling and block."""

from __future__ import annotations

import numpy as np
import pytest

from engine.layer import Layer
from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D, MaxPool2D
from engine.layers.softmax import Softmax
from engine.network import Network
from engine.plans import calls, conv_innermost, conv_winograd, pool_innermost
from engine.plans.conv_winograd import Winograd, room_for_points
from engine.spec import NetworkSpec
from tests.engine.plans.test_equality import assert_equal, both


@pytest.fixture(params=[None, 500], ids=["as it is", "small blocks"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Networks with few channels use the form as well; the shapes of the maps that it has been made for."""
    shapes: list[tuple[int, ...]] = []

    make = Winograd.__init__

    def noted(self: Winograd, x: np.ndarray, maps: np.ndarray, *rest: object) -> None:
        shapes.append(maps.shape)
        make(self, x, maps, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Winograd, "__init__", noted)
    monkeypatch.setattr(conv_winograd, "WIDE", 1)
    if request.param:
        for module in (calls, conv_innermost, conv_winograd, pool_innermost):
            monkeypatch.setattr(module, "BLOCK", request.param)
        monkeypatch.setattr(conv_winograd, "SMALL_PRODUCT", request.param)
    return shapes


def two_convolutions(width: int, padding: int | str, between: list[Layer], rows: int, columns: int = 9) -> NetworkSpec:
    """Two convolutions with kernels three high; the second one also gives the first one's delta."""
    layer = Conv2D(5, (3, width), padding=padding if isinstance(padding, str) else (1, padding, padding, 0))
    return NetworkSpec.of([Input(2, rows, columns, mean="channel"), layer, *between, Conv2D(3, (3, width), padding="same"),
                           ReLU(), Flatten(), Dense(3), Softmax()])


@pytest.mark.parametrize("rows", range(4, 13))
@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("n", [6, 1])
def test_every_width_of_kernel_and_height_of_map(n: int, width: int, rows: int, made: list[tuple[int, ...]]) -> None:
    assert_equal(two_convolutions(width, "same", [ReLU()], rows), n)
    assert len(made) == 5  # y and dx in training, and y again in evaluation; the first layer's dx is not computed


@pytest.mark.parametrize("between", [[], [ReLU()]], ids=["bare", "relu"])
@pytest.mark.parametrize("pool", [(2, 2), (2, 3), (4, 1), (1, 2), (3, 2)])
@pytest.mark.parametrize("rows", [8, 11, 14])
@pytest.mark.parametrize("n", [7, 1])
def test_every_pooling_behind_it(n: int, pool: tuple[int, int], rows: int, between: list[Layer],
                                 made: list[tuple[int, ...]]) -> None:
    assert_equal(two_convolutions(3, 1, [*between, MaxPool2D(pool, pool)], rows, columns=11), n)
    assert (pool in {shape[1:4:2] for shape in made}) == (pool[0] != 3)  # a tile of four rows holds no whole windows of three


@pytest.mark.parametrize("padding", [(0, 0, 0, 0), (2, 2, 2, 2), (1, 1, 0, 2), (0, 2, 2, 0), (2, 0, 1, 0)])
@pytest.mark.parametrize("pooled", [False, True])
def test_every_padding_on_both_sides_of_a_convolution(padding: tuple[int, int, int, int], pooled: bool,
                                                      made: list[tuple[int, ...]]) -> None:
    pool: list[Layer] = [MaxPool2D()] if pooled else []
    assert_equal(NetworkSpec.of([Input(2, 9, 10), Conv2D(3, (3, 3), padding=padding), ReLU(),
                                 Conv2D(4, (3, 3), padding=padding), ReLU(), *pool, Conv2D(2, (1, 3), padding=(0, 0, 1, 1)),
                                 Flatten(), Dense(3), Softmax()]), 5)
    assert made


@pytest.mark.parametrize("other", [Conv2D(5, (2, 2), stride=(2, 2)), Conv2D(4, (5, 4), padding="same", dilation=(2, 1)),
                                   Conv2D(4, (3, 3), stride=(1, 3), padding=1), Conv2D(4, (3, 3), groups=2), ReLU(), AvgPool2D()])
@pytest.mark.parametrize("n", [6, 1])
def test_other_layers_beside_it(n: int, other: Layer, made: list[tuple[int, ...]]) -> None:
    assert_equal(NetworkSpec.of([Input(2, 13, 14), Conv2D(4, (3, 3), padding="same"), other, MaxPool2D((2, 1), (2, 1)),
                                 Conv2D(3, (3, 2)), ReLU(), Flatten(), Dense(5), ReLU(), Dense(3), Softmax()]), n)
    assert made


def test_a_float32_loses_about_one_digit_of_seven(made: list[tuple[int, ...]]) -> None:
    spec = two_convolutions(3, "same", [ReLU()], 12, columns=12)
    exact, _ = both(spec)
    single = Network(spec)
    single.parameters.flat[...] = exact.parameters.flat
    images, labels = np.random.default_rng(0).integers(0, 256, (32, 2, 12, 12)).astype(np.uint8), np.arange(32) % 3
    for network in (exact, single):
        network.fit_input(images, (0.0, 255.0))
        network.gradient(images, labels)
    assert made
    for name, wanted in exact.parameters.named_gradient.items():
        error = np.abs(single.parameters.named_gradient[name] - wanted).max()
        assert error < 4e-6 * np.abs(wanted).max(), name
    np.testing.assert_allclose(single.predict(images), exact.predict(images), atol=2e-6)


def test_over_a_flat_area_one_pixel_of_each_pooling_window_gets_the_whole_delta(made: list[tuple[int, ...]]) -> None:
    # All windows of a flat image are equal, so ∂E/∂W shows how much delta has come through, wherever it went.
    spec = NetworkSpec.of([Input(2, 14, 13, scaling="none"), Conv2D(6, (3, 3)), MaxPool2D(), Flatten(), Dense(3), Softmax()])
    fast, plain = (Network(spec, fast=way) for way in (True, False))
    images = np.ones((24, 2, 14, 13), np.float32) * np.linspace(0.1, 3, 24, dtype=np.float32)[:, None, None, None]
    for network in (fast, plain):
        network.initialize(1)
        network.gradient(images, np.arange(24) % 3)
    assert made
    for name, wanted in plain.parameters.named_gradient.items():
        np.testing.assert_allclose(fast.parameters.named_gradient[name], wanted, atol=1e-5 * np.abs(wanted).max(), err_msg=name)


@pytest.mark.parametrize("numbers", [1, 960, 1024, 17 * 1024, 4095])
def test_no_two_points_begin_at_the_same_place_of_a_page(numbers: int) -> None:
    scratch = calls.Scratch(np.float32, 0)
    whole, inside = room_for_points(scratch, (6, numbers, 2, 3, 4), before=32, after=96)
    assert whole.shape == (6, 32 + numbers * 24 + 96) and inside.shape == (6, numbers, 2, 3, 4)
    assert {point.ctypes.data - row.ctypes.data for point, row in zip(inside, whole, strict=True)} == {32 * 4}
    assert len({point.ctypes.data % 4096 // 64 for point in inside}) == 6


def test_the_matrices_make_a_correlation() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, kernel = rng.normal(size=6), rng.normal(size=3)
        y = conv_winograd.A_T @ ((conv_winograd.G @ kernel) * (conv_winograd.B_T @ x))
        np.testing.assert_allclose(y, np.correlate(x, kernel, "valid"), atol=1e-12)
