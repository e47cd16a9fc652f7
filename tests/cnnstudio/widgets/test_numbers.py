"""How numbers are written, and read back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnstudio.widgets.numbers import (
    closed_up,
    format_bytes,
    format_count,
    format_duration,
    format_fixed,
    format_percent,
    format_rate,
    format_shape,
    format_short,
    format_time_left,
    format_value,
    matrix_decimals,
    parse_number,
    unbroken,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-11.861, "−11.86"),
        (0.317, "0.3170"),
        (0, "0"),
        (-0.0, "0"),
        (1234.5678, "1235"),
        (99999.6, "100000"),
        (9.99996, "10.00"),
        (0.00012345, "0.0001234"),
        (0.000012345, "1.234e−05"),
        (-1234567.0, "−1.235e+06"),
        (math.nan, "nan"),
        (-math.inf, "−∞"),
    ],
)
def test_values_have_four_significant_digits(value: float, text: str):
    assert format_value(value) == text


def test_a_sign_can_be_asked_for():
    assert format_value(0.61, 2, sign=True) == "+0.61"
    assert format_value(0.0, 2, sign=True) == "0"
    assert format_fixed(0.25, 1, sign=True) == "+0.2"


@pytest.mark.parametrize(
    ("value", "text"), [(0.751, "0.75"), (-0.42, "−0.42"), (-0.001, "0.00"), (12.0, "12.00"), (math.inf, "∞")]
)
def test_a_column_has_fixed_decimals(value: float, text: str):
    assert format_fixed(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_written_can_be_read_back(value: float):
    assert parse_number(format_value(value, 6)) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("text", ["-2", "−2", " -2.0 ", "-2e0"])
def test_either_minus_sign_is_read(text: str):
    assert parse_number(text) == -2.0


@pytest.mark.parametrize("text", ["", "abc", "1_000", "1,5", "--1"])
def test_what_is_no_number_is_refused(text: str):
    with pytest.raises(ValueError):
        parse_number(text)


def test_a_number_stays_with_the_word_in_front_of_it():
    spaces = [at for at, sign in enumerate(unbroken("row 12 of it = −3.4 (· 10⁻³)")) if sign == " "]
    assert spaces == [6, 9, 12, 19]


def test_there_is_no_space_inside_chinese_text():
    assert closed_up("输入 的输出，第 3 步。 作为 FC") == "输入的输出，第 3 步。作为 FC"
    assert closed_up("output of Conv 1") == "output of Conv 1"


def test_counts_sizes_and_shares():
    assert format_count(61706) == "61,706"
    assert format_count(-1234) == "−1,234"
    assert [format_short(v) for v in (0, 842, 37_106, 385_000, 1_256_080_000)] == [
        "0", "842", "37.1 k", "0.39 M", "1.26 G"
    ]  # fmt: skip
    assert [format_bytes(n) for n in (640, 1536, 39_000_000, 5 * 2**40)] == [
        "640 B", "1.5 KiB", "37.2 MiB", "5120.0 GiB"
    ]  # fmt: skip
    assert format_percent(0.9789) == "97.9 %"
    assert format_percent(math.nan) == "nan"
    assert format_shape((28, 28, 1)) == "28×28×1"


@pytest.mark.parametrize(
    ("seconds", "text"), [(7, "0:07"), (65.4, "1:05"), (59.7, "1:00"), (7389, "2:03:09"), (math.inf, "–"), (-1, "–")]
)
def test_times_are_clock_digits(seconds: float, text: str):
    assert format_duration(seconds) == text


def test_sentences_go_round_the_numbers():
    assert format_time_left(65) == "1:05 left"
    assert format_rate(9800.4) == "9,800 images/s"


@pytest.mark.parametrize(("largest", "decimals"), [(12.5, 2), (1.5, 2), (0.61, 3), (0.012, 4), (0.00012, 6), (7.0, 0)])
def test_a_matrix_gets_three_digits(largest: float, decimals: int):
    assert matrix_decimals(np.array([[largest, 0.0], [np.nan, -largest]])) == decimals
