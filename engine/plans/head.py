"""The end of most networks in one piece: softmax, cross-entropy of class labels, and the first delta of the backward pass.

    forward     s = Σ_k e^(z_k − max z)            y = e^(z − max z) / s
    loss        E = log s − (z_label − max z)      ∂E/∂z = (y − t) / batch

Why it is fast: the loss is made from what the softmax has computed anyway; the targets t are one comparison of the labels with
0, 1, … K − 1, and what is to be added up over images and classes is a product with them, or with ones; where every image has one
largest score, the right answers are those at which a target lies.
"""

from __future__ import annotations

import numpy as np

from engine.layer import Array
from engine.losses import targets_of
from engine.memory import aligned_zeros
from engine.plans.boundary import Boundary
from engine.plans.calls import Form, bind, product


class SoftmaxForm(Form):
    """y (K, N) = softmax of z (K, N) over the K features; `measure` gives the loss of class labels."""

    def __init__(self, z: Boundary, y: Boundary) -> None:
        super().__init__()
        k, n = z.y.shape
        dtype = z.y.dtype
        self._z, self._y = z, y
        self._classes, self._zero = np.arange(k)[:, None], np.zeros((), dtype)
        self._largest, self._sum = aligned_zeros((n,), dtype), aligned_zeros((n,), dtype)
        # Numbers of all images and classes in one run, which is what `dot` adds up.
        self._shifted, self._targets, self._tops, self._ones = aligned_zeros((4, k * n), dtype)
        self._ones.fill(1)
        shifted = self._shifted.reshape(k, n)
        self._targets_by_class = self._targets.reshape(k, n)
        self.forward = [bind(np.maximum.reduce, z.y, 0, None, self._largest), bind(np.subtract, z.y, self._largest, out=shifted),
                        bind(np.exp, shifted, out=y.y), product(np.ones(k, dtype), y.y, self._sum),
                        bind(np.divide, y.y, self._sum, out=y.y)]

    def measure(self, labels: Array, batch: int) -> tuple[float, int]:
        """The summed loss and the right answers for class labels (N,); writes the delta of z."""
        y, targets, delta, n = self._y.y, self._targets_by_class, self._z.dy, len(labels)
        np.equal(self._classes, labels, targets)
        if self._targets.dot(self._ones) != n:
            targets_of(labels, len(y), y.dtype)  # says which label names no output
        loss = np.log(self._sum, self._sum).dot(self._ones[:n]) - self._shifted.dot(self._targets)
        np.subtract(y, targets, delta)
        np.divide(delta, batch, delta)
        return float(loss), self._right(labels)

    def _right(self, labels: Array) -> int:
        """How many images have their largest output, the first one of equals, at their label."""
        np.equal(self._shifted, self._zero, self._tops)
        if self._tops.dot(self._ones) != len(labels):  # equal ones, or numbers that are not finite
            return int(np.count_nonzero(self._y.y.argmax(axis=0) == labels))
        return int(self._tops.dot(self._targets))
