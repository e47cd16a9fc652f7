"""What lies between two layers of a plan: a map or vector for all images of a slice, with the images innermost.

Maps are (H, W, C, N), vectors (F, N). Both the values and the deltas may stand inside larger arrays of zeros: a convolution that reads
the values finds its padding there, and the convolution that made the values finds the padding that its backward pass needs around the delta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from engine.layer import Array, Shape


@dataclass(frozen=True)
class Frame:
    """A larger map of zeros in which an array stands: its size, the place of the first cell, and the step between cells."""

    size: tuple[int, int]
    at: tuple[int, int]
    step: tuple[int, int] = (1, 1)


def innermost(shape: Shape, n: int) -> tuple[int, ...]:
    """The layout's shape for `n` samples: (H, W, C, N) or (F, N)."""
    return (*shape[1:], shape[0], n) if shape.is_image else (*shape, n)


class Boundary:
    """Values y between two layers and their deltas dy = ∂E/∂y; `delta` is None where no delta is needed."""

    def __init__(self, shape: Shape, n: int, dtype: DTypeLike, *, frame: Frame | None = None, delta: bool = True,
                 delta_frame: Frame | None = None) -> None:
        self.shape = shape
        self.n = n
        self.framed, self.y = _framed(innermost(shape, n), frame, dtype)
        self.framed_delta: Array | None = None
        self.delta: Array | None = None
        if delta:
            self.framed_delta, self.delta = _framed(innermost(shape, n), delta_frame, dtype)

    @property
    def dy(self) -> Array:
        """The delta, where there is one."""
        assert self.delta is not None
        return self.delta

    def to_samples(self, values: Array, out: Array) -> None:
        """Copy `values`, in this layout, to (N, *shape)."""
        np.copyto(out, values.transpose(3, 2, 0, 1) if self.shape.is_image else values.T)

    def from_samples(self, samples: Array, out: Array) -> None:
        """Copy (N, *shape) to `out`, in this layout."""
        np.copyto(out, samples.transpose(2, 3, 1, 0) if self.shape.is_image else samples.T, casting="unsafe")


def _framed(shape: tuple[int, ...], frame: Frame | None, dtype: DTypeLike) -> tuple[Array, Array]:
    """An array of zeros and the view inside it that has the shape asked for."""
    if frame is None:
        whole = np.zeros(shape, dtype)
        return whole, whole
    height, width, *rest = shape
    (top, left), (down, across) = frame.at, frame.step
    whole = np.zeros((*frame.size, *rest), dtype)
    return whole, whole[top:top + (height - 1) * down + 1:down, left:left + (width - 1) * across + 1:across]
