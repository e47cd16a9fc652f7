"""Labels of every kind become class indices, or one clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.datasets.labels import class_indices
from engine.errors import DataError


def read(*parts: Any, names: tuple[str, ...] | None = None, rule: str = "strict") -> tuple[list[list[int]], tuple[str, ...]]:
    found, classes = class_indices([(f"part{i}", np.asarray(part)) for i, part in enumerate(parts)], names, rule)
    assert all(labels.dtype == np.int64 for labels in found)
    return [labels.tolist() for labels in found], classes


@pytest.mark.parametrize(
    "labels",
    [np.array([0, 1, 2, 1], np.uint8), np.array([0.0, 1, 2, 1]), np.array([[0], [1], [2], [1]]), np.array([0, 1, 2, 1], ">i4")],
)
def test_whole_numbers_of_any_type_are_class_indices(labels: np.ndarray) -> None:
    assert read(labels) == ([[0, 1, 2, 1]], ("0", "1", "2"))


def test_true_and_false_are_two_classes() -> None:
    assert read(np.array([True, False])) == ([[1, 0]], ("0", "1"))


def test_names_become_indices_in_sorted_order_and_the_same_in_every_part() -> None:
    assert read(["owl", "cat", "owl"], ["cat"]) == ([[1, 0, 1], [0]], ("cat", "owl"))


def test_names_follow_the_order_of_known_classes() -> None:
    assert read(["owl", "cat"], names=("owl", "dog", "cat")) == ([[0, 2]], ("owl", "dog", "cat"))


def test_known_classes_may_be_without_images() -> None:
    assert read([0, 2], names=("a", "b", "c")) == ([[0, 2]], ("a", "b", "c"))


def test_renumbering_keeps_the_old_numbers_as_names() -> None:
    assert read([8, 3, 8], [3], rule="renumber") == ([[1, 0, 1], [0]], ("3", "8"))
    assert read([1, 2], names=("cat", "owl"), rule="renumber") == ([[0, 1]], ("cat", "owl"))


def test_a_gap_is_offered_to_be_renumbered_or_kept() -> None:
    with pytest.raises(DataError, match=r"run 0..3, but only 3 of these 4 classes have training images") as caught:
        read([0, 1, 3])
    assert [fix.value for fix in caught.value.fixes] == ["renumber", "keep"]
    assert read([0, 1, 3], rule="keep") == ([[0, 1, 3]], ("0", "1", "2", "3"))


def test_a_class_that_only_the_test_part_has_is_an_error() -> None:
    with pytest.raises(DataError, match=r"run 0..2, but only 2 of these 3"):
        read([0, 1], [2])
    with pytest.raises(DataError, match="part1: image 1 has the label 'dog'"):
        read(["cat", "owl"], ["cat", "dog"])


@pytest.mark.parametrize("labels", [[-1, 0, 1], [-1, 1]])
def test_negative_labels_cannot_be_kept(labels: list[int]) -> None:
    for rule in ("strict", "keep"):
        with pytest.raises(DataError, match=r"run -1..1") as caught:
            read(labels, rule=rule)
        assert [fix.value for fix in caught.value.fixes] == ["renumber"]


@pytest.mark.parametrize(
    ("labels", "code", "words"),
    [
        ([0, 1.5], "data.label_value", "the label of image 1 is 1.5"),
        ([0, float("nan")], "data.label_value", "the label of image 1 is nan"),
        ([0, float("inf")], "data.label_value", "image 1 is inf"),
        (np.array([0, 2**63], np.uint64), "data.label_value", "image 1 is 9.22337e"),
        (np.eye(3), "data.labels_shape", "labels.argmax(axis=1)"),
        (np.zeros((2, 2, 2)), "data.labels_shape", "2 × 2 × 2 of float64"),
        (np.array([1 + 2j]), "data.labels_shape", "complex128"),
        ([], "data.empty", "there are no labels"),
        ([0, 0, 0], "data.one_class", "all images have the label '0'"),
        (["a", "a"], "data.one_class", "all images have the label 'a'"),
        (np.arange(1001), "data.too_many_classes", "1001 classes"),
        ([str(i) + "x" for i in range(1001)], "data.too_many_classes", "1001 classes"),
    ],
)
def test_labels_that_are_no_classes(labels: Any, code: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        read(labels)
    assert caught.value.code == code
    assert words in str(caught.value)


def test_a_huge_label_cannot_be_kept() -> None:
    with pytest.raises(DataError, match="make 5001 classes"):
        read([0, 5000], rule="keep")


def test_labels_beyond_the_known_classes() -> None:
    with pytest.raises(DataError, match=r"2 different labels run 1..2, but there are 2 classes, 0..1") as caught:
        read([1, 2], names=("cat", "owl"))
    assert caught.value.fixes[0].value == "renumber"
    with pytest.raises(DataError, match=r"3 different labels run 0..9") as caught:
        read([0, 1, 9], names=("cat", "owl"))
    assert caught.value.fixes == ()
    with pytest.raises(DataError, match="3 different labels"):
        read([0, 1, 9], names=("cat", "owl"), rule="renumber")
