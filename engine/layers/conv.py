"""Convolution: a few weights slide over the whole picture.

    y[n, f, i, j] = b[f] + Σ_c Σ_u Σ_v  W[f, c, u, v] · x̂[n, c, i·s + u·d, j·s + v·d]

    x   input maps (N, C, H, W)          x̂   x with zeros around it (zero padding)
    W   kernels (D, C, kh, kw)           b   one bias for each filter (D,)
    y   feature maps (N, D, H', W')      s   stride      d   dilation

Two ideas make it small. *Local connection*: a cell of y reads only a kh × kw window, its receptive field.
*Weight sharing*: the window slides, the kernel stays the same. As everywhere in the field this is
cross-correlation; the kernel is not flipped. With g groups, filter f reads only the C/g channels of its own
group; g = C is the depthwise convolution.

Backward, with δ = ∂E/∂y (the course's section 3.3):

    ∂E/∂b[f]          = Σ_n Σ_i Σ_j δ[n, f, i, j]
    ∂E/∂W[f, c, u, v] = Σ_n Σ_i Σ_j δ[n, f, i, j] · x̂[n, c, i·s + u·d, j·s + v·d]
    ∂E/∂x             = zero-padded δ, with s − 1 zeros between its cells, correlated with the rotated kernel

∂E/∂W is the input correlated with δ; the kernel of ∂E/∂x is rotated by 180°, and the sum there runs over the
filters.

How it is made fast: all windows of an image are copied side by side into a matrix of columns (im2col), so
that the sums above become one matrix product for each image and group. No Python loop runs over images,
channels or pixels.

Source: neuzhaoxin, "Convolutional neural networks (principles)", 2019, sections 1.2, 2.1 and 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import Fix, ShapeError
from engine.initializers import INITIALIZERS
from engine.layer import Array, Buffer, Context, Layer, Param, Shape, Window, Workspace
from engine.options import option
from engine.phrase import Phrase
from engine.term import Term, term
from engine.view import View
from engine.windows import extent, output_size, resolve_padding, steps_in_words, windows


@dataclass(frozen=True)
class Conv2D(Layer):
    """y = W ⋆ x + b over windows; shapes: x (N, C, H, W) -> y (N, depth, H', W').

    H' = ⌊(H + top + bottom − extent) / stride⌋ + 1, and W' likewise.
    """

    kind = "conv"
    title = "Conv"
    role = "conv"
    summary = "Slides small filters over the picture; each gives one feature map."

    depth: int = option(8, ge=1, label="Depth", help="Number of filters, and so of feature maps.")
    kernel_size: tuple[int, int] = option(
        (3, 3), ge=1, label="Kernel", help="Height and width of the filters.")
    stride: tuple[int, int] = option(
        (1, 1), ge=1, label="Stride", help="How far the window moves, down and right.")
    padding: str | tuple[int, int, int, int] = option(
        (0, 0, 0, 0), kind="padding", label="Padding",
        help="Zeros around the input: top, bottom, left, right.")
    dilation: tuple[int, int] = option(
        (1, 1), ge=1, label="Dilation", help="Distance between the cells of the window.")
    groups: int = option(
        1, ge=1, label="Groups",
        help="Filters read only their group's channels; as many as channels is depthwise.")
    bias: bool = option(True, label="Bias", help="Adds one number to each feature map.")
    init: str = option(
        "he_normal", choices=INITIALIZERS, label="Start weights",
        help="How the kernels are drawn at the start.")

    def window(self, x: Shape) -> Window:
        sides = resolve_padding(self.padding, (x[1], x[2]), self.kernel_size, self.stride, self.dilation)
        return Window(self.kernel_size, self.stride, sides, self.dilation)

    def output_shape(self, x: Shape) -> Shape:
        if not x.is_image:
            raise ShapeError("a convolution needs maps, but its input is a vector of {size}.",
                             code="conv.needs_maps", size=x.size,
                             fixes=(Fix("advice", "put it before the Flatten block"),))
        if x[0] % self.groups:
            raise self._uneven(x[0], "input channels", "groups", math.gcd(x[0], self.depth))
        if self.depth % self.groups:
            raise self._uneven(self.depth, "filters", "depth", -(-self.depth // self.groups) * self.groups)
        w = self.window(x)
        return Shape((self.depth, *output_size((x[1], x[2]), w.kernel, w.stride, w.padding, w.dilation)))

    def _uneven(self, count: int, what: str, field: str, legal: int) -> ShapeError:
        """The error of channels or filters that the groups cannot share; `legal` for `field` mends it."""
        return ShapeError(
            f"{{count}} {what} cannot be shared out evenly to {{groups}} groups. "
            "{count} / {groups} leaves {rest}.", code="conv.groups", field=field,
            fixes=(Fix("set", f"use {field} {{legal}}", {"legal": legal}, field=field, value=legal),),
            count=count, groups=self.groups, rest=count % self.groups)

    def params(self, x: Shape) -> dict[str, Param]:
        kh, kw = self.kernel_size
        shape = (self.depth, x[0] // self.groups, kh, kw)
        weights = Param(shape, fan_in=shape[1] * kh * kw, fan_out=self.depth // self.groups * kh * kw,
                        init=self.init, penalised=True)
        return {"W": weights, "b": Param((self.depth,))} if self.bias else {"W": weights}

    def workspace(self, x: Shape, n: int) -> dict[str, Buffer]:
        c, h, w = x
        d, oh, ow = self.output_shape(x)
        kh, kw = self.kernel_size
        top, bottom, left, right = self.window(x).padding
        fh, fw = extent(kh, self.dilation[0]), extent(kw, self.dilation[1])
        return {
            "padded": Buffer((n, c, h + top + bottom, w + left + right), shown=False),
            "columns": Buffer((n, c, kh, kw, oh, ow), scratch=True),
            "dW_of_image": Buffer((n, d, c // self.groups * kh * kw), scratch=True),
            "spread": Buffer((n, d, h + top + bottom + fh - 1, w + left + right + fw - 1), shown=False),
            "delta_columns": Buffer((n, d, kh, kw, h, w), scratch=True),
        }

    def forward(self, x: Array, y: Array, p: Mapping[str, Array], ws: Workspace, ctx: Context) -> None:
        top, _, left, _ = self.window(Shape(x.shape[1:])).padding
        ws["padded"][:, :, top:top + x.shape[2], left:left + x.shape[3]] = x
        kernels = p["W"].reshape(self.groups, self.depth // self.groups, -1)
        np.matmul(kernels, self._columns(y, ws), out=self._grouped(y))
        if self.bias:
            y += p["b"][:, None, None]

    def backward(self, dy: Array, dx: Array | None, p: Mapping[str, Array], g: Mapping[str, Array],
                 ws: Workspace) -> None:
        if g:
            of_image = ws["dW_of_image"].reshape(len(dy), self.groups, self.depth // self.groups, -1)
            np.matmul(self._grouped(dy), self._columns(dy, ws).swapaxes(2, 3), out=of_image)
            np.sum(of_image, axis=0, out=g["W"].reshape(of_image.shape[1:]))
        if g and self.bias:
            np.sum(dy, axis=(0, 2, 3), out=g["b"])
        if dx is not None:
            self._backward_to_input(dy, dx, p["W"], ws)

    def _columns(self, y: Array, ws: Workspace) -> Array:
        """All windows of the padded input side by side: (N, groups, C/groups·kh·kw, H'·W')."""
        n, _, oh, ow = y.shape
        columns = ws["columns"]
        np.copyto(columns, windows(ws["padded"], self.kernel_size, self.stride, self.dilation, (oh, ow)))
        return columns.reshape(n, self.groups, -1, oh * ow)

    def _grouped(self, maps: Array) -> Array:
        """(N, D, H', W') seen as (N, groups, D/groups, H'·W')."""
        n, d, h, w = maps.shape
        return maps.reshape(n, self.groups, d // self.groups, h * w)

    def _backward_to_input(self, dy: Array, dx: Array, weights: Array, ws: Workspace) -> None:
        """dx = δ, spread by the stride and zero-padded, correlated with the rotated kernel."""
        n, d, oh, ow = dy.shape
        _, c, h, w = dx.shape
        (kh, kw), (sh, sw), g = self.kernel_size, self.stride, self.groups
        top, _, left, _ = self.window(Shape((c, h, w))).padding
        fh, fw = extent(kh, self.dilation[0]) - 1, extent(kw, self.dilation[1]) - 1
        spread = ws["spread"]
        spread[:, :, fh:fh + oh * sh:sh, fw:fw + ow * sw:sw] = dy
        # Row r of dx is row r + top of the padded input; the padding's own deltas are not needed.
        inside = spread[:, :, top:top + h + fh, left:left + w + fw]
        columns = ws["delta_columns"]
        np.copyto(columns, windows(inside, self.kernel_size, (1, 1), self.dilation, (h, w)))
        rotated = weights.reshape(g, d // g, c // g, kh, kw)[:, :, :, ::-1, ::-1]
        kernels = np.ascontiguousarray(rotated.swapaxes(1, 2)).reshape(g, c // g, -1)
        np.matmul(kernels, columns.reshape(n, g, -1, h * w), out=dx.reshape(n, g, c // g, h * w))

    def explain_forward(self, cell: tuple[int, ...], view: View) -> Term:
        """One partial sum for each input channel, a product for each cell of the window, and the bias."""
        *image, f, i, j = cell
        (sh, sw), (dh, dw) = self.stride, self.dilation
        top, _, left, _ = self.window(Shape(view.x_shape)).padding
        channels = view.x_shape[0] // self.groups
        first = self._group(f, self.depth) * channels
        c, u, v = np.ix_(range(channels), *map(range, self.kernel_size))
        kernel = view.cells("W", f, c, u, v)
        window = view.cells("x", *image, first + c, i * sh + u * dh - top, j * sw + v * dw - left)
        pairs = zip(kernel.parts(channels), window.parts(channels), strict=True)
        y = term("sum", *(w.times(x).of("channel", first + k) for k, (w, x) in enumerate(pairs)))
        return y + view.cell("b", f) if self.bias else y

    def explain_backward(self, target: str, cell: tuple[int, ...], view: View) -> Term:
        """W: the input correlated with δ, image by image; b: the sum of δ; x: see `_explain_input`."""
        if target == "x":
            return self._explain_input(cell, view)
        f = cell[0]
        i, j = np.ix_(*map(range, view.y_shape[1:]))
        delta = view.cells("dy", *view.every_image(2), f, i, j)
        if target == "b":
            return view.sum_over_images(delta)
        _, c, u, v = cell
        (sh, sw), (dh, dw) = self.stride, self.dilation
        top, _, left, _ = self.window(Shape(view.x_shape)).padding
        c += self._group(f, self.depth) * (view.x_shape[0] // self.groups)
        read = view.cells("x", *view.every_image(2), c, i * sh + u * dh - top, j * sw + v * dw - left)
        return view.sum_over_images(delta, read)

    def _explain_input(self, cell: tuple[int, ...], view: View) -> Term:
        """One partial sum for each filter: the kernel, rotated by 180°, over a window of the spread and zero-padded δ."""
        *image, c, i, j = cell
        (kh, kw), (sh, sw), (dh, dw) = self.kernel_size, self.stride, self.dilation
        top, _, left, _ = self.window(Shape(view.x_shape)).padding
        channels, filters = view.x_shape[0] // self.groups, self.depth // self.groups
        first = self._group(c, view.x_shape[0]) * filters
        f, u, v = np.ix_(range(first, first + filters), range(kh - 1, -1, -1), range(kw - 1, -1, -1))
        row, column = i + top - u * dh, j + left - v * dw
        kernel = view.cells("W", f, c % channels, u, v)
        delta = view.cells("dy", *image, f, row // sh, column // sw, between=(row % sh != 0) | (column % sw != 0))
        pairs = zip(kernel.parts(filters), delta.parts(filters), strict=True)
        return term("sum", *(w.times(d).of("filter", first + k) for k, (w, d) in enumerate(pairs)))

    def _group(self, channel: int, channels: int) -> int:
        """The group to which one of the input channels or filters belongs."""
        return channel // (channels // self.groups)

    def code_numpy(self, x: Shape) -> str:
        (kh, kw), (sh, sw), (dh, dw), g = self.kernel_size, self.stride, self.dilation, self.groups
        top, bottom, left, right = self.window(x).padding
        spans = f"({extent(kh, dh)}, {extent(kw, dw)})"
        bias = " + b[:, None, None]" if self.bias else ""
        lines = [f"padded = np.pad(x, ((0, 0), (0, 0), ({top}, {bottom}), ({left}, {right})))",
                 f"windows = np.lib.stride_tricks.sliding_window_view(padded, {spans}, axis=(2, 3))",
                 f"windows = windows[:, :, ::{sh}, ::{sw}, ::{dh}, ::{dw}]"]
        if g == 1:
            return "\n".join([*lines, f"y = np.einsum('ncijuv,fcuv->nfij', windows, W){bias}"])
        d, (h, w) = self.depth, self.output_shape(x)[1:]
        return "\n".join([
            *lines, f"windows = windows.reshape(len(x), {g}, {x[0] // g}, {h}, {w}, {kh}, {kw})",
            f"kernels = W.reshape({g}, {d // g}, {x[0] // g}, {kh}, {kw})",
            f"y = np.einsum('ngcijuv,gfcuv->ngfij', windows, kernels).reshape(len(x), {d}, {h}, {w}){bias}"])

    def code_pytorch(self, x: Shape) -> str:
        top, bottom, left, right = self.window(x).padding
        even = top == bottom and left == right
        maps = "x" if even else f"F.pad(x, ({left}, {right}, {top}, {bottom}))"
        padding = f", padding=({top}, {left})" if even else ""
        return (f"y = F.conv2d({maps}, W, {'b' if self.bias else 'None'}, stride={self.stride}{padding}, "
                f"dilation={self.dilation}, groups={self.groups})")

    def caption(self) -> list[Phrase]:
        height, width = self.kernel_size
        parts = [Phrase(f"{self.depth} @ {height}×{width}"), *steps_in_words(self.stride, self.padding, usual_stride=(1, 1))]
        if self.dilation != (1, 1):
            parts.append(Phrase("dilation {dilation}", {"dilation": "×".join(map(str, dict.fromkeys(self.dilation)))}))
        if self.groups > 1:
            parts.append(Phrase("{groups} groups", {"groups": self.groups}))
        return parts

    def macs(self, x: Shape) -> int:
        return self.output_shape(x).size * x[0] // self.groups * self.kernel_size[0] * self.kernel_size[1]
