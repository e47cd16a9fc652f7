"""Convolution in a network of wide channels, where Winograd's does not serve: a small matrix product for each output pixel.

    x̂ (H, W, C, N)  ->  rows (H', W, kh, C, N):  rows[i, w, u] = x̂[i·s + u·d, w]        kh copies instead of kh·kw
    the window of pixel (i, j) is then one contiguous run (kw·kh·C, N) of row i, beginning at column j·s

    y[i, j] (D, N)  =  W (D, kw·kh·C) · window                       y is written to wherever the next layer wants it
    ∂E/∂W           =  Σ_ij  window · δ[i, j] (N, D)    a product for each pixel, summed by a product with a vector of ones
    ∂E/∂x           =  the same routine as y, over the zero-padded δ with the rotated kernel

Why it is fast: each product is small enough for its operands to stay in the first-level cache, and BLAS libraries have kernels
that pack nothing for that size; all pixels of a block are one call; y and δ, (H', N, W', D) in memory, stay where they are. All
is done a block of rows at a time, so that what lies between unrolling and product never leaves the second-level cache.

With few filters on a BLAS library that packs its operands, a product is too small to pay for it. There two neighbouring pixels
share one: their windows together, with the kernel written twice, the second time shifted by the stride and all else zero.

It serves every stride, padding and kernel size with dilation 1 across (any dilation down) and one group.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.blas import packs_small_products
from engine.layer import Array
from engine.memory import aligned_zeros
from engine.plans.calls import BLOCK, Call, Scratch, bind, product
from engine.windows import Pair

Target = Callable[[slice], tuple[Array, list[Call]]]
"""For a block of rows: where they go, and the calls that follow."""

FEW_FILTERS = 8
"""Filters up to which two pixels share a product, on a library that packs."""


class Correlation:
    """y = kernel ⋆ x over (H, W, C, N). The owner fills `kernels`, views (D, kw, kh, C) for each pixel of a product, and makes
    the calls of `transform`, before `forward`.

    The maps y and their deltas are given as (H', ph, W', pw, D, N), in the windows (ph, pw) of the pooling that follows, of one
    pixel where none does. Pixels of neighbouring windows can share a product where the maps have them side by side.
    """

    def __init__(self, x: Array, maps: Array, size: Pair, stride: Pair, dilation_down: int, scratch: Scratch) -> None:
        _, width, channels, n = x.shape
        (kh, kw), (sh, sw), (places, ph, across, pw, depth, _) = size, stride, maps.shape
        self._scratch, self._step = scratch, sw * pw
        joins = across % 2 == 0 and maps.strides[2] == depth * maps.strides[4]
        self._pixels = 2 if joins and depth <= FEW_FILTERS and packs_small_products() else 1
        columns = kw + (self._pixels - 1) * self._step
        self._kernel = aligned_zeros((self._pixels * depth, columns * kh * channels), x.dtype)
        banded = self._kernel.reshape(self._pixels, depth, columns, kh, channels)
        self.kernels = [kernel[:, k * self._step:k * self._step + kw] for k, kernel in enumerate(banded)]
        self.transform: list[Call] = []
        self._rows_each = ph
        height = min(places, max(1, BLOCK // (ph * n * max(width * kh * channels, across * pw * depth))))
        self._blocks = [slice(i, min(i + height, places)) for i in range(0, places, height)]
        # Rows that fit into one block are still there when the backward pass comes; otherwise it unrolls them again.
        shape = (height * ph, width, kh, channels, n)
        self._rows = aligned_zeros(shape, x.dtype) if len(self._blocks) == 1 else scratch.take(shape)
        a, b, c, d = x.strides
        self._source = as_strided(x, (places * ph, *shape[1:]), (a * sh, b, a * dilation_down, c, d), writeable=False)
        a, b, _, d, e = self._rows.strides
        self._windows = as_strided(self._rows, (height, ph, across // self._pixels, pw, columns * kh * channels, n),
                                   (a * ph, a, b * self._step * self._pixels, b * sw, d, e), writeable=False)

    def forward(self, target: Target) -> list[Call]:
        """The calls that compute y, block by block."""
        calls: list[Call] = []
        for block in self._blocks:
            mark = self._scratch.mark()
            out, after = target(block)
            calls += [self._unroll(block), *self._multiply(self._windows[:block.stop - block.start], self._joined(out)), *after]
            self._scratch.release(mark)
        return calls

    def weight_gradient(self, delta: Array, out: Array) -> list[Call]:
        """The calls that write ∂E/∂W (D, C, kh, kw) for the delta of the maps."""
        delta = self._joined(delta)
        (d, c, kh, kw), cells = out.shape, self._kernel.shape[1]
        depth = d * self._pixels
        parts = self._parts(delta.shape[2], BLOCK // (cells * depth * delta.shape[1] * delta.shape[3]))
        total, of_part = aligned_zeros((cells * depth,), delta.dtype), self._scratch.take((cells * depth,))
        calls: list[Call] = []
        for k, (block, rows, columns) in enumerate(parts):
            if len(self._blocks) > 1 and rows.start == columns.start == 0:
                calls.append(self._unroll(block))
            windows, of_pixels = self._windows[rows, :, columns], delta[block][rows, :, columns]
            calls += self._add_up(windows, of_pixels, of_part if k else total)
            calls += [bind(np.add, total, of_part, out=total)] if k else []
        gradients = total.reshape(-1, kh, c, self._pixels, d).transpose(3, 4, 2, 1, 0)
        first, *others = (of_pixel[..., k * self._step:k * self._step + kw] for k, of_pixel in enumerate(gradients))
        return [*calls, bind(np.copyto, out, first), *(bind(np.add, out, other, out=out) for other in others)]

    def _joined(self, maps: Array) -> Array:
        """The maps of the pixels that share a product as one matrix: (H', ph, W'/pixels, pw, pixels·D, N)."""
        a, u, b, v, d, n = maps.shape
        along = list(maps.strides)
        along[2] *= self._pixels
        return as_strided(maps, (a, u, b // self._pixels, v, self._pixels * d, n), along)

    def _unroll(self, block: slice) -> Call:
        """Copy what a block of rows reads to the start of the rows."""
        rows = slice(block.start * self._rows_each, block.stop * self._rows_each)
        return bind(np.copyto, self._rows[:rows.stop - rows.start], self._source[rows])

    def _multiply(self, windows: Array, out: Array) -> list[Call]:
        """out (…, D, N) = kernel · windows (…, cells, N)."""
        return [bind(np.matmul, self._kernel, windows, out=out)]

    def _add_up(self, windows: Array, delta: Array, out: Array) -> list[Call]:
        """out = Σ over pixels of window · δᵀ (cells, D)."""
        (*places, cells, _), d = windows.shape, delta.shape[4]
        mark = self._scratch.mark()
        products = self._scratch.take((*places, cells, d))
        self._scratch.release(mark)
        return [bind(np.matmul, windows, delta.swapaxes(4, 5), out=products), *_sum(products.reshape(-1, cells * d), out)]

    def _parts(self, across: int, windows: int) -> list[tuple[slice, slice, slice]]:
        """Every block cut into pieces of about that many windows: (block, rows in it, columns)."""
        parts = []
        for block in self._blocks:
            rows = block.stop - block.start
            if windows >= across:
                step = windows // across
                parts += [(block, slice(i, min(i + step, rows)), slice(0, across)) for i in range(0, rows, step)]
            else:
                step = -(-across // -(-across // max(1, windows)))
                parts += [(block, slice(i, i + 1), slice(j, min(j + step, across)))
                          for i in range(rows) for j in range(0, across, step)]
        return parts


def _sum(products: Array, out: Array) -> list[Call]:
    """out = the sum of the rows."""
    return [product(np.ones(len(products), out.dtype), products, out)]


def kernel_in_order(weights: Array, kernels: list[Array]) -> list[Call]:
    """W (D, C, kh, kw) to (D, kw, kh, C), the order of a window's cells."""
    return [bind(np.copyto, kernel, weights.transpose(0, 3, 2, 1)) for kernel in kernels]


def rotated_kernel_in_order(weights: Array, kernels: list[Array]) -> list[Call]:
    """W (D, C, kh, kw), rotated by 180° and read from the filters' side, to (C, kw, kh, D)."""
    return [bind(np.copyto, kernel, weights[:, :, ::-1, ::-1].transpose(1, 3, 2, 0)) for kernel in kernels]
