"""Saliency: the gradient against differences, Grad-CAM where it is known in closed form, occlusion where one place counts."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import DataError, ShapeError
from engine.layer import Array
from engine.layers.activation import ReLU, Tanh
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.pool import GlobalAvgPool
from engine.layers.softmax import Softmax
from engine.losses import SquaredError
from engine.network import Network
from engine.saliency import grad_cam, gradient, occlusion
from engine.spec import NetworkSpec

IMAGE = np.random.default_rng(1).normal(size=(2, 6, 7))


def smooth(**options: SquaredError) -> Network:
    """A network without kinks."""
    network = Network(NetworkSpec.of([Input(2, 6, 7, scaling="none"), Conv2D(3), Tanh(), Flatten(), Dense(4), Softmax()]),
                      dtype=np.float64, **options)
    network.initialize(2)
    return network


def score(network: Network, image: Array, unit: int, layer: int) -> float:
    return float(network.forward_sample(image).workspaces[layer].y[0, unit])


@pytest.mark.parametrize(("network", "layer"), [(smooth(), -2), (smooth(loss=SquaredError()), -1)])
def test_the_gradient_is_that_of_the_score(network: Network, layer: int) -> None:
    found = gradient(network, IMAGE, 1)
    assert found.shape == IMAGE.shape
    for place in ((0, 0, 0), (1, 3, 4), (0, 5, 6)):
        step = np.zeros_like(IMAGE)
        step[place] = 1e-5
        slope = (score(network, IMAGE + step, 1, layer) - score(network, IMAGE - step, 1, layer)) / 2e-5
        assert found[place] == pytest.approx(slope, rel=1e-6)


def test_grad_cam_with_global_average_is_the_sum_of_the_maps_with_the_weights_of_the_class() -> None:
    network = Network(NetworkSpec.of([Input(2, 6, 7, scaling="none"), Conv2D(3), ReLU(), GlobalAvgPool(), Dense(4), Softmax()]),
                      dtype=np.float64)
    network.initialize(2)
    maps = network.forward_sample(IMAGE).workspaces[2].y[0].copy()
    weights = network.parameters.named["dense1.W"][2] / (4 * 5)
    expected = np.maximum(sum(w * m for w, m in zip(weights, maps, strict=True)), 0)
    assert expected.any()
    np.testing.assert_allclose(grad_cam(network, IMAGE, 2, "relu1"), expected, rtol=1e-12)


def test_occlusion_finds_the_one_pixel_that_counts() -> None:
    network = Network(NetworkSpec.of([Input(1, 5, 6, scaling="none"), Flatten(), Dense(2)]), dtype=np.float64)
    network.parameters.named["dense1.W"][1, 2 * 6 + 3] = 10
    image = np.ones((1, 5, 6))
    falls = occlusion(network, image, 1, (2, 2), fill=0)
    assert falls.shape == (4, 5)
    assert {(int(i), int(j)) for i, j in np.argwhere(falls == 10)} == {(1, 2), (1, 3), (2, 2), (2, 3)}
    assert np.count_nonzero(falls) == 4
    assert not occlusion(network, image, 0, (2, 2), fill=0).any()
    assert not occlusion(network, image, 1, (2, 2)).any(), "the mean of an even image changes nothing"


def test_errors_say_what_is_possible() -> None:
    network = smooth()
    for ask in (lambda: gradient(network, IMAGE, 4), lambda: occlusion(network, IMAGE, -1)):
        with pytest.raises(DataError, match="the network has outputs 0 to 3"):
            ask()
    with pytest.raises(ShapeError, match=r"dense1 \(layer 4\): Grad-CAM needs maps, but this layer gives a vector of 4"):
        grad_cam(network, IMAGE, 0, "dense1")
    with pytest.raises(ShapeError, match="a patch of 7×2 does not fit on an image of 6×7"):
        occlusion(network, IMAGE, 0, (7, 2))
