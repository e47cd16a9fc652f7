"""The case table: for every kind of layer, options and shapes that cover what the layer can do.

A new layer needs one more generator in `ROWS`; a layer without one fails the suite.
"""

from __future__ import annotations

import functools
import itertools
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import engine.layers  # noqa: F401  registers all kinds
from engine.errors import ShapeError
from engine.layer import LAYERS, Array, Layer, Shape
from tests.oracles.driver import random_parameters, random_state


@dataclass(frozen=True)
class Case:
    """A layer on `n` samples of a shape; `whole` inputs are small whole numbers, so that many are equal."""

    layer: Layer
    shape: Shape
    n: int = 2
    training: bool = True
    whole: bool = False

    @property
    def triple(self) -> tuple[str, str, Shape]:
        """(kind, options, shape): what makes two cases distinct."""
        return self.layer.kind, json.dumps(self.layer.to_json()), self.shape

    @functools.cached_property
    def arrays(self) -> tuple[Array, Array, dict[str, Array], dict[str, Array]]:
        """x, dy, parameters and state. Unless `whole`, all x are far from each other and from 0, where some
        functions have a kink."""
        rng = np.random.default_rng(zlib.crc32(repr(self).encode()))
        shape = (self.n, *self.shape)
        size = int(np.prod(shape))
        if self.whole:
            x = rng.integers(-2, 3, shape).astype(float)
        else:
            x = ((rng.permutation(size) - size // 2 + 0.3) * (5 / max(size, 12))).reshape(shape)
        dy = rng.normal(size=(self.n, *self.layer.output_shape(self.shape)))
        state_shape = Shape(()) if self.layer.role == "input" else self.shape
        return x, dy, random_parameters(self.layer, self.shape, rng), random_state(self.layer, state_shape, rng)

    def __hash__(self) -> int:
        return hash((self.triple, self.n, self.training, self.whole))


ROWS: dict[str, Callable[[], Iterator[Case]]] = {}


def rows(*kinds: str) -> Callable[[Callable[[str], Iterator[Case]]], None]:
    """Register a generator of cases for these kinds."""
    def register(generate: Callable[[str], Iterator[Case]]) -> None:
        for kind in kinds:
            ROWS[kind] = functools.partial(generate, kind)
    return register


@functools.cache
def cases(kind: str) -> list[Case]:
    """All cases of a kind, each triple once, those first that the generator gives first."""
    seen: dict[tuple[str, str, Shape], Case] = {}
    for case in ROWS[kind]():
        try:
            case.layer.output_shape(case.shape)
        except ShapeError:
            continue
        seen.setdefault(case.triple, case)
    return list(seen.values())


@rows("conv")
def conv(kind: str) -> Iterator[Case]:
    """Named corners first, then draws from all options at once."""
    make = LAYERS[kind]
    for padding in ("valid", "same", "cover", 0, 1, (1, 2), (0, 1, 2, 3), (3, 0, 0, 1)):
        for kernel, stride, dilation in itertools.product((1, 2, 3, (1, 3), (3, 2)), (1, 2, (2, 1), 3), (1, 2)):
            yield Case(make(depth=2, kernel_size=kernel, stride=stride, padding=padding, dilation=dilation),
                       Shape((2, 5, 6)))
    yield Case(make(depth=3, kernel_size=1), Shape((4, 3, 2)), n=1)
    for kernel in ((1, 1), (4, 5), (3, 1), (2, 2)):
        yield Case(make(depth=2, kernel_size=kernel), Shape((2, *kernel)), n=1)
    for groups, depth, channels in ((2, 4, 2), (2, 2, 4), (3, 3, 3), (4, 8, 4), (3, 6, 6)):
        yield Case(make(depth=depth, kernel_size=3, groups=groups, padding=1), Shape((channels, 4, 5)))
    rng = np.random.default_rng(1)
    for _ in range(1000):
        groups = int(rng.choice([1, 1, 1, 2, 3]))
        yield Case(
            make(depth=groups * _draw(rng, 1, 3), kernel_size=_pair(rng, 1, 4), stride=_pair(rng, 1, 3),
                 padding=_padding(rng, 3), dilation=_pair(rng, 1, 2), groups=groups,
                 bias=bool(rng.integers(4))),
            Shape((groups * _draw(rng, 1, 2), _draw(rng, 1, 7), _draw(rng, 1, 7))), n=_draw(rng, 1, 3))


@rows("max_pool", "avg_pool")
def pool(kind: str) -> Iterator[Case]:
    """Named corners first, then draws; every second case has equal numbers in many windows."""
    make = LAYERS[kind]
    extra = ({},) if kind == "max_pool" else ({"count_padding": True}, {"count_padding": False})
    for ceil_mode, more in itertools.product((False, True), extra):
        for shape in ((1, 4, 4), (2, 5, 7), (1, 1, 6)):
            for kernel, stride, padding in ((2, 2, 0), (2, 2, "cover"), (3, 2, "same"), (3, 2, 1), (2, 3, 0),
                                            (3, 1, (1, 0, 2, 1)), ((1, 3), (1, 2), "cover"), (1, 2, 0)):
                layer = make(kernel_size=kernel, stride=stride, padding=padding, ceil_mode=ceil_mode, **more)
                yield Case(layer, Shape(shape), n=1, whole=shape[0] == 1)
    rng = np.random.default_rng(2)
    for count in range(400):
        kernel = _pair(rng, 1, 4)
        layer = make(kernel_size=kernel, stride=_pair(rng, 1, 4), padding=_padding(rng, min(kernel) - 1),
                     ceil_mode=bool(rng.integers(2)), **extra[count % len(extra)])
        yield Case(layer, Shape((_draw(rng, 1, 3), _draw(rng, 1, 8), _draw(rng, 1, 8))), n=_draw(rng, 1, 3),
                   whole=bool(count % 2))


@rows("global_avg_pool")
def global_pool(kind: str) -> Iterator[Case]:
    """Maps of many shapes, also of one cell."""
    for channels, height, width in itertools.product((1, 3), (1, 2, 5), (1, 4, 6)):
        yield Case(LAYERS[kind](), Shape((channels, height, width)), n=1 + height % 3)


@rows("dense")
def dense(kind: str) -> Iterator[Case]:
    """Sizes from 1, with and without bias, batches from 1."""
    for units, size, bias in itertools.product((1, 2, 10), (1, 3, 17), (True, False)):
        yield Case(LAYERS[kind](units=units, bias=bias), Shape((size,)), n=1 + (units + size) % 4)


@rows("flatten")
def flatten(kind: str) -> Iterator[Case]:
    """Maps, and vectors that are flat already."""
    for shape in ((1, 1, 1), (3, 1, 1), (1, 4, 5), (2, 3, 4), (5, 2, 1), (6,), (1,)):
        yield Case(LAYERS[kind](), Shape(shape))


@rows("relu", "sigmoid", "tanh", "softmax", "leaky_relu", "elu", "gelu")
def activation(kind: str) -> Iterator[Case]:
    """Every option on vectors and maps."""
    options: dict[str, list[dict[str, Any]]] = {
        "leaky_relu": [{}, {"slope": 0}, {"slope": 0.3}, {"slope": 1}],
        "elu": [{}, {"alpha": 0.5}, {"alpha": 1.7}],
        "gelu": [{}, {"approximation": "tanh"}],
    }
    for more, shape in itertools.product(options.get(kind, [{}]),
                                         ((1,), (7,), (10,), (1, 1, 1), (2, 3, 4), (3, 1, 5), (4, 6, 2))):
        yield Case(LAYERS[kind](**more), Shape(shape), n=1 + len(shape) % 3)
        yield Case(LAYERS[kind](**more), Shape((*shape[:-1], shape[-1] + 2)), whole=kind == "softmax")


@rows("dropout")
def dropout(kind: str) -> Iterator[Case]:
    """Rates from 0, vectors and maps, training and evaluation."""
    for rate, shape in itertools.product((0, 0.1, 0.5, 0.9), ((8,), (3, 4, 5))):
        yield Case(LAYERS[kind](rate=rate), Shape(shape))
        yield Case(LAYERS[kind](rate=rate), Shape((*shape[:-1], 2)), training=False)


@rows("batch_norm")
def batch_norm(kind: str) -> Iterator[Case]:
    """Vectors and maps, training and evaluation, one image of maps, two of vectors."""
    for momentum, epsilon in itertools.product((0.1, 0.7, 1), (1e-5, 1e-2)):
        layer = LAYERS[kind](momentum=momentum, epsilon=epsilon)
        for training in (True, False):
            yield Case(layer, Shape((3, 4, 2 + training)), n=1, training=training)
            yield Case(layer, Shape((2, 1, 3 + training)), n=3, training=training)
            yield Case(layer, Shape((5 + training,)), n=4, training=training)
            yield Case(layer, Shape((1 + training,)), n=2, training=training)


@rows("input")
def input(kind: str) -> Iterator[Case]:
    """Every projection; scaling, mean and normalisation are all offset and gain here (their fit has its own tests)."""
    for shape, projection in itertools.product(
            ((1, 1, 1), (1, 3, 2), (3, 2, 2), (2, 1, 4)), ("none", "pca", "pca_whitening", "zca_whitening")):
        for components in {0, 1, 3} if projection != "none" else {0}:
            layer = LAYERS[kind](*shape, mean="channel", projection=projection, components=components)
            yield Case(layer, Shape(shape))
    for mean, normalise in itertools.product(("none", "feature", "channel"), ("none", "minmax", "deviation")):
        yield Case(LAYERS[kind](2, 2, 3, mean=mean, normalise=normalise), Shape((2, 2, 3)), n=1)


def _draw(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _pair(rng: np.random.Generator, low: int, high: int) -> tuple[int, int]:
    return _draw(rng, low, high), _draw(rng, low, high)


def _padding(rng: np.random.Generator, most: int) -> Any:
    rule = int(rng.integers(6))
    if rule < 2:
        return ("same", "cover")[rule]
    if rule < 4:
        return _draw(rng, 0, most)
    return tuple(_draw(rng, 0, most) for _ in range(4))
