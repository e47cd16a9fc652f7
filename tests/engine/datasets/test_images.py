"""Arrays in any usual layout and type become N × C × H × W of uint8 or float32 with the values unchanged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.datasets.images import as_images, usual_range
from engine.errors import DataError

GREY = np.random.default_rng(0).integers(0, 256, (6, 5, 7)).astype(np.uint8)
COLOUR = np.random.default_rng(0).integers(0, 256, (6, 3, 5, 7)).astype(np.uint8)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GREY, GREY[:, None]),
        (GREY[:, None], GREY[:, None]),
        (GREY[..., None], GREY[:, None]),
        (COLOUR, COLOUR),
        (np.moveaxis(COLOUR, 1, 3), COLOUR),
        (COLOUR[:, :2], COLOUR[:, :2]),
        (GREY.reshape(6, 35)[:, :25], GREY.reshape(6, 35)[:, :25].reshape(6, 1, 5, 5)),
    ],
)
def test_every_layout_is_recognised(array: np.ndarray, expected: np.ndarray) -> None:
    images = as_images(array, "x")
    assert np.array_equal(images, expected)
    assert images.dtype == np.uint8
    assert images.flags.c_contiguous


def test_rows_of_a_stated_size_are_split_into_channels() -> None:
    assert np.array_equal(as_images(COLOUR.reshape(6, -1), "x", (5, 7)), COLOUR)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(np.int64, np.uint8), (np.bool_, np.uint8), (">u2", np.uint8), (np.float64, np.float32), (np.float16, np.float32)],
)
def test_types(dtype: Any, expected: Any) -> None:
    array = (GREY // 2).astype(dtype)
    images = as_images(array, "x")
    assert images.dtype == expected
    assert np.array_equal(images[:, 0], array)


def test_whole_numbers_that_are_no_bytes_become_float32() -> None:
    images = as_images(GREY.astype(np.int32) - 128, "x")
    assert (images.dtype, images.min()) == (np.float32, int(GREY.min()) - 128)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 1], (0, 1)), ([0, 16], (0, 16)), ([3, 200], (0, 255)), ([-1, 0.5], (-1, 1)), ([-20, 300], (-20, 300))],
)
def test_the_range_is_the_narrowest_usual_one(values: list[float], expected: tuple[float, float]) -> None:
    assert usual_range([np.array(values[:1]), np.array(values[1:])]) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_no_finite_numbers_are_counted_and_the_first_is_named(value: float) -> None:
    images = GREY.astype(np.float64)
    images[2, 0, 0] = images[5, 1, 1] = value
    with pytest.raises(DataError, match=r"2 of 6 images .* the first is image 2") as caught:
        as_images(images, "x")
    assert caught.value.code == "data.not_finite"


@pytest.mark.parametrize(
    ("array", "code", "words"),
    [
        (np.array(["a", "b"]), "data.images", "no numbers but <U1"),
        (np.zeros((2, 3), complex), "data.images", "complex128"),
        (np.zeros(7), "data.images", "shape 7"),
        (np.array(1.0), "data.images", "shape a single number"),
        (np.zeros((2, 3, 4, 5, 6)), "data.images", "2 × 3 × 4 × 5 × 6"),
        (np.zeros((2, 8, 8, 8)), "data.images", "at most 4 channels"),
        (np.zeros((0, 28, 28)), "data.empty", "0 × 28 × 28"),
        (np.zeros((3, 28, 0)), "data.empty", "3 × 28 × 0"),
    ],
)
def test_arrays_that_are_no_images(array: np.ndarray, code: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        as_images(array, "file.npz")
    assert caught.value.code == code
    assert words in str(caught.value)
    assert "file.npz" in str(caught.value)


def fixes(pixels: int, size: tuple[int, int] = (0, 0)) -> list[tuple[int, int] | None]:
    with pytest.raises(DataError, match=f"{pixels} numbers an image") as caught:
        as_images(np.zeros((2, pixels)), "x", size)
    assert caught.value.code == "data.row_length"
    for fix in caught.value.fixes:
        if fix.value:
            assert as_images(np.zeros((2, pixels)), "x", fix.value).shape[2:] == fix.value
    return [fix.value for fix in caught.value.fixes]


def test_rows_that_are_not_square_offer_the_sizes_that_fit() -> None:
    assert fixes(3072) == [(32, 32), (48, 64)]
    assert fixes(20) == [(4, 5)]
    assert fixes(17) == [None]
    assert fixes(784, (28, 29)) == [(28, 28)]
