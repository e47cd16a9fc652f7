"""Batch normalisation: each channel gets mean 0 and variance 1 over the batch, then learned scale and shift.

    x̂[n, c, i, j] = (x[n, c, i, j] − μ[c]) / √(σ²[c] + ε)
    y[n, c, i, j] = γ[c] · x̂[n, c, i, j] + β[c]

    μ, σ²   mean and variance of channel c over the batch: m values, all images and places; σ² divides by m
    γ, β    learned scale and shift (C,)          ε   keeps the division finite

Of vectors (N, C) every feature is a channel. When the network is used, a single image must not depend on
others, so running means of μ and of the unbiased variance, gathered in training, take their place:

    running ← (1 − momentum) · running + momentum · batch value

Backward, with δ = ∂E/∂y; Σ runs over n, i, j, and m counts its terms:

    ∂E/∂β[c] = Σ δ
    ∂E/∂γ[c] = Σ δ · x̂
    ∂E/∂x    = γ / √(σ² + ε) · (δ − (Σ δ) / m − x̂ · (Σ δ·x̂) / m)

The last two terms are there because μ and σ² themselves depend on x; with running means they fall away.

How it is made fast: all channels at once, in place; the sums that ∂E/∂x needs are ∂E/∂β and ∂E/∂γ.

Source: Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal
covariate shift", 2015.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import Fix, TrainingError
from engine.layer import Array, Buffer, Context, Layer, Param, Shape, Workspace
from engine.options import option
from engine.phrase import Phrase
from engine.term import Term, constant, lazy, term
from engine.view import Cells, View


@dataclass(frozen=True)
class BatchNorm(Layer):
    """y = γ·(x − μ)/√(σ² + ε) + β for each channel; shapes: x (N, C, H, W) or (N, C) -> y of the same shape.

    Raises TrainingError in training when a channel has one value only: its variance says nothing.
    """

    kind = "batch_norm"
    title = "Batch norm"
    role = "norm"
    summary = "Brings every channel to mean 0 and variance 1 over the batch."
    couples_batch = True

    momentum: float = option(0.1, gt=0, le=1, label="Momentum",
                             help="Share of the newest batch in the running mean and variance.")
    epsilon: float = option(1e-5, ge=1e-12, label="ε", help="Added to the variance before its root is taken.")

    def output_shape(self, x: Shape) -> Shape:
        return x

    def params(self, x: Shape) -> dict[str, Param]:
        return {"gamma": Param((x[0],), value=1.0), "beta": Param((x[0],))}

    def state(self, x: Shape) -> dict[str, Param]:
        return {"mean": Param((x[0],)), "variance": Param((x[0],), value=1.0)}

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        return {"normal": Buffer((n, *x)), "inverse_deviation": Buffer((x[0],)), "of_batch": Buffer((1,), shown=False),
                "term": Buffer((n, *x), scratch=True)}

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        normal, axes, column = ws["normal"], self._axes(x), self._column(x)
        # 1 when the batch's own mean and variance are used; the backward pass needs to know.
        ws["of_batch"][0] = ctx.training
        if ctx.training:
            count = self._count(x)
            mean = x.mean(axis=axes)
            np.subtract(x, mean.reshape(column), out=normal)
            variance = np.multiply(normal, normal, out=ws["term"]).mean(axis=axes)
            for running, value in (("mean", mean), ("variance", variance * (count / (count - 1)))):
                ctx.state[running] *= 1 - self.momentum
                ctx.state[running] += self.momentum * value
        else:
            variance = ctx.state["variance"]
            np.subtract(x, ctx.state["mean"].reshape(column), out=normal)
        np.divide(1, np.sqrt(variance + self.epsilon), out=ws["inverse_deviation"])
        normal *= ws["inverse_deviation"].reshape(column)
        np.multiply(normal, p["gamma"].reshape(column), out=y)
        y += p["beta"].reshape(column)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        normal, term, axes, column = ws["normal"], ws["term"], self._axes(dy), self._column(dy)
        of_beta = np.sum(dy, axis=axes, out=g.get("beta"))
        of_gamma = np.sum(np.multiply(dy, normal, out=term), axis=axes, out=g.get("gamma"))
        if dx is None:
            return
        share = ws["of_batch"][0] * dy.shape[1] / dy.size  # 1 / m, or 0 with running means
        np.multiply(normal, (of_gamma * share).reshape(column), out=term)
        np.subtract(dy, term, out=dx)
        dx -= (of_beta * share).reshape(column)
        dx *= (p["gamma"] * ws["inverse_deviation"]).reshape(column)

    def _count(self, x: Array) -> int:
        """How many values of one channel the batch holds."""
        count = len(x) * math.prod(x.shape[2:])
        if count < 2:
            raise TrainingError(
                "batch normalisation cannot train on one value per channel, which has no variance.",
                code="batch_norm.one_value", fixes=(Fix("advice", "use a batch of at least 2 images"),))
        return count

    def _axes(self, x: Array) -> tuple[int, ...]:
        """The axes over which a channel's values lie: all but the channels'."""
        return (0, *range(2, x.ndim))

    def _column(self, x: Array) -> tuple[int, ...]:
        """The shape in which one number a channel broadcasts over x: (C, 1, 1) for maps, (C,) for vectors."""
        return (-1, *(1,) * (x.ndim - 2))

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        """γ · x̂ + β; in a batch, x̂ goes down to the mean and variance of the channel's own values."""
        c = self._channel(cell, view)
        normal = self._normal(cell, self._statistics(c, view), view)
        return view.cell("gamma", c, label="γ") * normal + view.cell("beta", c, label="β")

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        if target == "beta":
            return self._values("dy", cell[0], view).join("sum")
        if target == "gamma":
            return self._sum_of_delta_and_normal(cell[0], view)
        c = self._channel(cell, view)
        statistics = self._statistics(c, view)
        delta, factor = view.cell("dy", *cell, label="δ"), view.cell("gamma", c, label="γ") / statistics[1]
        if view.images is None:
            return factor * delta
        m = constant(view.images * math.prod(view.x_shape[1:]), "m")
        of_mean = view.cell("dbeta", c, label="Σ δ") / m
        of_variance = self._normal(cell, statistics, view) * view.cell("dgamma", c, label="Σ δ·x̂") / m
        return factor * (delta - of_mean - of_variance)

    def _statistics(self, c: int, view: View) -> tuple[Term, Term]:
        """μ and √(σ² + ε) of a channel: in a batch of the channel's own values, otherwise the running ones."""
        if view.images is None:
            mean, variance = view.cell("mean", c, label="μ"), view.cell("variance", c, label="σ²")
        else:
            values = self._values("x", c, view)
            mean = values.join("mean").named("μ")
            variance = lazy("mean", values.numbers.var(), lambda: [term("square", x - mean) for x in values.terms()]).named("σ²")
        return mean, term("root", variance + constant(self.epsilon, "ε"))

    def _normal(self, cell: tuple[int, ...], statistics: tuple[Term, Term], view: View) -> Term:
        """x̂ = (x − μ) / √(σ² + ε)."""
        mean, deviation = statistics
        return view.known("normal", cell, ((view.cell("x", *cell) - mean) / deviation).named("x̂"))

    def _sum_of_delta_and_normal(self, c: int, view: View) -> Term:
        """∂E/∂γ = Σ δ · x̂."""
        delta, normal = self._values("dy", c, view), self._values("normal", c, view)
        statistics = self._statistics(c, view)
        return lazy("sum", delta.numbers @ normal.numbers,
                    lambda: [d * self._normal(d.place, statistics, view) for d in delta.terms()])

    def _values(self, name: str, c: int, view: View) -> Cells:
        """All values of one channel: one for each image and place."""
        places = np.ix_(*map(range, view.x_shape[1:]))
        return view.cells(name, *view.every_image(len(places)), c, *places)

    def _channel(self, cell: tuple[int, ...], view: View) -> int:
        return cell[len(cell) - len(view.x_shape)]

    def code_numpy(self, x: Shape) -> str:
        mean, variance, gamma, beta = (f"{name}{'[:, None, None]' if x.is_image else ''}"
                                       for name in ("mean", "variance", "gamma", "beta"))
        return (f"normal = (x - {mean}) / np.sqrt({variance} + {self.epsilon})\n"
                f"y = {gamma} * normal + {beta}")

    def code_pytorch(self, x: Shape) -> str:
        return f"y = F.batch_norm(x, mean, variance, gamma, beta, eps={self.epsilon})"

    def caption(self) -> list[Phrase]:
        usual = self.momentum == self.option("momentum").default
        return [] if usual else [Phrase("momentum {momentum}", {"momentum": f"{self.momentum:g}"})]

    def macs(self, x: Shape) -> int:
        return x.size
