"""Activations: a nonlinear function of every number, without which stacked layers would be one linear map.

    ReLU        y = max(0, x)                              y' = 1 where x > 0, else 0
    LeakyReLU   y = x where x > 0, else slope·x            y' = 1 where x > 0, else slope
    ELU         y = x where x > 0, else α·(eˣ − 1)         y' = 1 where x > 0, else y + α
    GELU        y = x·Φ(x)                                 y' = Φ(x) + x·φ(x)
    Sigmoid     y = 1 / (1 + e⁻ˣ)                          y' = y·(1 − y)
    Tanh        y = tanh(x)                                y' = 1 − y²

    Φ, φ   distribution function and density of the standard normal distribution

Backward, with δ = ∂E/∂y:    ∂E/∂x = δ · y'

ReLU converges fast and its gradient is simple, but a unit whose input is negative for every image gets no
gradient any more: it is dead. LeakyReLU, ELU and GELU let a little through. Sigmoid and Tanh saturate: far
from 0 their slope vanishes, and so does the gradient of all layers before them.

How they are made fast: each is a few operations over whole arrays, in place; what the derivative needs is
taken from y where y suffices.

Source: neuzhaoxin, "Convolutional neural networks (principles)", 2019, sections 1.3 and 2.3; Clevert et al.
2016 (ELU); Hendrycks and Gimpel 2016 (GELU).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.layer import Array, Buffer, Context, Layer, Shape, Workspace
from engine.normal import normal_cdf
from engine.options import option
from engine.phrase import Phrase
from engine.term import Term, constant, term
from engine.view import View


@dataclass(frozen=True)
class Activation(Layer):
    """A function of every element by itself; shapes: x (N, …) -> y (N, …)."""

    role = "activation"

    def output_shape(self, x: Shape) -> Shape:
        return x

    @abstractmethod
    def formula(self, x: Term) -> Term:
        """y of one number."""

    @abstractmethod
    def slope_at(self, x: Term, y: Term) -> Term:
        """y' of one number, from x and y."""

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        return self.formula(view.cell("x", *cell))

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        return view.cell("dy", *cell) * self.slope_at(view.cell("x", *cell), view.cell("y", *cell))


@dataclass(frozen=True)
class ReLU(Activation):
    """y = max(0, x); the slope at 0 is taken as 0."""

    kind = "relu"
    title = "ReLU"
    summary = "Keeps positive numbers and sets negative ones to 0."

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        np.maximum(x, 0, out=y)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            np.greater(ws.y, 0, out=dx)  # the slope: 1 or 0
            dx *= dy

    def formula(self, x: Term) -> Term:
        return term("max", 0, x)

    def slope_at(self, x: Term, y: Term) -> Term:
        return term("gate", x, 1, 0)

    def code_numpy(self, x: Shape) -> str:
        return "y = np.maximum(x, 0)"

    def code_pytorch(self, x: Shape) -> str:
        return "y = F.relu(x)"


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """y = max(x, slope·x); the slope at 0 is taken as `slope`."""

    kind = "leaky_relu"
    title = "Leaky ReLU"
    summary = "Keeps positive numbers and makes negative ones small."

    slope: float = option(0.01, ge=0, le=1, label="Slope", help="Factor of the negative numbers.")

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        np.multiply(x, self.slope, out=y)
        np.maximum(x, y, out=y)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            np.greater(ws.x, 0, out=dx)  # 1 or 0
            np.maximum(dx, self.slope, out=dx)
            dx *= dy

    def caption(self) -> list[Phrase]:
        return [Phrase("slope {slope}", {"slope": f"{self.slope:g}"})]

    def formula(self, x: Term) -> Term:
        return term("gate", x, x, x * constant(self.slope, "slope"))

    def slope_at(self, x: Term, y: Term) -> Term:
        return term("gate", x, 1, constant(self.slope, "slope"))

    def code_numpy(self, x: Shape) -> str:
        return f"y = np.where(x > 0, x, {self.slope} * x)"

    def code_pytorch(self, x: Shape) -> str:
        return f"y = F.leaky_relu(x, {self.slope})"


@dataclass(frozen=True)
class ELU(Activation):
    """y = x where x > 0, else α·(eˣ − 1); the slope at 0 is taken as α."""

    kind = "elu"
    title = "ELU"
    summary = "Keeps positive numbers and bends negative ones towards −α."

    alpha: float = option(1.0, ge=0, label="α", help="The value that negative numbers tend to is −α.")

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        return {"positive": Buffer((n, *x), scratch=True)}

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        np.minimum(x, 0, out=y)  # eˣ of a large x would overflow
        np.expm1(y, out=y)
        y *= self.alpha
        y += np.maximum(x, 0, out=ws["positive"])

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            np.minimum(ws.y, 0, out=dx)
            dx += self.alpha  # the slope of negative x; positive x still lack 1 − α
            positive = np.greater(ws.x, 0, out=ws["positive"])
            positive *= 1 - self.alpha
            dx += positive
            dx *= dy

    def caption(self) -> list[Phrase]:
        return [Phrase(f"α {self.alpha:g}")]

    def formula(self, x: Term) -> Term:
        return term("gate", x, x, constant(self.alpha, "α") * (term("exp", x) - 1))

    def slope_at(self, x: Term, y: Term) -> Term:
        return term("gate", x, 1, y + constant(self.alpha, "α"))

    def code_numpy(self, x: Shape) -> str:
        return f"y = np.where(x > 0, x, {self.alpha} * np.expm1(np.minimum(x, 0)))"

    def code_pytorch(self, x: Shape) -> str:
        return f"y = F.elu(x, {self.alpha})"


@dataclass(frozen=True)
class GELU(Activation):
    """y = x·Φ(x), or with the older approximation y = x / (1 + e⁻²ᵘ), u = √(2/π)·(x + 0.044715·x³)."""

    kind = "gelu"
    title = "GELU"
    summary = "Lets a number through in the measure in which it is large."

    approximation: str = option("none", choices=("none", "tanh"), label="Approximation",
                                help="tanh: the approximation of Φ that BERT and GPT-2 were trained with.")

    _A = 0.044715
    _B = np.sqrt(2 / np.pi)

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        scratch = Buffer((n, *x), scratch=True)
        return {"gate": Buffer((n, *x)), "a": scratch, "b": scratch}

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        gate, a = ws["gate"], ws["a"]
        if self.approximation == "none":
            normal_cdf(x, gate, a, ws["b"])
        else:
            np.multiply(x, x, out=a)
            a *= self._A
            a += 1
            a *= x
            a *= 2 * self._B
            sigmoid(a, gate)
        np.multiply(x, gate, out=y)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is None:
            return
        x, gate, slope = ws.x, ws["gate"], ws["a"]  # y' = gate + x · slope of the gate
        np.multiply(x, x, out=slope)
        if self.approximation == "none":
            slope *= -0.5
            np.exp(slope, out=slope)
            slope *= 1 / np.sqrt(2 * np.pi)
        else:
            slope *= 3 * self._A
            slope += 1
            slope *= 2 * self._B
            slope *= gate
            slope *= np.subtract(1, gate, out=ws["b"])
        np.multiply(x, slope, out=dx)
        dx += gate
        dx *= dy

    def caption(self) -> list[Phrase]:
        return [Phrase("tanh")] if self.approximation == "tanh" else []

    def formula(self, x: Term) -> Term:
        return x * self._share(x)

    def slope_at(self, x: Term, y: Term) -> Term:
        share = self._share(x)
        if self.approximation == "none":
            density = term("exp", -(term("square", x) / 2)) / constant(np.sqrt(2 * np.pi), "√(2π)")
            return share + x * density.named("φ(x)")
        steepness = 2 * constant(self._B, "√(2/π)") * (1 + 3 * constant(self._A) * term("square", x))
        return share + x * steepness * share * (1 - share)

    def _share(self, x: Term) -> Term:
        """The measure in which x is let through: Φ(x) or its approximation 1 / (1 + e⁻²ᵘ)."""
        if self.approximation == "none":
            return term("normal_cdf", x).named("Φ(x)")
        u = constant(self._B, "√(2/π)") * (x + constant(self._A) * term("power", x, 3))
        return (1 / (1 + term("exp", -2 * u))).named("Φ(x)")

    def code_numpy(self, x: Shape) -> str:
        if self.approximation == "tanh":
            return f"y = x / (1 + np.exp(-2 * np.sqrt(2 / np.pi) * (x + {self._A} * x**3)))"
        return "import math\n\ny = x * 0.5 * np.vectorize(math.erfc)(-x / np.sqrt(2))"

    def code_pytorch(self, x: Shape) -> str:
        return f"y = F.gelu(x, approximate={self.approximation!r})"


@dataclass(frozen=True)
class Sigmoid(Activation):
    """y = 1 / (1 + e⁻ˣ)."""

    kind = "sigmoid"
    title = "Sigmoid"
    summary = "Squeezes every number between 0 and 1."

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        sigmoid(x, y)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            np.subtract(1, ws.y, out=dx)
            dx *= ws.y
            dx *= dy

    def formula(self, x: Term) -> Term:
        return 1 / (1 + term("exp", -x))

    def slope_at(self, x: Term, y: Term) -> Term:
        return y * (1 - y)

    def code_numpy(self, x: Shape) -> str:
        return "y = 1 / (1 + np.exp(-x))"

    def code_pytorch(self, x: Shape) -> str:
        return "y = torch.sigmoid(x)"


@dataclass(frozen=True)
class Tanh(Activation):
    """y = tanh(x)."""

    kind = "tanh"
    title = "Tanh"
    summary = "Squeezes every number between −1 and 1."

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        np.tanh(x, out=y)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            np.multiply(ws.y, ws.y, out=dx)
            np.subtract(1, dx, out=dx)
            dx *= dy

    def formula(self, x: Term) -> Term:
        return term("tanh", x)

    def slope_at(self, x: Term, y: Term) -> Term:
        return 1 - term("square", y)

    def code_numpy(self, x: Shape) -> str:
        return "y = np.tanh(x)"

    def code_pytorch(self, x: Shape) -> str:
        return "y = torch.tanh(x)"


def sigmoid(x: Array, out: Array) -> None:
    """1 / (1 + e⁻ˣ); where e⁻ˣ is too large for the dtype it counts as infinite, which gives 0."""
    np.negative(x, out=out)
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    out += 1
    np.reciprocal(out, out=out)
