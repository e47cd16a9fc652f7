"""The end of most networks in one piece: softmax, cross-entropy of class labels, and the first delta of the backward pass.

    forward     s = Σ_k e^(z_k − max z)            y = e^(z − max z) / s
    loss        E = log s − (z_label − max z)      ∂E/∂z = (y − t) / batch

Why it is fast: the loss is made from what the softmax has computed anyway; the targets t are one comparison of the labels with
0, 1, … K − 1; and where every image has one largest output, the right answers are those that are targets as well.
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
        self._is_target, self._is_largest = np.zeros((k, n), bool), np.zeros((k, n), bool)
        self.forward = [bind(np.maximum.reduce, z.y, 0, None, self._largest),
                        bind(np.subtract, z.y, self._largest, out=self._shifted), bind(np.exp, self._shifted, out=y.y),
                        bind(np.add.reduce, y.y, 0, None, self._sum), bind(np.divide, y.y, self._sum, out=y.y)]

    def measure(self, labels: Array, batch: int) -> tuple[float, int]:
        """The summed loss and the right answers for class labels (N,); writes the delta of z."""
        y, t, delta, n = self._y.y, self._targets, self._z.dy, len(labels)
        np.equal(self._classes, labels, self._is_target)
        if np.count_nonzero(self._is_target) != n:
            targets_of(labels, len(y), y.dtype)  # says which label names no output
        np.copyto(t, self._is_target)
        right = self._right(labels)
        loss = np.add.reduce(np.log(self._sum, self._sum)) - np.vdot(self._shifted, t)
        np.subtract(y, t, delta)
        np.divide(delta, batch, delta)
        return float(loss), right

    def _right(self, labels: Array) -> int:
        """How many images have their largest output, the first one of equals, at their label."""
        y = self._y.y
        # e^0 / s is the largest output, for there is none above 1 / s.
        np.equal(y, np.divide(1, self._sum, self._largest), self._is_largest)
        if np.count_nonzero(self._is_largest) != len(labels):  # equal ones, or numbers that are not finite
            return int(np.count_nonzero(y.argmax(axis=0) == labels))
        return int(np.count_nonzero(np.logical_and(self._is_largest, self._is_target, self._is_target)))
