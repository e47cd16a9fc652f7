"""Gradient check of a whole network: ∂E/∂w beside the central difference.

    D(h) = (E(w + h) − E(w − h)) / 2h          relative error = |g − D| / max(|g|, |D|, floor)

In float64 the two agree to about 10⁻⁷ wherever E is smooth between w − h and w + h. ReLU and max pooling have kinks, at which
D is the mean of two slopes. What shows a kink, with C(h) = (E(w + h) − 2E(w) + E(w − h)) / h:

    smooth          D(h) ≈ D(h/2) and C(h) ≈ 2·C(h/2)
    kink at w       C(h) ≈ C(h/2)
    kink beside w   D(h) and D(h/2) differ

Then a smaller h is tried, which a kink beside w escapes; a cell for which none is smooth is counted, but not compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import Array
from engine.network import Network

STEPS = (1e-4, 1e-5, 1e-6)
"""h: the smaller, the fewer kinks but the more rounding."""
SMOOTH = 1e-6
"""Relative disagreement of two differences up to which there is no kink between."""
FLOOR, FLOOR_OF_LOSS = 1e-3, 1e-4
"""Parts of the largest gradient and of E below which a relative error measures little but rounding."""


@dataclass(frozen=True)
class ParameterCheck:
    """One parameter: how many cells were compared, how many lay at a kink, and the largest relative error."""

    name: str
    cells: int
    kinks: int
    largest_error: float


def check_gradients(network: Network, images: Array, labels: Array, *, cells: int = 12, seed: int = 0) -> list[ParameterCheck]:
    """Compare up to `cells` random cells of each parameter, on the images (N, C, H, W) as one batch of training.

    The network must be float64 and is left as it was.
    """
    if network.dtype != np.float64 or cells < 1:
        raise ValueError("a gradient check needs a network in float64 and at least one cell")
    key = (seed, 0)
    running = network.running_state()

    def loss() -> float:
        network.set_state(running)
        return network.gradient(images, labels, key=key).loss

    here = loss()
    gradients = {name: g.copy() for name, g in network.parameters.named_gradient.items()}
    floor = max(FLOOR * max((float(np.abs(g).max()) for g in gradients.values()), default=0.0), FLOOR_OF_LOSS * abs(here))

    def slope_and_bend(w: Array, i: int, h: float) -> tuple[float, float]:
        """D(h) and C(h) of one cell."""
        kept = w[i]
        w[i] = kept + h
        above = loss()
        w[i] = kept - h
        below = loss()
        w[i] = kept
        return (above - below) / (2 * h), (above - 2 * here + below) / h

    def slope(w: Array, i: int) -> float | None:
        """D at the largest h at which E is smooth; None at a kink."""
        for h in STEPS:
            (wide, wide_bend), (narrow, narrow_bend) = slope_and_bend(w, i, h), slope_and_bend(w, i, h / 2)
            size = max(abs(narrow), floor)
            if abs(wide - narrow) <= SMOOTH * size and abs(wide_bend - 2 * narrow_bend) <= 10 * SMOOTH * size:
                return narrow
        return None

    rng = np.random.default_rng(seed)
    checks = []
    for name, w in network.parameters.named.items():
        flat, g = w.reshape(-1), gradients[name].reshape(-1)
        errors = []
        chosen = rng.choice(flat.size, min(cells, flat.size), replace=False)
        for i in chosen:
            difference = slope(flat, i)
            if difference is not None:
                errors.append(abs(g[i] - difference) / max(abs(g[i]), abs(difference), floor))
        checks.append(ParameterCheck(name, len(errors), len(chosen) - len(errors), max(errors, default=0.0)))
    loss()
    network.set_state(running)
    return checks
