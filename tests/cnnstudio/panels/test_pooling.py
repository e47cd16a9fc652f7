"""Winner marks against a plain loop over windows, with padding, overlap and ties."""

from __future__ import annotations

import numpy as np
import pytest

from cnnstudio.panels.pooling import window_cells, winner_marks
from engine.layer import Context, Shape, Workspace
from engine.layers.pool import MaxPool2D


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [((2, 2), (2, 2), (0, 0, 0, 0)), ((3, 2), (1, 2), (1, 0, 1, 0)), ((3, 3), (2, 2), (1, 1, 1, 1))],
)
def test_marks_are_the_first_maxima_of_the_windows(
    kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int, int, int]
) -> None:
    layer = MaxPool2D(kernel_size=kernel, stride=stride, padding=padding)
    x = np.random.default_rng(3).integers(0, 5, (2, 7, 8)).astype(np.float32)
    shape = Shape(x.shape)
    y_shape = layer.output_shape(shape)
    dtypes = {"float": np.float32}
    ws = Workspace(
        {name: np.zeros(b.shape, dtypes.get(b.dtype, b.dtype)) for name, b in layer.workspace(shape, 1).items()}
    )
    layer.forward(x[None], np.zeros((1, *y_shape), np.float32), {}, ws, Context())
    window = layer.window(shape)
    expected = np.zeros(x.shape, bool)
    for c in range(2):
        for i in range(y_shape[1]):
            for j in range(y_shape[2]):
                rows, columns = window_cells(window, i, j)
                cells = [(r, q) for r in rows for q in columns if 0 <= r < 7 and 0 <= q < 8]
                best = max(x[c, r, q] for r, q in cells)
                expected[c][next((r, q) for r, q in cells if x[c, r, q] == best)] = True
    np.testing.assert_array_equal(winner_marks(ws["winner"][0], window, shape), expected)
