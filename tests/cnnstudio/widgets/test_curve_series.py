"""The data of a curve: growing, smoothing, thinning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnstudio.widgets.curve_series import CurveSeries, nice_ceiling, thin

VALUES = st.lists(st.one_of(st.floats(-10, 10), st.just(float("nan"))), min_size=1, max_size=600)


@given(values=VALUES, pieces=st.integers(1, 7))
def test_appending_piecewise_is_appending_at_once(values, pieces):
    series = CurveSeries()
    for part in np.array_split(np.array(values), pieces):
        start = len(series)
        series.append(np.arange(start, start + len(part)), part)
    assert np.array_equal(series.y, values, equal_nan=True)
    assert np.array_equal(series.x, np.arange(len(values)))


@given(values=VALUES, window=st.one_of(st.integers(1, 12), st.integers(1, 700)))
def test_smoothing_is_the_mean_of_the_last_finite_values(values, window):
    series = CurveSeries()
    series.append(np.arange(len(values)), values)
    smooth = series.smoothed(window)
    for i in range(len(values)):
        part = np.array(values[max(0, i - window + 1) : i + 1])
        part = part[np.isfinite(part)]
        if window == 1:
            assert np.array_equal(smooth[i], values[i], equal_nan=True)
        elif part.size:
            assert smooth[i] == pytest.approx(part.mean(), abs=1e-9)
        else:
            assert np.isnan(smooth[i])


def test_smoothing_starts_anew_after_clearing():
    series = CurveSeries()
    series.append([0, 1], [100.0, 100.0])
    series.clear()
    series.append([0, 1], [1.0, 3.0])
    assert series.smoothed(2).tolist() == [1.0, 2.0]


def test_positions_and_values_must_be_equally_many():
    with pytest.raises(ValueError, match="equally many"):
        CurveSeries().append([1, 2], [1.0])


@given(st.integers(0, 5000), st.integers(1, 300))
def test_thinning_keeps_both_ends_and_every_peak(count, buckets):
    x = np.arange(float(count))
    y = np.random.default_rng(count).normal(size=count)
    thin_x, thin_y = thin(x, y, -1.0, count + 1.0, buckets)
    assert len(thin_x) <= max(2 * buckets + 4 + count // buckets, 8 * buckets)
    assert (np.diff(thin_x) > 0).all()
    assert np.isin(thin_x, x).all() and np.array_equal(y[thin_x.astype(int)], thin_y)
    if count:
        assert thin_y.min() == y.min() and thin_y.max() == y.max()


def test_thinning_shows_the_part_in_view_and_one_point_beyond():
    x = np.arange(100.0)
    assert thin(x, x, 10.5, 20.5, 500)[0].tolist() == list(range(10, 22))


def test_a_gap_stays_a_gap():
    y = np.ones(10_000)
    y[4000:6000] = np.nan
    y[100] = 7.0
    _, thin_y = thin(np.arange(10_000.0), y, 0, 10_000, 50)
    assert np.isnan(thin_y).any() and np.nanmax(thin_y) == 7.0


@given(st.floats(1e-6, 1e9))
def test_the_nice_ceiling_is_above_and_near(value):
    ceiling = nice_ceiling(value)
    assert value * (1 - 1e-9) <= ceiling <= 2 * value


def test_the_nearest_point():
    series = CurveSeries()
    assert series.nearest(3) is None
    series.append([0, 10, 20], [1, 2, 3])
    assert [series.nearest(x) for x in (-5, 4, 6, 99)] == [0, 0, 1, 2]
