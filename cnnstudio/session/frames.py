"""Frames: the arrays of a probe; where asked for with what training has changed in the weights, and a second image's outputs."""

from __future__ import annotations

import dataclasses

from engine.layer import Array
from engine.snapshot import Snapshot, SnapshotRequest, frozen, sample_snapshot
from engine.trainer import Trainer

OTHER = "other:"
"""What the names of the second image's arrays begin with."""


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
        second = SnapshotRequest(request.other, layers=(request.other_layer,), parameters=False)
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
