"""The norms of all layers over the steps of training, recorded some times a second."""

from __future__ import annotations

import numpy as np

from engine.layer import Array
from engine.layer_norms import LayerNorms

MOST_ROWS = 8192


class NormHistory:
    """Rows of three numbers for each layer; a network with other layers begins anew.

    When there are many, every second one goes: a curve needs no more, and memory stays flat.
    """

    def __init__(self) -> None:
        self.layers: tuple[str, ...] = ()
        self._rows: list[LayerNorms] = []

    def add(self, norms: LayerNorms) -> None:
        """Take a row in."""
        if norms.layers != self.layers:
            self._rows, self.layers = [], norms.layers
        self._rows.append(norms)
        if len(self._rows) >= MOST_ROWS:
            del self._rows[1:-1:2]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def steps(self) -> Array:
        """The steps of the rows."""
        return np.array([row.step for row in self._rows], float)

    def column(self, quantity: str, layer: str) -> Array:
        """The "gradient", "weights" or "update_ratio" of one layer over the steps."""
        place = self.layers.index(layer)
        return np.array([getattr(row, quantity)[place] for row in self._rows], float)
