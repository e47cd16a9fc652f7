"""The computation of one cell as source that runs as it stands: NumPy, PyTorch and plain loops, with the cell's own numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from cnnstudio.panels.explain.expressions import Writer, literal
from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.subject import Subject
from engine.layer import Array, Layer, Shape
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.term import LEAVES
from engine.windows import extent

LANGUAGES = ("numpy", "pytorch", "loop")
MOST_NUMBERS = 5_000
"""Cells made of more numbers than this are not written out."""
FOLDED = 56
"""Letters of a line of numbers that are shown; the copy has them all."""
_HEAD = {
    "numpy": ("import numpy as np",),
    "pytorch": ("import torch", "import torch.nn.functional as F"),
    "loop": ("import math",),
}


@dataclass(frozen=True)
class Snippet:
    """Lines of source, and which of them compute (the others only name numbers)."""

    lines: tuple[str, ...]
    marked: range

    @property
    def text(self) -> str:
        """The whole, as it is copied."""
        return "\n".join(self.lines) + "\n"

    @property
    def shown(self) -> str:
        """The same with long rows of numbers cut short."""
        return "\n".join(line if len(line) <= FOLDED or i in self.marked else f"{line[:FOLDED - 4]} …"
                         for i, line in enumerate(self.lines))


def snippet(subject: Subject, language: str, names: Names, heading: str) -> Snippet | None:
    """The source for a subject; None where nothing was computed, or from too many numbers. It prints the cell's value."""
    if subject.term.op in LEAVES:
        return None
    found = _of_layer(subject, language) if subject.kind == "forward" else _of_convolution_backward(subject, language)
    if found is None:
        if _count(subject) > MOST_NUMBERS:
            return None
        writer = Writer(language, names)
        result = writer.write(subject.term)
        found = writer.setup, [*writer.steps, f"value = {result}"], "value"
    setup, steps, result = found
    head = list(_HEAD[language])
    if any("np." in line for line in (*setup, *steps)) and "import numpy as np" not in head:
        head.append("import numpy as np")
    if any("math." in line for line in (*setup, *steps)) and "import math" not in head:
        head.insert(0, "import math")
    if language == "loop" and not any("math." in line for line in (*setup, *steps)):
        head.remove("import math")
    head = [line for line in head if line != "import torch.nn.functional as F" or any("F." in step for step in steps)]
    before = [*head, *([""] if head else []), *(f"# {line}" for line in heading.splitlines()), *setup]
    shown = f"float({result})" if language != "loop" else result
    return Snippet((*before, *steps, f"print({shown})"), range(len(before), len(before) + len(steps)))


def _count(subject: Subject) -> int:
    """How many numbers a computation reads; once there are too many, the rest is not counted."""
    shape, parts = subject.grid_shape, subject.parts
    if shape is not None and len(parts) * math.prod(shape) > MOST_NUMBERS:
        return len(parts) * math.prod(shape)  # without making all the terms
    return sum(1 for _ in islice(subject.term.leaves(), MOST_NUMBERS + 1))


Parts = tuple[list[str], list[str], str]
"""Lines that name the numbers, lines that compute, and the expression of the result."""


def _of_layer(subject: Subject, language: str) -> Parts | None:
    """The layer's own source over just the window that the cell reads; None where the layer has no such small twin."""
    assert subject.by is not None
    layer, cell = subject.by.node.layer, subject.cell
    x = subject.at(subject.before)
    if isinstance(layer, Conv2D):
        return _convolution(subject, layer, x, language)
    if isinstance(layer, Dense):
        numbers = {"x": x[None], "W": subject.snapshot[f"{subject.by.node.id}.W"][cell[0]][None]}
        if layer.bias:
            numbers["b"] = subject.snapshot[f"{subject.by.node.id}.b"][cell[0]][None]
        small = layer.replace(units=1)
        loop = [f"y = {'b[0]' if layer.bias else '0.0'}", f"for i in range({len(x)}):", "    y += W[0][i] * x[0][i]"]
        return _parts(small, Shape((len(x),)), numbers, language, "y[0, 0]", loop)
    if isinstance(layer, MaxPool2D):
        window = np.array([term.value for term in subject.term.children]).reshape(1, 1, *layer.kernel_size)
        twin = layer.replace(stride=(1, 1), padding=(0, 0, 0, 0), ceil_mode=False)
        loop = ["y = -math.inf", f"for u in range({layer.kernel_size[0]}):", f"    for v in range({layer.kernel_size[1]}):",
                "        y = max(y, x[0][0][u][v])"]
        return _parts(twin, Shape(window.shape[1:]), {"x": window}, language, "y[0, 0, 0, 0]", loop)
    return _elementwise(subject, layer, x, language) if language != "loop" else None


def _convolution(subject: Subject, layer: Conv2D, x: Array, language: str) -> Parts | None:
    assert subject.by is not None
    f, i, j = subject.cell
    (kh, kw), (sh, sw), (dh, dw) = layer.kernel_size, layer.stride, layer.dilation
    top, _, left, _ = layer.window(subject.by.x).padding
    channels = len(x) // layer.groups
    first = f // (layer.depth // layer.groups) * channels
    window = np.zeros((channels, extent(kh, dh), extent(kw, dw)))
    rows, columns = np.arange(window.shape[1]) + i * sh - top, np.arange(window.shape[2]) + j * sw - left
    down, across = (rows >= 0) & (rows < x.shape[1]), (columns >= 0) & (columns < x.shape[2])
    window[np.ix_(range(channels), down, across)] = x[np.ix_(range(first, first + channels), rows[down], columns[across])]
    numbers = {"x": window[None], "W": subject.snapshot[f"{subject.by.node.id}.W"][f][None]}
    if layer.bias:
        numbers["b"] = subject.snapshot[f"{subject.by.node.id}.b"][f][None]
    small = layer.replace(depth=1, groups=1, stride=(1, 1), padding=(0, 0, 0, 0))
    row, column = ("u" if dh == 1 else f"u * {dh}"), ("v" if dw == 1 else f"v * {dw}")
    loop = [f"y = {'b[0]' if layer.bias else '0.0'}", f"for c in range({channels}):", f"    for u in range({kh}):",
            f"        for v in range({kw}):", f"            y += W[0][c][u][v] * x[0][c][{row}][{column}]"]
    return _parts(small, Shape(window.shape), numbers, language, "y[0, 0, 0, 0]", loop)


def _of_convolution_backward(subject: Subject, language: str) -> Parts | None:
    """∂E/∂x: the windows of δ with the rotated kernels; ∂E/∂W: the windows of the input with δ. None for all others."""
    shape = subject.grid_shape
    if subject.by is None or not isinstance(subject.by.node.layer, Conv2D) or shape is None or subject.target not in ("x", "W"):
        return None
    if _count(subject) > MOST_NUMBERS:
        return None
    pairs = [[product.children for product in part.children] for part in subject.parts]
    first, second = (np.array([[pair[k].value for pair in part] for part in pairs]).reshape(len(pairs), *shape) for k in (0, 1))
    if subject.target == "W":
        numbers, result = {"delta": first, "x": second}, "dW"
        lines = {"numpy": ["dW = (delta * x).sum()"], "pytorch": ["dW = F.conv2d(x[None], delta[None])"]}
        loop, product = "n", "delta[n][i][j] * x[n][i][j]"
    else:
        numbers, result = {"delta": second, "W": np.ascontiguousarray(first[:, ::-1, ::-1])}, "dx"
        lines = {"numpy": ["dx = (delta * W[:, ::-1, ::-1]).sum()"],
                 "pytorch": ["dx = F.conv2d(delta[None], W.flip(1, 2)[None])"]}
        loop, product = "f", f"delta[f][i][j] * W[f][{shape[0] - 1} - i][{shape[1] - 1} - j]"
    if language == "loop":
        steps = [f"{result} = 0.0", f"for {loop} in range({len(pairs)}):", f"    for i in range({shape[0]}):",
                 f"        for j in range({shape[1]}):", f"            {result} += {product}"]
        return [f"{name} = {_nested(array)}" for name, array in numbers.items()], steps, result
    return [_assignment(name, array, language) for name, array in numbers.items()], lines[language], result


def _elementwise(subject: Subject, layer: Layer, x: Array, language: str) -> Parts | None:
    """Layers that read one number, or softmax over a vector."""
    assert subject.by is not None
    name, cell = subject.by.node.id, subject.cell
    if layer.role == "activation":
        return _parts(layer, Shape((1,)), {"x": x[cell][None, None]}, language, "y[0, 0]", [])
    if layer.kind == "softmax" and x.ndim == 1:
        return _parts(layer, Shape(x.shape), {"x": x[None]}, language, f"y[0, {cell[0]}]", [])
    if layer.kind == "batch_norm":
        c = cell[0]
        numbers = {"x": x[cell][None, None]} | {
            key: subject.snapshot[f"{name}.{key}"][c][None] for key in ("gamma", "beta", "mean", "variance")}
        if subject.batch:
            channel = subject.snapshot[subject.before][:, c].astype(np.float64)
            numbers |= {"mean": channel.mean()[None], "variance": channel.var()[None]}
        return _parts(layer, Shape((1,)), numbers, language, "y[0, 0]", [])
    if isinstance(layer, Input) and layer.projection == "none":
        numbers = {"x": x[cell].reshape(1, 1, 1, 1)} | {
            key: subject.snapshot[f"{name}.{key}"][cell].reshape(1, 1, 1) for key in ("offset", "gain")}
        return _parts(layer, Shape((1, 1, 1)), numbers, language, "y[0, 0, 0, 0]", [])
    return None


def _parts(layer: Layer, shape: Shape, numbers: dict[str, Array], language: str, result: str,
           loop: Sequence[str]) -> Parts | None:
    if sum(array.size for array in numbers.values()) > MOST_NUMBERS:
        return None
    if language == "loop":
        return [f"{name} = {_nested(array)}" for name, array in numbers.items()], list(loop), "y"
    code = layer.code_numpy(shape) if language == "numpy" else layer.code_pytorch(shape)
    return [_assignment(name, array, language) for name, array in numbers.items()], code.splitlines(), result


def _assignment(name: str, array: Array, language: str) -> str:
    row = f"[{', '.join(map(literal, array.ravel().tolist()))}]"
    made = f"np.array({row})" if language == "numpy" else f"torch.tensor({row}, dtype=torch.float64)"
    made = made.replace("math.", "np." if language == "numpy" else "math.")
    return f"{name} = {made}" + (f".reshape{array.shape}" if array.ndim > 1 else "")


def _nested(array: Array) -> str:
    """The array as nested lists."""
    if array.ndim == 0:
        return literal(float(array))
    return f"[{', '.join(map(_nested, array))}]"
