"""Convolution with the images innermost, maps in rows: one matrix product for each row of the maps.

    x̂ (H, C, W, N)  ->  columns (H, kw, C, W', N):  columns[r, v, c, j] = x̂[r, c, j·s + v·d]      kw copies instead of kh·kw
    all that row i of the maps reads is then one matrix, window[i] (kh·kw·C, W'·N): the kh rows that begin at i·s

    y[i] (D, W'·N)  =  W (D, kh·kw·C) · window[i]
    ∂E/∂W           =  Σ_i  window[i] · δ[i]ᵀ                 a product for each row, summed by a product with a vector of ones
    ∂E/∂x[r]        :  Wᵀ (kw·C, kh·D) · δ̂[r] (kh·D, W'·N)    δ̂[r]: the kh rows of the zero-padded δ that row r has gone into;
                       its part v, c then is added to ∂E/∂x[r, c] at the columns j·s + v·d

Why it is fast: a product is large enough to be worth a call and small enough for its operands to stay in the caches; operands
are read, and results written, where they lie; δ is not unrolled at all. All is done a block of rows at a time, so that what lies
between unrolling and product never leaves the second-level cache.

Before a max pooling the columns of the maps are grouped by their place v in the pooling window: the pooling then takes the
maximum of long contiguous runs. With few filters on a BLAS library that packs its operands, a product is too small to pay for
that. There the pixels that stand side by side in a pooling window share one: their windows together, with the kernel written
once for each pixel, shifted by the stride, and all else zero.

It serves every stride, padding and kernel size with dilation 1 across (any dilation down) and one group.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.blas import packs_small_products
from engine.layer import Array
from engine.layers.conv import Conv2D
from engine.memory import aligned_zeros
from engine.plans.calls import BLOCK, Call, Scratch, bind, in_runs, product
from engine.plans.conv_innermost import Target

FEW_FILTERS, MANY_CELLS = 8, 16
"""Filters up to which, and cells of a window from which on, it pays on a library that packs when pixels share a product."""
SMALL_PRODUCT = 1_000_000
"""Multiply-accumulates up to which a product is fastest, on a library that has kernels for small ones."""
SMALL_SUM = 1200
"""The same for the results of a product over long rows, a·bᵀ."""
SHORTEST = 16
"""Columns or rows below which a piece of a product is not worth its own call."""


def shares(layer: Conv2D, channels: int) -> bool:
    """Whether the pixels side by side in a pooling window share a product."""
    few, many = layer.depth <= FEW_FILTERS, layer.kernel_size[0] * layer.kernel_size[1] * channels >= MANY_CELLS
    return few and many and packs_small_products()


class RowCorrelation:
    """y = kernel ⋆ x, with the interface of conv_innermost.Correlation: the owner fills `kernels`, views (D, kw, kh, C).

    x̂ (H, W, C, N) and the maps (H', ph, W', pw, D, N) lie in memory as (…, C, W, N). With `shared` the pixels side by side in a
    pooling window share a product; their filters then have to lie one after the other.
    """

    def __init__(self, layer: Conv2D, x: Array, maps: Array, shared: bool, kept: bool, scratch: Scratch) -> None:
        x, cells = x.swapaxes(1, 2), _cells(maps)
        (kh, kw), (sh, sw), (pw, ph, places, d, w, n) = layer.kernel_size, layer.stride, cells.shape
        self._layer, self._x, self._scratch = layer, x, scratch
        self._pixels, self._rows_each = pw if shared else 1, ph
        # The rows that a window reads follow each other; with a dilation they do so only in a copy for each row of the maps.
        self._step = sh if layer.dilation[0] == 1 else kh
        columns, c = kw + (self._pixels - 1) * sw, x.shape[1]
        self._kernel = aligned_zeros((self._pixels, d, kh, columns, c), x.dtype)
        self.kernels = [kernel[:, :, part].swapaxes(1, 2) for kernel, part in zip(self._kernel, self._parts(), strict=True)]
        self._groups = pw // self._pixels
        most = max(self._groups * self._step * columns * c, pw * d) * ph * w * n
        height = min(places, max(1, BLOCK // most))
        self._blocks = [slice(i, min(i + height, places)) for i in range(0, places, height)]
        # What fits into one block is kept for the backward pass, if one comes; otherwise it is unrolled again.
        shape = (self._groups, self._rows(self._blocks[0]), columns, c, w, n)
        self._columns = aligned_zeros(shape, x.dtype) if kept and len(self._blocks) == 1 else scratch.take(shape)
        a, b, _, e, _, item = self._columns.strides
        self._windows = as_strided(self._columns, (self._groups, ph, height, kh * columns * c, w * n),
                                   (a, self._step * b, self._step * ph * b, e, item), writeable=False)

    def forward(self, target: Target) -> list[Call]:
        """The calls that compute y, block by block."""
        kernel = self._kernel.reshape(-1, self._windows.shape[3])
        calls: list[Call] = []
        for block in self._blocks:
            mark = self._scratch.mark()
            out, after = target(block)
            windows = self._windows[:, :, :block.stop - block.start]
            calls += [self._unroll(block), multiply(kernel, windows, self._matrices(_cells(out))), *after]
            self._scratch.release(mark)
        return calls

    def weight_gradient(self, delta: Array, out: Array) -> list[Call]:
        """The calls that write ∂E/∂W (D, C, kh, kw) for the delta of the maps."""
        deltas, (_, _, _, cells, _) = self._matrices(_cells(delta)), self._windows.shape
        depth = deltas.shape[3]
        height = max(1, BLOCK // (self._groups * self._rows_each * cells * depth))
        total, of_part = aligned_zeros((cells * depth,), delta.dtype), self._scratch.take((cells * depth,))
        calls: list[Call] = []
        parts = [(block, i) for block in self._blocks for i in range(block.start, block.stop, height)]
        for k, (block, i) in enumerate(parts):
            if len(self._blocks) > 1 and i == block.start:
                calls.append(self._unroll(block))
            rows = slice(i, min(i + height, block.stop))
            windows = self._windows[:, :, rows.start - block.start:rows.stop - block.start]
            calls += self._add_up(windows, deltas[:, :, rows], of_part if k else total)
            calls += [bind(np.add, total, of_part, out=total)] if k else []
        (kh, _), (_, d, _, columns, c) = self._layer.kernel_size, self._kernel.shape
        gradients = total.reshape(kh, columns, c, self._pixels, d).transpose(3, 4, 2, 0, 1)
        first, *others = (of_pixel[..., part] for of_pixel, part in zip(gradients, self._parts(), strict=True))
        return [*calls, bind(np.copyto, out, first), *(bind(np.add, out, other, out=out) for other in others)]

    def _parts(self) -> list[slice]:
        """Where the kernel stands for each of the pixels that share a product."""
        return [slice(start, start + self._layer.kernel_size[1])
                for start in range(0, self._pixels * self._layer.stride[1], self._layer.stride[1])]

    def _rows(self, block: slice) -> int:
        """Rows of columns that a block of rows of windows needs."""
        rows: int = (block.stop - block.start) * self._rows_each
        return (rows - 1) * self._step + self._layer.kernel_size[0]

    def _matrices(self, cells: Array) -> Array:
        """(pw, ph, H', D, W', N) as the matrices that products make: (groups, ph, H', pixels·D, W'·N)."""
        _, ph, height, d, w, n = cells.shape
        return as_strided(cells, (self._groups, ph, height, self._pixels * d, w * n), (*cells.strides[:4], cells.itemsize))

    def _unroll(self, block: slice) -> Call:
        """Copy what a block reads to the start of the columns."""
        (kh, _), (sh, sw), (dh, _) = self._layer.kernel_size, self._layer.stride, self._layer.dilation
        groups, _, columns, c, w, n = self._columns.shape
        rows, first = self._rows(block), block.start * self._rows_each * sh
        high, channel, across, _ = self._x.strides
        shape, strides = ((rows, 1), (high, high)) if dh == 1 else ((rows // kh, kh), (sh * high, dh * high))
        source = as_strided(self._x[first:], (groups, *shape, columns, c, w, n), (
            sw * across, *strides, across, channel, groups * self._pixels * sw * across, self._x.itemsize), writeable=False)
        return bind(np.copyto, in_runs(self._columns[:, :rows].reshape(source.shape, copy=False)), in_runs(source))

    def _add_up(self, windows: Array, delta: Array, out: Array) -> list[Call]:
        """out = Σ over rows of window · δᵀ (cells, D)."""
        (*places, cells, long), depth = windows.shape, delta.shape[3]
        each = cells if packs_small_products() else piece(cells, SMALL_SUM // depth)
        mark = self._scratch.mark()
        products = self._scratch.take((*places, cells // each, each, depth))
        self._scratch.release(mark)
        windows = windows.reshape(*products.shape[:-1], long, copy=False)
        rows = products.reshape(-1, cells * depth)
        return [bind(np.matmul, windows, delta[:, :, :, None].swapaxes(4, 5), out=products),
                product(np.ones(len(rows), out.dtype), rows, out)]


def input_gradient(layer: Conv2D, weights: Array, delta: Array, left: int, landing: Target, height: int,
                   scratch: Scratch) -> list[Call]:
    """The calls that write ∂E/∂x (H, W, C, N) of that `height`, with `left` columns of padding at the left of x.

    `delta` (·, W', D, N) has rows of zeros around it, and between its rows, so that row r of x has gone into its rows r, r + d, …
    """
    (kh, kw), (_, sw), dh = layer.kernel_size, layer.stride, layer.dilation[0]
    (_, w, d, n), c = delta.shape, weights.shape[1]
    kernel = aligned_zeros((kw, c, kh, d), delta.dtype)
    calls: list[Call] = [bind(np.copyto, kernel, weights[:, :, ::-1].transpose(3, 1, 2, 0))]
    each = max(1, BLOCK // (w * n * max(kw * c, kh * d if dh > 1 else 0)))
    for start in range(0, height, each):
        mark, rows = scratch.mark(), slice(start, min(start + each, height))
        count, (high, _, deep, _), item = rows.stop - start, delta.strides, delta.itemsize
        windows = as_strided(delta[start:], (count, kh * d, w * n), (high, deep, item), writeable=False)
        if dh > 1:  # the rows do not follow each other
            windows = scratch.take(windows.shape)
            apart = as_strided(delta[start:], (count, kh, d, w * n), (high, dh * high, deep, item), writeable=False)
            calls.append(bind(np.copyto, windows.reshape(apart.shape), apart))
        parts = scratch.take((count, kw, c, w, n))
        out, after = landing(rows)
        calls += [multiply(kernel.reshape(kw * c, kh * d), windows, parts.reshape(count, kw * c, w * n))]
        calls += _spread(parts, out.swapaxes(1, 2), [v - left for v in range(kw)], sw) + after
        scratch.release(mark)
    return calls


def _cells(maps: Array) -> Array:
    """(H', ph, W', pw, D, N) as (pw, ph, H', D, W', N)."""
    return maps.transpose(3, 1, 0, 4, 2, 5)


def _spread(parts: Array, out: Array, starts: list[int], step: int) -> list[Call]:
    """out (H, C, W, N) = the sum of parts[:, v] (H, C, W', N), whose column j belongs to column j·step + starts[v]."""
    width, columns = out.shape[2], parts.shape[3]
    moves = []
    for v, start in enumerate(starts):
        first, last = max(0, -(start // step)), min(columns, (width - 1 - start) // step + 1)
        if first < last:
            to = slice(first * step + start, (last - 1) * step + start + 1, step)
            moves.append((last - first, out[:, :, to], parts[:, v, :, first:last]))
    moves.sort(key=lambda move: -move[0])  # the longest first, which may cover all
    calls: list[Call] = []
    if not moves or moves[0][0] < width:
        calls.append(bind(out.fill, 0))
    for k, (_, place, part) in enumerate(moves):
        calls.append(bind(np.add, place, part, out=place) if k else bind(np.copyto, place, part))
    return calls


def multiply(a: Array, b: Array, out: Array, shortest: int = SHORTEST) -> Call:
    """out (…, M, L) = a (M, K) · b (…, K, L), cut into pieces of columns that a library with small kernels likes best."""
    length = b.shape[-1]
    if not packs_small_products():
        length = piece(length, SMALL_PRODUCT // a.size, shortest)
    if out.ndim == 2 and length == out.shape[1]:
        return product(a, b, out)
    b, out = (m.reshape(*m.shape[:-1], m.shape[-1] // length, length, copy=False).swapaxes(-3, -2) for m in (b, out))
    return bind(np.matmul, a, b, out=out)


def multiply_rows(a: Array, b: Array, out: Array) -> Call:
    """out (M, L) = a (M, K) · b (L, K)ᵀ, cut into pieces of the rows of a that a library with small kernels likes best."""
    each = len(a) if packs_small_products() else piece(len(a), SMALL_SUM // len(b))
    if each == len(a):
        return product(a, b.T, out)
    a, out = (m.reshape(-1, each, m.shape[1], copy=False) for m in (a, out))
    return bind(np.matmul, a, b.T, out=out)


def piece(length: int, most: int, shortest: int = SHORTEST) -> int:
    """The largest part of at most that size into which a length can be cut evenly; all of it where that part is too short."""
    best = next((length // k for k in range(1, length + 1) if length % k == 0 and length // k <= most), 1)
    return best if best >= shortest else length
