"""What training tells while it runs: the events that a trainer yields."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BatchDone:
    """One update has been made: `step` counts updates from 1; loss and accuracy are of the batch, before the update."""

    step: int
    epoch: int
    batch: int
    batches: int
    loss: float
    accuracy: float
    learning_rate: float
    images: int


@dataclass(frozen=True)
class GradientDone:
    """The gradient of the step in progress is there, and the weights are about to change; the cores have little to do for it."""

    step: int


@dataclass(frozen=True)
class LayerDone:
    """One layer's part of the step in progress; phase "forward", "backward" or "update" (layer is "" there)."""

    step: int
    phase: str
    layer: str


@dataclass(frozen=True)
class Evaluating:
    """A part of an evaluation is done: `done` of `images` images."""

    done: int
    images: int


@dataclass(frozen=True)
class EpochDone:
    """All training images have been seen once more; validation is computed with the weights of this moment."""

    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    images_per_second: float
    learning_rate: float


@dataclass(frozen=True)
class Finished:
    """The run is over; reason "epochs" or "early stopping"."""

    reason: str
    step: int


Event = BatchDone | GradientDone | LayerDone | Evaluating | EpochDone | Finished
