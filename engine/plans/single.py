"""The outputs of a single image, such as a digit that somebody is just drawing, in the plain layers' order: (C, H, W), (F,).

    copy all windows side by side -> one product -> max pooling -> bias and ReLU -> … -> a product with a vector for each FC layer

Why it is fast: with one image a call takes as long as its work, so there are as few as possible, begun the shortest way:
`dot` instead of `matmul`, and arguments without names. The kernels (D, C·kh·kw) are read where they lie, Flatten is a view, and
whatever can takes its input's place.

Layers that have no short form here run as they are, for the layout is their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.lane import Lane, Parts
from engine.layer import Array, Context, Shape, Workspace
from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.layers.softmax import Softmax
from engine.memory import aligned_zeros, buffer_dtype
from engine.plans import calls, conv_winograd, pool_innermost
from engine.plans.boundary import NOTHING
from engine.plans.calls import Call, bind
from engine.spec import Placed
from engine.windows import windows


def serves(placed: Sequence[Placed]) -> bool:
    """Whether the plan is the fastest one: the windows of each convolution fit into the cache, and none is better off without."""
    return not any(conv_winograd.wants(p) for p in placed) and all(_window_cells(p) <= calls.BLOCK for p in placed)


def _pools(placed: Placed) -> bool:
    """Max pooling whose windows stand side by side."""
    layer = placed.node.layer
    return isinstance(layer, MaxPool2D) and pool_innermost.serves(layer, placed)


def _convolves(placed: Placed) -> bool:
    """Whether all windows can be one product."""
    layer = placed.node.layer
    return isinstance(layer, Conv2D) and layer.groups == 1


def _window_cells(placed: Placed) -> int:
    """Numbers in all windows of a convolution."""
    layer = placed.node.layer
    if not isinstance(layer, Conv2D):
        return 0
    kh, kw = layer.kernel_size
    return placed.x[0] * kh * kw * placed.y[1] * placed.y[2]


class SingleLane(Lane):
    """One image forward. Arrays between the layers have the shape (1, *shape), as the plain layers want it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, 1)
        self._placed, self._p = parts.placed, parts.of_layers(parts.parameters.flat)
        self._zeros = aligned_zeros((max(p.y.size for p in self._placed),), parts.dtype)
        self.forward, self.backward = [], []
        # The image is read into the frame of zeros that the first convolution wants.
        reader = self._placed[1:2] if len(self._placed) > 1 and _convolves(self._placed[1]) else []
        self._framed, self._image = self._in_frame(self._placed[0].x, reader)
        i, x = 0, self._image
        while i < len(self._placed):
            end, x, made = self._stage(i, x)
            self.forward.append((i, made))
            if i <= parts.last < end:
                self.logits = x.reshape(1, -1)
            i = end
        self.output = x.reshape(1, -1)

    def take(self, images: Array) -> None:
        self._raw = images

    def _stage(self, i: int, x: Array) -> tuple[int, Array, list[Call]]:
        """The layers from the i-th on that are computed together: where they end, what they give, and the calls."""
        placed = self._placed[i]
        layer, p = placed.node.layer, self._p[i]
        y = x
        made: list[Call] = []
        if isinstance(layer, Input) and layer.projection == "none":
            made = self._read_image(x, self.contexts[i])
        elif isinstance(layer, Conv2D) and _convolves(placed):
            return self._conv(i, layer, x)
        elif _pools(placed):
            y, made = self._largest(placed, x)
        elif isinstance(layer, Dense):
            y = self._empty(placed)
            made = [bind(p["W"].dot, x[0], y[0])] + ([bind(np.add, y[0], p["b"], y[0])] if "b" in p else [])
        elif isinstance(layer, ReLU):
            made = self._relu(x)
        elif isinstance(layer, Flatten):
            y = x.reshape(1, -1)
        elif isinstance(layer, Softmax) and not placed.y.is_image:
            y, made = self._softmax(placed, x)
        elif not isinstance(layer, Dropout):
            y, made = self._as_it_is(placed, x)
        return i + 1, y, made

    def _empty(self, placed: Placed) -> Array:
        return aligned_zeros((1, *placed.y), self.parts.dtype)

    def _read_image(self, y: Array, ctx: Context) -> list[Call]:
        """(x − offset) · gain."""
        offset, gain = ctx.state["offset"], ctx.state["gain"]
        return [lambda: np.subtract(self._raw[0], offset, y[0]), bind(np.multiply, y[0], gain, y[0])]

    def _in_frame(self, shape: Shape, reader: Sequence[Placed]) -> tuple[Array, Array]:
        """A map with the zeros around it that the convolution which reads it wants, and the view without them."""
        top, bottom, left, right = NOTHING
        for placed in reader:
            assert isinstance(placed.node.layer, Conv2D)
            top, bottom, left, right = placed.node.layer.window(shape).padding
        c, h, w = shape
        framed = aligned_zeros((1, c, top + h + bottom, left + w + right), self.parts.dtype)
        return framed, framed[:, :, top:top + h, left:left + w]

    def _conv(self, i: int, layer: Conv2D, x: Array) -> tuple[int, Array, list[Call]]:
        """W ⋆ x, then the max pooling that follows, perhaps behind a ReLU, then bias and ReLU: both are monotone."""
        placed, p = self._placed[i], self._p[i]
        y, end = self._empty(placed), i + 1
        made: list[Call] = []
        if i == 1 and x is self._image:
            x = self._framed
        elif any(layer.window(placed.x).padding):
            framed, inside = self._in_frame(placed.x, [placed])
            made.append(bind(np.copyto, inside, x))
            x = framed
        read = windows(x, layer.kernel_size, layer.stride, layer.dilation, (placed.y[1], placed.y[2]))
        columns = aligned_zeros(read.shape, x.dtype)
        made += [bind(np.copyto, columns, read),
                 bind(p["W"].reshape(layer.depth, -1).dot, columns.reshape(-1, y[0, 0].size), y.reshape(layer.depth, -1))]
        relu = end < len(self._placed) and isinstance(self._placed[end].node.layer, ReLU)
        pool = end + relu
        if pool < len(self._placed) and _pools(self._placed[pool]):
            y, pooled = self._largest(self._placed[pool], y)
            made, end = made + pooled, pool + 1
        elif relu:
            end += 1
        if layer.bias:
            maps = y.reshape(layer.depth, -1)
            made.append(bind(np.add, maps, p["b"][:, None], maps))
        return end, y, made + (self._relu(y) if relu else [])

    def _largest(self, placed: Placed, x: Array) -> tuple[Array, list[Call]]:
        """Max pooling over windows side by side: first down, then across."""
        layer = placed.node.layer
        assert isinstance(layer, MaxPool2D)
        y, (kh, kw), (c, h, w) = self._empty(placed), layer.kernel_size, placed.y
        cells = x[0, :, :h * kh, :w * kw].reshape(c, h, kh, w * kw, copy=False)
        rows = aligned_zeros((c, h, w, kw), x.dtype)
        return y, _maximum([cells[:, :, u].reshape(c, h, w, kw, copy=False) for u in range(kh)], rows) \
            + _maximum([rows[..., v] for v in range(kw)], y[0])

    def _relu(self, x: Array) -> list[Call]:
        """max(0, x) in its place."""
        return [bind(np.maximum, x, self._zeros[:x.size].reshape(x.shape), out=x)]

    def _softmax(self, placed: Placed, x: Array) -> tuple[Array, list[Call]]:
        """e^(z − max z) / Σ e^(z − max z); the largest and the sum have no axes, which makes for the shortest way."""
        y, z = self._empty(placed), x[0]
        largest, total, ones = aligned_zeros((), x.dtype), aligned_zeros((), x.dtype), np.ones_like(z)
        return y, [bind(np.maximum.reduce, z, 0, None, largest), bind(np.subtract, z, largest, y[0]), bind(np.exp, y[0], y[0]),
                   bind(ones.dot, y[0], total), bind(np.divide, y[0], total, y[0])]

    def _as_it_is(self, placed: Placed, x: Array) -> tuple[Array, list[Call]]:
        """A layer's plain mathematics."""
        layer, i = placed.node.layer, placed.index
        ws = Workspace({name: np.zeros(b.shape, buffer_dtype(b, x.dtype)) for name, b in layer.workspace(placed.x, 1).items()})
        y = self._empty(placed)
        ws.x, ws.y = x, y
        if isinstance(layer, Input):
            return y, [lambda: layer.forward(self._raw, y, self._p[i], ws, self.contexts[i])]
        return y, [bind(layer.forward, x, y, self._p[i], ws, self.contexts[i])]


def _maximum(cells: list[Array], out: Array) -> list[Call]:
    """out = the largest of the cells."""
    first, *others = cells
    made: list[Call] = []
    for cell in others:
        made.append(bind(np.maximum, first, cell, out=out))
        first = out
    return made or [bind(np.copyto, out, first)]
