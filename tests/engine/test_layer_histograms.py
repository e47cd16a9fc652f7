"""Histograms of the weights against NumPy's own, and averages over a class against one image at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.class_average import MOST, class_average
from engine.datasets.catalog import open_dataset
from engine.datasets.dataset import Split
from engine.layer_histograms import BINS, layer_histograms
from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.softmax import Softmax
from engine.network import Network
from engine.spec import NetworkSpec
from engine.trainer import drained

SPEC = NetworkSpec.of([Input(1, 8, 8), Conv2D(4, padding=1), ReLU(), Flatten(), Dense(10), Softmax()])


def test_counts_are_those_of_numpy_over_the_reach_of_each_layer() -> None:
    network = Network(SPEC)
    network.initialize(3)
    found = layer_histograms(network, 7)
    assert found is not None and found.step == 7 and found.layers == ("conv1", "dense1")
    for place, layer in enumerate(found.layers):
        weights = network.parameters.named[f"{layer}.W"].astype(float)
        reach = np.abs(weights).max()
        expected, edges = np.histogram(weights, BINS, (-reach, reach))
        assert found.reach[place] == reach and edges[BINS // 2] == 0
        # float32 may put a weight on an edge into the neighbouring bin
        assert np.abs(found.counts[place] - expected).sum() <= 2
        assert found.counts[place].sum() == weights.size


def test_weights_that_are_all_zero_or_not_finite() -> None:
    network = Network(SPEC)
    network.parameters.flat[...] = 0
    found = layer_histograms(network, 0)
    assert found is not None and (found.counts[:, BINS // 2] == [36, 2560]).all()
    network.parameters.named["conv1.W"][0, 0, 0, 0] = np.nan
    assert layer_histograms(network, 0) is None


def test_the_average_is_the_mean_of_the_outputs_of_single_images(bundled: Path) -> None:
    data = open_dataset("digits8x8", bundled=bundled)
    network = Network(SPEC)
    network.initialize(1)
    network.fit_input(data.train.images, data.value_range)
    for label in (0, 7):
        found = drained(class_average(network, 5, data.train, "relu1", label))
        rows = np.flatnonzero(data.train.labels == label)[:MOST]
        outputs = [network.forward_sample(data.train.images[row]).workspaces[2].y[0].copy() for row in rows]
        assert (found.step, found.label, found.count) == (5, label, len(rows))
        np.testing.assert_allclose(found.maps, np.mean(outputs, axis=0, dtype=float), rtol=1e-5, atol=1e-7)


def test_a_class_without_images_has_no_average(bundled: Path) -> None:
    data = open_dataset("digits8x8", bundled=bundled)
    network = Network(SPEC)
    none = Split(data.train.images[:0], data.train.labels[:0], data.train.indices[:0])
    found = drained(class_average(network, 0, none, "conv1", 2))
    assert found.count == 0 and np.isnan(found.maps).all() and found.maps.shape == (4, 8, 8)
