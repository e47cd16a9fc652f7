"""Winograd's convolution of a single image: F(4, 3) down the columns of the maps, for kernels three rows high.

With one image the products of conv_winograd.py would be products with vectors. Here a row of pixels takes the images' place. With
x (H, W, C), t a tile of four rows, f a point, and l a column of the kernel:

    v[f, t]      =  Σ_q Bᵀ[f, q] · x[4t + q]                    six rows of x for four rows of y                  (W, C)
    m[f, l, t]   =  v[f, t, l … l + W' − 1] · u[f, l]           one product, whose window is read where it lies   (W', D)
    y[4t + r]    =  Σ_fl Aᵀ[r, f] · m[f, l, t]                  the sum over the kernel's columns comes free      (W', D)

Why it is fast: half the multiplications of a direct convolution, and no window is ever copied; all three lines are `matmul`.

It serves kernels of any width and three rows with stride 1 and dilation 1, for maps at least four pixels high. ∂E/∂W is left to
the products of conv_innermost.py.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.layer import Array
from engine.memory import aligned_zeros
from engine.plans.calls import Call, Scratch, bind
from engine.plans.conv_innermost import CorrelationOfOne, Target
from engine.plans.conv_winograd import A_T, B_T, POINTS, ROWS, TILE, G
from engine.windows import Pair


class WinogradOfOne(CorrelationOfOne):
    """y = kernel ⋆ x for a single image, all rows at once."""

    def __init__(self, x: Array, maps: Array, size: Pair, scratch: Scratch) -> None:
        super().__init__(x, maps, size, (1, 1), 1, scratch)
        channels, (places, ph, _, _, depth, _) = x.shape[2], maps.shape
        self._x, self._size, self._places = x, size, places
        rows = places * ph
        self._tiles = -(-rows // TILE)
        # (tiles, their first row); where the height is no multiple of four, the last tile makes some rows a second time
        self._pieces = [(slice(0, rows // TILE), 0), (slice(rows // TILE, self._tiles), rows - TILE)][:1 + (rows % TILE > 0)]
        rotated = aligned_zeros((ROWS, size[1], channels, depth), x.dtype)
        self._u = aligned_zeros((POINTS, size[1], 1, 1, channels, depth), x.dtype)
        self.kernels = [rotated.transpose(3, 1, 0, 2)]
        self._b_t = B_T.astype(x.dtype)
        self._a_t = np.repeat(A_T, size[1], axis=1).astype(x.dtype)
        self._evaluate_kernel = bind(np.matmul, G.astype(x.dtype), rotated.reshape(ROWS, -1), out=self._u.reshape(POINTS, -1))

    def forward(self, target: Target) -> list[Call]:
        """The calls that compute y."""
        _, width, channels, _ = self._x.shape
        out, after = target(slice(0, self._places))
        _, ph, across, pw, depth, _ = out.shape
        v = self._scratch.take((POINTS, self._tiles, width, channels))
        m = self._scratch.take((POINTS, self._size[1], self._tiles, pw, across, depth))
        a, b, c, d = v.strides
        windows = as_strided(v, (*m.shape[:5], channels), (a, c, b, c, pw * c, d), writeable=False)
        points = m.reshape(len(self._a_t[0]), self._tiles, pw, across * depth).transpose(1, 2, 0, 3)
        evaluate: list[Call] = []
        interpolate: list[Call] = []
        down, step = self._x.strides[0], TILE // ph
        for tiles, first in self._pieces:
            count = tiles.stop - tiles.start
            rows = as_strided(self._x[first:], (count, POINTS, width * channels), (TILE * down, down, self._x.itemsize),
                              writeable=False)
            evaluate.append(bind(np.matmul, self._b_t, rows,
                                 out=v[:, tiles].reshape(POINTS, count, -1, copy=False).swapaxes(0, 1)))
            maps = out[first // ph:first // ph + count * step].reshape(count, step, *out.shape[1:5], copy=False)
            interpolate += [bind(np.matmul, self._a_t[row::ph], points[tiles],
                                 out=maps[:, :, row].transpose(0, 3, 1, 2, 4).reshape(count, pw, step, -1, copy=False))
                            for row in range(ph)]
        return [self._evaluate_kernel, *evaluate, bind(np.matmul, windows, self._u, out=m), *interpolate, *after]

    def weight_gradient(self, delta: Array, out: Array) -> list[Call]:
        """The calls that write ∂E/∂W (D, C, kh, kw), which begin by unrolling: `forward` has not."""
        unroll = [self._unroll(self._blocks[0])] if len(self._blocks) == 1 else []
        return [*unroll, *super().weight_gradient(delta, out)]
