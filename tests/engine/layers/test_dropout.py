"""Dropout: its share, its scale, its mask, and the errors of its rate."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import OptionError
from engine.layers.dropout import Dropout
from tests.oracles.driver import run

X = np.random.default_rng(0).normal(2, 1, (50, 400))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_drops_the_share_and_keeps_the_expected_size(rate: float, dtype: type) -> None:
    result = run(Dropout(rate), X, X, {}, {}, dtype=dtype)
    assert np.mean(result.y == 0) == pytest.approx(rate, abs=0.01)
    assert result.y.mean() == pytest.approx(X.mean(), rel=0.04)
    assert set(np.unique(result.ws["mask"])) == {0, dtype(1 / (1 - rate))}


def test_backward_uses_the_mask_of_forward_and_every_seed_draws_its_own() -> None:
    first, again, other = (run(Dropout(0.5), X, np.ones_like(X), {}, {}, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.dx, first.ws["mask"])
    np.testing.assert_array_equal(first.y, again.y)
    assert not np.array_equal(first.y, other.y)


def test_evaluation_passes_everything_through_both_ways() -> None:
    result = run(Dropout(0.9), X, 3 * X, {}, {}, training=False)
    np.testing.assert_array_equal(result.y, X)
    np.testing.assert_array_equal(result.dx, 3 * X)


def test_a_rate_in_percent_is_explained() -> None:
    with pytest.raises(OptionError) as caught:
        Dropout(50)
    assert str(caught.value) == "The rate is a share between 0 and 1; 50 % is written 0.5. Use 0.5."
    assert (caught.value.field, caught.value.fixes[0].value) == ("rate", 0.5)


@pytest.mark.parametrize(("rate", "message"), [
    (1, "Rate must be less than 1; it is 1.0. Use 0.5."),
    (100, "Rate must be less than 1; it is 100.0. Use 0.5."),
    (-0.1, "Rate must be at least 0; it is -0.1. Use 0.0."),
    ("half", "Rate must be a number; it is 'half'. Use 0.5."),
])
def test_other_illegal_rates(rate: object, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Dropout(rate)  # type: ignore[arg-type]
    assert str(caught.value) == message
