"""Which arrays the visible panels need together, asked of the session once; and each frame handed to them."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, QTimer, Slot

from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.selection import Selection
from cnnstudio.session.controller import Controller
from engine.layer import Array
from engine.snapshot import Snapshot, SnapshotRequest


class Viewer(Protocol):
    """Who shows arrays: a panel, or the canvas with its thumbnails."""

    @property
    def interval(self) -> float:
        """Seconds that it wants between two snapshots."""
        ...

    def can_be_seen(self) -> bool:
        """Whether anything of it can be seen."""
        ...

    def needs(self) -> Needs:
        """The arrays it shows now."""
        ...

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Show the arrays of one step."""
        ...


class Probe(QObject):
    """Keeps the session's probe equal to what can be seen: a closed panel costs nothing."""

    def __init__(self, controller: Controller, selection: Selection, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller, self._selection = controller, selection
        self._viewers: list[Viewer] = []
        self._waiting: dict[Viewer, Snapshot | None] = {}
        """What viewers have not shown yet because their last snapshot is too recent."""
        self._due: dict[Viewer, float] = {}
        self._image: Array | None = None
        # Many changes in one turn of the event loop (a layout restored, a block chosen) become one request.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._ask)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_waiting)
        selection.sample_changed.connect(self.renew)
        controller.frame_arrived.connect(self._show)

    def add_panel(self, panel: LivePanel) -> None:
        """Serve a panel from now on."""
        panel.needs_changed.connect(self.renew)
        self.add_viewer(panel)

    def add_viewer(self, viewer: Viewer) -> None:
        """Serve someone who calls `renew` when the needs change."""
        self._viewers.append(viewer)
        self.renew()

    @Slot()
    def renew(self) -> None:
        """Ask the session anew, as soon as the present events have been handled."""
        self._soon.start()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._soon.stop()
        self._later.stop()
        self._viewers.clear()
        self._waiting.clear()

    @Slot()
    def _ask(self) -> None:
        visible = [viewer for viewer in self._viewers if viewer.can_be_seen()]
        sample = self._selection.sample
        if not visible or sample is None or sample.image is None:
            self._controller.set_probe(None)
            return
        needs, weights = Needs(), frozenset[str]()
        for viewer in visible:
            one = viewer.needs()
            needs |= one
            weights |= one.layers if one.parameters else frozenset()
        self._controller.set_probe(
            SnapshotRequest(
                image=sample.image,
                label=sample.label if needs.deltas or needs.gradients else None,
                gradients=needs.gradients,
                layers=tuple(sorted(needs.layers)),
                parameters=needs.parameters,
                changes=needs.changes,
                other=needs.other[0] if needs.other else None,
                other_layer=needs.other[1] if needs.other else None,
                weights_of=tuple(sorted(weights)),
            ),
            min(viewer.interval for viewer in visible),
        )

    @Slot(object)
    def _show(self, snapshot: Snapshot | None) -> None:
        image = None if snapshot is None else snapshot.arrays.get("image")
        if image is None or self._image is None or not np.array_equal(image, self._image):
            self._due.clear()  # whoever draws a digit wants to see at once what comes of it
        self._image = image
        self._waiting = {viewer: snapshot for viewer in self._viewers if viewer.can_be_seen()}
        self._show_waiting()

    @Slot()
    def _show_waiting(self) -> None:
        now = time.monotonic()
        for viewer, snapshot in list(self._waiting.items()):
            if snapshot is None or now >= self._due.get(viewer, 0.0):
                del self._waiting[viewer]
                self._due[viewer] = now + viewer.interval
                viewer.show_snapshot(snapshot)
        if self._waiting:
            self._later.start(round(1e3 * (min(self._due[viewer] for viewer in self._waiting) - now)) + 1)
