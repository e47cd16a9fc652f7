"""Dropout: in training a random share of the numbers is set to 0, so that no unit can rely on another alone.

    training     y = x · m        m = 0 with probability r, otherwise 1 / (1 − r)
    otherwise    y = x

    m   mask, drawn anew for every image and every step        r   rate

The factor 1 / (1 − r) keeps the expected size of y, so that nothing has to be rescaled when the network is
used ("inverted dropout").

Backward, with δ = ∂E/∂y:    ∂E/∂x = δ · m    with the same mask.

How it is made fast: the mask is drawn straight into its buffer, all numbers at once.

Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import Fix, OptionError
from engine.layer import Array, Buffer, Context, Layer, Shape, Workspace
from engine.options import option
from engine.phrase import Phrase
from engine.term import Term
from engine.view import View


@dataclass(frozen=True)
class Dropout(Layer):
    """y = x·mask in training, y = x otherwise; shapes: x (N, …) -> y (N, …)."""

    kind = "dropout"
    title = "Dropout"
    role = "dropout"
    summary = "In training, sets a random share of the numbers to 0."
    random = True

    rate: float = option(0.5, ge=0, lt=1, label="Rate", live=True,
                         help="Share of the numbers that are set to 0; 0.5 is one half.")

    def __post_init__(self) -> None:
        rate: object = self.rate  # not yet checked
        if isinstance(rate, (int, float)) and 1 < rate < 100:
            share = rate / 100
            raise OptionError(
                "The rate is a share between 0 and 1; {percent} % is written {share}.",
                code="dropout.percent", field="rate",
                fixes=(Fix("set", "use {share}", {"share": f"{share:g}"}, field="rate", value=share),),
                percent=f"{rate:g}", share=f"{share:g}")
        super().__post_init__()

    def output_shape(self, x: Shape) -> Shape:
        return x

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        return {"mask": Buffer((n, *x))}

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        mask = ws["mask"]
        if ctx.training:
            assert ctx.rng is not None, "training with dropout needs a random generator"
            ctx.rng.random(out=mask, dtype=mask.dtype.type)
            np.greater_equal(mask, self.rate, out=mask)
            mask *= 1 / (1 - self.rate)
        else:
            mask.fill(1)
        np.multiply(x, mask, out=y)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            np.multiply(dy, ws["mask"], out=dx)

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        return view.cell("x", *cell) * view.cell("mask", *cell, label="m")

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        return view.cell("dy", *cell) * view.cell("mask", *cell, label="m")

    def code_numpy(self, x: Shape) -> str:
        return f"y = x  # in training: x * (np.random.rand(*x.shape) >= {self.rate}) / (1 - {self.rate})"

    def code_pytorch(self, x: Shape) -> str:
        return f"y = F.dropout(x, {self.rate}, training=False)"

    def caption(self) -> list[Phrase]:
        return [Phrase(f"{self.rate:g}")]
