"""How weights start: draws whose spread keeps the signal's size from layer to layer.

With n_in = fan in and n_out = fan out, the variance is 2/n_in (He, for ReLU), 2/(n_in + n_out) (Glorot,
for tanh and sigmoid) or 1/n_in (LeCun); the uniform draws have the same variance, ±√(3·variance).

Sources: He et al. 2015; Glorot and Bengio 2010; LeCun et al. 1998, "Efficient BackProp".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.layer import Array, Param

VARIANCES: dict[str, Callable[[Param], float]] = {
    "he": lambda p: 2 / p.fan_in,
    "glorot": lambda p: 2 / (p.fan_in + p.fan_out),
    "lecun": lambda p: 1 / p.fan_in,
}

INITIALIZERS = (*(f"{name}_{draw}" for name in VARIANCES for draw in ("normal", "uniform")), "constant")


def initialize(param: Param, rng: np.random.Generator) -> Array:
    """The starting values of a parameter, float64.

    "constant" (`param.value` everywhere) and "identity" (1 on the diagonal of a matrix) draw nothing.
    """
    if param.init == "constant":
        return np.full(param.shape, param.value)
    if param.init == "identity":
        rows, columns = param.shape
        return np.eye(rows, columns)
    name, draw = param.init.split("_")
    deviation = np.sqrt(VARIANCES[name](param))
    if draw == "normal":
        return rng.normal(0, deviation, param.shape)
    return rng.uniform(-np.sqrt(3) * deviation, np.sqrt(3) * deviation, param.shape)
