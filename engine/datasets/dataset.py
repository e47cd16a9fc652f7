"""What a data set is: images with labels, apart for training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.options import Configurable, option

Array = NDArray[Any]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class SplitOptions(Configurable):
    """How the published training images are divided; a part that the source publishes itself stays as it is.

    A published test part is never mixed with the training images: `test` matters only where there is none.
    """

    kind = "split"

    validation: float = option(
        0.2,
        ge=0.0,
        lt=1.0,
        label="Validation",
        help=("The fraction of the training images set aside to see how well the network does on images it never saw."),
    )
    test: float = option(
        0.0,
        ge=0.0,
        lt=1.0,
        label="Test",
        help="The fraction set aside for the final evaluation, if the source has no test images of its own.",
    )
    seed: int = option(0, ge=0, label="Split seed", help="The same seed always gives the same split.")
    stratified: bool = option(True, label="Stratified", help="Every part holds the classes in the same proportion.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.validation + self.test >= 1:
            raise DataError(
                "Nothing is left to train on: validation {validation:g} + test {test:g} = {total:g} of the images.",
                code="data.nothing_to_train",
                validation=self.validation,
                test=self.test,
                total=self.validation + self.test,
            )


@dataclass(frozen=True)
class ReadOptions(Configurable):
    """What a file does not say, or says differently from what a network needs; none of it is ever guessed."""

    kind = "read"

    labels: str = option(
        "strict",
        choices=("strict", "renumber", "keep"),
        label="Labels",
        help="strict: labels are 0, 1, 2 … without gaps. renumber: the labels that occur become 0, 1, 2 … in "
        "their order. keep: labels stay as they are, and classes without images are allowed.",
    )
    resize: tuple[int, int] = option(
        (0, 0),
        ge=0,
        label="Resize images to",
        unit="px",
        help="Height × width for image files of different sizes; 0 × 0 leaves every image as it is.",
    )
    shape: tuple[int, int] = option(
        (0, 0),
        ge=0,
        label="Image size",
        unit="px",
        help="Height × width of images stored as plain rows of numbers; 0 × 0 means square.",
    )
    label_column: str = option(
        "auto",
        choices=("auto", "first", "last"),
        label="Label column",
        help=("Where a table holds the labels; auto: by the column's name, and the first if there are no names."),
    )


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a data set, read-only.

    `images` is (N, C, H, W), uint8 or float32, with the values as published. `labels` is (N,) int64: class
    indices from 0. `indices` is (N,) int64: the position of each image in its source, which identifies it
    whatever the split.
    """

    images: Array
    labels: Indices
    indices: Indices

    def __post_init__(self) -> None:
        count = len(self.images)
        if self.images.ndim != 4 or self.images.dtype not in (np.uint8, np.float32):
            raise DataError(
                "Images must be N × C × H × W of uint8 or float32; they are {shape} of {dtype}.",
                code="data.images",
                shape=times(self.images.shape),
                dtype=str(self.images.dtype),
            )
        for name, array in (("labels", self.labels), ("indices", self.indices)):
            if array.shape != (count,) or array.dtype != np.int64:
                raise DataError(
                    "{count} images need {count} {name} of int64; found {shape} of {dtype}.",
                    code="data.counts",
                    count=count,
                    name=name,
                    shape=times(array.shape),
                    dtype=str(array.dtype),
                )
        for name in ("images", "labels", "indices"):
            view = getattr(self, name).view()  # a view, so that the caller's own array keeps its flag
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: Indices) -> Split:
        """The images at these positions of this split, in that order (copied)."""
        return Split(np.take(self.images, rows, axis=0), self.labels[rows], self.indices[rows])

    def take(self, n: int, seed: int) -> Split:
        """A random subset of n images, the classes as equally frequent as possible; all if n is larger."""
        if n < 1:
            raise DataError("A subset needs at least one image; {n} were asked for.", code="data.subset", n=n)
        if n >= len(self):
            return self
        within_class, between_classes = np.random.default_rng(seed).random((2, len(self)))
        by_class = np.lexsort((within_class, self.labels))
        ordered = self.labels[by_class]
        rank = np.empty(len(self), np.int64)  # 0 for the first chosen of its class, 1 for the second, …
        rank[by_class] = np.arange(len(self)) - np.searchsorted(ordered, ordered)
        return self.select(np.sort(np.lexsort((between_classes, rank))[:n]))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images of named classes, the parts kept apart; `test` is only for an explicit final evaluation.

    `name` opens the data set again: a bundled name or a path. `value_range` holds every pixel value as
    published. `licence` is empty when the source states none. `fingerprint` is a SHA-256 over the published
    images and labels; it does not depend on the split.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split | None
    value_range: tuple[float, float]
    source: str
    licence: str
    fingerprint: str
    split: SplitOptions = SplitOptions()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        channels, height, width = self.train.images.shape[1:]
        return (channels, height, width)


def times(shape: tuple[int, ...]) -> str:
    """A shape as it is written in messages: "10000 × 28 × 28"."""
    return " × ".join(str(n) for n in shape) or "a single number"
