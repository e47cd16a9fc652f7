"""A label whose text has parts: its lines end between these, not within them."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import ceil

from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from cnnstudio.widgets.numbers import unbroken

PARTED = " · "


class PartedLabel(QLabel):
    """Parts that " · " joins, in as few lines as there is room for, all about as long; at the end of a line no " · " is left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setWordWrap(True)  # a part that is longer than a line

    @property
    def whole(self) -> str:
        """The text in one line, with plain spaces."""
        return self._whole

    def set_whole(self, text: str) -> None:
        """Show another text."""
        if text != self._whole:
            self._whole = text
            self._fold()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width has room for other lines."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fold()

    def changeEvent(self, event: QEvent) -> None:
        """Another font too."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fold()

    def _fold(self) -> None:
        parts = [unbroken(part) for part in self._whole.split(PARTED)]
        inner = range(1, len(parts))
        cuts = [(0, *inside, len(parts)) for count in range(len(parts)) for inside in combinations(inner, count)]
        folds = ([PARTED.join(parts[start:end]) for start, end in pairwise(cut)] for cut in cuts)
        lines = min(folds, key=self._cost)
        self.setText("\n".join(lines))

    def _cost(self, lines: list[str]) -> tuple[int, int]:
        """How many lines these become, and how wide the widest is."""
        room = max(self.contentsRect().width(), 1)
        widths = [self.fontMetrics().horizontalAdvance(line) for line in lines]
        return sum(ceil(width / room) for width in widths), max(widths)
