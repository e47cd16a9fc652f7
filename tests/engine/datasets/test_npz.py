"""NumPy archives: every usual naming, class names, and nothing pickled."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.datasets.catalog import open_dataset
from engine.datasets.dataset import SplitOptions

from .conftest import Refused

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 6, 5)).astype(np.uint8)
LABELS = (np.arange(40) % 4).astype(np.uint8)
NO_VALIDATION = SplitOptions(validation=0)


def save(folder: Path, **arrays: Any) -> Path:
    path = folder / "set.npz"
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.parametrize("names", [("images", "labels"), ("x", "y"), ("X", "y"), ("x_train", "y_train"), ("data", "target")])
def test_training_images_under_every_usual_name(tmp_path: Path, names: tuple[str, str]) -> None:
    data = open_dataset(save(tmp_path, **{names[0]: IMAGES, names[1]: LABELS}), split=NO_VALIDATION)
    assert np.array_equal(data.train.images[:, 0], IMAGES)
    assert data.train.labels.tolist() == LABELS.tolist()
    assert (data.title, data.test) == ("set", None)


def test_published_parts_stay_apart(tmp_path: Path) -> None:
    # As MedMNIST names its arrays, with labels as a column.
    path = save(
        tmp_path,
        train_images=IMAGES, train_labels=LABELS[:, None],
        val_images=IMAGES[:8] // 2, val_labels=LABELS[:8, None],
        test_images=IMAGES[:4] // 3, test_labels=LABELS[:4, None],
    )  # fmt: skip
    data = open_dataset(path)
    assert data.test is not None
    for part, images in ((data.train, IMAGES), (data.validation, IMAGES[:8] // 2), (data.test, IMAGES[:4] // 3)):
        assert np.array_equal(part.images[:, 0], images)
        assert np.array_equal(part.indices, np.arange(len(images)))


def test_without_a_test_part_one_can_be_split_off(tmp_path: Path) -> None:
    data = open_dataset(save(tmp_path, images=IMAGES, labels=LABELS), split=SplitOptions(0.2, 0.1, seed=3))
    assert data.test is not None
    parts = (data.train, data.validation, data.test)
    assert [len(part) for part in parts] == [28, 8, 4]
    assert sorted(np.concatenate([part.indices for part in parts]).tolist()) == list(range(40))
    for part in parts:
        assert np.array_equal(part.images[:, 0], IMAGES[part.indices])


def test_the_default_split_is_stratified_and_can_be_switched_off(tmp_path: Path) -> None:
    path = save(tmp_path, images=IMAGES, labels=LABELS)
    assert np.bincount(open_dataset(path).validation.labels).tolist() == [2, 2, 2, 2]
    plain = [open_dataset(path, split=SplitOptions(seed=seed, stratified=False)) for seed in range(3)]
    assert [len(data.validation) for data in plain] == [8, 8, 8]
    assert any(np.ptp(np.bincount(data.validation.labels, minlength=4)) for data in plain)


def test_class_names_in_the_archive_are_used(tmp_path: Path) -> None:
    data = open_dataset(save(tmp_path, images=IMAGES, labels=LABELS, classes=np.array(["ant", "bee", "cow", "dog"])))
    assert data.classes == ("ant", "bee", "cow", "dog")


def test_colour_images_and_floats_and_column_order(tmp_path: Path) -> None:
    images = np.asfortranarray(np.random.default_rng(0).random((40, 6, 5, 3)))
    data = open_dataset(save(tmp_path, images=images, labels=LABELS), split=NO_VALIDATION)
    assert data.shape == (3, 6, 5)
    assert data.value_range == (0.0, 1.0)
    assert np.array_equal(data.train.images, np.moveaxis(images, 3, 1).astype(np.float32))


def test_the_fingerprint_follows_the_data_and_not_the_split(tmp_path: Path) -> None:
    def fingerprint(images: np.ndarray, labels: np.ndarray, split: SplitOptions | None = None) -> str:
        return open_dataset(save(tmp_path, images=images, labels=labels), split=split).fingerprint

    changed, swapped = IMAGES.copy(), LABELS.copy()
    changed[17, 2, 2] ^= 1
    swapped[:2] = swapped[1::-1]
    same = fingerprint(IMAGES, LABELS)
    assert same == fingerprint(IMAGES.astype(np.int32), LABELS.astype(np.int64), SplitOptions(0.4, 0.1, 9))
    assert len({same, fingerprint(changed, LABELS), fingerprint(IMAGES, swapped)}) == 3


def test_object_arrays_are_never_unpickled(tmp_path: Path, refused: Refused) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "harm",))

    path = save(tmp_path, images=np.array([Bomb(), None]), labels=np.array([0, 1]))
    refused(path, "data.objects", "the array images holds Python objects")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip file at all", pickle.dumps([1, 2])])
def test_files_that_are_no_archives(tmp_path: Path, refused: Refused, content: bytes) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(content)
    refused(path, "data.not_npz", "not an .npz file of NumPy", "numpy.savez_compressed")


def test_an_encrypted_or_text_member_is_refused(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", "hello")
        archive.writestr("labels.npy", "hello")
    refused(path, "data.not_npz")


def test_missing_arrays_list_what_is_there(tmp_path: Path, refused: Refused) -> None:
    refused(save(tmp_path, images=IMAGES), "data.no_images", "its arrays are: images", "Name the arrays")
    refused(save(tmp_path), "data.no_images", "its arrays are: none")


def test_an_array_shorter_than_its_header_says(tmp_path: Path, refused: Refused) -> None:
    stream = io.BytesIO()
    np.save(stream, IMAGES)
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", stream.getvalue()[:-5])
        archive.writestr("labels.npy", stream.getvalue())
    refused(path, "data.cut_off", "the array images has 1195 bytes instead of 1200")


def test_a_header_that_claims_too_much_is_refused_before_anything_is_allocated(tmp_path: Path, refused: Refused) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 28, 28)})
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", stream.getvalue())
        archive.writestr("labels.npy", stream.getvalue())
    refused(path, "data.too_large", "more than 4 GB")


def test_a_wrong_number_of_labels_and_test_images_of_another_size(tmp_path: Path, refused: Refused) -> None:
    refused(save(tmp_path, images=IMAGES, labels=LABELS[:7]), "data.counts", "40 images but 7 labels")
    path = save(tmp_path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:, :4], y_test=LABELS)
    refused(path, "data.shapes_differ", "x_test", "1 × 4 × 5", "1 × 6 × 5")


def test_class_names_that_are_no_names(tmp_path: Path, refused: Refused) -> None:
    path = save(tmp_path, images=IMAGES, labels=LABELS, classes=np.zeros((2, 2)))
    refused(path, "data.class_names", "the array classes")


def test_fewer_class_names_than_labels(tmp_path: Path, refused: Refused) -> None:
    path = save(tmp_path, images=IMAGES, labels=LABELS, classes=np.array(["a", "b", "c"]))
    refused(path, "data.label_outside", "run 0..3, but there are 3 classes")


def test_not_a_number_in_an_image(tmp_path: Path, refused: Refused) -> None:
    images = IMAGES.astype(np.float32)
    images[3, 1, 1] = np.nan
    refused(save(tmp_path, images=images, labels=LABELS), "data.not_finite", "1 of 40", "image 3", "(images)")
