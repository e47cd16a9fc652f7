"""Winograd's convolution computes what the plain one computes: every height of kernel, width of map, pooling and block."""

from __future__ import annotations

import numpy as np
import pytest

from engine.layer import Layer
from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.layers.softmax import Softmax
from engine.network import Network
from engine.plans import conv_winograd, conv_winograd_of_one, pool_innermost
from engine.plans.conv_winograd import Winograd
from engine.plans.conv_winograd_of_one import WinogradOfOne
from engine.spec import NetworkSpec
from tests.engine.plans.test_equality import assert_equal, both


@pytest.fixture(params=[None, 500], ids=["as it is", "small blocks, long pixels"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Networks with few channels use the form as well; the shapes of the maps that it has been made for."""
    shapes: list[tuple[int, ...]] = []

    def note(kind: type[Winograd | WinogradOfOne]) -> None:
        make = kind.__init__

        def noted(self: Winograd, x: np.ndarray, maps: np.ndarray, *rest: object) -> None:
            shapes.append(maps.shape)
            make(self, x, maps, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(kind, "__init__", noted)

    note(Winograd)
    note(WinogradOfOne)
    monkeypatch.setattr(conv_winograd, "WIDE", 1)
    monkeypatch.setattr(conv_winograd_of_one, "WIDE", 1)
    if request.param:
        monkeypatch.setattr(conv_winograd, "BLOCK", request.param)
        monkeypatch.setattr(conv_winograd, "LEAST_ROWS", 2)
        monkeypatch.setattr(pool_innermost, "LONG_PIXEL", 1)  # maps before a pooling stand in their frame
    return shapes


def two_convolutions(height: int, padding: int | str, between: list[Layer], columns: int, rows: int = 9) -> NetworkSpec:
    """Two convolutions with kernels three wide; the second one also gives the first one's delta."""
    layer = Conv2D(5, (height, 3), padding=padding if isinstance(padding, str) else (padding, 0, 1, padding))
    return NetworkSpec.of([Input(2, rows, columns, mean="channel"), layer, *between, Conv2D(3, (height, 3), padding="same"),
                           ReLU(), Flatten(), Dense(3), Softmax()])


@pytest.mark.parametrize("columns", range(4, 13))
@pytest.mark.parametrize("height", [1, 2, 3, 5])
def test_every_height_of_kernel_and_width_of_map(height: int, columns: int, made: list[tuple[int, ...]]) -> None:
    assert_equal(two_convolutions(height, "same", [ReLU()], columns), 6)
    assert len(made) == 5  # y and dx in training, and y again in evaluation; the first layer's dx is not computed


@pytest.mark.parametrize("rows", range(4, 13))
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_a_single_image_with_every_width_of_kernel_and_height_of_map(width: int, rows: int, made: list[tuple[int, ...]]) -> None:
    assert_equal(NetworkSpec.of([Input(2, rows, 9, scaling="none"), Conv2D(5, (3, width), padding="same"), ReLU(),
                                 Conv2D(3, (3, width), padding="same"), Flatten(), Dense(3), Softmax()]), 1)
    assert len(made) == 5


@pytest.mark.parametrize("pool", [(2, 2), (2, 3), (4, 1), (1, 2), (3, 2)])
@pytest.mark.parametrize("rows", [8, 11, 14])
def test_every_pooling_of_a_single_image(pool: tuple[int, int], rows: int, made: list[tuple[int, ...]]) -> None:
    assert_equal(two_convolutions(3, 1, [ReLU(), MaxPool2D(pool, pool)], columns=11, rows=rows), 1)
    assert (pool in {shape[1:4:2] for shape in made}) == (pool[0] != 3)


@pytest.mark.parametrize("between", [[], [ReLU()]], ids=["bare", "relu"])
@pytest.mark.parametrize("pool", [(2, 2), (3, 2), (1, 4), (2, 1), (2, 3)])
@pytest.mark.parametrize("columns", [8, 11, 14])
def test_every_pooling_behind_it(pool: tuple[int, int], columns: int, between: list[Layer], made: list[tuple[int, ...]]) -> None:
    spec = two_convolutions(3, 1, [*between, MaxPool2D(pool, pool)], columns, rows=11)
    assert_equal(spec, 7)
    pools = {shape[1:4:2] for shape in made}
    assert (pool in pools) == (pool[1] != 3)  # a tile of four pixels holds no whole windows of three


def test_a_float32_loses_about_one_digit_of_seven(made: list[tuple[int, ...]]) -> None:
    spec = two_convolutions(3, "same", [ReLU()], 12, rows=12)
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
        assert error < 2e-6 * np.abs(wanted).max(), name
    np.testing.assert_allclose(single.predict(images), exact.predict(images), atol=2e-6)


def test_the_matrices_make_a_correlation() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, kernel = rng.normal(size=6), rng.normal(size=3)
        y = conv_winograd.A_T @ ((conv_winograd.G @ kernel) * (conv_winograd.B_T @ x))
        np.testing.assert_allclose(y, np.correlate(x, kernel, "valid"), atol=1e-12)
