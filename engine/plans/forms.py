"""The fast form of each kind of layer between two boundaries: what it computes forward and backward, images innermost.

A form is made once for a slice size; it binds its arrays, and a step is a call without arguments. Layers without a form of their own run as
they are, between two transpositions (`AsItIs`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from engine.layer import Array, Context, Layer, Workspace
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense
from engine.plans.boundary import Boundary, Frame
from engine.plans.conv_innermost import Correlation, WeightGradient, kernel_in_order, rotated_kernel_in_order
from engine.spec import Placed
from engine.windows import extent

Named = Mapping[str, Array]


class Form(ABC):
    """One layer, or several together, between the boundaries `x` and `y`."""

    @abstractmethod
    def forward(self) -> None:
        """Write y.y from x.y."""

    @abstractmethod
    def backward(self) -> None:
        """Write the gradients and, where x has a delta, x.dy from y.dy."""


class AsItIs(Form):
    """A layer's plain mathematics between two transpositions."""

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, p: Named, g: Named, ctx: Context) -> None:
        self.layer: Layer = placed.node.layer
        self.x, self.y, self.p, self.g, self.ctx = x, y, p, g, ctx
        dtype = x.y.dtype
        dtypes = {"float": dtype, "bool": np.dtype(np.bool_), "int": np.dtype(np.int64)}
        self.ws = Workspace({name: np.zeros(b.shape, dtypes.get(b.dtype, b.dtype))
                             for name, b in self.layer.workspace(placed.x, x.n).items()})
        self.ws.x, self.ws.y = np.zeros((x.n, *placed.x), dtype), np.zeros((x.n, *placed.y), dtype)
        self.dx = None if x.delta is None else np.zeros_like(self.ws.x)
        self.dy = np.zeros_like(self.ws.y)

    def forward(self) -> None:
        self.x.to_samples(self.x.y, self.ws.x)
        self.layer.forward(self.ws.x, self.ws.y, self.p, self.ws, self.ctx)
        self.y.from_samples(self.ws.y, self.y.y)

    def backward(self) -> None:
        self.y.to_samples(self.y.dy, self.dy)
        self.layer.backward(self.dy, self.dx, self.p, self.g, self.ws)
        if self.dx is not None:
            self.x.from_samples(self.dx, self.x.dy)


class ConvForm(Form):
    """y = W ⋆ x + b; see conv_innermost.py."""

    @staticmethod
    def serves(layer: Layer, placed: Placed) -> bool:
        """One group, window columns that lie side by side, and no more padding than the window can reach over."""
        if not isinstance(layer, Conv2D) or layer.groups != 1 or layer.dilation[1] != 1:
            return False
        eh, ew = (extent(k, d) - 1 for k, d in zip(layer.kernel_size, layer.dilation, strict=True))
        top, bottom, left, right = layer.window(placed.x).padding
        return max(top, bottom) <= eh and max(left, right) <= ew

    @staticmethod
    def frame(layer: Conv2D, placed: Placed) -> Frame | None:
        """The zeros around x: the padding."""
        top, bottom, left, right = layer.window(placed.x).padding
        _, h, w = placed.x
        return Frame((h + top + bottom, w + left + right), (top, left)) if top or bottom or left or right else None

    @staticmethod
    def delta_frame(layer: Conv2D, placed: Placed) -> Frame:
        """The zeros around δ, and between its cells when the stride is not 1, under which dx is a correlation of stride 1."""
        eh, ew = (extent(k, d) - 1 for k, d in zip(layer.kernel_size, layer.dilation, strict=True))
        top, _, left, _ = layer.window(placed.x).padding
        _, h, w = placed.x
        return Frame((h + eh, w + ew), (eh - top, ew - left), layer.stride)

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, p: Named, g: Named, *, bias: bool = True) -> None:
        layer = placed.node.layer
        assert isinstance(layer, Conv2D)
        self.x, self.y, self.p, self.g = x, y, p, g
        self.bias = p["b"][:, None] if bias and layer.bias else None
        places = (placed.y[1], placed.y[2])
        self.correlation = Correlation(x.framed, layer.depth, layer.kernel_size, layer.stride, layer.dilation[0], places)
        self.gradient_of_bias: BiasGradient | None = None
        if y.delta is not None:
            self.weight_gradient = WeightGradient(self.correlation.windows, layer.depth, p["W"].shape, x.y.dtype)
            if self.bias is not None:
                self.gradient_of_bias = BiasGradient(y.dy)
        self.to_input: Correlation | None = None
        if x.delta is not None:
            assert y.framed_delta is not None
            self.to_input = Correlation(y.framed_delta, placed.x[0], layer.kernel_size, (1, 1), layer.dilation[0],
                                        (placed.x[1], placed.x[2]))

    def forward(self) -> None:
        kernel_in_order(self.p["W"], self.correlation.kernel)
        self.correlation.run(self.y.y)
        if self.bias is not None:
            self.y.y += self.bias

    def backward(self) -> None:
        self.weight_gradient.run(self.y.dy, self.g["W"])
        if self.gradient_of_bias is not None:
            self.gradient_of_bias.run(self.g["b"])
        if self.to_input is not None:
            rotated_kernel_in_order(self.p["W"], self.to_input.kernel)
            self.to_input.run(self.x.dy)


class BiasGradient:
    """∂E/∂b[d] = Σ δ over pixels and images, for δ (H, W, D, N)."""

    def __init__(self, delta: Array) -> None:
        self.delta = delta
        self._of_column: Array = np.zeros(delta.shape[1:], delta.dtype)
        self._of_image: Array = np.zeros(delta.shape[2:], delta.dtype)

    def run(self, out: Array) -> None:
        """Write the gradient (D,)."""
        np.sum(self.delta, axis=0, out=self._of_column)
        np.sum(self._of_column, axis=0, out=self._of_image)
        np.sum(self._of_image, axis=1, out=out)


class DenseForm(Form):
    """y (J, N) = W·x + b, dW = δ·xᵀ, dx = Wᵀ·δ: one product each."""

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, p: Named, g: Named) -> None:
        layer = placed.node.layer
        assert isinstance(layer, Dense)
        self.x, self.y, self.p, self.g, self.bias = x, y, p, g, layer.bias

    def forward(self) -> None:
        np.matmul(self.p["W"], self.x.y, out=self.y.y)
        if self.bias:
            self.y.y += self.p["b"][:, None]

    def backward(self) -> None:
        np.matmul(self.y.dy, self.x.y.T, out=self.g["W"])
        if self.bias:
            np.sum(self.y.dy, axis=1, out=self.g["b"])
        if self.x.delta is not None:
            np.matmul(self.p["W"].T, self.y.dy, out=self.x.delta)


class FlattenForm(Form):
    """(H, W, C, N) to (C·H·W, N), in the plain layer's order of features."""

    def __init__(self, x: Boundary, y: Boundary) -> None:
        h, w, c, n = x.y.shape
        self.x, self.y = x, y
        self.maps = y.y.reshape(c, h, w, n).transpose(1, 2, 0, 3)
        self.delta_maps = None if x.delta is None else y.dy.reshape(c, h, w, n).transpose(1, 2, 0, 3)

    def forward(self) -> None:
        np.copyto(self.maps, self.x.y)

    def backward(self) -> None:
        if self.delta_maps is not None:
            np.copyto(self.x.dy, self.delta_maps)


class ReLUForm(Form):
    """y = max(0, x) and dx = δ where y > 0, both in place: x and y share their arrays."""

    def __init__(self, y: Boundary) -> None:
        self.y = y
        self.zeros: Array = np.zeros(y.y.shape, y.y.dtype)  # maximum with an array of zeros is three times as fast as with 0
        self.gate = Gate(y)

    def forward(self) -> None:
        np.maximum(self.y.y, self.zeros, out=self.y.y)

    def backward(self) -> None:
        self.gate.run()


class Gate:
    """δ ← δ where y > 0, else 0, for y ≥ 0: done on the numbers' bits.

    The bits of a positive float, read as an integer and negated, are negative; of 0 they stay 0. Shifting the sign over all bits
    gives a mask of ones or zeros, and `and` keeps or clears δ. This is twice as fast as multiplying by a comparison.
    """

    def __init__(self, y: Boundary) -> None:
        self.bits, self.sign = bits_of(y.y), y.y.dtype.itemsize * 8 - 1
        self.delta = None if y.delta is None else bits_of(y.delta)
        self.mask = np.zeros(y.y.shape, self.bits.dtype)

    def run(self) -> None:
        """Clear δ where y is 0."""
        if self.delta is not None:
            np.negative(self.bits, out=self.mask)
            np.right_shift(self.mask, self.sign, out=self.mask)
            np.bitwise_and(self.delta, self.mask, out=self.delta)


def bits_of(numbers: Array) -> Array:
    """The same memory as signed integers of the same width."""
    return numbers.view(np.int32 if numbers.dtype.itemsize == 4 else np.int64)
