"""From labels of any kind (numbers, names, from 0 or from 1) to class indices and class names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.datasets.dataset import Array, Indices, times
from engine.errors import DataError, Fix

MAX_CLASSES = 1000


def class_indices(
    parts: Sequence[tuple[str, Array]], names: tuple[str, ...] | None, rule: str
) -> tuple[list[Indices], tuple[str, ...]]:
    """Class indices 0..K−1 for each part, and the K class names.

    `parts` are (path, labels), training first; `names` are the class names if the source knows them; `rule`
    is ReadOptions.labels. Under "strict", labels that do not run from 0 without gaps are an error: nothing is
    shifted unless asked for.
    """
    columns = [_column(labels, path) for path, labels in parts]
    if any(column.dtype.kind == "U" for column in columns):
        return _named(parts, columns, names)
    numbers = [_whole_numbers(column, path) for (path, _), column in zip(parts, columns, strict=True)]
    occurring = np.unique(np.concatenate(numbers))
    if len(occurring) > MAX_CLASSES:
        raise _too_many(parts[0][0], len(occurring))
    if rule == "renumber":
        if names is None:
            names = tuple(str(n) for n in occurring)
        elif len(names) != len(occurring):
            raise _outside(parts[0][0], occurring, names)
        return [np.searchsorted(occurring, n).astype(np.int64) for n in numbers], _at_least_two(parts[0][0], names)
    if names is not None:
        if occurring[0] < 0 or occurring[-1] >= len(names):
            raise _outside(parts[0][0], occurring, names)
        return numbers, names
    _check_run(parts[0][0], numbers[0], occurring, rule)
    return numbers, _at_least_two(parts[0][0], tuple(str(n) for n in range(int(occurring[-1]) + 1)))


def _column(labels: Array, path: str) -> Array:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2:
        raise DataError(
            "{path}: there are {width} labels an image ({shape}), but each image has one class.",
            code="data.labels_shape",
            path=path,
            width=labels.shape[1],
            shape=times(labels.shape),
            fixes=(Fix("advice", "if they are one-hot, save labels.argmax(axis=1)"),),
        )
    if labels.ndim != 1 or labels.dtype.kind not in "buifU":
        raise DataError(
            "{path}: the labels are {shape} of {dtype}; one whole number or one name an image is expected.",
            code="data.labels_shape",
            path=path,
            shape=times(labels.shape),
            dtype=str(labels.dtype),
        )
    if labels.size == 0:
        raise DataError("{path}: there are no labels.", code="data.empty", path=path)
    return labels


def _whole_numbers(labels: Array, path: str) -> Indices:
    values = labels.astype(np.float64)
    broken = np.flatnonzero(~(np.abs(values) < 2**31) | (values != np.rint(values)))  # ~(… < …) holds for NaN too
    if broken.size:
        raise DataError(
            "{path}: the label of image {number} is {value}; labels are whole numbers 0, 1, 2 …",
            code="data.label_value",
            path=path,
            number=int(broken[0]),
            value=f"{values[broken[0]]:g}",
        )
    return labels.astype(np.int64)


def _check_run(path: str, training: Indices, occurring: Indices, rule: str) -> None:
    """Raise unless the labels run from 0 to the last and, under "strict", each has a training image."""
    low, high = int(occurring[0]), int(occurring[-1])
    with_images = len(np.unique(training))
    if (low >= 0 and rule == "keep") or (low == 0 and with_images == high + 1):
        if high >= MAX_CLASSES:
            raise _too_many(path, high + 1)
        return
    last = len(occurring) - 1
    verb = "shift" if last == high - low else "renumber"
    fixes = [
        Fix(
            "set",
            f"{verb} them to 0..{{last}} with labels = renumber",
            {"last": last},
            None,
            "labels",
            "renumber",
        )
    ]
    if low >= 0:
        fixes.append(Fix("set", "leave the classes without images empty with labels = keep", {}, None, "labels", "keep"))
    if low != 0:
        what = "{path}: the labels run {low}..{high}; class indices start at 0."
    else:
        what = "{path}: the labels run {low}..{high}, but only {count} of these {total} classes have training images."
    raise DataError(
        what,
        code="data.label_run",
        path=path,
        low=low,
        high=high,
        count=with_images,
        total=high - low + 1,
        fixes=tuple(fixes),
    )


def _named(
    parts: Sequence[tuple[str, Array]], columns: Sequence[Array], names: tuple[str, ...] | None
) -> tuple[list[Indices], tuple[str, ...]]:
    """Class indices of labels that are names: positions in `names`, else in the sorted training names."""
    path = parts[0][0]
    if names is None:
        names = tuple(str(name) for name in np.unique(columns[0]))
    if len(names) > MAX_CLASSES:
        raise _too_many(path, len(names))
    order = np.argsort(np.array(names, dtype=str))
    in_order = np.array(names, dtype=str)[order]
    found = []
    for (where, _), column in zip(parts, columns, strict=True):
        places = np.minimum(np.searchsorted(in_order, column.astype(str)), len(names) - 1)
        unknown = np.flatnonzero(in_order[places] != column.astype(str))
        if unknown.size:
            raise DataError(
                "{path}: image {number} has the label {label}, which is no class of the training images.",
                code="data.label_unknown",
                path=where,
                number=int(unknown[0]),
                label=repr(str(column[unknown[0]])),
            )
        found.append(order[places].astype(np.int64))
    return found, _at_least_two(path, names)


def _at_least_two(path: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) < 2:
        raise DataError(
            "{path}: all images have the label {label}; there is nothing to tell apart.",
            code="data.one_class",
            path=path,
            label=repr(names[0]),
            fixes=(Fix("advice", "add images of a second class"),),
        )
    return names


def _outside(path: str, occurring: Indices, names: tuple[str, ...]) -> DataError:
    fixes: tuple[Fix, ...] = ()
    if len(occurring) == len(names):
        fixes = (
            Fix(
                "set",
                "renumber them to 0..{last} with labels = renumber",
                {"last": len(names) - 1},
                None,
                "labels",
                "renumber",
            ),
        )
    return DataError(
        "{path}: {count} different labels run {low}..{high}, but there are {classes} classes, 0..{last}.",
        code="data.label_outside",
        path=path,
        count=len(occurring),
        low=int(occurring[0]),
        high=int(occurring[-1]),
        classes=len(names),
        last=len(names) - 1,
        fixes=fixes,
    )


def _too_many(path: str, count: int) -> DataError:
    return DataError(
        "{path}: the labels make {count} classes; at most {most} are possible.",
        code="data.too_many_classes",
        path=path,
        count=count,
        most=MAX_CLASSES,
        fixes=(Fix("advice", "check that these are class labels and not measurements"),),
    )
