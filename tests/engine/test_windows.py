"""Padding rules and output sizes, compared with windows that are laid out one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine.errors import ShapeError
from engine.windows import output_size, resolve_padding, steps_in_words, windows

GEOMETRIES = list(itertools.product(range(1, 10), range(1, 5), range(1, 5), (1, 2)))
"""(cells, kernel, stride, dilation)"""


def read_cells(cells: int, kernel: int, stride: int, dilation: int, before: int, after: int) -> list[set[int]]:
    """The cells of the map that each window reads, the windows laid out one after the other."""
    read, start = [], 0
    while start + dilation * (kernel - 1) < cells + before + after:
        taken = {start + dilation * u - before for u in range(kernel)}
        read.append({cell for cell in taken if 0 <= cell < cells})
        start += stride
    return read


def one_axis(rule: str, cells: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    top, bottom, left, right = resolve_padding(rule, (cells, cells), (kernel, kernel), (stride, stride),
                                               (dilation, dilation))
    assert (top, bottom) == (left, right)
    return top, bottom


def test_output_size_counts_the_windows() -> None:
    for (cells, kernel, stride, dilation), before, after in itertools.product(GEOMETRIES, range(3), range(3)):
        count = len(read_cells(cells, kernel, stride, dilation, before, after))
        sides = (before, after, 0, 0)
        if count:
            assert output_size((cells, 1), (kernel, 1), (stride, 1), sides, (dilation, 1)) == (count, 1)
        else:
            with pytest.raises(ShapeError):
                output_size((cells, 1), (kernel, 1), (stride, 1), sides, (dilation, 1))


def test_cover_is_the_smallest_padding_at_the_end_that_lets_the_windows_read_all_they_can() -> None:
    for cells, kernel, stride, dilation in GEOMETRIES:
        before, after = one_axis("cover", cells, kernel, stride, dilation)
        assert before == 0
        read = [set().union(*read_cells(cells, kernel, stride, dilation, 0, end)) for end in range(after + 9)]
        assert all(read_cells(cells, kernel, stride, dilation, 0, after)), "a window reads padding alone"
        if dilation == 1:
            assert read[after] == read[-1]
            assert not after or read[after - 1] != read[after]
            assert stride > kernel or read[after] == set(range(cells))


def test_cover_pads_the_courses_5_by_5_picture_to_6_by_6() -> None:
    assert resolve_padding("cover", (5, 5), (2, 2), (2, 2)) == (0, 1, 0, 1)
    assert output_size((5, 5), (2, 2), (2, 2), (0, 1, 0, 1)) == (3, 3)


def test_same_keeps_the_size_up_to_the_stride() -> None:
    for cells, kernel, stride, dilation in GEOMETRIES:
        before, after = one_axis("same", cells, kernel, stride, dilation)
        assert after - before in (0, 1)
        sides = (before, after, 0, 0)
        rows, _ = output_size((cells, 1), (kernel, 1), (stride, 1), sides, (dilation, 1))
        assert rows == -(-cells // stride)


def test_valid_and_numbers_stand_for_themselves() -> None:
    assert resolve_padding("valid", (5, 6), (3, 3), (2, 2)) == (0, 0, 0, 0)
    assert resolve_padding((1, 2, 3, 4), (5, 6), (3, 3), (2, 2)) == (1, 2, 3, 4)


@pytest.mark.parametrize(("cells", "kernel", "stride", "after", "places"), [
    (5, 2, 2, 0, 3), (4, 2, 2, 0, 2), (6, 3, 2, 0, 3), (1, 2, 2, 0, 1), (2, 1, 2, 0, 1), (3, 3, 3, 1, 1)])
def test_ceil_mode_adds_a_window_that_begins_inside(cells: int, kernel: int, stride: int, after: int,
                                                    places: int) -> None:
    sides = (0, after, 0, after)
    found = output_size((cells, cells), (kernel,) * 2, (stride,) * 2, sides, ceil_mode=True)
    assert found == (places, places)


def test_a_kernel_that_does_not_fit_is_named_with_the_arithmetic_and_fixes() -> None:
    with pytest.raises(ShapeError) as caught:
        output_size((2, 9), (5, 5), (1, 1), (0, 0, 0, 0))
    assert str(caught.value) == ("the 5×5 kernel does not fit. Input height 2 + 0 + 0 padding = 2. "
                                 "Use a kernel of at most 2, or add 3 of padding.")
    shrink, pad = caught.value.fixes
    assert (shrink.field, shrink.value) == ("kernel_size", (2, 2))
    assert (pad.field, pad.value) == ("padding", "cover")


def test_a_dilated_kernel_that_does_not_fit_names_what_it_spans() -> None:
    with pytest.raises(ShapeError) as caught:
        output_size((4, 9), (3, 3), (1, 1), (0, 0, 0, 0), (2, 2))
    assert "the 3×3 kernel spans 5 cells with dilation 2 and does not fit." in str(caught.value)
    assert caught.value.fixes[0].value == (2, 2)


def test_windows_hold_the_cells_that_the_formula_names() -> None:
    a = np.arange(2 * 3 * 9 * 10).reshape(2, 3, 9, 10)
    kernel, stride, dilation, places = (3, 2), (2, 3), (1, 2), (3, 3)
    view = windows(a, kernel, stride, dilation, places)
    assert view.shape == (2, 3, 3, 2, 3, 3)
    for n, c, u, v, i, j in np.ndindex(view.shape):
        assert view[n, c, u, v, i, j] == a[n, c, i * 2 + u, j * 3 + v * 2]


@pytest.mark.parametrize(("stride", "padding", "expected"), [
    ((1, 1), (0, 0, 0, 0), []),
    ((2, 2), (2, 2, 2, 2), ["stride 2", "pad 2"]),
    ((2, 1), (0, 1, 0, 1), ["stride 2×1", "pad 0,1,0,1"]),
    ((1, 1), "same", ["same"]),
])
def test_words_leave_out_what_is_usual(stride: tuple[int, int], padding: str | tuple[int, int, int, int],
                                       expected: list[str]) -> None:
    assert [str(phrase) for phrase in steps_in_words(stride, padding, usual_stride=(1, 1))] == expected
