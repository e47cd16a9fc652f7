"""What is recorded of all layers over the steps of training, some times a second: norms, and histograms around the weights."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import numpy as np

from engine.layer import Array
from engine.layer_histograms import BINS, LayerHistograms
from engine.layer_norms import LayerNorms


class Row(Protocol):
    """Numbers of all layers after one step."""

    @property
    def step(self) -> int:
        """The update behind which they were taken."""
        ...

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers, in the order of the chain."""
        ...


R = TypeVar("R", bound=Row)


class LayerHistory(Generic[R]):
    """Rows with rising steps; a network with other layers begins anew.

    When there are many, every second one goes, so that memory stays flat.
    """

    most_rows: int

    def __init__(self) -> None:
        self.layers: tuple[str, ...] = ()
        self._rows: list[R] = []

    def add(self, row: R) -> None:
        """Take a row in; the weights of a step that were edited since take the place of those before."""
        if row.layers != self.layers:
            self._rows, self.layers = [], row.layers
        if self._rows and self._rows[-1].step >= row.step:
            self._rows.pop()
        self._rows.append(row)
        if len(self._rows) >= self.most_rows:
            del self._rows[1:-1:2]

    def cut(self, step: int) -> None:
        """Forget the rows behind a step."""
        self._rows = [row for row in self._rows if row.step <= step]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def steps(self) -> Array:
        """The steps of the rows."""
        return np.array([row.step for row in self._rows], np.int64)


class NormHistory(LayerHistory[LayerNorms]):
    """The norms of gradient, weights and update of each layer."""

    most_rows = 8192

    def column(self, quantity: str, layer: str) -> Array:
        """The "gradient", "weights" or "update_ratio" of one layer over the steps."""
        place = self.layers.index(layer)
        return np.array([getattr(row, quantity)[place] for row in self._rows], float)


class HistogramHistory(LayerHistory[LayerHistograms]):
    """The histograms of each layer's weights, of their gradient, and of what training changed in them."""

    most_rows = 1024

    def __init__(self) -> None:
        super().__init__()
        self._columns: dict[tuple[str, str], tuple[float, dict[LayerHistograms, Array]]] = {}
        """For each quantity and layer that was asked for its reach, and the shares of each row over it."""

    def steps_of(self, quantity: str) -> Array:
        """The steps of the rows that have a quantity: before the first update there are weights alone."""
        return np.array([row.step for row in self._rows if quantity in row.quantities], np.int64)

    def shares(self, quantity: str, layer: str) -> tuple[Array, float]:
        """(shares (BINS, rows), reach): which part of a layer's numbers lay in each bin of [−reach, +reach], row by row.

        All rows share the widest reach, so that a value keeps its place. Within a bin of a narrower histogram the numbers
        count as evenly spread. Row 0 is the lowest bin; each column adds up to 1.
        """
        place = self.layers.index(layer)
        rows = [row for row in self._rows if quantity in row.quantities]
        if not rows:
            return np.zeros((BINS, 0)), 1.0
        reach = max(float(row.reach[row.quantities.index(quantity), place]) for row in rows) or 1.0
        known_reach, known = self._columns.get((quantity, layer), (0.0, {}))
        if known_reach != reach:
            known = {}
        known = {row: known[row] if row in known else _spread(row, quantity, place, reach) for row in rows}
        self._columns[quantity, layer] = reach, known
        return np.stack(list(known.values()), axis=1), reach


def _spread(row: LayerHistograms, quantity: str, place: int, reach: float) -> Array:
    """The shares (BINS,) of one layer's numbers over [−reach, +reach]."""
    which = row.quantities.index(quantity)
    below = np.concatenate([[0], np.cumsum(row.counts[which, place])])
    own = float(row.reach[which, place]) or reach
    shares = np.interp(np.linspace(-reach, reach, BINS + 1), np.linspace(-own, own, BINS + 1), below)
    return np.diff(shares) / below[-1]
