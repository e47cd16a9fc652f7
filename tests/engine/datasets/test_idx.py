"""IDX files: the real MNIST and Fashion-MNIST, all usual names, and every way in which such files are broken."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from engine.datasets.catalog import open_dataset
from engine.datasets.dataset import ReadOptions, SplitOptions

from .conftest import Refused

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 5, 4)).astype(np.uint8)
LABELS = (np.arange(40) % 4).astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    """An IDX file as its description says, written independently of the reader."""
    magic = bytes([0, 0, 8, array.ndim])
    return magic + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.astype(np.uint8).tobytes()


def write(folder: Path, images: bytes = idx(IMAGES), labels: bytes = idx(LABELS), part: str = "train") -> Path:
    (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    return folder


def test_images_labels_and_places_come_as_they_are(tmp_path: Path) -> None:
    data = open_dataset(write(tmp_path), split=SplitOptions(validation=0))
    assert np.array_equal(data.train.images[:, 0], IMAGES)
    assert np.array_equal(data.train.labels, LABELS)
    assert data.train.indices.tolist() == list(range(40))
    assert (data.shape, data.value_range, data.classes) == ((1, 5, 4), (0.0, 255.0), ("0", "1", "2", "3"))


@pytest.mark.parametrize("name", ["{}-{}-idx{}-ubyte", "{}-{}.idx{}-ubyte", "{}-{}-idx{}-ubyte.gz", "{}-{}.idx{}-ubyte.gz"])
def test_all_usual_names_plain_or_packed(tmp_path: Path, name: str) -> None:
    pack = gzip.compress if name.endswith(".gz") else bytes
    for part, count in (("train", 40), ("t10k", 8)):
        (tmp_path / name.format(part, "images", 3)).write_bytes(pack(idx(IMAGES[:count])))
        (tmp_path / name.format(part, "labels", 1)).write_bytes(pack(idx(LABELS[:count])))
    data = open_dataset(tmp_path)
    assert (len(data.train), len(data.validation)) == (36, 4)
    assert data.test is not None
    assert np.array_equal(data.test.images[:, 0], IMAGES[:8])


def test_a_packed_file_without_gz_in_its_name_is_unpacked(tmp_path: Path) -> None:
    assert len(open_dataset(write(tmp_path, gzip.compress(idx(IMAGES)))).train) == 32


def test_opening_one_of_the_files_opens_the_folder(tmp_path: Path) -> None:
    write(tmp_path)
    one = open_dataset(tmp_path / "train-labels-idx1-ubyte")
    assert one.fingerprint == open_dataset(tmp_path).fingerprint


def test_the_test_part_is_never_used_for_validation(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, idx(IMAGES[:8] // 2), idx(LABELS[:8]), "t10k")
    data = open_dataset(tmp_path, split=SplitOptions(validation=0.3, test=0.3, seed=5))
    assert data.test is not None
    assert np.array_equal(data.test.images[:, 0], IMAGES[:8] // 2)
    own = np.concatenate([data.train.indices, data.validation.indices])
    assert np.array_equal(np.sort(own), np.arange(40))


@pytest.mark.parametrize(
    ("folder", "title", "first", "mean"),
    [("mnist", "MNIST", "0", 33.32), ("fashion_mnist", "Fashion-MNIST", "T-shirt/top", 72.94)],
)
def test_the_published_sets_are_recognised(shared_data: Path, folder: str, title: str, first: str, mean: float) -> None:
    data = open_dataset(shared_data / folder)
    assert (data.title, data.classes[0], data.shape) == (title, first, (1, 28, 28))
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (54_000, 6_000, 10_000)
    assert data.train.images.dtype == np.uint8  # 47 MB instead of the 188 of float32
    whole = data.train.images.sum(dtype=np.int64) + data.validation.images.sum(dtype=np.int64)
    assert abs(whole / (60_000 * 784) - mean) < 0.01  # the well-known mean of the training part
    counts = np.bincount(data.train.labels) + np.bincount(data.validation.labels)
    assert np.abs(np.bincount(data.validation.labels) - counts / 10).max() < 1


def test_wrong_magic_numbers_say_what_was_found(tmp_path: Path, refused: Refused) -> None:
    refused(write(tmp_path, b"\x89PNG" + bytes(20)), "data.magic", "no IDX file of images", "2303741511", "2051")
    refused(write(tmp_path, idx(LABELS), idx(IMAGES)), "data.magic", "holds labels (magic number 2049) where images belong")
    refused(write(tmp_path, struct.pack(">I", 0x0D03) + bytes(20)), "data.magic", "3331")


def test_cut_off_files_say_how_much_is_there(tmp_path: Path, refused: Refused) -> None:
    refused(write(tmp_path, idx(IMAGES)[:-7]), "data.cut_off", "it has 809 of 816 bytes")
    refused(write(tmp_path, idx(IMAGES)[:10]), "data.cut_off", "it has 10 of 16 bytes")
    refused(write(tmp_path, b""), "data.cut_off", "it has 0 of 4 bytes")
    refused(write(tmp_path, gzip.compress(idx(IMAGES))[:-20]), "data.gzip", "damaged or cut off")


def test_a_file_longer_than_its_header_says_is_refused(tmp_path: Path, refused: Refused) -> None:
    refused(write(tmp_path, idx(IMAGES) + b"x"), "data.too_long", "40 × 5 × 4", "816 bytes", "817")


def test_a_header_that_claims_too_much_is_refused_before_anything_is_allocated(tmp_path: Path, refused: Refused) -> None:
    refused(write(tmp_path, struct.pack(">4I", 2051, 2**31, 2**15, 2**15)), "data.too_large", "4 GB")


def test_no_images_at_all(tmp_path: Path, refused: Refused) -> None:
    refused(write(tmp_path, idx(IMAGES[:0]), idx(LABELS[:0])), "data.empty", "there are no images")


def test_different_numbers_of_images_and_labels(tmp_path: Path, refused: Refused) -> None:
    refused(write(tmp_path, labels=idx(LABELS[:39])), "data.counts", "there are 40 images but 39 labels")


def test_a_missing_half_of_a_pair_is_named(tmp_path: Path, refused: Refused) -> None:
    write(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    refused(tmp_path, "data.missing", "train-labels-idx1-ubyte(.gz) is missing")
    write(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS))
    refused(tmp_path, "data.missing", "t10k-images-idx3-ubyte(.gz) is missing")


def test_test_images_of_another_size(tmp_path: Path, refused: Refused) -> None:
    write(tmp_path, idx(np.zeros((2, 3, 3))), idx(LABELS[:2]), "t10k")
    refused(write(tmp_path), "data.shapes_differ", "1 × 3 × 3", "1 × 5 × 4")


def test_labels_from_1_are_not_shifted_unless_asked_for(tmp_path: Path, refused: Refused) -> None:
    write(tmp_path, labels=idx(LABELS + 1))
    error = refused(tmp_path, "data.label_run", "run 1..4; class indices start at 0. Shift them to 0..3", "labels-idx1")
    fix = error.fixes[0]
    assert (fix.field, fix.value) == ("labels", "renumber")
    shifted = open_dataset(tmp_path, reading=ReadOptions(labels="renumber"))
    assert shifted.classes == ("1", "2", "3", "4")
    assert np.array_equal(shifted.train.labels, LABELS[shifted.train.indices])
    kept = open_dataset(tmp_path, reading=ReadOptions(labels="keep"))
    assert kept.classes == ("0", "1", "2", "3", "4")
    assert kept.train.labels.min() == 1
