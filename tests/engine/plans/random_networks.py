"""Networks drawn at random from all that a plan has to cope with: strides, paddings, dilations, groups, poolings, orders."""

from __future__ import annotations

import numpy as np

from engine.errors import EngineError
from engine.layer import Layer
from engine.layers.activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, Tanh
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D, GlobalAvgPool, MaxPool2D
from engine.layers.softmax import Softmax
from engine.spec import NetworkSpec

ACTIVATIONS = (ReLU, ReLU, ReLU, LeakyReLU, ELU, GELU, Sigmoid, Tanh)


def random_network(seed: int) -> NetworkSpec:
    """A network of up to five layers on maps and up to three on vectors, over small images, for three classes."""
    rng = np.random.default_rng(seed)
    while True:
        layers: list[Layer] = [Input(int(rng.integers(1, 4)), int(rng.integers(7, 15)), int(rng.integers(7, 15)), mean="channel")]
        layers.append(_conv(rng))
        layers += [_on_maps(rng) for _ in range(rng.integers(1, 6))]
        layers.append(GlobalAvgPool() if rng.random() < 0.15 else Flatten())
        layers += [_on_vectors(rng) for _ in range(rng.integers(0, 4))]
        layers += [Dense(3), *([Softmax()] if rng.random() < 0.7 else [Sigmoid()] if rng.random() < 0.3 else [])]
        try:
            spec = NetworkSpec.of(layers)
            spec.placed()
        except EngineError:
            continue  # a window that does not fit
        return spec


def _conv(rng: np.random.Generator) -> Conv2D:
    groups = int(rng.choice([1, 1, 1, 1, 2]))
    padding = str(rng.choice(["same", "valid"])) if rng.random() < 0.4 else tuple(int(p) for p in rng.integers(0, 3, 4))
    return Conv2D(depth=int(rng.integers(1, 7)) * groups, kernel_size=_pair(rng, 1, 5), stride=_pair(rng, 1, 3), padding=padding,
                  dilation=_pair(rng, 1, 3) if rng.random() < 0.3 else (1, 1), groups=groups, bias=bool(rng.random() < 0.8))


def _on_maps(rng: np.random.Generator) -> Layer:
    kind = rng.random()
    if kind < 0.35:
        return _conv(rng)
    if kind < 0.65:
        return ACTIVATIONS[rng.integers(len(ACTIVATIONS))]()
    if kind < 0.7:
        return Dropout(rate=0.3)
    pool = MaxPool2D if rng.random() < 0.7 else AvgPool2D
    size = _pair(rng, 1, 4)
    if rng.random() < 0.6:
        return pool(kernel_size=size, stride=size, ceil_mode=bool(rng.random() < 0.3))
    return pool(kernel_size=size, stride=_pair(rng, 1, 4), padding=(size[0] // 2, 0, 0, size[1] // 2))


def _on_vectors(rng: np.random.Generator) -> Layer:
    kind = rng.random()
    if kind < 0.5:
        return Dense(int(rng.integers(2, 9)), bias=bool(rng.random() < 0.8))
    return Dropout(rate=0.5) if kind < 0.6 else ACTIVATIONS[rng.integers(len(ACTIVATIONS))]()


def _pair(rng: np.random.Generator, low: int, high: int) -> tuple[int, int]:
    return int(rng.integers(low, high)), int(rng.integers(low, high))
