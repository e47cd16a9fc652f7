"""Names and paths: the bundled sets with their defaults, and what is said when nothing is found."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from engine.datasets import catalog
from engine.datasets.catalog import bundled_names, open_dataset
from engine.datasets.dataset import SplitOptions

from .conftest import Refused


def test_mnist12k_validates_on_a_tenth_of_its_training_images_and_keeps_its_test_part(bundled: Path) -> None:
    data = open_dataset("mnist12k", bundled=bundled)
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (9000, 1000, 2000)
    assert np.bincount(data.validation.labels).tolist() == [100] * 10
    assert (data.shape, data.value_range, data.licence) == ((1, 28, 28), (0.0, 255.0), "CC BY-SA 3.0")
    with np.load(bundled / "mnist12k.npz") as published:
        assert np.array_equal(data.test.images[:, 0], published["test_images"])
        for part in (data.train, data.validation):
            assert np.array_equal(part.images[:, 0], published["train_images"][part.indices])
            assert np.array_equal(part.labels, published["train_labels"][part.indices])


def test_digits8x8_are_split_80_to_20_with_seed_0(bundled: Path) -> None:
    data = open_dataset("digits8x8", bundled=bundled)
    assert (len(data.train), len(data.validation), data.test) == (1438, 359, None)
    assert (data.shape, data.value_range) == ((1, 8, 8), (0.0, 16.0))
    assert data.split == SplitOptions(validation=0.2, test=0.0, seed=0, stratified=True)
    total = np.bincount(data.train.labels) + np.bincount(data.validation.labels)
    assert total.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.abs(np.bincount(data.validation.labels) - total / 5).max() < 1


def test_a_split_of_ones_own_replaces_the_default_and_leaves_the_fingerprint(bundled: Path) -> None:
    default = open_dataset("digits8x8", bundled=bundled)
    own = open_dataset("digits8x8", bundled=bundled, split=SplitOptions(0.3, 0.2, seed=4))
    assert own.test is not None
    assert (len(own.validation), len(own.test)) == (539, 360)
    assert own.fingerprint == default.fingerprint
    assert own.split.seed == 4


def test_the_list_of_bundled_sets_agrees_with_the_opened_ones(bundled: Path) -> None:
    listed = bundled_names(bundled)
    assert [entry.name for entry in listed] == ["mnist12k", "digits8x8", "shapes32"]
    for entry in listed:
        data = open_dataset(entry.name, bundled=bundled)
        assert (data.title, data.shape, data.classes) == (entry.title, entry.shape, entry.classes)
        assert len(data.train) + len(data.validation) == entry.training_images
        assert (len(data.test) if data.test else 0) == entry.test_images


def test_listing_reads_no_images(bundled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    original = catalog.read_summary.__globals__["Archive"].read
    monkeypatch.setattr(
        catalog.read_summary.__globals__["Archive"], "read", lambda self, name: read.append(name) or original(self, name)
    )
    bundled_names(bundled)
    assert read and not any("images" in name for name in read)


def test_a_set_missing_from_the_folder_is_not_listed(tmp_path: Path, refused: Refused) -> None:
    assert bundled_names(tmp_path) == ()
    refused("mnist12k", "data.missing", "mnist12k.npz", bundled=tmp_path)


def test_a_bundled_name_wins_over_a_file(bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist12k").mkdir()
    assert open_dataset("mnist12k", bundled=bundled).name == "mnist12k"


def test_a_path_gives_an_absolute_name_that_opens_the_same_set(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my.npz").write_bytes((bundled / "digits8x8.npz").read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    named = open_dataset("my.npz")
    monkeypatch.chdir(bundled)
    assert open_dataset(named.name).fingerprint == named.fingerprint
    assert open_dataset("~/my.npz").name == named.name
    assert named.value_range == (0.0, 16.0)


def test_an_unknown_name_lists_the_bundled_ones_and_the_nearest(bundled: Path, refused: Refused) -> None:
    refused("mnist", "data.unknown_name", "'mnist'", "mnist12k, digits8x8, shapes32", "Use mnist12k", bundled=bundled)
    refused("Digits8X8", "data.unknown_name", "Use digits8x8", bundled=bundled)
    assert refused("qqqq", "data.unknown_name", bundled=bundled).fixes == ()
    refused("mnist12k", "data.unknown_name", "(none)")
    refused("", "data.unknown_name", "''", bundled=bundled)


def test_a_missing_path_proposes_its_nearest_neighbour(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "fashion_mnist").mkdir()
    refused(tmp_path / "fashon_mnist", "data.missing", "no such file or folder", f"Use {tmp_path / 'fashion_mnist'}")
    assert refused(tmp_path / "away" / "x.npz", "data.missing").fixes == ()


def test_paths_that_no_system_accepts(tmp_path: Path, refused: Refused) -> None:
    refused(tmp_path / ("x" * 5000), "data.unreadable")
    refused(f"{tmp_path}/a\0b", "data.unreadable", "null")


def test_a_file_of_no_known_format_lists_the_known_ones(tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(b"x")
    refused(path, "data.format", "no known format", ".npz", "train-images-idx3-ubyte.gz")


def test_a_folder_of_archives_proposes_one(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "a.npz").write_bytes(b"")
    refused(tmp_path, "data.which_file", f"Open one of them: {tmp_path / 'a.npz'}")


@pytest.mark.parametrize("name", ["set.npz", "set.csv", "data_batch_1.bin", "train-images-idx3-ubyte", "classes/a/0.png"])
def test_what_may_not_be_read_is_said(tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"x")
    (tmp_path / "classes" / "b").mkdir(parents=True, exist_ok=True)
    (tmp_path / "classes" / "b" / "0.png").write_bytes(b"x")
    original = open

    def closed(file: object, *args: object, **kwargs: object) -> object:
        if str(file) == str(path):
            raise PermissionError(13, "Permission denied", str(file))
        return original(file, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr("builtins.open", closed)
    monkeypatch.setattr("io.open", closed)
    opened = tmp_path / "classes" if name.startswith("classes") else path
    refused(opened, "data.permission", str(path), "may not read it")


def test_a_closed_folder_is_said(tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", closed)
    refused(tmp_path, "data.permission", str(tmp_path), "give yourself the right".capitalize())


def test_every_error_code_has_a_test() -> None:
    package = Path(catalog.__file__).parent
    codes = {code for file in package.glob("*.py") for code in re.findall(r'code="(data\.\w+)"', file.read_text("utf-8"))}
    tests = "".join(file.read_text("utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert len(codes) > 25
    assert sorted(code for code in codes if f'"{code}"' not in tests) == []
