"""Cyclic garbage is collected by the GUI thread alone.

Python collects in whichever thread happens to allocate: here also the one that reads the training's answers, and the one that
writes the working database. What lies in such garbage after a window was made anew, pixmaps, pens, fonts and the shells of dead
widgets, belongs to the GUI thread, and Qt has no lock against another one that destroys it meanwhile.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

INTERVAL = 100
"""Milliseconds between two looks: some thousand objects may wait for so long."""


class GarbageCollector(QObject):
    """Collects by Python's own thresholds, from now on until `stop`. Belongs to the GUI thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def stop(self) -> None:
        """Leave collecting to Python again."""
        self._timer.stop()
        gc.enable()

    @Slot()
    def _collect(self) -> None:
        """Collect the oldest generation whose count is beyond its threshold, and with it the younger ones."""
        due = [g for g, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)) if count > limit > 0]
        if due:
            gc.collect(due[-1])
