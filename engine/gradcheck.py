"""Gradient check of a whole network: ∂E/∂w beside the central difference.

    difference(h) = (E(w + h) − E(w − h)) / 2h          relative error = |g − difference| / max(|g|, |difference|, floor)

In float64 the two agree to about 10⁻⁸ wherever E is smooth between w − h and w + h. ReLU and max pooling have kinks: when the
differences with h and h/2 do not agree with each other, there is a kink between, and the cell is counted but not compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import Array
from engine.network import Network

STEP = 1e-5
KINK = 1e-4
"""Relative disagreement of two differences from which on there must be a kink between."""


@dataclass(frozen=True)
class ParameterCheck:
    """One parameter: how many cells were compared, how many lay at a kink, and the largest relative error."""

    name: str
    cells: int
    kinks: int
    largest_error: float


def check_gradients(network: Network, images: Array, labels: Array, *, cells: int = 40, seed: int = 0) -> list[ParameterCheck]:
    """Compare up to `cells` random cells of each parameter; the network must be float64 and is left as it was.

    `floor` is 10⁻⁶ of the gradient's largest number, below which a relative error says nothing.
    """
    if network.dtype != np.float64:
        raise ValueError("a gradient check needs a network in float64")
    key = (seed, 0)
    running = network.running_state()
    network.gradient(images, labels, key=key)
    gradients = {name: g.copy() for name, g in network.parameters.named_gradient.items()}
    floor = 1e-6 * max(float(np.abs(network.parameters.gradient).max()), 1e-300)
    rng = np.random.default_rng(seed)

    def loss() -> float:
        network.set_state(running)
        return network.gradient(images, labels, key=key).loss

    def difference(w: Array, i: int, h: float) -> float:
        kept = w[i]
        w[i] = kept + h
        above = loss()
        w[i] = kept - h
        below = loss()
        w[i] = kept
        return (above - below) / (2 * h)

    checks = []
    for name, w in network.parameters.named.items():
        flat, g = w.reshape(-1), gradients[name].reshape(-1)
        chosen = rng.choice(flat.size, min(cells, flat.size), replace=False)
        errors, kinks = [0.0], 0
        for i in chosen:
            wide, narrow = difference(flat, i, STEP), difference(flat, i, STEP / 2)
            size = max(abs(wide), abs(narrow), floor)
            if abs(wide - narrow) > KINK * size:
                kinks += 1
            else:
                errors.append(abs(g[i] - narrow) / max(abs(g[i]), size))
        checks.append(ParameterCheck(name, len(chosen) - kinks, kinks, max(errors)))
    network.set_state(running)
    network.gradient(images, labels, key=key)
    network.set_state(running)
    return checks
