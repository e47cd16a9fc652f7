"""The data of a curve: growing arrays, smoothing, and thinning to what a screen can show."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]


class CurveSeries:
    """Points (x, y) with x never decreasing, in buffers that double when full.

    Running sums of the finite values are kept along, so that smoothing costs two look-ups a point.
    """

    def __init__(self) -> None:
        self._x, self._y, self._sum, self._finite = (np.zeros(257) for _ in range(4))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def x(self) -> Points:
        """A view of the positions."""
        return self._x[: self._count]

    @property
    def y(self) -> Points:
        """A view of the values."""
        return self._y[: self._count]

    def append(self, xs: ArrayLike, ys: ArrayLike) -> None:
        """Add points at the end; ValueError if there are not as many positions as values."""
        new_x, new_y = np.atleast_1d(np.asarray(xs, float)), np.atleast_1d(np.asarray(ys, float))
        if new_x.shape != new_y.shape or new_x.ndim != 1:
            raise ValueError(f"positions {new_x.shape} and values {new_y.shape} must be equally many")
        start, end = self._count, self._count + len(new_x)
        if end >= len(self._x):
            room = max(end + 1, 2 * len(self._x))
            buffers = (self._x, self._y, self._sum, self._finite)
            self._x, self._y, self._sum, self._finite = (np.resize(old, room) for old in buffers)
        self._x[start:end], self._y[start:end] = new_x, new_y
        finite = np.isfinite(new_y)
        # Entry i is the sum, or number, of the finite values before point i.
        self._sum[start + 1 : end + 1] = self._sum[start] + np.cumsum(np.where(finite, new_y, 0.0))
        self._finite[start + 1 : end + 1] = self._finite[start] + np.cumsum(finite)
        self._count = end

    def clear(self) -> None:
        """Forget all points."""
        self._count = 0

    def smoothed(self, window: int) -> Points:
        """For each point the mean of the last `window` finite values up to it, NaN where there are none."""
        count = self._count
        if window <= 1 or not count:
            return self.y.copy()
        total, amount = self._sum[1 : count + 1].copy(), self._finite[1 : count + 1].copy()
        end = max(count + 1 - window, 1)
        total[window:] -= self._sum[1:end]
        amount[window:] -= self._finite[1:end]
        return np.divide(total, amount, out=np.full(count, np.nan), where=amount > 0)

    def between(self, low: float, high: float) -> Points:
        """A view of the values at positions inside [low, high] and of one beyond each end, to which the line goes."""
        first, last = _span(self.x, low, high)
        return self.y[first:last]

    def nearest(self, x: float) -> int | None:
        """Index of the point nearest to a position, None if there is none."""
        if not self._count:
            return None
        right = int(np.searchsorted(self.x, x))
        candidates = [i for i in (right - 1, right) if 0 <= i < self._count]
        return min(candidates, key=lambda i: abs(float(self._x[i]) - x))


def _span(x: Points, low: float, high: float) -> tuple[int, int]:
    """The slice of the points inside [low, high] and of one beyond each end."""
    return max(int(np.searchsorted(x, low)) - 1, 0), min(int(np.searchsorted(x, high, side="right")) + 1, len(x))


def thin(x: Points, y: Points, low: float, high: float, buckets: int) -> tuple[Points, Points]:
    """The points inside [low, high] and one beyond each end; if many, the extremes of each bucket.

    Every peak stays visible, in at most 2 · `buckets` + 4 points.
    """
    first, last = _span(x, low, high)
    x, y = x[first:last], y[first:last]
    size = len(x) // max(buckets, 1)
    if size < 4:
        return x, y
    whole = len(x) // size * size
    blocks = y[:whole].reshape(-1, size)
    # NaN would win every comparison: an empty bucket stays a gap, otherwise the finite values count.
    finite = np.isfinite(blocks)
    lowest = np.where(finite, blocks, np.inf).argmin(axis=1)
    highest = np.where(finite, blocks, -np.inf).argmax(axis=1)
    both = np.sort(np.stack([lowest, highest], axis=1), axis=1) + np.arange(len(blocks))[:, None] * size
    keep = np.unique(np.concatenate([both.reshape(-1), np.arange(whole, len(x))]))
    return x[keep], y[keep]


def nice_ceiling(value: float) -> float:
    """The next of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 times a power of ten at or above a positive value."""
    if not math.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(s * power for s in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 20) if s * power >= value * (1 - 1e-9))
