"""Small networks and data that the engine's tests share."""

from __future__ import annotations

import numpy as np

from engine.datasets.dataset import Dataset, Split
from engine.layer import Array, Layer
from engine.layers.activation import ReLU
from engine.layers.batchnorm import BatchNorm
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.layers.softmax import Softmax
from engine.spec import NetworkSpec


def lenet5() -> NetworkSpec:
    """conv 6@5×5 pad 2, ReLU, max pool 2, conv 16@5×5, ReLU, max pool 2, FC 120, ReLU, FC 84, ReLU, FC 10, softmax."""
    return NetworkSpec.of([
        Input(1, 28, 28), Conv2D(6, (5, 5), padding=(2, 2, 2, 2)), ReLU(), MaxPool2D(), Conv2D(16, (5, 5)), ReLU(), MaxPool2D(),
        Flatten(), Dense(120), ReLU(), Dense(84), ReLU(), Dense(10), Softmax()])


def small(*extra: Layer) -> NetworkSpec:
    """A small network over 1×8×8 images of 3 classes; `extra` layers stand after the first ReLU."""
    return NetworkSpec.of([Input(1, 8, 8, scaling="none"), Conv2D(4, (3, 3), padding=(1, 1, 1, 1)), ReLU(), *extra,
                           MaxPool2D(), Flatten(), Dense(3), Softmax()])


def with_everything_random() -> NetworkSpec:
    """Batch normalisation and dropout in one network: coupled images, running state and random masks."""
    return small(BatchNorm(), Dropout(rate=0.3))


def blobs(n: int = 96, classes: int = 3, shape: tuple[int, int, int] = (1, 8, 8), seed: int = 0) -> Dataset:
    """Images that are noise around one random picture for each class: easily learnt."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, *shape))

    def split(count: int) -> Split:
        labels = np.arange(count) % classes
        images = (centres[labels] + rng.normal(scale=0.5, size=(count, *shape))).astype(np.float32)
        return Split(images, labels, np.arange(count))

    return Dataset("blobs", "Blobs", tuple(str(c) for c in range(classes)), split(n), split(n // 2), None, (-4.0, 4.0),
                   "made", "none", "0" * 64)


def parameter_bytes(arrays: dict[str, Array]) -> bytes:
    """All arrays as one string of bytes, to compare bit for bit."""
    return b"".join(arrays[name].tobytes() for name in sorted(arrays))
