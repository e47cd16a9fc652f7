"""What all live panels share: they say which arrays they need, and are given snapshots while they can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QWidget

from engine.layer import Array
from engine.snapshot import Snapshot


@dataclass(frozen=True)
class Needs:
    """The arrays that a panel shows: the outputs of some layers, the weights of some, the deltas of some.

    `gradients` and `changes` are those of the weights. `other` is a second image with the layer whose output is shown for it.
    """

    outputs: frozenset[str] = frozenset()
    weights: frozenset[str] = frozenset()
    deltas: frozenset[str] = frozenset()
    gradients: bool = False
    changes: bool = False
    other: tuple[Array, str] | None = None

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.outputs | other.outputs,
            self.weights | other.weights,
            self.deltas | other.deltas,
            self.gradients or other.gradients,
            self.changes or other.changes,
            self.other or other.other,
        )


class Viewer(Protocol):
    """Who shows arrays: a panel, or the canvas with its thumbnails."""

    @property
    def interval(self) -> float:
        """Seconds that it wants between two snapshots."""
        ...

    def can_be_seen(self) -> bool:
        """Whether anything of it can be seen."""
        ...

    def is_attended(self) -> bool:
        """Whether the mouse or the keyboard is there, so that it comes first."""
        ...

    def needs(self) -> Needs:
        """The arrays it shows now."""
        ...

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the arrays of one step."""
        ...


class LivePanel(QWidget):
    """A panel that shows arrays of the network for the chosen sample."""

    needs_changed = Signal()
    """What `needs` says has changed, or the panel has been shown or hidden."""
    heading_changed = Signal(str, str)
    """(heading, detail) for the title of the panel, as in ("Kernels", "Conv 1 · 6 × 5×5")."""
    interval = 0.0
    """Seconds between two snapshots of an image that it is given: none for pictures, more where numbers are to be read."""

    def needs(self) -> Needs:
        """What the panel needs now; asked only while it is visible."""
        return Needs()

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the arrays of one step; None when there is no network to look at."""
        raise NotImplementedError

    def can_be_seen(self) -> bool:
        """Whether any of the panel is on screen; a tab behind another is "visible" for Qt, but outside the window."""
        return self.isVisible() and not self.visibleRegion().isEmpty()

    def is_attended(self) -> bool:
        """Whether the mouse is over it, or the keyboard inside."""
        focus = QApplication.focusWidget()
        return self.underMouse() or (focus is not None and self.isAncestorOf(focus))

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for arrays again."""
        super().showEvent(event)
        self.needs_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask for nothing any more."""
        super().hideEvent(event)
        self.needs_changed.emit()
