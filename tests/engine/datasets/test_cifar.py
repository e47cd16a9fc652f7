"""CIFAR-10's binary files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.datasets.catalog import open_dataset
from engine.datasets.dataset import SplitOptions

from .conftest import Refused

NO_VALIDATION = SplitOptions(validation=0)


def records(count: int, first: int = 0) -> bytes:
    """Records whose red, green and blue planes hold 10, 20 and 30 plus the row, the label count up."""
    rows = np.repeat(np.arange(32, dtype=np.uint8), 32)
    planes = np.concatenate([rows + 10, rows + 20, rows + 30]).tobytes()
    return b"".join(bytes([(first + i) % 3]) + planes for i in range(count))


def test_planes_and_labels_and_all_batches(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(records(4))
    (tmp_path / "data_batch_2.bin").write_bytes(records(5, first=1))
    (tmp_path / "test_batch.bin").write_bytes(records(3))
    (tmp_path / "batches.meta.txt").write_text("ant\nbee\ncow\n\n")
    data = open_dataset(tmp_path, split=NO_VALIDATION)
    assert data.test is not None
    assert data.classes == ("ant", "bee", "cow")
    assert data.train.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2]
    assert data.train.images[8, :, 5, 7].tolist() == [15, 25, 35]
    assert len(data.test) == 3


def test_the_first_images_of_the_published_set(shared_data: Path) -> None:
    data = open_dataset(shared_data / "cifar10", split=NO_VALIDATION)
    assert data.test is not None
    assert (len(data.train), len(data.test), data.shape) == (3000, 1000, (3, 32, 32))
    counts = [299, 287, 322, 285, 311, 279, 312, 297, 308, 300]
    assert np.bincount(data.train.labels).tolist() == counts
    assert [data.classes[i] for i in data.train.labels[:5]] == ["frog", "truck", "truck", "deer", "automobile"]
    assert data.train.images[0, :, 0, 0].tolist() == [59, 62, 63]  # the frog's corner, as in every tutorial


def test_one_file_by_itself(tmp_path: Path) -> None:
    (tmp_path / "test_batch.bin").write_bytes(records(6))
    data = open_dataset(tmp_path / "test_batch.bin", split=NO_VALIDATION)
    assert (len(data.train), data.test, data.classes) == (6, None, ("0", "1", "2"))


def test_what_is_broken_is_said(tmp_path: Path, refused: Refused) -> None:
    batch, names = tmp_path / "data_batch_1.bin", tmp_path / "batches.meta.txt"
    batch.write_bytes(records(4)[:-1])
    refused(tmp_path, "data.cut_off", "12291 bytes are not a whole number of CIFAR-10 records of 3073 bytes")
    batch.write_bytes(b"")
    refused(batch, "data.cut_off", "0 bytes")
    batch.write_bytes(records(4))
    names.write_bytes(b"\xff\xff")
    refused(tmp_path, "data.class_names", "no text file")
    names.write_text("ant\nbee\n")
    refused(tmp_path, "data.label_outside", "run 0..2, but there are 2 classes")
    batch.rename(tmp_path / "test_batch.bin")
    refused(tmp_path, "data.missing", "nothing to train on", "data_batch_1.bin")


def test_the_pickled_version_is_refused(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02}")
    refused(tmp_path, "data.objects", "pickles are never loaded", "binary version")
