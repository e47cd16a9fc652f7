"""Kernels that everybody knows: what each does to a picture, as small matrices."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QT_TRANSLATE_NOOP

from engine.layer import Array

TITLES = {
    "identity": QT_TRANSLATE_NOOP("Presets", "Identity"),
    "edge": QT_TRANSLATE_NOOP("Presets", "Edges"),
    "sobel_across": QT_TRANSLATE_NOOP("Presets", "Sobel, left to right"),
    "sobel_down": QT_TRANSLATE_NOOP("Presets", "Sobel, top to bottom"),
    "blur": QT_TRANSLATE_NOOP("Presets", "Blur"),
    "sharpen": QT_TRANSLATE_NOOP("Presets", "Sharpen"),
}
"""Name of each -> title (context "Presets")."""

_KERNELS = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "edge": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sobel_across": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "sobel_down": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "blur": [[1 / 16, 1 / 8, 1 / 16], [1 / 8, 1 / 4, 1 / 8], [1 / 16, 1 / 8, 1 / 16]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
}


def preset(name: str, shape: tuple[int, int]) -> Array | None:
    """The preset in the middle of a kernel of a shape, zeros around; None where 3 × 3 does not fit."""
    rows, columns = shape
    if rows < 3 or columns < 3:
        return None
    kernel = np.zeros(shape)
    top, left = (rows - 3) // 2, (columns - 3) // 2
    kernel[top:top + 3, left:left + 3] = np.array(_KERNELS[name])
    return kernel
