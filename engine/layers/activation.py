"""Activations: a nonlinear function of every number, without which stacked layers would be one linear map.

    ReLU        y = max(0, x)                              y' = 1 where x > 0, else 0
    LeakyReLU   y = x where x > 0, else slope·x            y' = 1 where x > 0, else slope
    ELU         y = x where x > 0, else α·(eˣ − 1)         y' = 1 where x > 0, else y + α
    GELU        y = x·Φ(x)                                 y' = Φ(x) + x·φ(x)
    Sigmoid     y = 1 / (1 + e⁻ˣ)                          y' = y·(1 − y)
    Tanh        y = tanh(x)                                y' = 1 − y²
    Softmax     y_k = e^(x_k) / Σ_j e^(x_j)                ∂y_k/∂x_j = y_k·([k = j] − y_j)

    Φ, φ   distribution function and density of the standard normal distribution

Backward, with δ = ∂E/∂y: all but Softmax give ∂E/∂x = δ · y'. In Softmax every output depends on every
input, and summing over the outputs gives ∂E/∂x_k = y_k · (δ_k − Σ_j δ_j·y_j).

ReLU converges fast and its gradient is simple, but a unit whose input is negative for every image gets no
gradient any more: it is dead. LeakyReLU, ELU and GELU let a little through. Sigmoid and Tanh saturate: far
from 0 their slope vanishes, and so does the gradient of all layers before them.

How they are made fast: each is a few operations over whole arrays, in place; what the derivative needs is
taken from y where y suffices.

Source: neuzhaoxin, "Convolutional neural networks (principles)", 2019, sections 1.3 and 2.3; Clevert et al.
2016 (ELU); Hendrycks and Gimpel 2016 (GELU).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.layer import Array, Buffer, Context, Layer, Shape, Workspace
from engine.normal import normal_cdf
from engine.options import option


@dataclass(frozen=True)
class Activation(Layer):
    """A function of every element by itself; shapes: x (N, …) -> y (N, …)."""

    role = "activation"

    def output_shape(self, x: Shape) -> Shape:
        return x


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

    def label(self) -> str:
        return f"slope {self.slope:g}"


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

    def label(self) -> str:
        return f"α {self.alpha:g}"


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

    def label(self) -> str:
        return "tanh" if self.approximation == "tanh" else ""


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


@dataclass(frozen=True)
class Softmax(Layer):
    """y = eˣ / Σ eˣ over the features of a vector, or over the channels at each place of maps."""

    kind = "softmax"
    title = "Softmax"
    role = "output"
    summary = "Turns numbers into probabilities that sum to 1."

    def output_shape(self, x: Shape) -> Shape:
        return x

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        # Subtracting the largest changes nothing in the quotient, and no exponential overflows.
        np.subtract(x, x.max(axis=1, keepdims=True), out=y)
        np.exp(y, out=y)
        y /= y.sum(axis=1, keepdims=True)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            np.multiply(dy, ws.y, out=dx)
            np.subtract(dy, dx.sum(axis=1, keepdims=True), out=dx)
            dx *= ws.y


def sigmoid(x: Array, out: Array) -> None:
    """1 / (1 + e⁻ˣ); where e⁻ˣ is too large for the dtype it counts as infinite, which gives 0."""
    np.negative(x, out=out)
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    out += 1
    np.reciprocal(out, out=out)
