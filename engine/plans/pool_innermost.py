"""Max pooling with the images innermost: a maximum over shifted views, and winners as masks of bits.

    y = x at the window's first cell; then, for each further cell o in row-major order:
        won_o = x_o > y   (strictly, so that the first maximum wins)          y = max(y, x_o)

    backward, from the last cell to the first:   the delta goes to o where won_o, and what is left goes on to the cell before

Why it is fast: every operation runs over whole contiguous planes of images; `won` is the sign of y − x_o, spread over all bits of the number
by a shift, so that the delta is routed by `and` and `xor` without a branch, a multiplication or a scattered write.

With a bias and a ReLU before the pooling, both may come after it instead, on a quarter of the numbers: max(relu(x + b)) = relu(max(x) + b),
since both are monotone; the delta that the gate stops would have stopped before the winner as well.
"""

from __future__ import annotations

import numpy as np

from engine.layer import Array, Layer
from engine.layers.pool import MaxPool2D
from engine.plans.boundary import Boundary
from engine.plans.forms import BiasGradient, Form, Gate, Named, bits_of
from engine.spec import Placed


class MaxPoolForm(Form):
    """y = max over the window, optionally followed by the bias and ReLU of the convolution before it."""

    @staticmethod
    def serves(layer: Layer, placed: Placed) -> bool:
        """No padding and every window inside the map."""
        if not isinstance(layer, MaxPool2D):
            return False
        (kh, kw), (sh, sw) = layer.kernel_size, layer.stride
        _, h, w = placed.x
        _, oh, ow = placed.y
        return not any(layer.window(placed.x).padding) and (oh - 1) * sh + kh <= h and (ow - 1) * sw + kw <= w

    def __init__(self, placed: Placed, x: Boundary, y: Boundary, *, after: tuple[Named, Named] | None = None) -> None:
        layer = placed.node.layer
        assert isinstance(layer, MaxPool2D)
        self.x, self.y = x, y
        (kh, kw), (sh, sw) = layer.kernel_size, layer.stride
        _, oh, ow = placed.y
        self.overlap = sh < kh or sw < kw

        def cells(array: Array) -> list[Array]:
            return [array[u:u + (oh - 1) * sh + 1:sh, v:v + (ow - 1) * sw + 1:sw] for u in range(kh) for v in range(kw)]

        self.cells = cells(x.y)
        self.training = y.delta is not None and x.delta is not None
        if self.training:
            self.deltas = cells(bits_of(x.dy))
            self.delta_floats = cells(x.dy)
            self.difference: Array = np.zeros(y.y.shape, y.y.dtype)
            self.won = [np.zeros(y.y.shape, bits_of(self.difference).dtype) for _ in self.cells]
            self.left: Array = np.zeros(y.y.shape, self.won[0].dtype)
            self.sign = y.y.dtype.itemsize * 8 - 1
        self.after = None if after is None else BiasAndReLU(y, *after)

    def forward(self) -> None:
        y = self.y.y
        first, *others = self.cells
        np.copyto(y, first)
        for i, cell in enumerate(others, 1):
            if self.training:
                np.subtract(y, cell, out=self.difference)
                np.right_shift(bits_of(self.difference), self.sign, out=self.won[i])
            np.maximum(y, cell, out=y)
        if self.after is not None:
            self.after.forward()

    def backward(self) -> None:
        if self.after is not None:
            self.after.backward()
        if not self.training:
            return
        np.copyto(self.left, bits_of(self.y.dy))
        if self.overlap:
            self.x.dy[...] = 0
        for i in range(len(self.cells) - 1, 0, -1):
            taken = np.bitwise_and(self.left, self.won[i], out=self.won[i])
            np.bitwise_xor(self.left, taken, out=self.left)
            self._give(i, taken)
        self._give(0, self.left)

    def _give(self, i: int, delta: Array) -> None:
        if self.overlap:
            self.delta_floats[i] += delta.view(self.y.y.dtype)
        else:
            np.copyto(self.deltas[i], delta)


class BiasAndReLU:
    """y ← max(0, y + b) in place, and its backward pass with ∂E/∂b."""

    def __init__(self, y: Boundary, p: Named, g: Named) -> None:
        self.y, self.p, self.g = y, p, g
        self.zeros: Array = np.zeros(y.y.shape, y.y.dtype)
        self.gate = Gate(y)
        self.bias_gradient = BiasGradient(y.dy) if "b" in p and y.delta is not None else None

    def forward(self) -> None:
        """Add the bias and cut off what is negative."""
        y = self.y.y
        if "b" in self.p:
            y += self.p["b"][:, None]
        np.maximum(y, self.zeros, out=y)

    def backward(self) -> None:
        """Stop the delta where y is 0; ∂E/∂b is the sum of what goes on."""
        self.gate.run()
        if self.bias_gradient is not None:
            self.bias_gradient.run(self.g["b"])
