"""Convolution as plain loops."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.layer import Array, Context, Shape
from engine.layers.conv import Conv2D
from engine.reference.dispatch import Gradients, Named, backward, empty_output, forward


def conv_products(layer: Conv2D, x: Array, f: int, i: int, j: int,
                  ) -> Iterator[tuple[int, int, int, int, int, int]]:
    """The products in cell i, j of filter f: (c, u, v) in the kernel and (channel, row, column) in the input.

    Products with the zeros of the padding are left out.
    """
    _, channels, height, width = x.shape
    window = layer.window(Shape(x.shape[1:]))
    top, _, left, _ = window.padding
    of_group = channels // layer.groups
    group = f // (layer.depth // layer.groups)
    for c in range(of_group):
        for u in range(layer.kernel_size[0]):
            for v in range(layer.kernel_size[1]):
                row = i * layer.stride[0] + u * layer.dilation[0] - top
                column = j * layer.stride[1] + v * layer.dilation[1] - left
                if 0 <= row < height and 0 <= column < width:
                    yield c, u, v, group * of_group + c, row, column


@forward.register
def conv_forward(layer: Conv2D, x: Array, p: Named, ctx: Context) -> Array:
    """y[n, f, i, j] = b[f] + Σ W · x."""
    y = empty_output(layer, x)
    for n, f, i, j in np.ndindex(y.shape):
        total = p["b"][f] if layer.bias else 0.0
        for c, u, v, channel, row, column in conv_products(layer, x, f, i, j):
            total += p["W"][f, c, u, v] * x[n, channel, row, column]
        y[n, f, i, j] = total
    return y


@backward.register
def conv_backward(layer: Conv2D, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """Each product W · x in a cell sends δ · x to W and δ · W to x; the bias gets δ."""
    dx, g = np.zeros_like(x), {name: np.zeros_like(a) for name, a in p.items()}
    for n, f, i, j in np.ndindex(dy.shape):
        delta = dy[n, f, i, j]
        if layer.bias:
            g["b"][f] += delta
        for c, u, v, channel, row, column in conv_products(layer, x, f, i, j):
            g["W"][f, c, u, v] += delta * x[n, channel, row, column]
            dx[n, channel, row, column] += delta * p["W"][f, c, u, v]
    return dx, g
