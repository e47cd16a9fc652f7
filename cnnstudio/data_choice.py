"""The choice of a data set, as documents and projects keep it: what it means, without Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnnstudio.resources import resource_path
from engine.datasets.dataset import Dataset, ReadOptions, SplitOptions
from engine.datasets.typed import NAME as TYPED
from engine.datasets.typed import typed_dataset
from engine.errors import DataError


def choice_of(name: str, reading: ReadOptions) -> dict[str, Any]:
    """The choice that opens a data set again: {"name": bundled name or path, "reading": …}."""
    return {"name": name} | ({"reading": reading.to_json()} if reading != ReadOptions() else {})


def typed_choice(image: Any, label: int, classes: int) -> dict[str, Any]:
    """The choice that holds a typed image (C, H, W) itself, with its class."""
    return {"name": TYPED, "image": np.asarray(image, np.float64).tolist(), "label": int(label), "classes": int(classes)}


def open_choice(choice: Mapping[str, Any]) -> Dataset:
    """The data set that a choice names: {"name": bundled name or path, "split": …, "reading": …}, or the typed image that it
    holds. Raises DataError."""
    if not isinstance(choice.get("name"), str):
        raise DataError("The choice of the data set names none.", code="data.choice")
    if choice["name"] == TYPED and "image" in choice:
        return typed_dataset(choice["image"], int(choice.get("label", 0)), int(choice.get("classes", 2)))
    from engine.datasets.catalog import open_dataset  # with the readers of all formats, which opening a window can do without

    return open_dataset(choice["name"], bundled=resource_path("datasets"), split=_options(SplitOptions, choice.get("split")),
                        reading=_options(ReadOptions, choice.get("reading")))  # fmt: skip


def _options(kind: Any, values: Mapping[str, Any] | None) -> Any:
    if values is None:
        return None
    return kind.from_options({k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k != "kind"})
