"""A whole network with the images innermost: (H, W, C, N) for maps, (F, N) for vectors, N the images of a slice.

    unroll rows -> small matrix products -> max pooling -> bias and ReLU -> … -> matrix products of the FC layers

Why it is fast: convolutions become small matrix products that read their operands where they lie (conv_innermost.py); bias, ReLU and
pooling run over long contiguous runs of images; pooling comes before bias and ReLU, on a quarter of the numbers (pool_innermost.py);
flattening copies whole runs; and a step is a flat list of calls on arrays that were allocated once.

Layers that have no fast form here run as they are between two transpositions, so every network that has a convolution can use the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

from engine.lane import Lane, Parts
from engine.layer import Array, Layer
from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.plans.boundary import Boundary, Frame
from engine.plans.forms import AsItIs, ConvForm, DenseForm, FlattenForm, Form, ReLUForm
from engine.plans.pool_innermost import MaxPoolForm
from engine.spec import Placed


def serves(placed: Sequence[Placed]) -> bool:
    """Whether the plan is the faster one: the network has convolutions, and no layer that needs the batch as a whole."""
    layers = [p.node.layer for p in placed]
    return any(isinstance(layer, Conv2D) for layer in layers) and not any(layer.couples_batch for layer in layers)


class InnermostLane(Lane):
    """One slice of `n` images through fast forms. `training` False leaves out all that only the backward pass needs."""

    def __init__(self, parts: Parts, n: int, *, training: bool) -> None:
        super().__init__(parts, n)
        self._placed, self._first, self._last = parts.placed, parts.first, parts.last
        self._p, self._g = parts.of_layers(parts.parameters.flat), parts.of_layers(self.gradient)
        self._training = training
        self._boundaries = self._make_boundaries(n, parts.dtype)
        outputs = parts.placed[-1].y.size
        self.output = np.zeros((n, outputs), parts.dtype)
        self.logits = self.output if self._last == len(self._placed) - 1 else np.zeros((n, outputs), parts.dtype)
        self.delta = np.zeros((n, outputs), parts.dtype)
        self._plan()

    def take(self, images: Array) -> None:
        self._raw = images

    def _make_boundaries(self, n: int, dtype: DTypeLike) -> list[Boundary]:
        """One boundary after each layer; a ReLU works in place and shares the one before it."""
        boundaries: list[Boundary] = []
        for i, place in enumerate(self._placed):
            if self._in_place(i):
                boundaries.append(boundaries[-1])
                continue
            maker = place.node.layer
            reader = i + 2 if i + 1 < len(self._placed) and self._in_place(i + 1) else i + 1
            frame: Frame | None = None
            if reader < len(self._placed) and self._as_conv(reader):
                consumer = self._placed[reader].node.layer
                assert isinstance(consumer, Conv2D)
                frame = ConvForm.frame(consumer, self._placed[reader])
            delta = self._training and self._first <= i <= self._last
            framed_delta = ConvForm.delta_frame(maker, place) if isinstance(maker, Conv2D) and self._as_conv(i) and \
                i > self._first else None
            boundaries.append(Boundary(place.y, n, dtype, frame=frame, delta=delta, delta_frame=framed_delta))
        return boundaries

    def _layer(self, i: int) -> Layer:
        return self._placed[i].node.layer

    def _as_conv(self, i: int) -> bool:
        return ConvForm.serves(self._layer(i), self._placed[i])

    def _in_place(self, i: int) -> bool:
        """A ReLU right after a convolution or FC layer, neither of which looks at its own output again."""
        return i > 0 and isinstance(self._layer(i), ReLU) and (isinstance(self._layer(i - 1), Dense) or self._as_conv(i - 1))

    def _pools_first(self, i: int) -> bool:
        """Convolution i, ReLU and max pooling stand in a row, so that bias and ReLU may come last."""
        return i + 2 < len(self._placed) and self._as_conv(i) and isinstance(self._layer(i + 1), ReLU) and \
            isinstance(self._layer(i + 2), MaxPool2D) and MaxPoolForm.serves(self._layer(i + 2), self._placed[i + 2])

    def _plan(self) -> None:
        """Fill `forward` and `backward` with the calls of every layer."""
        self.forward, self.backward = [(0, self._read_images())], []
        i = 1
        while i < len(self._placed):
            if self._pools_first(i):
                conv = ConvForm(self._placed[i], *self._around(i), self._p[i], self._g[i], bias=False)
                pool = MaxPoolForm(self._placed[i + 2], self._boundaries[i], self._boundaries[i + 2],
                                   after=(self._p[i], self._g[i]))
                self._add([i], conv)
                self._add([i + 1, i + 2], pool)
                i += 3
            else:
                self._add([i], self._form(i))
                i += 1
        self.forward[-1] = (len(self._placed) - 1, _both(self.forward[-1][1], self._hand_out))
        self.backward.reverse()
        if self.backward:
            self.backward[0] = (self._last, _both(self._take_delta, self.backward[0][1]))

    def _around(self, i: int) -> tuple[Boundary, Boundary]:
        return self._boundaries[i - 1], self._boundaries[i]

    def _form(self, i: int) -> Form:
        place, (x, y), p, g = self._placed[i], self._around(i), self._p[i], self._g[i]
        layer = place.node.layer
        if self._in_place(i):
            return ReLUForm(y)
        if ConvForm.serves(layer, place):
            return ConvForm(place, x, y, p, g)
        if MaxPoolForm.serves(layer, place):
            return MaxPoolForm(place, x, y)
        if isinstance(layer, Dense):
            return DenseForm(place, x, y, p, g)
        if isinstance(layer, Flatten) and place.x.is_image:
            return FlattenForm(x, y)
        return AsItIs(place, x, y, p, g, self.contexts[i])

    def _add(self, layers: list[int], form: Form) -> None:
        """A form that stands for several layers does its work at the last one forward, at the last one backward."""
        self.forward += [(i, _nothing) for i in layers[:-1]] + [(layers[-1], form.forward)]
        if self._training and self._first <= layers[0] and layers[-1] <= self._last:
            self.backward += [(i, _nothing) for i in layers[:-1]] + [(layers[-1], form.backward)]

    def _read_images(self) -> Callable[[], None]:
        """Scaling, mean removal and normalisation on the way into the layout; a projection runs as it is."""
        layer, y = self._layer(0), self._boundaries[0]
        assert isinstance(layer, Input)
        if layer.projection != "none":
            raw = Boundary(self._placed[0].x, self.n, y.y.dtype, delta=False)
            form = AsItIs(self._placed[0], raw, y, {}, {}, self.contexts[0])

            def project() -> None:
                raw.from_samples(self._raw, raw.y)
                form.forward()

            return project
        state = self.contexts[0].state
        offset, gain = (state[name].transpose(1, 2, 0)[..., None] for name in ("offset", "gain"))

        def take() -> None:
            y.from_samples(self._raw, y.y)
            y.y -= offset
            y.y *= gain

        return take

    def _hand_out(self) -> None:
        """Logits and outputs as (n, outputs), for the loss."""
        np.copyto(self.output, self._boundaries[-1].y.T)
        if self.logits is not self.output:
            np.copyto(self.logits, self._boundaries[self._last].y.T)

    def _take_delta(self) -> None:
        self._boundaries[self._last].dy[...] = self.delta.T


def _both(first: Callable[[], None], then: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        then()

    return call


def _nothing() -> None:
    """The part of a layer whose work is done together with the next one's."""
