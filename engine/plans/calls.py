"""What a plan is made of: calls bound to their arrays, and the memory for numbers that last for a few calls only."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import DTypeLike

from engine.lane import BUFFER
from engine.layer import Array
from engine.memory import aligned_zeros

Call = Callable[[], object]


def bind(function: Callable[..., object], *arguments: object, out: Array | None = None, **options: object) -> Call:
    """A call bound to its arrays, made once and called at every step: `bind(np.add, a, b, out=c)`."""
    if out is None:
        return partial(function, *arguments, **options)
    if isinstance(function, np.ufunc) and function not in (np.maximum, np.minimum):
        return partial(function, *arguments, out, **options)  # found a tenth of a microsecond faster without its name
    return partial(function, *arguments, out=out, **options)


def product(a: Array, b: Array, out: Array) -> Call:
    """out = a·b for one pair, either of which may be a vector: `dot` begins half a microsecond sooner than `matmul`, which takes
    stacks of matrices."""
    return partial(a.dot, b, out) if out.flags.c_contiguous else partial(b.T.dot, a.T, out.T)


BLOCK = 200_000
"""Numbers of an intermediate result that are made and used up before the next ones are made, so that most of them never leave
the second-level cache. Half of it costs 5 %, and a smaller one more."""


class Scratch:
    """One block of memory that all forms of a lane use in turn: what a form takes lasts only until the next form runs.

    It has room for an array of the `largest` size beside what is worked on block by block.
    """

    def __init__(self, dtype: DTypeLike, largest: int) -> None:
        self._block = aligned_zeros((max(3 * BLOCK, largest + 2 * BLOCK),), dtype)
        self._zeros = aligned_zeros((0,), dtype)
        self._used = 0

    def mark(self) -> int:
        """How much is taken now, for `release`."""
        return self._used

    def release(self, mark: int = 0) -> None:
        """What was taken since the mark, or all, is free again."""
        self._used = mark

    def take(self, shape: tuple[int, ...]) -> Array:
        """An array in the block; one that does not fit gets memory of its own."""
        size = math.prod(shape)
        start, self._used = self._used, self._used + -(-size // 16) * 16
        if self._used > self._block.size:
            self._used = start
            return aligned_zeros(shape, self._block.dtype)
        return self._block[start:start + size].reshape(shape)

    def zeros_for(self, y: Array) -> Array:
        """Zeros, which everybody only reads, for an operation with y: of one row where rows are long, otherwise of all of y."""
        shape = y.shape[1:] if math.prod(y.shape[1:]) >= BUFFER else y.shape
        size = math.prod(shape)
        if size > self._zeros.size:
            self._zeros = aligned_zeros((size,), self._block.dtype)
        return self._zeros[:size].reshape(shape)


def in_runs(numbers: Array) -> Array:
    """The same memory with the last axis, which lies in one run, as one element: NumPy copies short runs faster like that."""
    return numbers.view(np.dtype((np.void, numbers.shape[-1] * numbers.itemsize)))[..., 0]


def bits_of(numbers: Array) -> Array:
    """The same memory as whole numbers of the same width."""
    return numbers.view(np.uint32 if numbers.dtype.itemsize == 4 else np.uint64)


def gate(y: Array, delta: Array, out: Array) -> list[Call]:
    """out = delta where y > 0, else 0, for y ≥ 0; `out` may be the memory of y.

    The bits of a positive float, read as a signed integer and negated, are negative; of 0 they stay 0. Shifting the sign over
    all bits gives the mask, and `and` keeps or clears the delta: twice as fast as multiplying by a comparison.
    """
    signed = np.int32 if y.dtype.itemsize == 4 else np.int64
    y, delta, out = (numbers.view(signed) for numbers in (y, delta, out))
    return [bind(np.negative, y, out=out), bind(np.right_shift, out, np.array(y.itemsize * 8 - 1, signed), out=out),
            bind(np.bitwise_and, out, delta, out=out)]


def unless_unchanged(source: Array, calls: list[Call]) -> Call:
    """A call that makes the calls, which compute something from `source` only, unless all bits of `source` are as the last time.

    Weights are changed from many sides, all in place. To compare them takes a tenth of the time of transforming them, and nobody
    has to say that they have changed.
    """
    bits = bits_of(source)
    seen, differs = np.zeros_like(bits), np.zeros(bits.shape, np.bool_)
    made = False

    def refresh() -> None:
        nonlocal made
        np.not_equal(bits, seen, differs)
        if not made or np.count_nonzero(differs):
            np.copyto(seen, bits)
            for call in calls:
                call()
            made = True

    return refresh


def bias_and_relu(y: Array, bias: Array | None, relu: bool, scratch: Scratch) -> list[Call]:
    """y ← max(0, y + b), either part if wanted. (A maximum with an array is three times as fast as with a number.)"""
    calls: list[Call] = [] if bias is None else [bind(np.add, y, bias, out=y)]
    return calls + ([bind(np.maximum, y, scratch.zeros_for(y), out=y)] if relu else [])


class Form:
    """One layer, or several together, between the boundaries x and y: calls that write y.y from x.y, and calls that write the
    gradients and, where x has a delta, that delta from y.dy."""

    def __init__(self) -> None:
        self.forward: list[Call] = []
        self.backward: list[Call] = []
