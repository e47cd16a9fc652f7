"""What is chosen in the window: the block, the sample image and the cell of an array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from engine.layer import Array

Source = Literal["train", "validation", "test", "drawn", "file", "typed"]


@dataclass(frozen=True, eq=False)
class SampleRef:
    """An image (C, H, W) and where it comes from; `index` is its place in a split of the data set, otherwise 0.

    `label` is the class, or None when nobody knows it.
    """

    source: Source
    index: int
    image: Array | None
    label: int | None


@dataclass(frozen=True)
class CellRef:
    """One number of an array: the array's name ("conv1.y"), the index in it, and the step and probe it belongs to."""

    array: str
    index: tuple[int, ...]
    step: int
    probe: str


class Selection(QObject):
    """Holds what is chosen and says when that changes; choosing the same block or sample again says nothing."""

    block_changed = Signal(object)
    """The id of the chosen block, or None."""
    sample_changed = Signal(object)
    """A `SampleRef`, or None."""
    cell_changed = Signal(object)
    """A `CellRef`, or None."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._block: str | None = None
        self._sample: SampleRef | None = None
        self._cell: CellRef | None = None

    @property
    def block(self) -> str | None:
        """The id of the chosen block."""
        return self._block

    @property
    def sample(self) -> SampleRef | None:
        """The chosen image."""
        return self._sample

    @property
    def cell(self) -> CellRef | None:
        """The chosen number."""
        return self._cell

    def select_block(self, block: str | None) -> None:
        """Choose a block."""
        if block != self._block:
            self._block = block
            self.block_changed.emit(block)

    def select_sample(self, sample: SampleRef | None) -> None:
        """Choose an image; every new reference counts as another image, as each stroke of a drawing does."""
        if sample is not self._sample:
            self._sample = sample
            self.sample_changed.emit(sample)

    def select_cell(self, cell: CellRef | None) -> None:
        """Choose a number. Choosing the same once more says so again: its explanation may have been covered meanwhile."""
        if cell is not None or self._cell is not None:
            self._cell = cell
            self.cell_changed.emit(cell)
