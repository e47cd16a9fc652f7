"""Runs one layer by itself, forward and backward, and leaves it nothing to rely on but what the contract promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.initializers import initialize
from engine.layer import Array, Context, Layer, Shape, Workspace

DTYPES = {"bool": np.bool_, "uint8": np.uint8, "int32": np.int32, "int": np.int64}


@dataclass
class Run:
    """What one pass gave: output, gradients, buffers, and the state afterwards."""

    y: Array
    dx: Array
    g: dict[str, Array]
    ws: Workspace
    state: dict[str, Array]


@dataclass
class Bench:
    """One layer with everything allocated; what the layer does not write stays NaN."""

    layer: Layer
    result: Run
    p: dict[str, Array]
    ctx: Context
    scratch: dict[str, float]

    def forward(self) -> None:
        self._spoil()
        self.layer.forward(self.result.ws.x, self.result.y, self.p, self.result.ws, self.ctx)

    def backward(self, dy: Array, *, need_dx: bool = True) -> None:
        self._spoil()
        self.layer.backward(dy, self.result.dx if need_dx else None, self.p, self.result.g, self.result.ws)

    def _spoil(self) -> None:
        """Scratch buffers last for one call only; nothing may be found in them again."""
        for name, value in self.scratch.items():
            self.result.ws[name].fill(value)


def bench(layer: Layer, x: Array, p: Mapping[str, Array], state: Mapping[str, Array], *, training: bool = True,
          dtype: type = np.float64, seed: int = 0) -> Bench:
    """Allocate for a layer what a network allocates for it."""
    sample, n = Shape(x.shape[1:]), len(x)
    wanted = layer.workspace(sample, n)
    ws = Workspace({name: np.zeros(b.shape, DTYPES.get(b.dtype, dtype)) for name, b in wanted.items()})
    ws.x = x.astype(dtype)
    ws.y = np.full((n, *layer.output_shape(sample)), np.nan, dtype)
    p = {name: a.astype(dtype) for name, a in p.items()}
    ctx = Context(training, np.random.default_rng(seed), {name: a.astype(dtype) for name, a in state.items()})
    result = Run(ws.y, np.full_like(ws.x, np.nan), {name: np.full_like(a, np.nan) for name, a in p.items()}, ws, ctx.state)
    scratch = {name: np.nan if b.dtype == "float" else 1 for name, b in wanted.items() if b.scratch}
    return Bench(layer, result, p, ctx, scratch)


def run(layer: Layer, x: Array, dy: Array | None, p: Mapping[str, Array], state: Mapping[str, Array], *,
        training: bool = True, dtype: type = np.float64, seed: int = 0, need_dx: bool = True) -> Run:
    """Forward, and backward when dy is given; the arrays given stay as they are."""
    made = bench(layer, x, p, state, training=training, dtype=dtype, seed=seed)
    made.forward()
    if dy is not None:
        made.backward(dy.astype(dtype), need_dx=need_dx)
    return made.result


def random_parameters(layer: Layer, sample: Shape, rng: np.random.Generator) -> dict[str, Array]:
    """Parameters of the size that training gives them, none of them 0 or 1."""
    return {name: rng.normal(0.1, 0.7, p.shape) for name, p in layer.params(sample).items()}


def random_state(layer: Layer, sample: Shape, rng: np.random.Generator) -> dict[str, Array]:
    """State as if fitted: what begins as 1 (a variance, a gain) is positive, everything else around its start."""
    return {name: rng.uniform(0.4, 1.7, p.shape) if p.init == "constant" and p.value == 1
            else initialize(p, rng) + rng.normal(0, 0.5, p.shape) for name, p in layer.state(sample).items()}
