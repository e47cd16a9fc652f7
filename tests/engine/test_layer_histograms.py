"""Histograms of weights, gradients and changes against NumPy's own, and averages over a class against one image at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.class_average import MOST, class_average
from engine.datasets.catalog import open_dataset
from engine.datasets.dataset import Split
from engine.layer_histograms import BINS, QUANTITIES, layer_histograms
from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.softmax import Softmax
from engine.network import Network
from engine.settings import TrainSettings
from engine.snapshot import batch_snapshot
from engine.spec import NetworkSpec
from engine.trainer import Trainer, drained

SPEC = NetworkSpec.of([Input(1, 8, 8), Conv2D(4, padding=1), ReLU(), Flatten(), Dense(10), Softmax()])


def trainer_of(bundled: Path, steps: int) -> Trainer:
    trainer = Trainer(SPEC, open_dataset("digits8x8", bundled=bundled), TrainSettings(batch_size=32, seed=3))
    for _ in trainer.run(until=steps):
        pass
    return trainer


def test_counts_are_those_of_numpy_over_the_reach_of_each_quantity_and_layer(bundled: Path) -> None:
    trainer = trainer_of(bundled, 0)
    p = trainer.network.parameters
    drawn = {name: w.copy() for name, w in p.named.items()}
    for _ in trainer.run(until=6):
        pass
    before = {name: w.copy() for name, w in p.named.items()}
    for _ in trainer.run(until=7):
        pass
    found = layer_histograms(trainer, drawn)
    assert found is not None and found.step == 7 and found.layers == ("conv1", "dense1") and found.quantities == QUANTITIES
    batch = batch_snapshot(trainer)
    for place, layer in enumerate(found.layers):
        name = f"{layer}.W"
        w = p.named[name]
        expected = {"W": w, "dW": batch[f"{layer}.dW"], "W_update": w - before[name], "W_change": w - drawn[name]}
        for which, numbers in enumerate(expected.values()):
            reach = float(np.abs(numbers).max())
            counts, edges = np.histogram(numbers.astype(float), BINS, (-reach, reach))
            np.testing.assert_allclose(found.reach[which, place], reach, rtol=1e-6)
            assert edges[BINS // 2] == 0
            # float32 may put a number on an edge into the neighbouring bin
            assert np.abs(found.counts[which, place] - counts).sum() <= 4
            assert found.counts[which, place].sum() == w.size


def test_before_the_first_batch_and_after_an_edit_there_is_no_gradient_to_count(bundled: Path) -> None:
    trainer = trainer_of(bundled, 0)
    found = layer_histograms(trainer, trainer.network.parameters.named)
    assert found is not None and found.quantities == ("W",)
    trained = trainer_of(bundled, 1)
    found = layer_histograms(trained, trained.network.parameters.named, after_batch=False)
    assert found is not None and found.quantities == ("W", "W_change")
    assert (found.counts[1, :, BINS // 2] == [36, 2560]).all()  # nothing has changed from these


def test_weights_that_are_all_zero_tiny_or_not_finite(bundled: Path) -> None:
    trainer = trainer_of(bundled, 0)
    p = trainer.network.parameters
    p.flat[...] = 0
    found = layer_histograms(trainer)
    assert found is not None and (found.counts[0, :, BINS // 2] == [36, 2560]).all()
    p.flat[...] = np.float32(1e-45)
    found = layer_histograms(trainer)
    assert found is not None and (found.counts[0, :, -1] == [36, 2560]).all()
    p.named["conv1.W"][0, 0, 0, 0] = np.nan
    assert layer_histograms(trainer) is None


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
