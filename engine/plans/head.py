"""The end of most networks in one piece: softmax, cross-entropy of class labels, and the first delta of the backward pass.

    forward     s = Σ_k e^(z_k − max z)            y = e^(z − max z) / s
    loss        E = log s − (z_label − max z)      ∂E/∂z = (y − t) / batch

Why it is fast: the loss is made from what the softmax has computed anyway, and the targets t are one comparison of the labels
with 0, 1, … K − 1.
"""

from __future__ import annotations

import numpy as np

from engine.layer import Array
from engine.losses import targets_of
from engine.memory import aligned_zeros
from engine.plans.boundary import Boundary
from engine.plans.calls import Form, bind


class SoftmaxForm(Form):
    """y (K, N) = softmax of z (K, N) over the K features; `measure` gives the loss of class labels."""

    def __init__(self, z: Boundary, y: Boundary) -> None:
        super().__init__()
        k, n = z.y.shape
        dtype = z.y.dtype
        self._z, self._y = z, y
        self._classes = np.arange(k)[:, None]
        self._targets, self._shifted = aligned_zeros((k, n), dtype), aligned_zeros((k, n), dtype)
        self._largest, self._sum = aligned_zeros((n,), dtype), aligned_zeros((n,), dtype)
        self.forward = [bind(np.maximum.reduce, z.y, axis=0, out=self._largest),
                        bind(np.subtract, z.y, self._largest, out=self._shifted), bind(np.exp, self._shifted, out=y.y),
                        bind(np.add.reduce, y.y, axis=0, out=self._sum), bind(np.divide, y.y, self._sum, out=y.y)]

    def measure(self, labels: Array, batch: int) -> tuple[float, int]:
        """The summed loss and the right answers for class labels (N,); writes the delta of z."""
        y, t, delta = self._y.y, self._targets, self._z.dy
        np.equal(self._classes, labels, out=t)
        if np.count_nonzero(t) != len(labels):
            targets_of(labels, len(y), y.dtype)  # says which label names no output
        loss = np.log(self._sum, out=self._sum).sum() - np.vdot(self._shifted, t)
        np.subtract(y, t, out=delta)
        np.divide(delta, batch, out=delta)
        return float(loss), int(np.count_nonzero(y.argmax(axis=0) == labels))
