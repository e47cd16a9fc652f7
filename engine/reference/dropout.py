"""Dropout as plain loops."""

from __future__ import annotations

import numpy as np

from engine.layer import Array, Context
from engine.layers.dropout import Dropout
from engine.reference.dispatch import Gradients, Named, backward, forward


@forward.register
def dropout_forward(layer: Dropout, x: Array, p: Named, ctx: Context) -> Array:
    """y = x · mask in training."""
    y = np.zeros_like(x)
    for cell in np.ndindex(x.shape):
        y[cell] = x[cell] * ctx.state["mask"][cell] if ctx.training else x[cell]
    return y


@backward.register
def dropout_backward(layer: Dropout, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """∂E/∂x = δ · mask in training."""
    return dropout_forward(layer, dy, p, ctx), {}
