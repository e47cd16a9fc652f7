"""A data set of one image that somebody typed: the small worlds in which every number can be checked by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from engine.datasets.dataset import Dataset, Split
from engine.errors import DataError
from engine.layer import Array

NAME = "typed"
TITLE = "Typed matrix"
LARGEST = (3, 16, 16)
"""Channels, rows and columns that a typed image may have."""


def typed_dataset(image: Sequence[object] | Array, label: int = 0, classes: int = 2) -> Dataset:
    """One image (C, H, W) with its class, to train on; raises DataError for anything else.

    There are no validation images: the world has only this one.
    """
    try:
        pixels = np.array(image, np.float32)
    except (TypeError, ValueError):
        pixels = np.zeros(0, np.float32)
    fits = pixels.ndim == 3 and pixels.size > 0 and all(n <= most for n, most in zip(pixels.shape, LARGEST, strict=True))
    if not fits or not np.isfinite(pixels).all():
        raise DataError("A typed image has 1 to {channels} channels of at most {height} × {width} finite numbers.",
                        code="data.typed", channels=LARGEST[0], height=LARGEST[1], width=LARGEST[2])
    if not 0 <= label < classes:
        raise DataError("The class {label} is not one of 0 to {last}.", code="data.typed_label", label=label, last=classes - 1)
    low, high = float(pixels.min()), float(pixels.max())
    one = Split(pixels[None], np.array([label], np.int64), np.zeros(1, np.int64))
    none = Split(np.zeros((0, *pixels.shape), np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64))
    mark = hashlib.sha256(pixels.tobytes() + str((pixels.shape, label)).encode()).hexdigest()
    return Dataset(NAME, TITLE, tuple(str(k) for k in range(classes)), one, none, None,
                   (low, high if high > low else low + 1.0), "typed", "", mark)
