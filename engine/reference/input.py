"""Input as plain loops."""

from __future__ import annotations

import numpy as np

from engine.layer import Array, Context
from engine.layers.input import Input
from engine.reference.dispatch import Gradients, Named, backward, empty_output, forward


def _even(layer: Input, x: Array, ctx: Context) -> Array:
    """u = (x − offset) · gain, feature by feature."""
    u = np.zeros_like(x)
    for n, *cell in np.ndindex(x.shape):
        u[n, *cell] = (x[n, *cell] - ctx.state["offset"][*cell]) * ctx.state["gain"][*cell]
    return u


@forward.register
def input_forward(layer: Input, x: Array, p: Named, ctx: Context) -> Array:
    """u, or its amplitudes along the principal axes, or with ZCA the image made of them."""
    u = _even(layer, x, ctx)
    if layer.projection == "none":
        return u
    y, features = empty_output(layer, x), u.reshape(len(u), -1)
    axes, amplitude = ctx.state["axes"], ctx.state["amplitude"]
    image = y.reshape(features.shape) if layer.projection == "zca_whitening" else None
    for n, k in np.ndindex(len(x), len(axes)):
        z = 0.0
        for i in range(features.shape[1]):
            z += amplitude[k] * axes[k, i] * features[n, i]
        if image is None:
            y[n, k] = z
        else:
            for i in range(features.shape[1]):
                image[n, i] += axes[k, i] * z
    return y


@backward.register
def input_backward(layer: Input, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """Every product of the forward pass sends δ times its other factor back."""
    dx = np.zeros(x.shape)
    rows, delta, gain = dx.reshape(len(x), -1), dy.reshape(len(dy), -1), ctx.state["gain"].reshape(-1)
    if layer.projection == "none":
        for n, i in np.ndindex(rows.shape):
            rows[n, i] = delta[n, i] * gain[i]
        return dx, {}
    axes, amplitude = ctx.state["axes"], ctx.state["amplitude"]
    for n, k in np.ndindex(len(x), len(axes)):
        of_z = 0.0
        if layer.projection == "zca_whitening":
            for i in range(rows.shape[1]):
                of_z += delta[n, i] * axes[k, i]
        else:
            of_z = float(delta[n, k])
        for i in range(rows.shape[1]):
            rows[n, i] += of_z * amplitude[k] * axes[k, i] * gain[i]
    return dx, {}
