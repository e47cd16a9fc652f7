"""The bundled coloured shapes are what their script draws."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from engine.datasets import shapes
from engine.datasets.catalog import open_dataset


def test_the_bundled_file_is_what_the_script_draws(bundled: Path) -> None:
    images, labels = shapes.draw_part(0, 1, shapes.TEST_IMAGES)
    with np.load(bundled / "shapes32.npz") as published:
        assert np.array_equal(published["test_images"], images)
        assert np.array_equal(published["test_labels"], labels)


def test_the_bundled_set_is_balanced_and_small(bundled: Path) -> None:
    data = open_dataset("shapes32", bundled=bundled)
    assert data.test is not None
    assert (data.shape, len(data.classes)) == ((3, 32, 32), 10)
    assert (np.bincount(data.train.labels) + np.bincount(data.validation.labels)).tolist() == [250] * 10
    assert np.bincount(data.test.labels).tolist() == [50] * 10
    assert (bundled / "shapes32.npz").stat().st_size < 3_000_000


def test_every_image_is_drawn_once_only(bundled: Path) -> None:
    data = open_dataset("shapes32", bundled=bundled)
    assert data.test is not None
    every = np.concatenate([data.train.images, data.validation.images, data.test.images])
    assert len(np.unique(every.reshape(len(every), -1), axis=0)) == 3000


@pytest.mark.parametrize("name", shapes.SHAPES)
def test_a_shape_is_large_enough_to_be_seen_and_wholly_inside(name: str) -> None:
    for seed in range(20):
        mask = shapes._shape(name, np.random.default_rng(seed))[:, :, 0]
        assert 0.05 < mask.mean() < 0.7
        assert not any(edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def test_the_command_writes_the_same_bytes_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "TRAINING_IMAGES", 2)
    monkeypatch.setattr(shapes, "TEST_IMAGES", 1)
    for name in ("a.npz", "b.npz"):
        monkeypatch.setattr(sys, "argv", ["shapes", str(tmp_path / name)])
        shapes.main()
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert open_dataset(tmp_path / "a.npz").classes == tuple(shapes.SHAPES)
