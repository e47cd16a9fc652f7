"""Which image goes where: the parts of a data set, and the batches of an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.datasets.dataset import Indices
from engine.errors import DataError, Fix


def stratified_split(labels: Indices, fractions: Sequence[float], seed: int, names: Sequence[str] = ()) -> tuple[Indices, ...]:
    """Disjoint parts of the positions 0..N−1, one for each fraction, with the same mix of classes in each.

    The fractions add up to 1; positions come in ascending order. Each part takes its share of each class,
    rounded so that the part as a whole has its right size too, but at least one image of each class.
    `names` are the class names, for messages. Raises DataError when a class has fewer images than there are
    parts.
    """
    _check_fractions(fractions)
    classes, class_of, counts = np.unique(labels, return_inverse=True, return_counts=True)
    parts_to_come = sum(fraction > 0 for fraction in fractions)
    if len(labels) and counts.min() < parts_to_come:
        label = int(classes[np.argmin(counts)])
        raise _class_too_small(names[label] if names else str(label), int(counts.min()), parts_to_come)
    rank = _random_rank(class_of, counts, seed)
    given = np.zeros_like(counts)  # how many images of each class the parts before have taken
    share_to_come = 1.0
    parts = []
    for fraction in fractions:
        left = counts - given
        if fraction > 0:
            parts_to_come -= 1
            shares = left * (fraction / share_to_come)
            # Rounding the running total instead of each share keeps the error of the sum below one image.
            rounded = np.diff(np.rint(np.cumsum(shares)), prepend=0).astype(counts.dtype)
            taken = np.clip(rounded, 1, left - parts_to_come) if parts_to_come else left
        else:
            taken = np.zeros_like(left)
        parts.append(np.flatnonzero((rank >= given[class_of]) & (rank < (given + taken)[class_of])))
        given += taken
        share_to_come -= fraction
    return tuple(parts)


def _random_rank(class_of: Indices, counts: Indices, seed: int) -> Indices:
    """The place of each image in a random order of the images of its class, from 0."""
    order = np.lexsort((np.random.default_rng(seed).random(len(class_of)), class_of))
    starts = np.cumsum(counts) - counts
    rank = np.empty_like(class_of)
    rank[order] = np.arange(len(class_of)) - np.repeat(starts, counts)
    return rank


def random_split(count: int, fractions: Sequence[float], seed: int) -> tuple[Indices, ...]:
    """Disjoint parts of the positions 0..count−1, drawn without regard to classes, in ascending order."""
    # All images form one class: a part of a positive fraction still gets at least one image.
    return stratified_split(np.zeros(count, np.int64), fractions, seed, names=("any",))


def batches(count: int, batch_size: int, seed: int, epoch: int) -> Iterator[Indices]:
    """The positions 0..count−1 in a random order that depends on (seed, epoch) only, cut into batches.

    The last batch is smaller when batch_size does not divide count. Any epoch can be asked for by itself,
    so that a run resumed in the middle of an epoch sees the same batches as one that never stopped.
    """
    if batch_size < 1:
        raise DataError("A batch needs at least one image; the batch size is {size}.", code="data.batch", size=batch_size)
    order = np.random.default_rng(np.random.SeedSequence((seed, epoch))).permutation(count)
    return (order[start : start + batch_size] for start in range(0, count, batch_size))


def _check_fractions(fractions: Sequence[float]) -> None:
    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise DataError(
            "The parts of a split must be fractions that add up to 1; {fractions} add up to {total:g}.",
            code="data.fractions",
            fractions=" + ".join(f"{fraction:g}" for fraction in fractions),
            total=sum(fractions),
        )


def _class_too_small(name: str, count: int, parts: int) -> DataError:
    return DataError(
        "Class {name} has {count} of at least {parts} images: a stratified split puts one into each of {parts} parts.",
        code="data.class_too_small",
        name=repr(name),
        count=count,
        parts=parts,
        fixes=(
            Fix("advice", "add images of this class"),
            Fix(
                "set",
                "split without regard to classes with stratified = off",
                field="stratified",
                value=False,
            ),
        ),
    )
