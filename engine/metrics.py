"""What the outputs of a network predict, and how surely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.layer import Array


def predicted_classes(y: Array) -> NDArray[np.int64]:
    """The class that each row of outputs (N, K) names: the largest one; with one output unit, 1 where it exceeds ½."""
    if y.shape[1] == 1:
        return np.asarray(y[:, 0] > 0.5, np.int64)
    return np.asarray(np.argmax(y, axis=1), np.int64)


def confidences(y: Array) -> Array:
    """The output (N,) that stands for the predicted class of each row of outputs (N, K); of one unit, y or 1 − y."""
    return np.asarray(np.maximum(y[:, 0], 1 - y[:, 0]) if y.shape[1] == 1 else y.max(axis=1))
