"""Weights that outlive edits: arrays carry over by block, parameter and shape, and come back when an edit is
undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Key = tuple[str, tuple[int, ...]]

LIMIT = 512 * 2**20
"""Bytes of arrays that the bank remembers at most."""


def carry_over(old: Mapping[str, Array], wanted: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, Array], list[str]]:
    """(arrays that still fit, names that must be initialised anew); names are "block.parameter", as in
    "conv1.W".
    """
    kept = {name: old[name] for name, shape in wanted.items() if name in old and old[name].shape == tuple(shape)}
    return kept, [name for name in wanted if name not in kept]


class WeightsBank:
    """Remembers the latest array of each (name, shape), so that what an edit took away is there when it is
    undone.

    Arrays are copied on the way in and out. Beyond `limit` bytes the arrays that were left longest are
    forgotten.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._arrays: dict[Key, Array] = {}

    def deposit(self, arrays: Mapping[str, Array]) -> None:
        """Remember the present arrays, by name."""
        for name, array in arrays.items():
            key = (name, array.shape)
            self._arrays.pop(key, None)
            self._arrays[key] = array.copy()
        spare = self._limit - sum(array.nbytes for array in self._arrays.values())
        for key in list(self._arrays):
            if spare >= 0:
                break
            spare += self._arrays.pop(key).nbytes

    def withdraw(self, wanted: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, Array], list[str]]:
        """(copies of the arrays that fit, names that must be initialised anew)."""
        known = {name: self._arrays[name, tuple(shape)] for name, shape in wanted.items() if (name, tuple(shape)) in self._arrays}
        kept, fresh = carry_over(known, wanted)
        return {name: array.copy() for name, array in kept.items()}, fresh

    def clear(self) -> None:
        """Forget everything, as when the weights are reset."""
        self._arrays.clear()
