"""Parts keep the mix of classes and share no image; batches depend on seed and epoch only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.datasets.splits import batches, random_split, stratified_split
from engine.errors import DataError


@given(
    counts=st.lists(st.integers(3, 40), min_size=1, max_size=6),
    validation=st.floats(0.02, 0.45),
    test=st.floats(0.02, 0.45),
    seed=st.integers(0, 2**40),
)
def test_parts_cover_everything_once_and_hold_each_class_in_its_share(
    counts: list[int], validation: float, test: float, seed: int
) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    fractions = (1 - validation - test, validation, test)
    parts = stratified_split(labels, fractions, seed)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels)))
    for part, fraction in zip(parts, fractions, strict=True):
        assert (np.diff(part) > 0).all()
        for label, count in enumerate(counts):
            have = np.count_nonzero(labels[part] == label)
            assert have >= 1
            assert abs(have - fraction * count) < 2


def test_the_sizes_of_the_parts_are_right_as_a_whole_and_not_only_class_by_class() -> None:
    labels = np.repeat(np.arange(100), 4)  # 10 % of 4 is 0.4: rounding each class by itself would take nothing
    train, validation = stratified_split(np.repeat(np.arange(10), 14), (0.9, 0.1), 0)
    assert len(validation) == 14
    train, validation = stratified_split(labels, (0.6, 0.4), 0)
    assert (len(train), len(validation)) == (240, 160)


def test_a_split_depends_on_its_seed_only() -> None:
    labels = np.arange(200) % 7
    first, again, other = (stratified_split(labels, (0.8, 0.2), seed)[1] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_split_is_the_same_on_every_machine() -> None:
    assert stratified_split(np.arange(30) % 3, (0.8, 0.2), 0)[1].tolist() == [5, 9, 10, 16, 26, 27]


def test_a_class_too_small_for_all_parts_is_named() -> None:
    with pytest.raises(DataError, match="Class 'owl' has 1 of at least 2 images") as caught:
        stratified_split(np.array([0, 0, 0, 1]), (0.8, 0.2), 0, names=("cat", "owl"))
    assert caught.value.code == "data.class_too_small"
    assert caught.value.fixes[1].field == "stratified"


def test_an_empty_part_is_allowed() -> None:
    train, validation = stratified_split(np.array([0, 1]), (1.0, 0.0), 0)
    assert (train.tolist(), validation.tolist()) == ([0, 1], [])


def test_fractions_must_add_up() -> None:
    with pytest.raises(DataError, match=r"0.5 \+ 0.4 add up to 0.9") as caught:
        stratified_split(np.zeros(10, np.int64), (0.5, 0.4), 0)
    assert caught.value.code == "data.fractions"


def test_an_unstratified_split_ignores_classes_and_has_the_right_sizes() -> None:
    parts = random_split(1000, (0.7, 0.2, 0.1), 3)
    assert [len(part) for part in parts] == [700, 200, 100]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(1000))


@given(count=st.integers(1, 300), size=st.integers(1, 64), seed=st.integers(0, 2**32), epoch=st.integers(0, 1000))
def test_the_batches_of_an_epoch_show_every_image_once(count: int, size: int, seed: int, epoch: int) -> None:
    cut = list(batches(count, size, seed, epoch))
    assert np.array_equal(np.sort(np.concatenate(cut)), np.arange(count))
    assert [len(batch) for batch in cut[:-1]] == [size] * (len(cut) - 1)
    assert 1 <= len(cut[-1]) <= size


def test_batches_depend_on_seed_and_epoch_and_nothing_else() -> None:
    order = {(seed, epoch): next(batches(50, 50, seed, epoch)).tolist() for seed in (0, 1) for epoch in (0, 1, 2)}
    np.random.default_rng(0).random(1000)
    assert next(batches(50, 50, 1, 2)).tolist() == order[1, 2]
    assert len({tuple(o) for o in order.values()}) == 6


def test_the_batch_size_does_not_change_the_order() -> None:
    assert np.array_equal(np.concatenate(list(batches(50, 7, 4, 2))), np.concatenate(list(batches(50, 50, 4, 2))))


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="batch size is 0") as caught:
        batches(10, 0, 0, 0)
    assert caught.value.code == "data.batch"
