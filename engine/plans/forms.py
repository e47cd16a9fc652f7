"""The fast form of each kind of layer between two boundaries: the calls that it makes forward and backward, images innermost.

A form is made once for a slice size and is nothing but two lists of bound calls. Activations are the layers' own mathematics,
which does not care about the order of the numbers. Layers without a form run as they are, between two transpositions (`AsItIs`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.layer import Array, Context, Layer, Shape, Workspace
from engine.layers.activation import Activation
from engine.layers.conv import Conv2D
from engine.memory import aligned_zeros, buffer_dtype
from engine.plans import conv_winograd
from engine.plans.boundary import Boundary, Reach, framed, in_windows
from engine.plans.calls import Call, Form, Scratch, bias_and_relu, bind, product, unless_unchanged
from engine.plans.conv_innermost import Correlation, kernel_in_order, rotated_kernel_in_order
from engine.plans.conv_of_one import CorrelationOfOne
from engine.plans.conv_rows import RowCorrelation, input_gradient, multiply, multiply_rows, shares
from engine.plans.conv_winograd import Winograd
from engine.plans.pool_innermost import Maximum
from engine.spec import Placed
from engine.windows import Pair, extent

Named = Mapping[str, Array]


class ConvForm(Form):
    """y = W ⋆ x + b, perhaps with the max pooling that follows, perhaps with a ReLU; see conv_innermost.py, pool_innermost.py."""

    @staticmethod
    def serves(layer: Layer, placed: Placed) -> bool:
        """One group, window columns that lie side by side, and no more padding than the window can reach over."""
        if not isinstance(layer, Conv2D) or layer.groups != 1 or layer.dilation[1] != 1:
            return False
        eh, ew = _overlap(layer)
        top, bottom, left, right = layer.window(placed.x).padding
        return max(top, bottom) <= eh and max(left, right) <= ew

    @staticmethod
    def reach(layer: Conv2D, placed: Placed) -> Reach:
        """The zeros around δ, and between its cells when the stride is not 1, with which ∂E/∂x is a correlation of stride 1."""
        (eh, ew), (sh, sw) = _overlap(layer), layer.stride
        top, _, left, _ = layer.window(placed.x).padding
        (_, h, w), (_, oh, ow) = placed.x, placed.y
        return Reach((eh - top, h + top - (oh - 1) * sh - 1, ew - left, w + left - (ow - 1) * sw - 1), layer.stride)

    @staticmethod
    def frame_size(layer: Conv2D, placed: Placed, n: int) -> int:
        """Numbers of δ with the zeros around it, behind a pooling that does not keep it so itself."""
        (top, bottom, left, right), (down, across) = ConvForm.reach(layer, placed).sides, layer.stride
        depth, height, width = placed.y
        return (top + (height - 1) * down + 1 + bottom) * (left + (width - 1) * across + 1 + right) * depth * n

    def __init__(self, placed: Placed, pool: Placed | None, x: Boundary, y: Boundary, p: Named, g: Named,
                 scratch: Scratch) -> None:
        super().__init__()
        layer = placed.node.layer
        assert isinstance(layer, Conv2D)
        size, down = layer.kernel_size, layer.dilation[0]
        # Biases are added to a row of pixels at a time.
        bias = aligned_zeros((y.y.shape[1], layer.depth), x.y.dtype) if layer.bias else None
        maximum = None if pool is None else Maximum(pool, y, scratch)
        maps = maximum.grid if maximum is not None else _pixels(y.dy if y.has_delta else y.y)

        def target(rows: slice) -> tuple[Array, list[Call]]:
            after = bias_and_relu(y.ordered(y.y[rows]), bias, y.gated, scratch)
            return (_pixels(y.y[rows]), after) if maximum is None else (maximum.grid[rows], maximum.forward(rows) + after)

        here = correlation_for(x.framed, maps, size, layer.stride, down, scratch)
        made_ready = kernel_in_order(p["W"], here.kernels) + here.transform
        # In training the weights change at every step; otherwise hardly ever.
        self.forward = made_ready if y.has_delta else [unless_unchanged(p["W"], made_ready)]
        self.forward += [] if bias is None else [bind(np.copyto, bias, p["b"])]
        self.forward += here.forward(target)
        if not y.has_delta:
            return
        self.backward = [] if bias is None else bias_gradient(y.ordered(y.dy), g["b"])
        reach = self.reach(layer, placed) if x.has_delta else Reach()
        delta = maps
        if maximum is None:
            delta = y.framed_delta
        elif x.has_delta or isinstance(here, Winograd):
            delta, inside, zeros = framed(maximum.grid, placed.y, reach, scratch)
            self.backward += zeros + maximum.backward(inside)
        else:
            self.backward += maximum.backward()
        if isinstance(here, Winograd):
            top, _, left, _ = reach.sides
            self.backward += here.weight_gradient(delta[top:top + placed.y[1]], left, g["W"])
        else:
            self.backward += here.weight_gradient(maps, g["W"])
        if x.has_delta:
            back = correlation_for(delta, _pixels(x.dy), size, (1, 1), down, scratch)

            def landing(rows: slice) -> tuple[Array, list[Call]]:
                source, after = x.landing(rows, scratch)
                return _pixels(source), after

            self.backward += rotated_kernel_in_order(p["W"], back.kernels) + back.transform + back.forward(landing)


def correlation_for(x: Array, maps: Array, size: Pair, stride: Pair, dilation_down: int,
                    scratch: Scratch) -> Correlation | CorrelationOfOne | Winograd:
    """The fastest way to compute the maps from x."""
    if conv_winograd.serves(size, stride, dilation_down, x.shape[2], maps):
        return Winograd(x, maps, size, scratch)
    return (CorrelationOfOne if x.shape[3] == 1 else Correlation)(x, maps, size, stride, dilation_down, scratch)


class RowConvForm(Form):
    """The same for maps in rows; see conv_rows.py."""

    @staticmethod
    def reach(layer: Conv2D, placed: Placed) -> Reach:
        """The rows of zeros around δ, and between its rows, with which row r of x has gone into its rows r, r + d, …"""
        (top, bottom, _, _), (down, _) = ConvForm.reach(layer, placed).sides, layer.stride
        return Reach((top, bottom, 0, 0), (down, 1))

    def __init__(self, placed: Placed, pool: Placed | None, x: Boundary, y: Boundary, p: Named, g: Named,
                 scratch: Scratch) -> None:
        super().__init__()
        layer = placed.node.layer
        assert isinstance(layer, Conv2D)
        bias = p["b"].reshape(-1, *(1,) * (3 if y.vectors else 2)) if layer.bias else None
        shared = pool is not None and shares(layer, placed.x[0])
        maximum = None if pool is None else Maximum(pool, y, scratch, side_by_side=shared)

        def target(rows: slice) -> tuple[Array, list[Call]]:
            after = bias_and_relu(y.ordered(y.y[rows]), bias, y.gated, scratch)
            return (_pixels(y.y[rows]), after) if maximum is None else (maximum.grid[rows], maximum.forward(rows) + after)

        here = RowCorrelation(layer, x.framed, _pixels(y.y) if maximum is None else maximum.grid, shared, y.has_delta, scratch)
        self.forward = kernel_in_order(p["W"], here.kernels) + here.forward(target)
        if y.has_delta:
            self.backward = [] if bias is None else bias_gradient_of_rows(y, g["b"])
            self.backward += [] if maximum is None else maximum.backward()
            self.backward += here.weight_gradient(_pixels(y.dy) if maximum is None else maximum.grid, g["W"])
        if x.has_delta:
            scratch.release()  # nothing of the above is needed any more
            delta: Array
            if maximum is None:
                delta = y.framed_delta
            else:
                delta, inside, zeros = framed(maximum.grid, placed.y, self.reach(layer, placed), scratch, by_rows=True)
                self.backward += [*zeros, bind(np.copyto, inside, maximum.grid)]
            left = layer.window(placed.x).padding[2]
            self.backward += input_gradient(layer, p["W"], delta, left, lambda rows: x.landing(rows, scratch), len(x.y), scratch)


def bias_gradient_of_rows(y: Boundary, out: Array) -> list[Call]:
    """∂E/∂b[d] = Σ δ over pixels and images: two products with vectors of ones for δ (H, D, W, N), one for (D, H, W, N)."""
    delta = y.ordered(y.dy)
    if y.vectors:
        flat = delta.reshape(len(out), -1, copy=False)
        return [product(flat, np.ones(flat.shape[1], delta.dtype), out)]
    h, d, w, n = delta.shape
    rows = as_strided(delta, (h, d, w * n), (*delta.strides[:2], delta.itemsize))
    of_rows = aligned_zeros((h, d), delta.dtype)
    return [bind(np.matmul, rows, np.ones(w * n, delta.dtype), out=of_rows),
            product(np.ones(h, delta.dtype), of_rows, out)]


def _pixels(maps: Array) -> Array:
    """Maps in windows of one pixel."""
    return in_windows(maps, (1, 1))


def _overlap(layer: Conv2D) -> tuple[int, int]:
    """How far a window reaches beyond its first cell."""
    eh, ew = (extent(k, d) - 1 for k, d in zip(layer.kernel_size, layer.dilation, strict=True))
    return eh, ew


def bias_gradient(delta: Array, out: Array) -> list[Call]:
    """∂E/∂b[d] = Σ δ over pixels and images, for δ (H, N, W, D): two products with vectors of ones."""
    h, n, w, d = delta.shape
    of_rows = aligned_zeros((h, n, d), delta.dtype)
    return [bind(np.matmul, np.ones(w, delta.dtype), delta, out=of_rows),
            product(np.ones(h * n, delta.dtype), of_rows.reshape(h * n, d), out)]


class DenseForm(Form):
    """y (J, N) = W·x + b, perhaps with a ReLU; dW = δ·xᵀ, dx = Wᵀ·δ: one product each, in pieces where that is faster."""

    SHORTEST = 4
    """Rows or columns of W below which a piece is not worth its own call."""

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, p: Named, g: Named, scratch: Scratch) -> None:
        super().__init__()
        bias = None if "b" not in p else p["b"][:, None] if y.rows else p["b"]
        self.forward = [multiply(x.y.T, p["W"].T, y.y.T, self.SHORTEST), *bias_and_relu(y.ordered(y.y), bias, y.gated, scratch)]
        if y.has_delta:
            self.backward = [multiply_rows(x.y, y.dy, g["W"].T) if y.rows else multiply(x.y, y.dy.T, g["W"].T, self.SHORTEST)]
            self.backward += [] if bias is None else [product(y.dy, np.ones(y.n, y.dy.dtype), g["b"])]
        if x.has_delta:
            dx, after = x.landing(slice(None), scratch)
            self.backward += [multiply(y.dy.T, p["W"], dx.T, self.SHORTEST), *after]


class FlattenForm(Form):
    """(H, W, C, N) to (C·H·W, N), in the plain layer's order of features; perhaps with a ReLU. Nothing is to do where both are
    the same memory."""

    def __init__(self, x: Boundary, y: Boundary, scratch: Scratch) -> None:
        super().__init__()
        if x.vectors:
            return
        h, w, c, n = x.y.shape
        self.forward = [bind(np.copyto, y.y.reshape(c, h, w, n, copy=False).transpose(1, 2, 0, 3), x.y),
                        *bias_and_relu(y.ordered(y.y), None, y.gated, scratch)]
        if x.has_delta:
            self.backward = x.land(y.dy.reshape(c, h, w, n).transpose(1, 2, 0, 3))


class ActivationForm(Form):
    """An activation's own mathematics, number by number."""

    def __init__(self, layer: Activation, x: Boundary, y: Boundary, scratch: Scratch, ctx: Context) -> None:
        super().__init__()
        x_, y_ = x.ordered(x.y), x.ordered(y.y)
        first, *rest = x_.shape
        buffers = layer.workspace(Shape(rest), first)
        ws = Workspace({name: np.zeros(b.shape, buffer_dtype(b, x_.dtype)) for name, b in buffers.items()})
        ws.x, ws.y = x_, y_
        self.forward = [bind(layer.forward, x_, y_, {}, ws, ctx)]
        if x.has_delta and y.has_delta:  # a closing sigmoid may be fused with the loss
            dx = scratch.take(x_.shape)
            self.backward = [bind(layer.backward, x.ordered(y.dy), dx, {}, {}, ws), *x.land(x.as_maps(dx))]


class AsItIs(Form):
    """A layer's plain mathematics between two transpositions; perhaps with a ReLU."""

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, p: Named, g: Named, scratch: Scratch, ctx: Context) -> None:
        super().__init__()
        layer, dtype = placed.node.layer, x.y.dtype
        ws = Workspace({name: np.zeros(b.shape, buffer_dtype(b, dtype)) for name, b in layer.workspace(placed.x, x.n).items()})
        ws.x, ws.y = np.zeros((x.n, *placed.x), dtype), np.zeros((x.n, *placed.y), dtype)
        self.forward = [bind(np.copyto, ws.x, x.as_samples(x.y)), bind(layer.forward, ws.x, ws.y, p, ws, ctx),
                        bind(np.copyto, y.as_samples(y.y), ws.y), *bias_and_relu(y.ordered(y.y), None, y.gated, scratch)]
        if y.has_delta:
            dy, dx = np.zeros_like(ws.y), np.zeros_like(ws.x) if x.has_delta else None
            self.backward = [bind(np.copyto, dy, y.as_samples(y.dy)), bind(layer.backward, dy, dx, p, g, ws)]
            if dx is not None:
                self.backward += x.land(dx.transpose(2, 3, 1, 0) if x.shape.is_image else dx.T)
