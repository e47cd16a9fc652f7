"""What a picture of feature maps shows: maps of an array in some order, and the cell of the array behind each of its cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from cnnstudio.panels.along_chain import Maps, as_maps, as_picture
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.colormaps import Kind
from cnnstudio.widgets.numbers import format_percent, format_value
from engine.layer import Array

Caption = Callable[[int, Maps], str]
"""The name of a map by its number and its values."""


@dataclass(frozen=True, eq=False)
class ShownMaps:
    """`array` is the name in the snapshot; `order` says which of its maps stand where."""

    array: str
    maps: Maps
    kind: Kind
    is_image: bool
    """Whether the array has rows and columns."""
    order: Array
    labels: tuple[str, ...] = ()
    marks: Maps | None = field(default=None)

    def index(self, cell: Cell) -> tuple[int, ...]:
        """The index in the array of a cell of the picture; of a coloured pixel its first channel."""
        number = int(self.order[cell.map])
        return (number, cell.row, cell.col) if self.is_image else (number,)


def shown(name: str, array: Array, kind: Kind | None = None, *, order: Array | None = None,
          caption: Caption | None = None, marks: Maps | None = None) -> ShownMaps:  # fmt: skip
    """The maps of an array, those of an `order` if one is given."""
    kind = kind or kind_of(name, array)
    maps = as_picture(array) if kind == "image" else as_maps(array)
    if order is None or maps.ndim == 4 or int(order.max(initial=0)) >= len(maps):
        order = np.arange(len(maps))
    else:
        maps = maps[order]
        marks = marks[order] if marks is not None else None
    named = array.ndim == 3 and maps.ndim == 3
    labels = tuple(caption(int(k), one) for k, one in zip(order, maps, strict=True)) if caption and named else ()
    return ShownMaps(name, maps, kind, array.ndim == 3, order, labels, marks)


def activity(maps: Maps) -> Maps:
    """The mean of the absolute values of each map (N, …)."""
    return np.abs(maps.astype(np.float32)).reshape(len(maps), -1).mean(axis=1)


def mean_and_zeros(one: Maps) -> tuple[str, str]:
    """(mean, share of zeros) of a map as text."""
    return format_value(float(one.mean()), 3), format_percent(float(np.mean(one == 0)), 0)


def kind_of(name: str, array: Array) -> Kind:
    """The image itself is grey or coloured as it is; deltas are signed; everything else has the colours of activations, also
    an Input block's principal components, which are no image.
    """
    if name.removeprefix("other:") == "input.y" and array.ndim == 3:
        return "image"
    return "weight" if name.endswith(".dy") else "activation"
