"""Pooling: a window slides over every map and keeps one number: fewer data, and small shifts matter less.

    max       y[n, c, i, j] = max_u max_v  x̂[n, c, i·s + u, j·s + v]
    average   y[n, c, i, j] = 1/m[i, j] · Σ_u Σ_v  x̂[n, c, i·s + u, j·s + v]
    global    y[n, c]       = 1/(H·W) · Σ_i Σ_j  x[n, c, i, j]

    x   input maps (N, C, H, W)          x̂   x with −∞ (max) or 0 (average) around it
    y   smaller maps (N, C, H', W')      s   stride
    m   how many cells the window counts; with padding that may depend on the place

There is nothing to learn. Usually the stride equals the window, so that every cell is read once. Without
ceil mode the rows and columns at the end that do not fill a window are left out; with it a last window hangs
over the end.

Backward, with δ = ∂E/∂y (the course's section 3.2):

    max       ∂E/∂x̂[n, c, r, q]  = Σ δ[n, c, i, j]             over the windows i, j whose winner is cell r, q
    average   ∂E/∂x̂[n, c, r, q]  = Σ δ[n, c, i, j] / m[i, j]   over all windows i, j that read cell r, q
    global    ∂E/∂x[n, c, r, q]  = δ[n, c] / (H·W)

So in max pooling the error goes to the place of the maximum and every other place gets 0. The winner is the
first maximum in row-major order.

How it is made fast: the loop runs over the kh·kw cells of the window; each step handles this cell of all
windows of all images at once, as a strided view of the map. The winner is kept as the number u·kw + v, one
byte a window, which serves the backward pass and the picture of the winners.

Source: neuzhaoxin, "Convolutional neural networks (principles)", 2019, sections 1.4, 2.2 and 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine import windows
from engine.errors import Fix, ShapeError
from engine.layer import Array, Buffer, Context, Layer, Shape, Window, Workspace
from engine.options import option
from engine.phrase import Phrase
from engine.term import Term, constant, term
from engine.view import Cells, View


@dataclass(frozen=True)
class Pool2D(Layer):
    """What max and average pooling share: the window and its places."""

    role = "pool"

    kernel_size: tuple[int, int] = option(
        (2, 2), ge=1, label="Window", help="Height and width of the window.")
    stride: tuple[int, int] = option(
        (2, 2), ge=1, label="Stride", help="How far the window moves, down and right.")
    padding: str | tuple[int, int, int, int] = option(
        (0, 0, 0, 0), kind="padding", label="Padding",
        help="Cells added around the input: top, bottom, left, right.")
    ceil_mode: bool = option(
        False, label="Ceil mode", help="A last window may hang over the end of the input.")

    def window(self, x: Shape) -> Window:
        sides = windows.resolve_padding(self.padding, (x[1], x[2]), self.kernel_size, self.stride)
        return Window(self.kernel_size, self.stride, sides)

    def output_shape(self, x: Shape) -> Shape:
        _need_maps(x)
        sides = self.window(x).padding
        most = (self.kernel_size[0] - 1,) * 2 + (self.kernel_size[1] - 1,) * 2
        for side, name, limit in zip(sides, ("top", "bottom", "left", "right"), most, strict=True):
            if side > limit:
                legal = tuple(map(min, sides, most))
                kernel = f"{self.kernel_size[0]}×{self.kernel_size[1]}"
                raise ShapeError(
                    "{side} of padding at the {name} would make windows of padding alone. "
                    "A window of {kernel} allows at most {limit} there.",
                    code="pool.padding", field="padding",
                    fixes=(Fix("set", "use {limit}", {"limit": limit}, field="padding", value=legal),),
                    side=side, name=name, kernel=kernel, limit=limit)
        return Shape((x[0], *windows.output_size((x[1], x[2]), self.kernel_size, self.stride, sides,
                                                 ceil_mode=self.ceil_mode, what="window")))

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        height, width = self._framed_size(x)
        return {"framed": Buffer((n, x[0], height, width), scratch=True)} if (height, width) != x[1:] else {}

    def _framed_size(self, x: Shape) -> tuple[int, int]:
        """Height and width of the map with its padding and with what the last windows reach beyond it."""
        _, *places = self.output_shape(x)
        top, _, left, _ = self.window(x).padding
        height, width = ((count - 1) * s + k
                         for count, s, k in zip(places, self.stride, self.kernel_size, strict=True))
        return max(top + x[1], height), max(left + x[2], width)

    def _inside(self, framed: Array, x: Shape) -> Array:
        """The part of a framed map that is the map itself."""
        top, _, left, _ = self.window(x).padding
        return framed[:, :, top:top + x[1], left:left + x[2]]

    def _framed(self, x: Array, ws: Workspace, around: float) -> Array:
        """x with a frame of the number `around`; x itself where no window reaches beyond it."""
        if "framed" not in ws:
            return x
        framed = ws["framed"]
        framed.fill(around)
        self._inside(framed, Shape(x.shape[1:]))[...] = x
        return framed

    def _cells(self, framed: Array, y: Array) -> Iterator[Array]:
        """For each cell of the window, row by row, a view of this cell in all windows: (N, C, H', W')."""
        (kh, kw), (sh, sw) = self.kernel_size, self.stride
        height, width = (y.shape[2] - 1) * sh + 1, (y.shape[3] - 1) * sw + 1
        for u in range(kh):
            for v in range(kw):
                yield framed[:, :, u:u + height:sh, v:v + width:sw]

    @property
    def _apart(self) -> bool:
        """True when no two windows overlap."""
        return self.stride[0] >= self.kernel_size[0] and self.stride[1] >= self.kernel_size[1]

    def _window_at(self, place: tuple[int, ...], view: View, around: float) -> Cells:
        """The cells that the window at place (…, c, i, j) reads, row by row."""
        *image, c, i, j = place
        top, _, left, _ = self.window(Shape(view.x_shape)).padding
        u, v = np.ix_(*map(range, self.kernel_size))
        return view.cells("x", *image, c, i * self.stride[0] + u - top, j * self.stride[1] + v - left, around=around)

    def _windows_over(self, cell: tuple[int, ...], view: View) -> list[tuple[tuple[int, ...], int]]:
        """The places of all windows that read the cell (…, c, row, column) of x, and which of their cells it is."""
        *front, row, column = cell
        top, _, left, _ = self.window(Shape(view.x_shape)).padding
        (kh, kw), (sh, sw), (rows, columns) = self.kernel_size, self.stride, view.y_shape[1:]
        return [((*front, i, j), (row + top - i * sh) * kw + column + left - j * sw)
                for i in range(rows) if 0 <= row + top - i * sh < kh
                for j in range(columns) if 0 <= column + left - j * sw < kw]

    def _frame(self, x: Shape) -> tuple[int, int, int, int]:
        """How many cells the windows reach beyond the map: top, bottom, left, right."""
        height, width = self._framed_size(x)
        top, _, left, _ = self.window(x).padding
        return top, height - top - x[1], left, width - left - x[2]

    def _options_of_pytorch(self, x: Shape) -> str | None:
        """The window in PyTorch's words, or None for paddings that PyTorch does not know."""
        top, bottom, left, right = self.window(x).padding
        if top != bottom or left != right or 2 * top > self.kernel_size[0] or 2 * left > self.kernel_size[1]:
            return None
        return f"{self.kernel_size}, stride={self.stride}, padding=({top}, {left}), ceil_mode={self.ceil_mode}"

    def _code_windows(self, framed: str) -> str:
        return (f"np.lib.stride_tricks.sliding_window_view({framed}, {self.kernel_size}, axis=(-2, -1))"
                f"[..., ::{self.stride[0]}, ::{self.stride[1]}, :, :]")

    def caption(self) -> list[Phrase]:
        height, width = self.kernel_size
        parts = [Phrase(f"{height}×{width}"), *windows.steps_in_words(self.stride, self.padding, self.kernel_size)]
        return [*parts, Phrase("ceil")] if self.ceil_mode else parts


@dataclass(frozen=True)
class MaxPool2D(Pool2D):
    """y = the largest number of each window; shapes: x (N, C, H, W) -> y (N, C, H', W')."""

    kind = "max_pool"
    title = "Max pool"
    summary = "Keeps the largest number of each window."

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        shape = (n, *self.output_shape(x))
        number = "uint8" if self.kernel_size[0] * self.kernel_size[1] <= 256 else "int32"
        return super().workspace(x, n) | {
            "winner": Buffer(shape, number), "number": Buffer(shape, number, scratch=True),
            "wins": Buffer(shape, "bool", scratch=True), "share": Buffer(shape, scratch=True)}

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        winner, wins = ws["winner"], ws["wins"]
        winner.fill(0)
        y.fill(-np.inf)
        for k, cells in enumerate(self._cells(self._framed(x, ws, -np.inf), y)):
            np.greater(cells, y, out=wins)
            np.maximum(cells, y, out=y)
            # k grows from step to step, so that this maximum writes k where the cell wins, and only there.
            np.multiply(wins, winner.dtype.type(k), out=ws["number"])
            np.maximum(winner, ws["number"], out=winner)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is None:
            return
        framed, wins, share = ws.get("framed", dx), ws["wins"], ws["share"]
        framed.fill(0)
        for k, cells in enumerate(self._cells(framed, dy)):
            np.equal(ws["winner"], k, out=wins)
            if self._apart:
                np.multiply(dy, wins, out=cells)
            else:
                cells += np.multiply(dy, wins, out=share)
        if framed is not dx:
            dx[...] = self._inside(framed, Shape(dx.shape[1:]))

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        return self._window_at(cell, view, -np.inf).join("max")

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        """δ of each window that reads the cell, times 1 where the cell is the window's winner and 0 where it is not."""
        return term("sum", *(
            view.cell("dy", *place) * term("equals", self._window_at(place, view, -np.inf).join("argmax"), number)
            for place, number in self._windows_over(cell, view)))

    def code_numpy(self, x: Shape) -> str:
        top, bottom, left, right = self._frame(x)
        return (f"framed = np.pad(x, ((0, 0), (0, 0), ({top}, {bottom}), ({left}, {right})), constant_values=-np.inf)\n"
                f"windows = {self._code_windows('framed')}\n"
                "y = windows.max(axis=(-2, -1))")

    def code_pytorch(self, x: Shape) -> str:
        options = self._options_of_pytorch(x)
        if options:
            return f"y = F.max_pool2d(x, {options})"
        top, bottom, left, right = self._frame(x)
        return (f"framed = F.pad(x, ({left}, {right}, {top}, {bottom}), value=-torch.inf)\n"
                f"y = F.max_pool2d(framed, {self.kernel_size}, stride={self.stride})")


@dataclass(frozen=True)
class AvgPool2D(Pool2D):
    """y = the mean of each window; shapes: x (N, C, H, W) -> y (N, C, H', W').

    With `count_padding` the zeros of the padding count as cells; what hangs over in ceil mode never does.
    """

    kind = "avg_pool"
    title = "Average pool"
    summary = "Keeps the mean of each window."

    count_padding: bool = option(
        True, label="Count padding", help="The zeros of the padding count in the mean.")

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        return super().workspace(x, n) | {"share": Buffer((n, *self.output_shape(x)), scratch=True)}

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        y.fill(0)
        for cells in self._cells(self._framed(x, ws, 0), y):
            y += cells
        y /= self._counts(Shape(x.shape[1:]), y)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is None:
            return
        framed, share = ws.get("framed", dx), ws["share"]
        framed.fill(0)
        np.divide(dy, self._counts(Shape(dx.shape[1:]), dy), out=share)
        for cells in self._cells(framed, dy):
            if self._apart:
                cells[...] = share
            else:
                cells += share
        if framed is not dx:
            dx[...] = self._inside(framed, Shape(dx.shape[1:]))

    def _counts(self, x: Shape, y: Array) -> Array:
        """`counts` in the dtype of y."""
        return self.counts(x).astype(y.dtype)

    def counts(self, x: Shape) -> Array:
        """m[i, j]: how many cells each window counts, its rows times its columns (H', W')."""
        sides, along = self.window(x).padding, []
        for axis, (before, after) in enumerate((sides[:2], sides[2:])):
            begin = np.arange(self.output_shape(x)[1 + axis]) * self.stride[axis] - before
            end = np.minimum(begin + self.kernel_size[axis], x[1 + axis] + after)
            if not self.count_padding:
                begin, end = np.maximum(begin, 0), np.minimum(end, x[1 + axis])
            along.append(end - begin)
        return np.multiply.outer(*along)

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        return self._window_at(cell, view, 0).join("sum") / self._count_at(cell, view)

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        return term("sum", *(view.cell("dy", *place) / self._count_at(place, view)
                             for place, _ in self._windows_over(cell, view)))

    def _count_at(self, place: tuple[int, ...], view: View) -> Term:
        counts = self._counts(Shape(view.x_shape), np.empty((1, *view.y_shape)))
        return constant(counts[place[-2:]], "m")

    def code_numpy(self, x: Shape) -> str:
        return "\n".join([
            *self._code_frames(x, "np.pad(x, ((0, 0), (0, 0), ({0}, {1}), ({2}, {3})))",
                               "np.pad({4}, (({0}, {1}), ({2}, {3})), constant_values={5})", "np.ones"),
            f"windows = {self._code_windows('framed')}",
            f"counts = {self._code_windows('counted')}",
            "y = windows.sum(axis=(-2, -1)) / counts.sum(axis=(-2, -1))"])

    def code_pytorch(self, x: Shape) -> str:
        options = self._options_of_pytorch(x)
        if options:
            return f"y = F.avg_pool2d(x, {options}, count_include_pad={self.count_padding})"
        pool = f"{self.kernel_size}, stride={self.stride})"
        return "\n".join([
            *self._code_frames(x, "F.pad(x, ({2}, {3}, {0}, {1}))",
                               "F.pad({4}, ({2}, {3}, {0}, {1}), value={5})", "x.new_ones"),
            f"y = F.avg_pool2d(framed, {pool} / F.avg_pool2d(counted[None], {pool}"])

    def _code_frames(self, x: Shape, pad: str, pad_ones: str, ones: str) -> list[str]:
        """Source of the framed map, and of a map that is 1 where a cell counts and 0 where it does not."""
        top, bottom, left, right = self._frame(x)
        _, padded_below, _, padded_right = self.window(x).padding
        below, beside = min(bottom, padded_below), min(right, padded_right)
        around = pad_ones.format(top, below, left, beside, f"{ones}(({x[1]}, {x[2]}))", float(self.count_padding))
        counted = pad_ones.format(0, bottom - below, 0, right - beside, around, 0.0)
        return [f"framed = {pad.format(top, bottom, left, right)}", f"counted = {counted}"]


@dataclass(frozen=True)
class GlobalAvgPool(Layer):
    """y = the mean of each whole map; shapes: x (N, C, H, W) -> y (N, C)."""

    kind = "global_avg_pool"
    title = "Global average"
    role = "pool"
    summary = "Keeps the mean of each map: one number a channel."

    def output_shape(self, x: Shape) -> Shape:
        _need_maps(x)
        return Shape((x[0],))

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        np.mean(x, axis=(2, 3), out=y)

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if dx is not None:
            np.divide(dy[:, :, None, None], dx.shape[2] * dx.shape[3], out=dx)

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        i, j = np.ix_(*map(range, view.x_shape[1:]))
        return view.cells("x", *cell, i, j).join("sum") / constant(i.size * j.size, "H·W")

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        return view.cell("dy", *cell[:-2]) / constant(view.x_shape[1] * view.x_shape[2], "H·W")

    def code_numpy(self, x: Shape) -> str:
        return "y = x.mean(axis=(2, 3))"

    def code_pytorch(self, x: Shape) -> str:
        return "y = x.mean(dim=(2, 3))"


def _need_maps(x: Shape) -> None:
    if not x.is_image:
        raise ShapeError("pooling needs maps, but its input is a vector of {size}.", code="pool.needs_maps",
                         fixes=(Fix("advice", "put it before the Flatten block"),), size=x.size)
