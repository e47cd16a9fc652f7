"""Batch normalisation as plain loops."""

from __future__ import annotations

import math

import numpy as np

from engine.layer import Array, Context
from engine.layers.batchnorm import BatchNorm
from engine.reference.dispatch import Gradients, Named, backward, forward


def _cells(x: Array, c: int) -> list[tuple[int, ...]]:
    """The cells of channel c: all samples, all places."""
    return [(n, c, *place) for n, *place in np.ndindex(len(x), *x.shape[2:])]


def _mean_and_variance(x: Array, c: int) -> tuple[float, float]:
    """Mean and variance of channel c over the batch."""
    cells = _cells(x, c)
    mean = sum(x[cell] for cell in cells) / len(cells)
    return mean, sum((x[cell] - mean)**2 for cell in cells) / len(cells)


@forward.register
def batch_norm_forward(layer: BatchNorm, x: Array, p: Named, ctx: Context) -> Array:
    """y = γ · (x − μ) / √(σ² + ε) + β, channel by channel; training moves the running mean and variance."""
    y, running = np.zeros_like(x), ctx.state
    for c in range(x.shape[1]):
        mean, variance = running["mean"][c], running["variance"][c]
        if ctx.training:
            mean, variance = _mean_and_variance(x, c)
            count = len(_cells(x, c))
            unbiased = variance * count / (count - 1)
            running["mean"][c] = (1 - layer.momentum) * running["mean"][c] + layer.momentum * mean
            running["variance"][c] = (1 - layer.momentum) * running["variance"][c] + layer.momentum * unbiased
        for cell in _cells(x, c):
            y[cell] = p["gamma"][c] * (x[cell] - mean) / math.sqrt(variance + layer.epsilon) + p["beta"][c]
    return y


@backward.register
def batch_norm_backward(layer: BatchNorm, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """The chain rule through x̂, then through σ², then through μ, in the order of the paper.

    With running means, which are no functions of x, only the way through x̂ is open.
    """
    dx, g = np.zeros_like(x), {name: np.zeros_like(a) for name, a in p.items()}
    for c in range(x.shape[1]):
        cells = _cells(x, c)
        count = len(cells)
        mean, variance = ctx.state["mean"][c], ctx.state["variance"][c]
        if ctx.training:
            mean, variance = _mean_and_variance(x, c)
        deviation = math.sqrt(variance + layer.epsilon)
        of_variance = of_mean = 0.0
        for cell in cells:
            of_normal = dy[cell] * p["gamma"][c]
            g["beta"][c] += dy[cell]
            g["gamma"][c] += dy[cell] * (x[cell] - mean) / deviation
            dx[cell] = of_normal / deviation
            of_variance += of_normal * (x[cell] - mean) * -0.5 / deviation**3
            of_mean -= of_normal / deviation
        if ctx.training:
            for cell in cells:
                dx[cell] += of_variance * 2 * (x[cell] - mean) / count + of_mean / count
    return dx, g
