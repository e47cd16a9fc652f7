"""Convolution with the images innermost: one small matrix product for each output pixel, all of them in one call.

    x̂ (H, W, C, N)  ->  rows (H', W, kh, C, N):  rows[i, w, u] = x̂[i·s + u·d, w]        kh copies instead of kh·kw
    the window of pixel (i, j) is then one contiguous run (kw·kh·C, N) of row i, beginning at column j·s
    y[i, j] (D, N)  =  W (D, kw·kh·C) · window

    ∂E/∂W  =  Σ_ij δ[i, j] (D, N) · windowᵀ         a product for each pixel, summed by a product with a vector of ones
    ∂E/∂x  =  the same routine over the zero-padded δ with the rotated kernel

Why it is fast: the products have no more than some 10⁵ to 10⁶ multiplications, for which BLAS libraries have kernels that pack nothing; their
operands are read where they lie; and the output is already the layout that the next layer reads. It serves every stride,
padding and kernel size with dilation 1 across (any dilation down) and one group.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from engine.layer import Array


class Correlation:
    """y = kernel ⋆ x over (H, W, C, N): the rows are unrolled into a buffer of its own, or of a lender of the same size.

    `kernel` (D, kw·kh·C) is written by the owner before `run`; element order is column, row, channel.
    """

    def __init__(self, x: Array, depth: int, size: tuple[int, int], stride: tuple[int, int], dilation_down: int,
                 places: tuple[int, int]) -> None:
        _, width, channels, n = x.shape
        (kh, kw), (sh, sw), (oh, ow) = size, stride, places
        self.kernel: Array = np.zeros((depth, kw * kh * channels), x.dtype)
        self.rows: Array = np.zeros((oh, width, kh, channels, n), x.dtype)
        a, b, c, d = x.strides
        self._source = as_strided(x, self.rows.shape, (a * sh, b, a * dilation_down, c, d), writeable=False)
        a, b, _, d, e = self.rows.strides
        self.windows = as_strided(self.rows, (oh, ow, kw * kh * channels, n), (a, b * sw, d, e), writeable=False)

    def run(self, out: Array) -> None:
        """Write y (H', W', D, N)."""
        np.copyto(self.rows, self._source)
        np.matmul(self.kernel, self.windows, out=out)


def kernel_in_order(weights: Array, out: Array) -> None:
    """W (D, C, kh, kw) to (D, kw·kh·C), the order of a window's cells."""
    d, c, kh, kw = weights.shape
    np.copyto(out.reshape(d, kw, kh, c), weights.transpose(0, 3, 2, 1))


def rotated_kernel_in_order(weights: Array, out: Array) -> None:
    """W (D, C, kh, kw), rotated by 180° and read from the filters' side, to (C, kw·kh·D)."""
    d, c, kh, kw = weights.shape
    np.copyto(out.reshape(c, kw, kh, d), weights[:, :, ::-1, ::-1].transpose(1, 3, 2, 0))


class WeightGradient:
    """∂E/∂W = Σ over pixels of δ (D, N) · windowᵀ (N, kw·kh·C), through the windows that the forward pass unrolled."""

    def __init__(self, windows: Array, depth: int, weights: tuple[int, ...], dtype: DTypeLike) -> None:
        oh, ow, cells, _ = windows.shape
        self._transposed = windows.swapaxes(2, 3)
        self._of_pixel: Array = np.zeros((oh, ow, depth, cells), dtype)
        self._flat = self._of_pixel.reshape(oh * ow, -1)
        self._ones: Array = np.ones(oh * ow, dtype)
        self._sum: Array = np.zeros(depth * cells, dtype)
        d, c, kh, kw = weights
        self._in_order = self._sum.reshape(d, kw, kh, c).transpose(0, 3, 2, 1)

    def run(self, delta: Array, out: Array) -> None:
        """Write the gradient (D, C, kh, kw) from δ (H', W', D, N)."""
        np.matmul(delta, self._transposed, out=self._of_pixel)
        np.matmul(self._ones, self._flat, out=self._sum)
        np.copyto(out, self._in_order)
