"""Which values the axes of a chart show, from those that are in view: round numbers at the ends, and never an empty range;
and which epochs are marked.
"""

from __future__ import annotations

import numpy as np

from cnnstudio.widgets.curve_series import Points, nice_ceiling

Range = tuple[float, float]
_ROUND_PERCENT = 5.0
"""Ends of the percentages of a part are multiples of this."""

_BETWEEN_EPOCHS = 8.0
"""Pixels between the marks of two epochs at least: closer ones would be a grey ground."""
_EVERY = tuple(first * 10**power for power in range(6) for first in (1, 2, 5))


def value_range(values: Points, *, logarithmic: bool) -> Range:
    """From 0, or the least value below it, to a round number; of a logarithmic axis from half a power of ten, as exponents."""
    highest = nice_ceiling(float(values.max(initial=-np.inf)))
    if not logarithmic:
        lowest = float(values.min(initial=0.0))
        return (-nice_ceiling(-lowest) if lowest < 0 else 0.0), highest
    positive = values[values > 0]
    least = float(positive.min()) if positive.size else 0.1
    lowest = float(np.floor(np.log10(least) * 2) / 2)
    return lowest, max(float(np.log10(highest)), lowest + 0.5)


def percent_range(values: Points) -> Range:
    """The percentages in which fractions lie, between multiples of five."""
    if not values.size:
        return 0.0, 100.0
    low = float(np.floor(values.min() * 100.0 / _ROUND_PERCENT)) * _ROUND_PERCENT
    high = float(np.ceil(values.max() * 100.0 / _ROUND_PERCENT)) * _ROUND_PERCENT
    return min(low, 100.0 - _ROUND_PERCENT), max(high, low + _ROUND_PERCENT)


def marked_epochs(ends: Points, low: float, high: float, width: float) -> Points:
    """Of the ends of epochs all, or every second, fifth, tenth … one, so that those in [low, high] have room in a width."""
    seen = int(((ends >= low) & (ends <= high)).sum())
    every = next((number for number in _EVERY if seen * _BETWEEN_EPOCHS <= number * width), _EVERY[-1])
    return ends[every - 1 :: every]
