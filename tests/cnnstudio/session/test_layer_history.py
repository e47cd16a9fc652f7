"""Histograms of several steps on one axis."""

from __future__ import annotations

import numpy as np

from cnnstudio.session.layer_history import HistogramHistory
from engine.layer_histograms import BINS, LayerHistograms


def row(step: int, reach: float, counts: np.ndarray, layer: str = "conv1") -> LayerHistograms:
    return LayerHistograms(step, (layer,), ("W",), np.array([[reach]]), counts[None, None])


def test_narrower_histograms_are_spread_over_the_widest_axis() -> None:
    history = HistogramHistory()
    even = np.full(BINS, 10, np.int32)
    history.add(row(0, 1.0, even))
    history.add(row(5, 2.0, even))
    shares, reach = history.shares("W", "conv1")
    assert reach == 2.0 and history.steps.tolist() == [0, 5]
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    # Weights spread evenly over [-1, 1] fill the middle half of [-2, 2] twice as densely.
    np.testing.assert_allclose(shares[:, 0], np.repeat([0, 2 / BINS, 0], [BINS // 4, BINS // 2, BINS // 4]), atol=1e-12)
    np.testing.assert_allclose(shares[:, 1], 1 / BINS)


def test_rows_without_a_quantity_have_no_column_for_it() -> None:
    history = HistogramHistory()
    history.add(row(0, 1.0, np.ones(BINS, np.int32)))
    assert history.steps_of("dW").size == 0 and history.shares("dW", "conv1")[0].size == 0
    counts = np.zeros((2, 1, BINS), np.int32)
    counts[0, 0, 3], counts[1, 0, 60] = 7, 7
    history.add(LayerHistograms(1, ("conv1",), ("W", "dW"), np.array([[1.0], [0.5]]), counts))
    assert history.steps_of("W").tolist() == [0, 1] and history.steps_of("dW").tolist() == [1]
    shares, reach = history.shares("dW", "conv1")
    assert reach == 0.5 and shares[:, 0].tolist() == np.eye(BINS)[60].tolist()
    assert history.shares("W", "conv1")[0][3, 1] == 1.0


def test_shares_that_were_asked_for_before_follow_a_wider_reach() -> None:
    history, alone = HistogramHistory(), HistogramHistory()
    rows = [row(step, reach, np.arange(BINS, dtype=np.int32)) for step, reach in enumerate((1.0, 1.0, 0.5, 3.0, 2.0))]
    for added in rows:
        history.add(added)
        history.shares("W", "conv1")
    for added in rows:
        alone.add(added)
    np.testing.assert_array_equal(history.shares("W", "conv1")[0], alone.shares("W", "conv1")[0])


def test_an_edited_step_takes_the_place_of_the_one_before_and_other_layers_begin_anew() -> None:
    history = HistogramHistory()
    even = np.full(BINS, 10, np.int32)
    history.add(row(4, 1.0, even))
    history.add(row(4, 3.0, even))
    assert len(history) == 1 and history.shares("W", "conv1")[1] == 3.0
    history.add(row(4, 1.0, even, "conv2"))
    assert history.layers == ("conv2",) and len(history) == 1


def test_memory_stays_flat_and_first_and_last_stay() -> None:
    history = HistogramHistory()
    for step in range(3 * HistogramHistory.most_rows):
        history.add(row(step, 1.0, np.ones(BINS, np.int32)))
    assert len(history) < HistogramHistory.most_rows
    assert history.steps[0] == 0 and history.steps[-1] == 3 * HistogramHistory.most_rows - 1
