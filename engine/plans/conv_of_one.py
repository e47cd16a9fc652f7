"""Convolution of a single image: its windows are copied side by side, and all pixels are one product.

    columns (P, kh·kw·C)  =  the windows of the P pixels, in the order in which the maps lie in memory
    y (P, D)              =  columns · W (kh·kw·C, D)
    ∂E/∂W                 =  columnsᵀ · δ (P, D)
    ∂E/∂x                 =  the same routine as y, over the zero-padded δ with the rotated kernel

Why it is fast: with one image the products of conv_innermost.py would be products with vectors; these are as large as BLAS
libraries like them. A row of a window (kw·C) is one run in memory, and is copied as one element.

It serves every stride, padding and kernel size with dilation 1 across (any dilation down) and one group.
"""

from __future__ import annotations

import contextlib

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.layer import Array
from engine.memory import aligned_zeros
from engine.plans.calls import BLOCK, Call, Scratch, bind
from engine.plans.conv_innermost import Target
from engine.plans.conv_rows import multiply
from engine.windows import Pair


class CorrelationOfOne:
    """y = kernel ⋆ x, with the interface of conv_innermost.Correlation: the owner fills `kernels`, one view (D, kw, kh, C)."""

    def __init__(self, x: Array, maps: Array, size: Pair, stride: Pair, dilation_down: int, scratch: Scratch) -> None:
        (_, _, channels, _), (places, ph, across, pw, depth, _) = x.shape, maps.shape
        (kh, kw), (sh, sw), (down, right, _, _) = size, stride, x.strides
        self._scratch = scratch
        self._kernel = aligned_zeros((kh * kw * channels, depth), x.dtype)
        self.kernels = [self._kernel.reshape(kh, kw, channels, depth).transpose(3, 1, 0, 2)]
        self.transform: list[Call] = []
        self._windows = as_strided(x, (places, ph, across, pw, kh, kw * channels), (
            ph * sh * down, sh * down, pw * sw * right, sw * right, dilation_down * down, x.itemsize), writeable=False)
        height = max(1, BLOCK // self._windows[0].size)
        self._blocks = [slice(i, min(i + height, places)) for i in range(0, places, height)]

    def forward(self, target: Target) -> list[Call]:
        """The calls that compute y, block by block."""
        calls: list[Call] = []
        for block in self._blocks:
            mark = self._scratch.mark()
            out, after = target(block)
            copied, columns, pixels = self._side_by_side(block, out)
            calls += [copied, multiply(self._kernel.T, columns.swapaxes(-1, -2), pixels.swapaxes(-1, -2)), *after]
            self._scratch.release(mark)
        return calls

    def weight_gradient(self, delta: Array, out: Array) -> list[Call]:
        """The calls that write ∂E/∂W (D, C, kh, kw) for the delta of the maps."""
        depth, channels, kh, kw = out.shape
        total = aligned_zeros(self._kernel.shape, delta.dtype)
        calls: list[Call] = [bind(total.fill, 0)]
        for block in self._blocks:
            mark = self._scratch.mark()
            copied, columns, pixels = self._side_by_side(block, delta[block])
            products = self._scratch.take((*columns.shape[:-2], *total.shape))
            calls += [copied, bind(np.matmul, columns.swapaxes(-1, -2), pixels, out=products)]
            calls += [bind(np.add, total, product, out=total) for product in products.reshape(-1, *total.shape)]
            self._scratch.release(mark)
        return [*calls, bind(np.copyto, out, total.reshape(kh, kw, channels, depth).transpose(3, 2, 0, 1))]

    def _side_by_side(self, block: slice, maps: Array) -> tuple[Call, Array, Array]:
        """The call that copies the windows of a block, where to, and its maps: (…, pixels, kh·kw·C) and (…, pixels, D)."""
        order = sorted((axis for axis in range(4) if maps.shape[axis] > 1), key=lambda axis: -maps.strides[axis])
        single = tuple(axis for axis in range(4) if axis not in order)
        windows = self._windows[block].transpose(*single, *order, 4, 5)[(0,) * len(single)]
        pixels = maps[..., 0].transpose(*single, *order, 4)[(0,) * (len(single) - (not order))]
        columns = self._scratch.take(windows.shape)
        row = np.dtype((np.void, windows.shape[-1] * windows.itemsize))
        copied = bind(np.copyto, columns.view(row), windows.view(row))
        with contextlib.suppress(ValueError):  # with gaps between the rows, each row is a product
            pixels = pixels.reshape((-1, pixels.shape[-1]), copy=False)
        return copied, columns.reshape(*pixels.shape[:-1], -1), pixels
