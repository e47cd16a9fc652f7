"""A convolutional network as educational NumPy projects write it: im2col and col2im over the whole batch, arrays made anew.

It is what most readers have seen, and so the yardstick for what the plans gain. One class a layer, forward and backward.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.pool import MaxPool2D
from engine.spec import NetworkSpec

Array = Any


def im2col(x: Array, k: int, stride: int, pad: int) -> Array:
    """(N, C, H, W) to (N·H'·W', C·k·k)."""
    n, c, h, w = x.shape
    oh, ow = (h + 2 * pad - k) // stride + 1, (w + 2 * pad - k) // stride + 1
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    columns = np.zeros((n, c, k, k, oh, ow), x.dtype)
    for u in range(k):
        for v in range(k):
            columns[:, :, u, v] = padded[:, :, u:u + stride * oh:stride, v:v + stride * ow:stride]
    return columns.transpose(0, 4, 5, 1, 2, 3).reshape(n * oh * ow, -1)


def col2im(columns: Array, shape: tuple[int, ...], k: int, stride: int, pad: int) -> Array:
    """The sum of all windows' cells at their places: the transpose of im2col."""
    n, c, h, w = shape
    oh, ow = (h + 2 * pad - k) // stride + 1, (w + 2 * pad - k) // stride + 1
    of_windows = columns.reshape(n, oh, ow, c, k, k).transpose(0, 3, 4, 5, 1, 2)
    padded = np.zeros((n, c, h + 2 * pad, w + 2 * pad), columns.dtype)
    for u in range(k):
        for v in range(k):
            padded[:, :, u:u + stride * oh:stride, v:v + stride * ow:stride] += of_windows[:, :, u, v]
    return padded[:, :, pad:pad + h, pad:pad + w]


class Product:
    """A convolution, or with k = 0 a fully connected layer: columns · W + b."""

    def __init__(self, inputs: int, outputs: int, k: int = 0, pad: int = 0) -> None:
        rng = np.random.default_rng(0)
        self.w = rng.normal(scale=np.sqrt(2 / inputs), size=(inputs, outputs)).astype(np.float32)
        self.b = np.zeros(outputs, np.float32)
        self.vw, self.vb, self.k, self.pad = np.zeros_like(self.w), np.zeros_like(self.b), k, pad

    def forward(self, x: Array) -> Array:
        self.shape = x.shape
        self.columns = im2col(x, self.k, 1, self.pad) if self.k else x
        y = self.columns @ self.w + self.b
        if not self.k:
            return y
        side = x.shape[2] + 2 * self.pad - self.k + 1
        return y.reshape(len(x), side, side, -1).transpose(0, 3, 1, 2)

    def backward(self, dy: Array) -> Array:
        if self.k:
            dy = dy.transpose(0, 2, 3, 1).reshape(-1, self.w.shape[1])
        self.dw, self.db = self.columns.T @ dy, dy.sum(axis=0)
        dx = dy @ self.w.T
        return col2im(dx, self.shape, self.k, 1, self.pad) if self.k else dx

    def update(self, rate: float) -> None:
        """Descent with momentum."""
        self.vw, self.vb = 0.9 * self.vw + self.dw, 0.9 * self.vb + self.db
        self.w, self.b = self.w - rate * self.vw, self.b - rate * self.vb


class Rectify:
    """ReLU."""

    def forward(self, x: Array) -> Array:
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy: Array) -> Array:
        return dy * self.mask


class Largest:
    """Max pooling by im2col."""

    def __init__(self, k: int) -> None:
        self.k = k

    def forward(self, x: Array) -> Array:
        n, c, h, w = self.shape = x.shape
        columns = im2col(x, self.k, self.k, 0).reshape(-1, self.k * self.k)
        self.winner = columns.argmax(axis=1)
        return columns.max(axis=1).reshape(n, h // self.k, w // self.k, c).transpose(0, 3, 1, 2)

    def backward(self, dy: Array) -> Array:
        flat = dy.transpose(0, 2, 3, 1).ravel()
        columns = np.zeros((flat.size, self.k * self.k), dy.dtype)
        columns[np.arange(flat.size), self.winner] = flat
        return col2im(columns.reshape(-1, self.shape[1] * self.k * self.k), self.shape, self.k, self.k, 0)


class Flat:
    """Maps to vectors."""

    def forward(self, x: Array) -> Array:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: Array) -> Array:
        return dy.reshape(self.shape)


class PlainEngine:
    """The layers in a row, softmax with cross-entropy at the end."""

    def __init__(self, network: NetworkSpec) -> None:
        self.layers: list[Any] = []
        for placed in network.placed():
            layer = placed.node.layer
            if isinstance(layer, Conv2D):
                k = layer.kernel_size[0]
                self.layers.append(Product(placed.x[0] * k * k, layer.depth, k, layer.window(placed.x).padding[0]))
            elif isinstance(layer, Dense):
                self.layers.append(Product(placed.x.size, layer.units))
            elif isinstance(layer, MaxPool2D):
                self.layers.append(Largest(layer.kernel_size[0]))
            elif isinstance(layer, ReLU):
                self.layers.append(Rectify())
            elif isinstance(layer, Flatten):
                self.layers.append(Flat())

    def predict(self, x: Array) -> Array:
        """The logits."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def step(self, x: Array, labels: Array, rate: float) -> float:
        """One step of descent; returns the loss."""
        z = self.predict(x)
        e = np.exp(z - z.max(axis=1, keepdims=True))
        y = e / e.sum(axis=1, keepdims=True)
        rows = np.arange(len(x))
        loss = float(-np.log(y[rows, labels] + 1e-12).mean())
        y[rows, labels] -= 1
        delta = y / len(x)
        for layer in reversed(self.layers):
            delta = layer.backward(delta)
        for layer in self.layers:
            if isinstance(layer, Product):
                layer.update(rate)
        return loss
