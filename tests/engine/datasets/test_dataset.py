"""Splits are read-only, keep the identity of each image, and give balanced subsets."""

from __future__ import annotations

import numpy as np
import pytest

from engine.datasets.dataset import ReadOptions, Split, SplitOptions
from engine.errors import DataError, OptionError


def split_of(labels: list[int]) -> Split:
    images = np.arange(len(labels) * 4, dtype=np.uint8).reshape(-1, 1, 2, 2)
    return Split(images, np.array(labels, np.int64), np.arange(100, 100 + len(labels)))


def test_a_split_is_read_only_and_leaves_the_callers_array_writeable() -> None:
    images = np.zeros((2, 1, 2, 2), np.uint8)
    split = Split(images, np.array([0, 1]), np.array([0, 1]))
    for array in (split.images, split.labels, split.indices):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    images[0] = 1
    assert split.images[0, 0, 0, 0] == 1  # a view, not a copy


def test_selected_images_keep_their_label_and_their_place_in_the_source() -> None:
    chosen = split_of([0, 1, 2, 3]).select(np.array([3, 1]))
    assert chosen.labels.tolist() == [3, 1]
    assert chosen.indices.tolist() == [103, 101]
    assert chosen.images[:, 0, 0, 0].tolist() == [12, 4]


def test_a_subset_is_balanced_and_small_classes_give_all_they_have() -> None:
    split = split_of([0] * 50 + [1] * 30 + [2] * 3)
    subset = split.take(23, seed=1)
    assert np.bincount(subset.labels).tolist() == [10, 10, 3]
    assert len(np.unique(subset.indices)) == 23
    assert (split.labels[subset.indices - 100] == subset.labels).all()


def test_a_subset_that_does_not_divide_evenly_differs_by_one_image_a_class() -> None:
    counts = np.bincount(split_of([0, 1, 2] * 20).take(31, seed=5).labels)
    assert counts.sum() == 31
    assert np.ptp(counts) == 1


def test_the_same_seed_gives_the_same_subset_and_another_seed_another_one() -> None:
    split = split_of([0, 1] * 30)
    assert (split.take(20, 3).indices == split.take(20, 3).indices).all()
    assert (split.take(20, 3).indices != split.take(20, 4).indices).any()


def test_a_subset_of_more_than_all_is_the_split_itself_and_of_none_is_refused() -> None:
    split = split_of([0, 1])
    assert split.take(2, 0) is split
    with pytest.raises(DataError, match=r"at least one image; 0 were asked for") as caught:
        split.take(0, 0)
    assert caught.value.code == "data.subset"


@pytest.mark.parametrize(
    ("images", "labels", "indices", "code"),
    [
        (np.zeros((2, 2, 2), np.uint8), np.array([0, 1]), np.array([0, 1]), "data.images"),
        (np.zeros((2, 1, 2, 2), np.float64), np.array([0, 1]), np.array([0, 1]), "data.images"),
        (np.zeros((2, 1, 2, 2), np.uint8), np.array([0]), np.array([0, 1]), "data.counts"),
        (np.zeros((2, 1, 2, 2), np.uint8), np.array([0, 1]), np.array([0, 1], np.int32), "data.counts"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(
    images: np.ndarray, labels: np.ndarray, indices: np.ndarray, code: str
) -> None:
    with pytest.raises(DataError) as caught:
        Split(images, labels, indices)
    assert caught.value.code == code


def test_a_split_that_leaves_nothing_to_train_on_is_refused_with_the_sum() -> None:
    with pytest.raises(DataError, match=r"validation 0.6 \+ test 0.5 = 1.1") as caught:
        SplitOptions(validation=0.6, test=0.5)
    assert caught.value.code == "data.nothing_to_train"


def test_a_fraction_written_in_percent_is_refused() -> None:
    with pytest.raises(OptionError, match=r"Validation must be less than 1; it is 20\.0"):
        SplitOptions(validation=20)


def test_options_survive_json() -> None:
    for options in (SplitOptions(0.1, 0.2, 7, False), ReadOptions("renumber", (28, 28), (8, 8), "last")):
        data = options.to_json()
        assert (
            type(options).from_options({k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "kind"})
            == options
        )
