"""The two functions `forward` and `backward`, which find the loops of a layer by its class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

import numpy as np

from engine.layer import Array, Context, Layer, Shape

Named = Mapping[str, Array]
Gradients = tuple[Array, dict[str, Array]]


@singledispatch
def forward(layer: Layer, x: Array, p: Named, ctx: Context) -> Array:
    """The layer's output y for inputs x, parameters p, and the mode and state in ctx."""
    raise TypeError(f"there are no reference loops for {layer.kind}")


@singledispatch
def backward(layer: Layer, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """∂E/∂x, and ∂E/∂p by name, from dy = ∂E/∂y."""
    raise TypeError(f"there are no reference loops for {layer.kind}")


def empty_output(layer: Layer, x: Array) -> Array:
    """Zeros in the shape of the layer's output."""
    return np.zeros((len(x), *layer.output_shape(Shape(x.shape[1:]))))
