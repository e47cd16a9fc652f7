"""Pooling: the course's example, the winner, padding that never wins, what counts, and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.layer import Layer, Shape
from engine.layers.pool import AvgPool2D, GlobalAvgPool, MaxPool2D
from tests.oracles.driver import run


def test_max_pooling_of_the_courses_example_with_its_winners() -> None:
    x = np.array([[[[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]]])
    dy = np.array([[[[1.0, 2], [3, 4]]]])
    result = run(MaxPool2D(), x, dy, {}, {})
    np.testing.assert_array_equal(result.y, [[[[6, 8], [3, 4]]]])
    np.testing.assert_array_equal(result.ws["winner"], [[[[3, 3], [0, 3]]]])
    np.testing.assert_array_equal(result.dx, [[[[0, 0, 0, 0], [0, 1, 0, 2], [3, 0, 0, 0], [0, 0, 0, 4]]]])


def test_of_equal_numbers_the_first_in_row_major_order_wins() -> None:
    x = np.zeros((1, 1, 3, 4))
    x[0, 0, 1, :] = 7
    result = run(MaxPool2D((3, 2), (1, 2)), x, np.ones((1, 1, 1, 2)), {}, {})
    np.testing.assert_array_equal(result.ws["winner"], [[[[2, 2]]]])
    np.testing.assert_array_equal(result.dx[0, 0], [[0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("padding", [(1, 1, 1, 1), (2, 0, 0, 2), "same"])
def test_padding_never_wins(padding: Any) -> None:
    x = np.full((1, 1, 4, 4), -5.0)
    layer = MaxPool2D((3, 3), (1, 1), padding)
    np.testing.assert_array_equal(run(layer, x, None, {}, {}).y, np.full((1, *layer.output_shape(Shape((1, 4, 4)))), -5))


def test_a_window_of_more_than_256_cells_has_room_for_its_winner() -> None:
    x = np.zeros((1, 1, 17, 17))
    x[0, 0, 16, 16] = 1
    result = run(MaxPool2D((17, 17), (1, 1)), x, np.ones((1, 1, 1, 1)), {}, {})
    assert result.ws["winner"].item() == 288
    assert result.dx[0, 0, 16, 16] == result.dx.sum() == 1


def test_not_a_number_is_not_lost_in_the_maximum() -> None:
    for place in np.ndindex(2, 2):
        x = np.ones((1, 1, 2, 2))
        x[0, 0, *place] = np.nan
        assert np.isnan(run(MaxPool2D(), x, None, {}, {}).y).all()


@pytest.mark.parametrize(("options", "corner"), [
    ({"padding": (1, 1, 1, 1), "count_padding": True}, 4 / 9),
    ({"padding": (1, 1, 1, 1), "count_padding": False}, 1),
    ({"ceil_mode": True, "count_padding": True}, 1),
    ({"ceil_mode": True, "count_padding": False}, 1),
])
def test_what_the_mean_counts(options: dict[str, Any], corner: float) -> None:
    y = run(AvgPool2D((3, 3), (2, 2), **options), np.ones((1, 1, 4, 4)), None, {}, {}).y
    assert y[0, 0, 0, 0] == pytest.approx(corner)
    assert y[0, 0, -1, -1] == pytest.approx(1)


def test_global_pooling_gives_one_number_a_channel() -> None:
    assert GlobalAvgPool().output_shape(Shape((7, 3, 4))) == (7,)


@pytest.mark.parametrize("layer", [MaxPool2D(), AvgPool2D(), GlobalAvgPool()], ids=lambda layer: layer.kind)
def test_a_vector_cannot_be_pooled(layer: Layer) -> None:
    with pytest.raises(ShapeError, match=r"^pooling needs maps, but its input is a vector of 10\. "
                                         r"Put it before the Flatten block\.$"):
        layer.output_shape(Shape((10,)))


def test_padding_as_large_as_the_window_is_refused_with_the_largest_that_is_legal() -> None:
    with pytest.raises(ShapeError) as caught:
        MaxPool2D((2, 3), (2, 2), (0, 1, 3, 2)).output_shape(Shape((1, 6, 6)))
    assert str(caught.value) == ("3 of padding at the left would make windows of padding alone. "
                                 "A window of 2×3 allows at most 2 there. Use 2.")
    assert caught.value.fixes[0].value == (0, 1, 2, 2)
    MaxPool2D((2, 3), (2, 2), caught.value.fixes[0].value).output_shape(Shape((1, 6, 6)))


def test_a_window_that_does_not_fit_is_called_a_window() -> None:
    with pytest.raises(ShapeError, match=r"^the 3×3 window does not fit\. Input height 2 \+ 0 \+ 0 padding = 2\. "
                                         r"Use a window of at most 2, or add 1 of padding\.$"):
        MaxPool2D((3, 3)).output_shape(Shape((1, 2, 2)))


@pytest.mark.parametrize(("options", "label"), [
    ({}, "2×2"),
    ({"kernel_size": 3}, "3×3 · stride 2"),
    ({"kernel_size": 3, "stride": 3, "padding": "cover", "ceil_mode": True}, "3×3 · cover · ceil"),
])
def test_label(options: dict[str, Any], label: str) -> None:
    assert MaxPool2D(**options).label() == label
