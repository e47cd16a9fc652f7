"""Fully connected layer and Flatten as plain loops."""

from __future__ import annotations

import numpy as np

from engine.layer import Array, Context
from engine.layers.dense import Dense, Flatten
from engine.reference.dispatch import Gradients, Named, backward, empty_output, forward


@forward.register
def dense_forward(layer: Dense, x: Array, p: Named, ctx: Context) -> Array:
    """y[n, j] = b[j] + Σ_i W[j, i] · x[n, i]."""
    y = empty_output(layer, x)
    for n, j in np.ndindex(y.shape):
        total = p["b"][j] if layer.bias else 0.0
        for i in range(x.shape[1]):
            total += p["W"][j, i] * x[n, i]
        y[n, j] = total
    return y


@backward.register
def dense_backward(layer: Dense, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """Each product W · x sends δ · x to W and δ · W to x; the bias gets δ."""
    dx, g = np.zeros_like(x), {name: np.zeros_like(a) for name, a in p.items()}
    for n, j in np.ndindex(dy.shape):
        delta = dy[n, j]
        if layer.bias:
            g["b"][j] += delta
        for i in range(x.shape[1]):
            g["W"][j, i] += delta * x[n, i]
            dx[n, i] += delta * p["W"][j, i]
    return dx, g


@forward.register
def flatten_forward(layer: Flatten, x: Array, p: Named, ctx: Context) -> Array:
    """Channel by channel, row by row."""
    y = empty_output(layer, x)
    for n in range(len(x)):
        for place, cell in enumerate(np.ndindex(x.shape[1:])):
            y[n, place] = x[n, *cell]
    return y


@backward.register
def flatten_backward(layer: Flatten, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """Every number goes back to its cell."""
    dx = np.zeros_like(x)
    for n in range(len(x)):
        for place, cell in enumerate(np.ndindex(x.shape[1:])):
            dx[n, *cell] = dy[n, place]
    return dx, {}
