"""Random small worlds for Explain: any layer, loss and optimizer, trained for some steps in float64, and both probes of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.errors import ShapeError
from engine.layer import LAYERS, Layer
from engine.layers.activation import ELU, GELU, LeakyReLU
from engine.layers.batchnorm import BatchNorm
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D, MaxPool2D
from engine.losses import CrossEntropy, SquaredError
from engine.optimizers import OPTIMIZERS
from engine.settings import TrainSettings
from engine.snapshot import Snapshot, SnapshotRequest, batch_snapshot, sample_snapshot
from engine.spec import NetworkSpec
from engine.trainer import Trainer
from tests.engine.networks import blobs

IMAGES = 4
"""Images of a batch."""
STEPS = 3


def layer_of(kind: str, rng: np.random.Generator) -> Layer:
    """A layer of a kind with random options."""
    def pair(high: int) -> tuple[int, int]:
        return int(rng.integers(1, high + 1)), int(rng.integers(1, high + 1))

    def padding(most: int) -> tuple[int, ...]:
        return tuple(int(n) for n in rng.integers(0, most + 1, 4))

    match kind:
        case "input":
            projection = str(rng.choice(["none", "none", "none", "pca", "pca_whitening", "zca_whitening"]))
            return Input(2, int(rng.integers(3, 6)), int(rng.integers(3, 6)), projection=projection,
                         normalise=str(rng.choice(["none", "minmax", "deviation"])), mean=str(rng.choice(["none", "channel"])))
        case "conv":
            return Conv2D(2 * int(rng.integers(1, 3)), pair(3), pair(2), padding(2), pair(2), int(rng.integers(1, 3)),
                          bool(rng.integers(4)))
        case "max_pool":
            kernel = pair(3)
            return MaxPool2D(kernel, pair(2), padding(min(kernel) - 1), ceil_mode=bool(rng.integers(2)))
        case "avg_pool":
            kernel = pair(3)
            return AvgPool2D(kernel, pair(2), padding(min(kernel) - 1), ceil_mode=bool(rng.integers(2)),
                             count_padding=bool(rng.integers(2)))
        case "dense":
            return Dense(int(rng.integers(1, 7)), bias=bool(rng.integers(4)))
        case "batch_norm":
            return BatchNorm(epsilon=float(rng.choice([1e-5, 1e-2])))
        case "dropout":
            return Dropout(float(rng.choice([0.2, 0.5])))
        case "leaky_relu":
            return LeakyReLU(float(rng.choice([0.01, 0.3])))
        case "elu":
            return ELU(float(rng.choice([0.5, 1.0, 1.7])))
        case "gelu":
            return GELU(str(rng.choice(["none", "tanh"])))
    return LAYERS[kind]()


def network_with(kind: str, rng: np.random.Generator) -> NetworkSpec:
    """A network that has a layer of the kind with up to two others around it, FC, and one of the heads."""
    kinds = sorted(set(LAYERS) - {"input"})
    while True:
        layers = [layer_of("input", rng)]
        around = [str(k) for k in rng.choice(kinds, int(rng.integers(0, 3)))]
        if kind != "input":
            around.insert(int(rng.integers(len(around) + 1)), kind)
        try:
            for other in around:
                layers.append(layer_of(other, rng))
                NetworkSpec.of(layers).placed()
        except ShapeError:
            continue
        if NetworkSpec.of(layers).placed()[-1].y.is_image:
            layers.append(Flatten())
        head = [[LAYERS["softmax"]()], [LAYERS["sigmoid"]()], []][int(rng.integers(3))]
        return NetworkSpec.of([*layers, Dense(3), *head])


def smallest_network(head: str) -> NetworkSpec:
    """Two pixels, FC and a head ("softmax", "sigmoid" or "" for none): for what a whole network has but one cell of."""
    return NetworkSpec.of([Input(1, 1, 2, scaling="none"), Flatten(), Dense(3), *([LAYERS[head]()] if head else [])])


def random_settings(rng: np.random.Generator, optimizer: str = "", loss: str = "") -> TrainSettings:
    """Any loss and optimizer, unless given; penalties and clipping half of the time."""
    kind = optimizer or str(rng.choice(sorted(OPTIMIZERS)))
    squared = loss == "squared_error" or (not loss and bool(rng.integers(2)))
    return TrainSettings(
        epochs=9, batch_size=IMAGES, learning_rate=0.01, seed=int(rng.integers(100)), l2=float(rng.choice([0, 0.1])),
        l1=float(rng.choice([0, 0.01])), clip_norm=float(rng.choice([0, 0.1])),
        loss=SquaredError() if squared else CrossEntropy(), optimizer=OPTIMIZERS[kind]())


def probes(spec: NetworkSpec, settings: TrainSettings) -> Iterator[Snapshot]:
    """After some steps the last batch, and a sample of every class."""
    shape = spec.placed()[0].x
    data = blobs(12, shape=(shape[0], shape[1], shape[2]), classes=spec.placed()[-1].y.size, seed=settings.seed)
    trainer = Trainer(spec, data, settings, dtype=np.float64)
    for _ in trainer.run(until=STEPS):
        pass
    yield batch_snapshot(trainer)
    for k in range(spec.placed()[-1].y.size):
        yield sample_snapshot(trainer.network, trainer.step, SnapshotRequest(data.train.images[k], int(data.train.labels[k])))
