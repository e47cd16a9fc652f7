"""From what a source publishes to a Dataset: clean arrays, fingerprint, and the parts split off."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.datasets.dataset import Array, Dataset, Indices, ReadOptions, Split, SplitOptions, times
from engine.datasets.images import as_images, usual_range
from engine.datasets.labels import class_indices
from engine.datasets.splits import random_split, stratified_split
from engine.errors import DataError

WITHOUT_TEST = SplitOptions(validation=0.2)
WITH_TEST = SplitOptions(validation=0.1)
"""The default of sources with a test part: they are large enough for a tenth to be a good measure."""


@dataclass(frozen=True, eq=False)
class Part:
    """Images and labels as files hold them, in any layout and type; the paths are for messages."""

    path: str
    images: Array
    labels: Array
    labels_path: str


@dataclass(frozen=True, eq=False)
class Published:
    """What a reader found: the parts as they were published, and what else the source says.

    `classes` and `value_range` are None where the source does not say; `licence` is empty then.
    """

    title: str
    train: Part
    validation: Part | None = None
    test: Part | None = None
    classes: tuple[str, ...] | None = None
    value_range: tuple[float, float] | None = None
    source: str = ""
    licence: str = ""


def assemble(published: Published, name: str, split: SplitOptions | None, reading: ReadOptions) -> Dataset:
    """The data set of that name, checked; parts that the source lacks are split off the training images."""
    found = [part for part in (published.train, published.validation, published.test) if part is not None]
    images = [as_images(part.images, part.path, reading.shape) for part in found]
    named = [(part.labels_path, part.labels) for part in found]
    labels, classes = class_indices(named, published.classes, reading.labels)
    _check_parts(found, images, labels)
    whole = [Split(x, y, np.arange(len(y), dtype=np.int64)) for x, y in zip(images, labels, strict=True)]
    train = whole[0]
    validation = whole[1] if published.validation is not None else None
    test = whole[-1] if published.test is not None else None
    options = split or (WITHOUT_TEST if test is None else WITH_TEST)
    fractions = (options.validation if validation is None else 0.0, options.test if test is None else 0.0)
    train, to_validation, to_test = _split_off(train, fractions, options, classes)
    return Dataset(
        name=name,
        title=published.title,
        classes=classes,
        train=train,
        validation=to_validation if validation is None else validation,
        test=(to_test if fractions[1] else None) if test is None else test,
        value_range=published.value_range or usual_range(images),
        source=published.source,
        licence=published.licence,
        fingerprint=_fingerprint(whole),
        split=options,
    )


def _split_off(
    train: Split, fractions: tuple[float, float], options: SplitOptions, classes: tuple[str, ...]
) -> tuple[Split, Split, Split]:
    """What is left to train on, and two parts of these fractions, possibly empty."""
    if not any(fractions):
        nothing = train.select(np.arange(0))
        return train, nothing, nothing
    shares = (1 - sum(fractions), *fractions)
    if options.stratified:
        rows = stratified_split(train.labels, shares, options.seed, classes)
    else:
        rows = random_split(len(train), shares, options.seed)
    return train.select(rows[0]), train.select(rows[1]), train.select(rows[2])


def _check_parts(parts: Sequence[Part], images: Sequence[Array], labels: Sequence[Indices]) -> None:
    for part, x, y in zip(parts, images, labels, strict=True):
        if len(x) != len(y):
            raise DataError(
                "{path}: there are {images} images but {labels} labels.",
                code="data.counts",
                path=part.path,
                images=len(x),
                labels=len(y),
            )
        if x.shape[1:] != images[0].shape[1:]:
            raise DataError(
                "{path}: its images are {shape} (channels × height × width), the training images {expected}.",
                code="data.shapes_differ",
                path=part.path,
                shape=times(x.shape[1:]),
                expected=times(images[0].shape[1:]),
            )


def _fingerprint(parts: Sequence[Split]) -> str:
    """SHA-256 over shape, type and little-endian bytes of all images and labels."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part.images.dtype} {part.images.shape}\n".encode())
        for array in (part.images, part.labels):
            digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()
