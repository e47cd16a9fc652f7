"""Frames: the arrays of a probe; where asked for with what training has changed in the weights, and a second image's outputs."""

from __future__ import annotations

import dataclasses
import math
import time

from engine.layer import Array
from engine.snapshot import Snapshot, SnapshotRequest, frozen, sample_snapshot
from engine.trainer import Trainer

OTHER = "other:"
"""What the names of the second image's arrays begin with."""


class Frames:
    """When the next frame is due and what it holds. Belongs to the thread that trains.

    At rest one is made when there is something new to see. While training runs one is made after a batch, and held until the next
    gradient is there: the update that follows leaves a core to the window, which then draws. It is handed over when the last one
    was taken and the time named then has passed, so it is made as much earlier as it is held. One is made too soon rather than
    one batch later, if that would be half the time late: where a batch takes nearly as long as a frame is shown, each has one.
    """

    def __init__(self) -> None:
        self.request: SnapshotRequest | None = None
        self._part: SnapshotRequest | None = None
        """What the next frame of a running training holds instead."""
        self.drawn_weights: Array | None = None
        """The weights from which changes count, a flat vector."""
        self._renewed = False
        self._taken, self._wait, self._due_at, self._drawn_at = True, 0.0, 0.0, 0.0
        self._held: Snapshot | None = None
        self._made_at = self._hold = 0.0
        """When the last frame was made, and for how long one was held last."""
        self._chance_at, self._batch = math.inf, 0.0
        """When the last gradient was there, and how long after the one before."""

    def begin(self, trainer: Trainer) -> None:
        """The weights were drawn anew, or are those of another network: changes count from here."""
        self.drawn_weights = trainer.network.parameters.flat.copy()
        self._renewed, self._held = True, None

    def renew(self) -> None:
        """There is something new to see at rest."""
        self._renewed = True

    def ask(self, request: SnapshotRequest | None) -> None:
        """What frames hold from now on, beginning with the next batch."""
        self.request, self._part, self._renewed, self._due_at, self._held = request, None, True, 0.0, None

    def taken(self, wait: float, part: SnapshotRequest | None = None, drawing: float = 0.0) -> None:
        """The last frame was taken, and drawing it takes so many seconds; the next one is due in `wait` seconds, and holds a part
        of what is asked for if one is given. May be called by another thread.
        """
        now = time.monotonic()
        self._part, self._drawn_at = part, now + drawing
        self._wait, self._due_at = wait, now + wait
        self._taken = True

    @property
    def drawing(self) -> bool:
        """Whether the window is busy with the last frame."""
        return not self._taken or time.monotonic() < self._drawn_at

    def due(self, *, running: bool, hold: bool = False) -> bool:
        """Whether a frame is to be made now; one that will be held is made beforehand."""
        if self.request is None:
            return False
        if not running:
            return self._renewed
        if not hold:
            return self._taken and time.monotonic() >= self._due_at
        # If the last one was not taken yet, the next one is due as long after it as that was after the one before.
        handed = time.monotonic() + self._hold
        return self._held is None and (handed >= self._due_at or handed + self._batch > self._due_at + self._wait / 2)

    def make(self, trainer: Trainer, *, running: bool, hold: bool = False) -> Snapshot | None:
        """The frame, or None where it is held; None, too, when the sample is of another data set: the probe of the new one is on
        its way. At rest it holds all that is asked for.
        """
        request = self._part if running and self._part is not None else self.request
        assert request is not None
        frame = frame_of(trainer, request, self.drawn_weights)
        self._renewed, self._held, self._made_at = False, None, time.monotonic()
        if hold:
            self._held = frame
            return None
        if frame is not None:
            self._hand_over()
        return frame

    def release(self) -> Snapshot | None:
        """The frame that was held, if it can be handed over now."""
        frame, now = self._held, time.monotonic()
        self._chance_at, self._batch = now, now - self._chance_at
        if frame is None or not self._taken:
            return None
        self._held = None
        if now + self._hold < self._due_at:
            return None  # it was made too early; there will be a newer one
        self._hold = now - self._made_at
        self._hand_over()
        return frame

    def _hand_over(self) -> None:
        self._taken, self._due_at = False, time.monotonic() + self._wait


def frame_of(trainer: Trainer, request: SnapshotRequest, drawn_weights: Array | None) -> Snapshot | None:
    """The frame that was asked for; `drawn_weights` are those of the beginning, the flat vector.

    None when the sample is of another data set: the probe of the new one is on its way.
    """
    if request.image is not None and request.image.shape != tuple(trainer.network.placed[0].x):
        return None
    frame = sample_snapshot(trainer.network, trainer.step, request)
    if request.changes:
        frame = dataclasses.replace(frame, arrays={**frame.arrays, **_changes(trainer, request, drawn_weights)})
    fits = request.other is not None and request.other.shape == tuple(trainer.network.placed[0].x)
    if fits and request.other_layer is not None:
        second = SnapshotRequest(request.other, layers=(request.other_layer,), weights_of=())
        outputs = sample_snapshot(trainer.network, trainer.step, second).arrays
        frame = dataclasses.replace(frame, arrays={**frame.arrays, **{OTHER + name: array for name, array in outputs.items()}})
    return frame


def _changes(trainer: Trainer, request: SnapshotRequest, drawn_weights: Array | None) -> dict[str, Array]:
    """What the last update, and all updates together, have changed in the weights of the layers asked for."""
    p, arrays = trainer.network.parameters, {}
    older = {"change": p.views(drawn_weights)} if drawn_weights is not None else {}
    if trainer.last_update is not None:
        older["update"] = trainer.weights_before
    for suffix, weights in older.items():
        for name, now in p.named.items():
            if request.takes_weights_of(name.rsplit(".", 1)[0]):
                arrays[f"{name}_{suffix}"] = frozen(now - weights[name])
    return arrays
