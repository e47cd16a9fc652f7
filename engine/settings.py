"""Training settings: everything that a run depends on beside the network and the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.datasets.augmentation import Augmentation
from engine.errors import SpecError
from engine.losses import CrossEntropy, Loss, loss_from_json
from engine.optimizers import Adam, Optimizer, optimizer_from_json
from engine.options import Configurable, from_kind, option
from engine.schedules import Constant, Schedule, schedule_from_json


@dataclass(frozen=True)
class TrainSettings(Configurable):
    """How to train. Options marked `live`, the optimizer's numbers and the schedule may change between two batches."""

    kind = "training"

    epochs: int = option(5, ge=1, label="Epochs", help="How many times all training images are seen.", live=True)
    batch_size: int = option(64, ge=1, label="Batch size", help="Images for one update of the weights.", live=True)
    learning_rate: float = option(0.001, gt=0, label="Learning rate", help="How far one update moves the weights.", live=True)
    seed: int = option(1, ge=0, label="Seed", help="The same seed gives the same weights and the same order of images.")
    l2: float = option(0.0, ge=0, label="L2 penalty λ", help="Adds ½·λ·Σw² over the weights to the loss.", live=True)
    l1: float = option(0.0, ge=0, label="L1 penalty λ", help="Adds λ·Σ|w| over the weights to the loss.", live=True)
    clip_norm: float = option(0.0, ge=0, label="Clip gradient", help="Longest gradient vector; 0 means no limit.", live=True)
    warm_up_epochs: float = option(0.0, ge=0, label="Warm-up", unit="epochs", live=True,
                                   help="Epochs in which the rate rises from 0.")
    patience: int = option(0, ge=0, label="Stop early after", unit="epochs", live=True,
                           help="Stops when the validation loss has not fallen for so long; 0 means never.")
    loss: Loss = field(default_factory=CrossEntropy)
    optimizer: Optimizer = field(default_factory=Adam)
    schedule: Schedule = field(default_factory=Constant)
    augmentation: Augmentation = field(default_factory=Augmentation)

    def replace(self, **changes: Any) -> TrainSettings:
        """A copy with options or parts changed and checked."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Options and parts as an object."""
        return super().to_json() | {"loss": self.loss.to_json(), "optimizer": self.optimizer.to_json(),
                                    "schedule": self.schedule.to_json(), "augmentation": self.augmentation.to_json()}

    @classmethod
    def from_json(cls, data: Any) -> TrainSettings:
        """The settings that `to_json` wrote; parts and options left out have their defaults."""
        if not isinstance(data, Mapping):
            raise SpecError("Training settings must be an object.", code="settings.form")
        values = {k: v for k, v in data.items() if k != "kind"}
        readers = {"loss": loss_from_json, "optimizer": optimizer_from_json, "schedule": schedule_from_json,
                   "augmentation": _augmentation_from_json}
        parts = {name: reader(values.pop(name)) for name, reader in readers.items() if name in values}
        return cls.from_options(values).replace(**parts)


def _augmentation_from_json(data: Any) -> Augmentation:
    augmentation: Augmentation = from_kind({Augmentation.kind: Augmentation}, data, "augmentation")
    return augmentation
