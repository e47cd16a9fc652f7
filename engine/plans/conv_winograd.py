"""Convolution with kernels three rows high in half the multiplications: Winograd's F(4, 3) down the columns of the maps.

Four neighbouring pixels of a column need 4·3 products for each column of the kernel; made from polynomials, six do (S. Winograd,
Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2016).
With x (H, N, W, C), t a tile of four rows and f one of six points at which polynomials are evaluated:

    v[f, t]        =  Σ_q Bᵀ[f, q] · x[4t + q]                 six rows of x for four rows of y                     (N, W, C)
    u[f]           =  Σ_k G[f, k] · W[:, :, k]                 the kernel's three rows                              (kw·C, D)
    m[f, t, :, j]  =  columns j … j + kw − 1 of v[f, t] · u[f]                   one product for each column j      (N, D)
    y[4t + r]      =  Σ_f Aᵀ[r, f] · m[f, t]                                                                        (N, W', D)

    e[f, t]        =  Σ_r A[f, r] · δ̂[4t + r]                  δ̂: δ with zeros at its left and right                (N, W, D)
    ∂E/∂W[…, k, l] =  Σ_f G[f, k] · Σ_t v[f, t, :, l:]ᵀ · e[f, t, :, left:]      one long sum over images and columns  (C, D)
    ∂E/∂x          =  the same routine as y, over the zero-padded δ with the rotated kernel

Why it is fast: all but the copies is `matmul`. The columns that a window reads lie side by side, so that nothing is unrolled. In
∂E/∂W the zeros in δ̂ stand where v goes over from one row to the next; so both are read as one run over rows and images, shifted
by l − left, and the sum needs no addition outside of the product. Blocks of v and m stay in the second-level cache. Evaluating
at the points 0, ±1, ±2, ∞ costs about one of the seven digits of a float32. So pixels that see the same flat area of x may differ
in their last digits, and in a max pooling another than the first of them may win; but always one alone, and with the same ∂E/∂W.

It serves kernels of any width and three rows with stride 1 and dilation 1, for maps at least four pixels high. Where the height
is no multiple of four, the last tile reaches back over rows that the one before has made already.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.layer import Array
from engine.layers.conv import Conv2D
from engine.memory import aligned_zeros
from engine.plans.calls import BLOCK, Call, Scratch, bind
from engine.plans.conv_innermost import Target
from engine.spec import Placed
from engine.windows import Pair

WIDE = 16
"""Channels and filters from which the products are large enough for the saving to outweigh the transformations."""

TILE, POINTS, ROWS = 4, 6, 3
"""Pixels of a tile, points of evaluation, and rows of the kernel: TILE + ROWS − 1 = POINTS."""

SMALL_PRODUCT = 1_000_000
"""Multiply-accumulates up to which a product is fastest, on a library that has kernels for small ones."""

PAGE, GAP = 1024, 64
"""Numbers by whole pages of which, and a few cache lines, the points of v and of e lie apart. What begins at the same place of a
page competes for the same eight lines of the first-level cache, and a transformation goes through ten or twelve rows at once."""

B_T = np.array([[4, 0, -5, 0, 1, 0],
                [0, -4, -4, 1, 1, 0],
                [0, 4, -4, -1, 1, 0],
                [0, -2, -1, 2, 1, 0],
                [0, 2, -1, -2, 1, 0],
                [0, 4, 0, -5, 0, 1]])
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
A_T = np.array([[1, 1, 1, 1, 1, 0],
                [0, 1, -1, 2, -2, 0],
                [0, 1, 1, 4, 4, 0],
                [0, 1, -1, 8, -8, 1]])


def serves(size: Pair, stride: Pair, dilation_down: int, channels: int, maps: Array) -> bool:
    """Whether the convolution of that many channels to `maps` (H', ph, W', pw, D, N) is possible and faster this way."""
    places, ph, _, _, depth, _ = maps.shape
    return size[0] == ROWS and stride == (1, 1) and dilation_down == 1 and places * ph >= TILE and TILE % ph == 0 \
        and min(channels, depth) >= WIDE


def wants(placed: Placed) -> bool:
    """Whether this is the form for a layer, so that the maps of its network had better have their channels innermost."""
    layer = placed.node.layer
    return isinstance(layer, Conv2D) and layer.kernel_size[0] == ROWS and layer.stride == (1, 1) and layer.groups == 1 \
        and layer.dilation == (1, 1) and placed.y[1] >= TILE and min(placed.x[0], layer.depth) >= WIDE


class Winograd:
    """y = kernel ⋆ x, with the interface of conv_innermost.Correlation: the owner fills `kernels`, one view (D, kw, kh, C)."""

    def __init__(self, x: Array, maps: Array, size: Pair, scratch: Scratch) -> None:
        self._x, self._scratch = x.transpose(0, 3, 1, 2), scratch
        (_, images, width, channels), (places, ph, across, pw, depth, _) = self._x.shape, maps.shape
        self._ph, self._pw, self._width, self._kw, self._depth = ph, pw, across * pw, size[1], depth
        kernel = aligned_zeros((ROWS, self._kw, channels, depth), x.dtype)
        self._points = aligned_zeros((POINTS, 1, 1, self._kw * channels, depth), x.dtype)
        self.kernels = [kernel.transpose(3, 1, 0, 2)]
        self._b_t, g, self._a_t, self._a = (np.ascontiguousarray(matrix, x.dtype) for matrix in (B_T, G, A_T, A_T.T))
        self._g_t = g.T
        self.transform: list[Call] = [bind(np.matmul, g, kernel.reshape(ROWS, -1), out=self._points.reshape(POINTS, -1))]
        row = POINTS * width * max(channels, depth)
        height = max(1, BLOCK // (row * images)) * TILE // ph
        starts = [i for i in range(0, places, height) if i == 0 or (places - i) * ph >= TILE]  # the last tile may not reach out
        self._blocks = [slice(i, j) for i, j in zip(starts, [*starts[1:], places], strict=True)]
        tiles = max(-(-(block.stop - block.start) * ph // TILE) for block in self._blocks)
        step = -(-images // -(-tiles * row * images // BLOCK))
        self._images = [slice(i, min(i + step, images)) for i in range(0, images, step)]

    def forward(self, target: Target) -> list[Call]:
        """The calls that compute y, block by block."""
        calls: list[Call] = []
        for block in self._blocks:
            start = self._scratch.mark()
            out, after = target(block)
            for images in self._images:
                mark = self._scratch.mark()
                _, v = room_for_points(self._scratch, self._shape(block, images))
                m = self._scratch.take((POINTS, self._pw, *v.shape[1:3], self._width // self._pw, self._depth))
                products = m.reshape(POINTS, self._pw, -1, *m.shape[4:]).swapaxes(2, 3)
                calls += [*self._evaluate(block, images, v), bind(np.matmul, self._windows(v), self._points, out=products),
                          *self._interpolate(m, block, out[..., images])]
                self._scratch.release(mark)
            calls += after
            self._scratch.release(start)
        return calls

    def weight_gradient(self, delta: Array, left: int, out: Array) -> list[Call]:
        """The calls that write ∂E/∂W (D, C, kh, kw) for the delta (H', W, D, N) of the maps, with `left` zeros at its left."""
        delta = delta.transpose(0, 3, 1, 2)
        channels, (_, _, wide, depth) = self._x.shape[3], delta.shape
        total, of_part = (aligned_zeros((POINTS * self._kw, channels * depth), delta.dtype) for _ in range(2))
        calls: list[Call] = [bind(total.fill, 0)]
        for block in self._blocks:
            for images in self._images:
                mark = self._scratch.mark()
                shape = self._shape(block, images)
                # Where the shift leads beyond v it meets zeros of e; but what was there before need not be a number.
                before, after = left * channels, self._kw * channels
                whole, v = room_for_points(self._scratch, shape, before, after)
                _, e = room_for_points(self._scratch, (*shape[:3], wide, depth))
                calls += [bind(part.fill, 0) for part in (whole[:, :before], whole[:, -after:])]
                calls += self._evaluate(block, images, v)
                for piece, first, made in self._pieces(block):
                    a = self._a.copy()
                    a[:, :made] = 0  # each pixel counts once
                    pixels = _tiles(delta[block.start * self._ph + first:, images], piece, TILE)
                    calls.append(_transform(a, pixels, e[:, piece].swapaxes(0, 1)))
                cells, deltas = self._in_pairs(whole, v, e, left)
                products = self._scratch.take((POINTS, self._kw, cells.shape[2], channels, depth))
                calls.append(bind(np.matmul, cells.swapaxes(3, 4), deltas, out=products))
                of_parts = products.reshape(len(total), -1, channels * depth)
                if of_parts.shape[1] > 1:
                    calls.append(bind(np.matmul, np.ones(of_parts.shape[1], delta.dtype), of_parts, out=of_part))
                calls.append(bind(np.add, total, of_part if of_parts.shape[1] > 1 else of_parts[:, 0], out=total))
                self._scratch.release(mark)
        gradient = self._scratch.take((ROWS, self._kw, channels, depth))
        return [*calls, bind(np.matmul, self._g_t, total.reshape(POINTS, -1), out=gradient.reshape(ROWS, -1)),
                bind(np.copyto, out, gradient.transpose(3, 2, 0, 1))]

    def _pieces(self, block: slice) -> list[tuple[slice, int, int]]:
        """A block of rows in pieces of equal steps: (its tiles, their first row, rows that an earlier tile has made)."""
        rows = (block.stop - block.start) * self._ph
        regular, rest = divmod(rows, TILE)
        pieces = [(slice(0, regular), 0, 0)]
        return [*pieces, (slice(regular, regular + 1), rows - TILE, TILE - rest)] if rest else pieces

    def _shape(self, block: slice, images: slice) -> tuple[int, ...]:
        """The shape of v: (points, tiles, N, W, C)."""
        return POINTS, self._pieces(block)[-1][0].stop, images.stop - images.start, *self._x.shape[2:]

    def _evaluate(self, block: slice, images: slice, v: Array) -> list[Call]:
        """The calls that compute v for all that a block reads."""
        return [_transform(self._b_t, _tiles(self._x[block.start * self._ph + first:, images], piece, POINTS),
                           v[:, piece].swapaxes(0, 1)) for piece, first, _ in self._pieces(block)]

    def _windows(self, v: Array) -> Array:
        """The columns of v that each column of the maps reads, as one matrix: (points, pw, W', tiles·N, kw·C)."""
        points, tiles, images, _, channels = v.shape
        point, _, row, cell, item = v.strides
        return as_strided(v, (points, self._pw, self._width // self._pw, tiles * images, self._kw * channels),
                          (point, cell, self._pw * cell, row, item), writeable=False)

    def _interpolate(self, m: Array, block: slice, out: Array) -> list[Call]:
        """The calls that compute y, a block of rows of the maps, from m (points, pw, tiles, N, W', D)."""
        cells = out.transpose(3, 0, 1, 5, 2, 4)
        cells = cells.reshape(self._pw, -1, *cells.shape[3:], copy=False)
        return [_transform(self._a_t, np.moveaxis(m[:, :, piece], 0, 2), _tiles(cells[:, first:], piece, TILE))
                for piece, first, _ in self._pieces(block)]

    def _in_pairs(self, whole: Array, v: Array, e: Array, left: int) -> tuple[Array, Array]:
        """Cells of v and of e that belong together, for each shift: (points, kw, parts, long, C) and (points, 1, parts, long, D).

        `whole` is v with what stands before and after it.
        """
        (points, tiles, images, width, channels), (*_, wide, depth) = v.shape, e.shape
        rows, (point, _, row, cell, item) = tiles * images, v.strides
        if wide == width:
            most = max(1, SMALL_PRODUCT // (channels * depth * width))
            parts = next(k for k in range(1, rows + 1) if rows % k == 0 and rows // k <= most)
            long = rows // parts * width
            return as_strided(whole, (points, self._kw, parts, long, channels), (point, cell, long * cell, cell, item),
                              writeable=False), e.reshape(points, 1, parts, long, depth)
        return as_strided(v, (points, self._kw, rows, self._width, channels), (point, cell, row, cell, item), writeable=False), \
            e.reshape(points, 1, rows, wide, depth)[:, :, :, left:left + self._width]


def room_for_points(scratch: Scratch, shape: tuple[int, ...], before: int = 0, after: int = 0) -> tuple[Array, Array]:
    """Room for v or e of that shape: with so many numbers before and after each of the points, and without them."""
    size = before + math.prod(shape[1:]) + after
    whole = scratch.take((shape[0], -(-size // PAGE) * PAGE + GAP))[:, :size]
    return whole, whole[:, before:size - after].reshape(shape, copy=False)


def _tiles(rows: Array, tiles: slice, height: int) -> Array:
    """Rows (…, H, N, W, C) as tiles of that height, TILE rows apart: (…, tiles, height, N, W, C)."""
    (*others, _, n, w, c), (*strides, down, _, _, _) = rows.shape, rows.strides
    return as_strided(rows, (*others, tiles.stop - tiles.start, height, n, w, c), (*strides, TILE * down, *rows.strides[-4:]))


def _transform(matrix: Array, source: Array, out: Array) -> Call:
    """out (…, p, N, W, C) = matrix (p, q) · source (…, q, N, W, C), in runs as long as both have them."""
    runs = 1 if all(a.strides[-3] == a.shape[-2] * a.strides[-2] for a in (source, out)) else source.shape[-3]
    source, out = (a.reshape(*a.shape[:-3], runs, -1, copy=False).swapaxes(-3, -2) for a in (source, out))
    return bind(np.matmul, matrix, source, out=out)
