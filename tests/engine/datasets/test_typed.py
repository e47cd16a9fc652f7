"""A typed image as a data set of its own."""

from __future__ import annotations

import numpy as np
import pytest

from engine.datasets.typed import typed_dataset
from engine.errors import DataError


def test_a_typed_image_is_a_training_set_of_one() -> None:
    data = typed_dataset([[[1, 0], [2, -1]]], label=1, classes=3)
    assert data.shape == (1, 2, 2) and data.classes == ("0", "1", "2")
    assert np.array_equal(data.train.images, [[[[1, 0], [2, -1]]]]) and list(data.train.labels) == [1]
    assert len(data.validation) == 0 and data.test is None
    assert data.value_range == (-1.0, 2.0)


def test_other_numbers_are_another_data_set() -> None:
    assert typed_dataset([[[1.0]]]).fingerprint != typed_dataset([[[2.0]]]).fingerprint
    assert typed_dataset([[[1.0]]]).fingerprint == typed_dataset([[[1.0]]]).fingerprint


@pytest.mark.parametrize("image", [[], [[1, 2]], [[[1, 2], [3]]], [[["a"]]], [[[float("nan")]]], np.zeros((4, 2, 2)),
                                   np.zeros((1, 17, 2))], ids=range(7))
def test_what_is_no_small_image_is_refused(image: object) -> None:
    with pytest.raises(DataError, match="1 to 3 channels of at most 16 × 16 finite numbers") as caught:
        typed_dataset(image)  # type: ignore[arg-type]
    assert caught.value.code == "data.typed"


def test_a_class_that_there_is_not_is_refused() -> None:
    with pytest.raises(DataError, match=r"The class 2 is not one of 0 to 1\.") as caught:
        typed_dataset([[[1]]], label=2)
    assert caught.value.code == "data.typed_label"
