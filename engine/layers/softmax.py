"""Softmax: numbers of any size become probabilities.

    y[n, k] = e^(x[n, k]) / Σ_j e^(x[n, j])

All y are positive and sum to 1; the largest x gets the largest share. Of maps, the channels at each place are the k.

Backward, with δ = ∂E/∂y: every output depends on every input, ∂y_k/∂x_j = y_k·([k = j] − y_j), and summing over the
outputs gives

    ∂E/∂x[n, k] = y[n, k] · (δ[n, k] − Σ_j δ[n, j] · y[n, j])

When cross-entropy follows, this is never computed: the two together have the delta y − t (engine/losses.py).

How it is made fast: a few operations over whole arrays, in place.

Source: neuzhaoxin, "Convolutional neural networks (principles)", 2019, section 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.layer import Array, Buffer, Context, Layer, Shape, Workspace
from engine.term import Term, term
from engine.view import View


@dataclass(frozen=True)
class Softmax(Layer):
    """y = eˣ / Σ eˣ over the features of a vector, or over the channels at each place of maps."""

    kind = "softmax"
    title = "Softmax"
    role = "output"
    summary = "Turns numbers into probabilities that sum to 1."

    def output_shape(self, x: Shape) -> Shape:
        return x

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        return {"over": Buffer((n, 1, *x[1:]), scratch=True)}

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        # Subtracting the largest changes nothing in the quotient, and no exponential overflows.
        np.subtract(x, np.max(x, axis=1, keepdims=True, out=ws["over"]), out=y)
        np.exp(y, out=y)
        y /= np.sum(y, axis=1, keepdims=True, out=ws["over"])

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            np.multiply(dy, ws.y, out=dx)
            np.subtract(dy, np.sum(dx, axis=1, keepdims=True, out=ws["over"]), out=dx)
            dx *= ws.y

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        scores, k = self._along(cell, "x", view)
        largest = term("max", *scores).named("max x")
        powers = [term("exp", x - largest) for x in scores]
        return powers[k] / term("sum", *powers)

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        y, k = self._along(cell, "y", view)
        delta, _ = self._along(cell, "dy", view)
        return y[k] * (delta[k] - term("sum", *(d * share for d, share in zip(delta, y, strict=True))))

    def _along(self, cell: tuple[int, ...], name: str, view: View) -> tuple[list[Term], int]:
        """The cells over which the shares are taken, and the place of `cell` among them."""
        axis = len(cell) - len(view.x_shape)
        before, k, after = cell[:axis], cell[axis], cell[axis + 1:]
        return [view.cell(name, *before, j, *after) for j in range(view.x_shape[0])], k

    def code_numpy(self, x: Shape) -> str:
        return ("e = np.exp(x - x.max(axis=1, keepdims=True))\n"
                "y = e / e.sum(axis=1, keepdims=True)")

    def code_pytorch(self, x: Shape) -> str:
        return "y = F.softmax(x, dim=1)"
