"""From a drawing of any size to the array a network was trained on: boxed, scaled and centred like the data set."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_INK = 0.02
LEAST_CONTRAST = 0.1
"""Difference of grey values 0..1 below which there is nothing on a ground."""
_NOISE = 4.0
"""Median deviations from the ground up to which a grey is still paper."""


@dataclass(frozen=True)
class Manner:
    """How the drawings of a data set lie in their pictures."""

    box: float
    """The larger of height and width of the ink, as a share of the picture's."""
    row: float
    column: float
    """The centre of mass, as shares of height and width."""
    dark: bool = False
    """Whether the ink is dark on a light ground."""


MNIST = Manner(box=20 / 28, row=0.5, column=0.5)
"""Digits in a box of 20×20 in the middle of 28×28 (source: yann.lecun.com/exdb/mnist)."""


def manner_of(pictures: NDArray[np.float32]) -> Manner:
    """The manner of pictures (N, H, W) with greys 0..1: medians of box and centre; MNIST's where all are empty."""
    dark = np.array([_is_light(picture) for picture in pictures], np.bool_)
    ink = np.where(dark[:, None, None], 1.0 - pictures, pictures)
    ink = ink[(ink > _INK).any(axis=(1, 2))]
    if not len(ink):
        return MNIST
    _, height, width = ink.shape
    box = np.maximum(_extent(ink.max(axis=2)) / height, _extent(ink.max(axis=1)) / width)
    mass = ink.sum(axis=(1, 2))
    row = ink.sum(axis=2) @ (np.arange(height) + 0.5) / mass / height
    column = ink.sum(axis=1) @ (np.arange(width) + 0.5) / mass / width
    return Manner(float(np.median(box)), float(np.median(row)), float(np.median(column)), bool(dark.mean() > 0.5))


def _extent(profiles: NDArray[np.float32]) -> NDArray[np.int64]:
    """For each row of a matrix the distance from its first to its last ink, both included."""
    inked = profiles > _INK
    return inked.shape[1] - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1)


def fit_drawing(ink: NDArray[np.float32], height: int, width: int, manner: Manner = MNIST) -> NDArray[np.float32]:
    """A drawing (any H×W, ink 0..1) as (height, width), in the manner of a data set; light ink on nothing.

    The ink is fitted into a box of the sides, keeping its proportions, and its centre of mass put where it is in the
    data; an empty drawing gives zeros.
    """
    out = np.zeros((height, width), np.float32)
    rows, cols = np.flatnonzero((ink > _INK).any(axis=1)), np.flatnonzero((ink > _INK).any(axis=0))
    if not rows.size:
        return out
    cut = ink[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    scale = min(height * manner.box / cut.shape[0], width * manner.box / cut.shape[1])
    small = resample(cut, max(1, round(cut.shape[0] * scale)), max(1, round(cut.shape[1] * scale)))
    mass = float(small.sum())
    center_row = float((small.sum(axis=1) * np.arange(small.shape[0])).sum()) / mass
    center_col = float((small.sum(axis=0) * np.arange(small.shape[1])).sum()) / mass
    # The centre of mass goes to its place, unless that would push ink over the edge.
    top = min(max(round(height * manner.row - 0.5 - center_row), 0), height - small.shape[0])
    left = min(max(round(width * manner.column - 0.5 - center_col), 0), width - small.shape[1])
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
    """A grey picture 0..1 as ink from 0 to 1 on empty ground: inverted when its border is light, as on scanned paper.

    What is hardly darker than the ground, the grain of paper, is no ink; a picture that has nothing else is empty.
    """
    ink = 1.0 - gray if _is_light(gray) else gray
    border = _border(ink)
    ground = np.median(border)
    ground += _NOISE * np.median(np.abs(border - ground))
    depth = float(ink.max()) - float(ground)
    return np.zeros_like(ink) if depth < LEAST_CONTRAST else np.clip((ink - ground) / depth, 0.0, 1.0).astype(np.float32)


def _is_light(gray: NDArray[np.float32]) -> bool:
    return float(np.median(_border(gray))) > 0.5


def _border(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
