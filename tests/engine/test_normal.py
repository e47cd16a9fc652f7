"""The normal distribution function against the standard library's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.normal import normal_cdf


@pytest.mark.parametrize(("dtype", "absolute", "relative"), [(np.float64, 1e-15, 1e-12), (np.float32, 2e-7, 2e-5)])
def test_normal_cdf_is_exact_also_far_out(dtype: type, absolute: float, relative: float) -> None:
    x: Any = np.concatenate([np.linspace(-9, 9, 3001), [0.0, -0.0, 1e-300, 30, -12, 1e4, -1e4]]).astype(dtype)
    out, z, t = (np.full_like(x, np.nan) for _ in range(3))
    normal_cdf(x, out, z, t)
    exact = np.array([math.erfc(-float(v) / math.sqrt(2)) / 2 for v in x])
    assert np.abs(out - exact).max() <= absolute
    # The small values of the tail keep their relative precision.
    tail = (x < 0) & (exact > 1e-30)
    assert np.abs(out[tail] / exact[tail] - 1).max() <= relative
