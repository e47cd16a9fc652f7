"""From a drawing of any size to the array a network was trained on: boxed, scaled and centred like MNIST."""

import math

import numpy as np
from numpy.typing import NDArray

# Share of the picture's side that the digit fills in MNIST (source: yann.lecun.com/exdb/mnist).
_BOX = 20 / 28
_INK = 0.02


def fit_drawing(ink: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """A drawing (any H×W, ink 0..1) as (height, width), in MNIST's manner.

    The ink is fitted into a box of 20/28 of the sides, keeping its proportions, and its centre of mass put in
    the middle; an empty drawing gives zeros.
    """
    out = np.zeros((height, width), np.float32)
    rows, cols = np.flatnonzero((ink > _INK).any(axis=1)), np.flatnonzero((ink > _INK).any(axis=0))
    if not rows.size:
        return out
    cut = ink[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    scale = min(height * _BOX / cut.shape[0], width * _BOX / cut.shape[1])
    small = resample(cut, max(1, round(cut.shape[0] * scale)), max(1, round(cut.shape[1] * scale)))
    mass = float(small.sum())
    center_row = float((small.sum(axis=1) * np.arange(small.shape[0])).sum()) / mass
    center_col = float((small.sum(axis=0) * np.arange(small.shape[1])).sum()) / mass
    # The centre of mass goes to the middle, unless that would push ink over the edge.
    top = min(max(round((height - 1) / 2 - center_row), 0), height - small.shape[0])
    left = min(max(round((width - 1) / 2 - center_col), 0), width - small.shape[1])
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


def resample(image: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """An image (H, W) at another size by averaging the area under each new pixel."""
    rows, cols = _overlap(image.shape[0], height), _overlap(image.shape[1], width)
    return np.clip(rows @ image.astype(float) @ cols.T, 0.0, 1.0).astype(np.float32)


def _overlap(old: int, new: int) -> NDArray[np.float64]:
    """The matrix (new, old) of how much each old pixel counts in each new one; rows sum to 1."""
    weights = np.zeros((new, old))
    for i in range(new):
        low, high = i * old / new, (i + 1) * old / new
        for j in range(math.floor(low), min(math.ceil(high - 1e-9), old)):
            weights[i, j] = min(high, j + 1) - max(low, j)
    return weights / weights.sum(axis=1, keepdims=True)


def as_ink(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """A grey picture 0..1 as ink on empty ground: inverted when its border is light, as on scanned paper."""
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return 1.0 - gray if float(np.median(border)) > 0.5 else gray
