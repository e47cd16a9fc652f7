"""Activations as plain loops over functions of one number."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from engine.layer import Array, Context, Layer
from engine.layers.activation import ELU, GELU, Activation, LeakyReLU, ReLU, Sigmoid, Tanh
from engine.layers.softmax import Softmax
from engine.reference.dispatch import Gradients, Named, backward, forward


def _normal_cdf(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


def _normal_density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def _tanh_gate(x: float) -> float:
    """The approximation of Φ in GELU."""
    return (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def _tanh_gate_slope(x: float) -> float:
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2) / math.cosh(inner)**2 / 2


def function_and_slope(layer: Layer) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """An activation and its derivative, both of one number."""
    match layer:
        case ReLU():
            return lambda x: max(x, 0.0), lambda x: 1.0 if x > 0 else 0.0
        case LeakyReLU(slope=slope):
            return lambda x: x if x > 0 else slope * x, lambda x: 1.0 if x > 0 else slope
        case ELU(alpha=alpha):
            return (lambda x: x if x > 0 else alpha * (math.exp(x) - 1),
                    lambda x: 1.0 if x > 0 else alpha * math.exp(x))
        case GELU(approximation="tanh"):
            return lambda x: x * _tanh_gate(x), lambda x: _tanh_gate(x) + x * _tanh_gate_slope(x)
        case GELU():
            return lambda x: x * _normal_cdf(x), lambda x: _normal_cdf(x) + x * _normal_density(x)
        case Sigmoid():
            return _sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)
        case Tanh():
            return math.tanh, lambda x: 1 / math.cosh(x)**2
    raise TypeError(f"there is no reference for {layer.kind}")


@forward.register
def activation_forward(layer: Activation, x: Array, p: Named, ctx: Context) -> Array:
    """y = f(x), number by number."""
    f, _ = function_and_slope(layer)
    y = np.zeros_like(x)
    for cell in np.ndindex(x.shape):
        y[cell] = f(float(x[cell]))
    return y


@backward.register
def activation_backward(layer: Activation, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """∂E/∂x = δ · f'(x), number by number."""
    _, slope = function_and_slope(layer)
    dx = np.zeros_like(x)
    for cell in np.ndindex(x.shape):
        dx[cell] = dy[cell] * slope(float(x[cell]))
    return dx, {}


@forward.register
def softmax_forward(layer: Softmax, x: Array, p: Named, ctx: Context) -> Array:
    """y_k = e^(x_k) / Σ_j e^(x_j), at each place of each sample."""
    y = np.zeros_like(x)
    for n, *place in np.ndindex(x.shape[0], *x.shape[2:]):
        largest = max(x[n, k, *place] for k in range(x.shape[1]))
        total = 0.0
        for k in range(x.shape[1]):
            y[n, k, *place] = math.exp(x[n, k, *place] - largest)
            total += y[n, k, *place]
        for k in range(x.shape[1]):
            y[n, k, *place] /= total
    return y


@backward.register
def softmax_backward(layer: Softmax, x: Array, dy: Array, p: Named, ctx: Context) -> Gradients:
    """∂E/∂x_j = Σ_k δ_k · ∂y_k/∂x_j with the whole table of derivatives y_k · ([k = j] − y_j)."""
    y, dx = softmax_forward(layer, x, p, ctx), np.zeros_like(x)
    for n, *place in np.ndindex(x.shape[0], *x.shape[2:]):
        for j in range(x.shape[1]):
            for k in range(x.shape[1]):
                derivative = y[n, k, *place] * ((k == j) - y[n, j, *place])
                dx[n, j, *place] += dy[n, k, *place] * derivative
    return dx, {}
