"""How a batch is cut into slices, the threads that compute them side by side, and how their results are added up.

The cut depends on the batch size and the layers only, never on the number of cores, and results are added in the order of the
slices. So one seed gives one result, bit for bit, whatever runs the slices.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import NamedTuple, TypeVar

import numpy as np

from engine.layer import Array

T = TypeVar("T")

CORES = os.cpu_count() or 1
_allowed = CORES
SLICE = 32
"""Images in a slice: small enough for the caches and for memory, large enough for the matrix products."""
SLICE_WORK = 32_000_000
"""Multiply-accumulates in a slice, if more images than that fit into them: the fewer the slices, the fewer the calls."""
LARGEST_SLICE = 256
"""Images in a slice, however little work they are."""
SMALL_WORK = 10_000_000
"""Multiply-accumulates of a batch below which cutting costs more than it gains."""
WORK_FOR_THREADS = 20_000_000
"""The same for threads, which take turns at the interpreter lock: below, one thread computes the slices one after the other."""


class BatchResult(NamedTuple):
    """The mean loss of a batch and how many of its images were classified rightly."""

    loss: float
    correct: int
    n: int


class SliceJob(NamedTuple):
    """A slice of a batch of `batch` images; `key` seeds its random layers."""

    images: Array
    labels: Array
    batch: int
    key: tuple[int, ...]


class ForwardJob(NamedTuple):
    """A slice of images of which only the outputs are wanted."""

    images: Array


class Outputs(NamedTuple):
    """The logits and the outputs of some images, both (n, outputs)."""

    logits: Array
    output: Array


class SliceResult(NamedTuple):
    """What a slice gives: its gradient, summed loss and right answers, and whether all of them are finite."""

    gradient: Array
    loss: float
    correct: int
    finite: bool


def largest_slice(macs: int) -> int:
    """The most images that a slice has; `macs` is the work of one of them."""
    return min(max(SLICE, SLICE_WORK // max(1, macs)), LARGEST_SLICE)


def cut(batch: int, macs: int, *, whole: bool) -> list[slice]:
    """An even number of slices of like size; one slice for little work, and where the batch must stay `whole`.

    `macs` is the work of one image.
    """
    pairs = -(-batch // (2 * largest_slice(macs)))
    size = batch if whole or batch * macs < SMALL_WORK else -(-batch // (2 * pairs))
    return [slice(start, min(start + size, batch)) for start in range(0, batch, size)]


def shares_out(batch: int, macs: int) -> bool:
    """Whether the outputs of a batch are enough work to share it out."""
    return min(batch, LARGEST_SLICE) * macs >= WORK_FOR_THREADS


def cut_forward(batch: int, macs: int) -> list[slice]:
    """The same where only outputs are wanted; images with little work go in larger slices, which nobody need share out."""
    if shares_out(batch, macs):
        return cut(batch, macs, whole=False)
    return [slice(start, min(start + LARGEST_SLICE, batch)) for start in range(0, batch, LARGEST_SLICE)]


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CORES, thread_name_prefix="slice")


def side_by_side(work: Callable[[int], T], numbers: Sequence[int]) -> list[T]:
    """work(k) for all numbers at the same time, the first one in the calling thread."""
    if len(numbers) <= 1:
        return [work(k) for k in numbers]
    others = [_threads().submit(work, k) for k in numbers[1:]]
    try:
        return [work(numbers[0]), *(other.result() for other in others)]
    finally:
        wait(others)


def allow_cores(count: int) -> None:
    """Let the slices of a batch use at most so many cores from now on; their results stay the same, bit for bit."""
    global _allowed
    _allowed = count


def cores_for(count: int, macs: int) -> int:
    """How many cores so many slices are worth; `macs` is all their work on the way forward, if they go the way back as well."""
    return min(count, _allowed) if macs >= WORK_FOR_THREADS else 1


def in_threads(work: Callable[[int, int], T], count: int, macs: int) -> Generator[T, None, None]:
    """The results of work(slice, lane) in order; each may be overwritten once the next is asked for. `macs` is all their work."""
    at_once = cores_for(count, macs)
    for start in range(0, count, at_once):
        yield from side_by_side(lambda k: work(k, k % at_once), range(start, min(start + at_once, count)))


def over_blocks(work: Callable[[int, int], object], count: int) -> None:
    """work(block, core) for so many blocks of vectors; `core` counts those that take part.

    A core takes part if there are two blocks for it or more: fewer are done before it has woken up. Each takes the next block
    when it is done with one, so that a core at which the window draws meanwhile keeps nobody waiting.
    """
    cores = min(count // 2, _allowed)
    if cores <= 1:  # to wait for nobody takes as long as a small network's step
        for block in range(count):
            work(block, 0)
        return
    blocks = iter(range(count))

    def some(core: int) -> None:
        for block in blocks:
            work(block, core)

    others = [_threads().submit(some, core) for core in range(1, cores)]
    try:
        some(0)
    finally:
        wait([other for other in others if not other.cancel()])
    for other in others:
        if not other.cancelled():
            other.result()


class Total:
    """Sums the slices' gradients, losses and right answers in the order in which they are added."""

    def __init__(self, gradient: Array, n: int) -> None:
        self._gradient, self._n = gradient, n
        self._loss, self._correct, self._empty = 0.0, 0, True

    def add(self, part: SliceResult) -> None:
        """The next slice."""
        if self._empty:
            np.copyto(self._gradient, part.gradient)
        else:
            np.add(self._gradient, part.gradient, out=self._gradient)
        self._loss, self._correct, self._empty = self._loss + part.loss, self._correct + part.correct, False

    def result(self) -> BatchResult:
        """The mean loss and what else is known of the batch."""
        return BatchResult(self._loss / self._n, self._correct, self._n)
