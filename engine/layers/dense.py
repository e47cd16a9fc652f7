"""Fully connected layer and the Flatten block before it.

    y[n, j] = b[j] + Σ_i W[j, i] · x[n, i]

    x   input vectors (N, I)      W   weights (J, I): row j belongs to output unit j
    y   output vectors (N, J)     b   one bias for each unit (J,)

Backward, with δ = ∂E/∂y (the course's section 3.1):

    ∂E/∂b[j]    = Σ_n δ[n, j]
    ∂E/∂W[j, i] = Σ_n δ[n, j] · x[n, i]
    ∂E/∂x[n, i] = Σ_j δ[n, j] · W[j, i]

Each of the three is one matrix product over the whole batch.

Source: neuzhaoxin, "Convolutional neural networks (principles)", 2019, sections 1.5, 2.3 and 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import Fix, ShapeError
from engine.initializers import INITIALIZERS
from engine.layer import Array, Context, Layer, Param, Shape, Workspace
from engine.options import option
from engine.phrase import Phrase
from engine.term import Term, term
from engine.view import View


@dataclass(frozen=True)
class Dense(Layer):
    """y = x·Wᵀ + b; shapes: x (N, I) -> y (N, units)."""

    kind = "dense"
    title = "FC"
    role = "dense"
    summary = "Fully connected: every unit reads every input."

    units: int = option(10, ge=1, label="Units", help="Number of outputs.")
    bias: bool = option(True, label="Bias", help="Adds one number to each unit.")
    init: str = option(
        "he_normal", choices=INITIALIZERS, label="Start weights",
        help="How the weights are drawn at the start.")

    def output_shape(self, x: Shape) -> Shape:
        if x.is_image:
            raise ShapeError("a fully connected layer needs a vector, but its input is {maps}. "
                             "Flatten makes {height} · {width} · {channels} = {size} numbers of it.",
                             code="dense.needs_vector", maps=str(x), height=x[1], width=x[2], channels=x[0],
                             size=x.size, fixes=(Fix("insert", "insert Flatten", value="flatten"),))
        return Shape((self.units,))

    def params(self, x: Shape) -> dict[str, Param]:
        weights = Param((self.units, x.size), fan_in=x.size, fan_out=self.units, init=self.init,
                        penalised=True)
        return {"W": weights, "b": Param((self.units,))} if self.bias else {"W": weights}

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        np.matmul(x, p["W"].T, out=y)
        if self.bias:
            y += p["b"]

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if g:
            np.matmul(dy.T, ws.x, out=g["W"])
        if g and self.bias:
            np.sum(dy, axis=0, out=g["b"])
        if dx is not None:
            np.matmul(dy, p["W"], out=dx)

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        *image, j = cell
        i = np.arange(view.x_shape[0])
        y = term("sum", view.cells("W", j, i).times(view.cells("x", *image, i)).named("W·x"))
        return y + view.cell("b", j) if self.bias else y

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        if target == "x":
            *image, i = cell
            j = np.arange(self.units)
            return view.cells("W", j, i).times(view.cells("dy", *image, j))
        delta = view.cells("dy", *view.every_image(), cell[0])
        return delta.join("sum") if target == "b" else delta.times(view.cells("x", *view.every_image(), cell[1]))

    def code_numpy(self, x: Shape) -> str:
        return "y = x @ W.T" + (" + b" if self.bias else "")

    def code_pytorch(self, x: Shape) -> str:
        return f"y = F.linear(x, W{', b' if self.bias else ''})"

    def caption(self) -> list[Phrase]:
        return [Phrase(str(self.units))]

    def macs(self, x: Shape) -> int:
        return x.size * self.units


@dataclass(frozen=True)
class Flatten(Layer):
    """y[n, (c·H + i)·W + j] = x[n, c, i, j]: maps laid out as one vector, channel by channel, row by row."""

    kind = "flatten"
    title = "Flatten"
    role = "flatten"
    summary = "Lays all maps out as one vector."

    def output_shape(self, x: Shape) -> Shape:
        return Shape((x.size,))

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        y[...] = x.reshape(y.shape)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            dx[...] = dy.reshape(dx.shape)

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        *image, k = cell
        return term("copy", view.cell("x", *image, *map(int, np.unravel_index(k, view.x_shape))))

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        place = cell[-len(view.x_shape):]
        image = cell[:-len(view.x_shape)]
        return term("copy", view.cell("dy", *image, int(np.ravel_multi_index(place, view.x_shape))))

    def code_numpy(self, x: Shape) -> str:
        return "y = x.reshape(len(x), -1)"

    def code_pytorch(self, x: Shape) -> str:
        return "y = torch.flatten(x, 1)"
