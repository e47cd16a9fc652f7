"""Convolution with kernels three columns wide in half the multiplications: Winograd's F(4, 3) along the rows of the maps.

Four neighbouring pixels of a row need 4·3 products for each row of the kernel; made from polynomials, six do (S. Winograd,
Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2016).
With x (H, W, C, N), t a tile of four pixels and f one of six points at which polynomials are evaluated:

    v[f, t, i]  =  Σ_q Bᵀ[f, q] · x[i, 4t + q]                 six columns of x for four pixels                  (C, N)
    u[f]        =  Σ_k G[f, k] · W[:, :, :, k]                 the kernel's three columns                        (D, kh·C)
    m[f, t, i]  =  u[f] · rows i … i + kh − 1 of v[f, t]       one small product, of half as many in all         (D, N)
    y[i, 4t+r]  =  Σ_f Aᵀ[r, f] · m[f, t, i]                                                                     (D, N)

    ∂E/∂W[…, k] =  Σ_f G[f, k] · Σ_ti rows of v[f, t] · (Σ_r A[f, r] · δ[i, 4t + r])ᵀ
    ∂E/∂x       =  the same routine as y, over the zero-padded δ with the rotated kernel

Why it is fast: the first, third and last line are matrix products of their own, so that the whole convolution is four calls of
`matmul` for a block of rows; rows i … i + kh − 1 lie side by side in v, so that nothing is unrolled; a block of v and m stays in
the second-level cache. Evaluating at the points 0, ±1, ±2, ∞ costs about one of the seven digits of a float32.

It serves kernels of any height and three columns with stride 1 and dilation 1, for maps at least four pixels wide. Where the
width is no multiple of four, the last tile reaches back over pixels that the one before has made already.
"""

from __future__ import annotations

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

TILE, POINTS, COLUMNS = 4, 6, 3
"""Pixels of a tile, points of evaluation, and columns of the kernel: TILE + COLUMNS − 1 = POINTS."""

LEAST_ROWS = 8
"""Rows of a block at least, since it evaluates kh − 1 rows more than it makes."""

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
    _, _, across, pw, depth, n = maps.shape
    return size[1] == COLUMNS and stride == (1, 1) and dilation_down == 1 and n > 1 and across * pw >= TILE and TILE % pw == 0 \
        and min(channels, depth) >= WIDE


def wants(placed: Placed) -> bool:
    """Whether this is the form for a layer, so that the maps of its network had better lie pixel by pixel."""
    layer = placed.node.layer
    return isinstance(layer, Conv2D) and layer.kernel_size[1] == COLUMNS and layer.stride == (1, 1) and layer.groups == 1 \
        and layer.dilation == (1, 1) and placed.y[2] >= TILE and min(placed.x[0], layer.depth) >= WIDE


class Winograd:
    """y = kernel ⋆ x, with the interface of conv_innermost.Correlation: the owner fills `kernels`, one view (D, kw, kh, C)."""

    def __init__(self, x: Array, maps: Array, size: Pair, scratch: Scratch) -> None:
        _, _, channels, n = x.shape
        kh, (places, ph, across, pw, depth, _) = size[0], maps.shape
        self._x, self._kh, self._scratch = x, kh, scratch
        self._pool, self._depth, self._width = (ph, pw), depth, across * pw
        self._tiles = -(-self._width // TILE)
        self._sides = 1 if maps.strides[2] == pw * maps.strides[3] else pw  # in how many runs the maps have a tile's pixels
        self._kernel = aligned_zeros((COLUMNS, depth, kh, channels), x.dtype)
        self._points = aligned_zeros((POINTS, 1, 1, depth, kh * channels), x.dtype)
        self.kernels = [self._kernel.transpose(1, 0, 2, 3)]
        self._b_t, self._g, self._a_t, self._a = (np.ascontiguousarray(matrix, x.dtype) for matrix in (B_T, G, A_T, A_T.T))
        row = POINTS * n * max(channels, depth)
        height = max(-(-LEAST_ROWS // ph), (BLOCK // (row * self._tiles) - kh + 1) // ph)
        self._blocks = [slice(i, min(i + height, places)) for i in range(0, places, height)]
        parts = max(1, -(-self._tiles * row * (min(height, places) * ph + kh - 1) // BLOCK))
        step = -(-self._tiles // parts)
        self._parts = [slice(t, min(t + step, self._tiles)) for t in range(0, self._tiles, step)]

    def forward(self, target: Target) -> list[Call]:
        """The calls that compute y, block by block."""
        calls: list[Call] = [bind(np.matmul, self._g, self._kernel.reshape(COLUMNS, -1), out=self._points.reshape(POINTS, -1))]
        for block in self._blocks:
            start = self._scratch.mark()
            out, after = target(block)
            for tiles in self._parts:
                mark = self._scratch.mark()
                v, evaluate = self._evaluate(block, tiles)
                windows = self._windows(v)
                m = self._scratch.take((*windows.shape[:3], self._depth, windows.shape[4]))
                calls += [*evaluate, bind(np.matmul, self._points, windows, out=m), *self._interpolate(m, out, tiles)]
                self._scratch.release(mark)
            calls += after
            self._scratch.release(start)
        return calls

    def weight_gradient(self, delta: Array, out: Array) -> list[Call]:
        """The calls that write ∂E/∂W (D, C, kh, kw) for the delta of the maps."""
        d, c, kh, kw = out.shape
        total, of_part = (aligned_zeros((POINTS, kh * c * d), delta.dtype) for _ in range(2))
        calls: list[Call] = [bind(total.fill, 0)]
        for block in self._blocks:
            for tiles in self._parts:
                mark = self._scratch.mark()
                v, evaluate = self._evaluate(block, tiles)
                calls += [*evaluate, *self._add_up(self._windows(v), delta[block], tiles, of_part),
                          bind(np.add, total, of_part, out=total)]
                self._scratch.release(mark)
        gradient = self._scratch.take((kw, kh * c * d))
        return [*calls, bind(np.matmul, self._g.T, total, out=gradient),
                bind(np.copyto, out, gradient.reshape(kw, kh, c, d).transpose(3, 2, 1, 0))]

    def _pieces(self, tiles: slice) -> list[tuple[slice, int, int]]:
        """A range of tiles in pieces of equal steps: (tiles in the range, first pixel, pixels that an earlier tile has made)."""
        regular, rest = divmod(self._width, TILE)
        pieces = []
        if tiles.start < regular:
            pieces.append((slice(0, min(tiles.stop, regular) - tiles.start), TILE * tiles.start, 0))
        if tiles.stop > regular:
            pieces.append((slice(regular - tiles.start, tiles.stop - tiles.start), self._width - TILE, TILE - rest))
        return pieces

    def _evaluate(self, block: slice, tiles: slice) -> tuple[Array, list[Call]]:
        """v (points, tiles, rows, C, N) of all rows that a block reads, and the calls that compute it."""
        _, _, c, n = self._x.shape
        ph = self._pool[0]
        x = self._x[block.start * ph:block.stop * ph + self._kh - 1]
        v = self._scratch.take((POINTS, tiles.stop - tiles.start, len(x), c, n))
        across, out = x.strides[1], v.reshape(*v.shape[:3], c * n).transpose(2, 1, 0, 3)
        calls: list[Call] = []
        for piece, first, _ in self._pieces(tiles):
            columns = as_strided(x[:, first:], (len(x), piece.stop - piece.start, POINTS, c * n),
                                 (x.strides[0], TILE * across, across, x.itemsize), writeable=False)
            calls.append(bind(np.matmul, self._b_t, columns, out=out[:, piece]))
        return v, calls

    def _windows(self, v: Array) -> Array:
        """The kh rows of v that each row of the maps needs, seen as one matrix: (points, tiles, rows, kh·C, N)."""
        points, tiles, rows, c, n = v.shape
        return as_strided(v, (points, tiles, rows - self._kh + 1, self._kh * c, n), v.strides, writeable=False)

    def _interpolate(self, m: Array, out: Array, tiles: slice) -> list[Call]:
        """The calls that compute y, a block of rows of the maps, from m (points, tiles, rows, D, N)."""
        ph = self._pool[0]
        points = m.reshape(*m.shape[:2], -1, ph, self._depth * m.shape[4]).transpose(2, 3, 1, 0, 4)
        calls: list[Call] = []
        for piece, first, _ in self._pieces(tiles):
            of_piece, maps = points[:, :, piece], self._in_tiles(out, piece, first)
            maps = maps.reshape(*maps.shape[:3], TILE // self._sides, self._sides, -1, copy=False)
            calls += [bind(np.matmul, self._a_t[side::self._sides], of_piece, out=maps[:, :, :, :, side])
                      for side in range(self._sides)]
        return calls

    def _in_tiles(self, maps: Array, piece: slice, first: int) -> Array:
        """A piece of the maps as (H', ph, tiles, windows of a tile, pw, D, N)."""
        pw, count = self._pool[1], piece.stop - piece.start
        across = slice(first // pw, (first + count * TILE) // pw)
        return maps[:, :, across].reshape(*maps.shape[:2], count, TILE // pw, *maps.shape[3:], copy=False)

    def _add_up(self, windows: Array, delta: Array, tiles: slice, out: Array) -> list[Call]:
        """The calls that compute, for each point, the sum of window · (A · δ)ᵀ over a block: out (points, kh·C·D)."""
        points, count, rows, cells, n = windows.shape
        evaluated = self._scratch.take((points, count, rows, n, self._depth))
        flipped = self._scratch.take((rows, count, TILE, n * self._depth))
        products = self._scratch.take((count * rows, cells * self._depth))
        calls: list[Call] = []
        for piece, first, made in self._pieces(tiles):
            of_piece = self._in_tiles(delta, piece, first).swapaxes(5, 6)
            pixels, target = flipped[:, piece], evaluated[:, piece].reshape(points, -1, rows, n * self._depth, copy=False)
            a = self._a.copy()
            a[:, :made] = 0  # each pixel counts once
            calls += [bind(np.copyto, pixels.reshape(of_piece.shape, copy=False), of_piece),
                      bind(np.matmul, a, pixels, out=target.transpose(2, 1, 0, 3))]
        ones = np.ones(len(products), out.dtype)
        for of_point, evaluated_there, total in zip(windows, evaluated, out, strict=True):
            calls += [bind(np.matmul, of_point, evaluated_there, out=products.reshape(count, rows, cells, -1)),
                      bind(np.matmul, ones, products, out=total)]
        return calls
