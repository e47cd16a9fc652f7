"""Schedules: how the learning rate changes during training, as a factor on the rate that was set.

With e = epochs done so far, as a fraction (2.5 is in the middle of the third epoch), and E = epochs in all:

    constant   1
    step       f^⌊e / every⌋
    cosine     low + (1 − low)·½·(1 + cos(π·e/E))
    plateau    f^(how often the validation loss failed to fall for `patience` epochs)

A warm-up, which any schedule may have, multiplies by min(1, e / warm-up epochs), counted from the first step.
Source of cosine: Loshchilov and Hutter 2017; of warm-up: Goyal et al. 2017.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.options import Configurable, from_kind, option

SCHEDULES: dict[str, type[Schedule]] = {}


@dataclass(frozen=True)
class Schedule(Configurable, ABC):
    """A factor on the learning rate, a pure function of the place in training and of the validation losses so far."""

    title: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        SCHEDULES[cls.kind] = cls

    @abstractmethod
    def factor(self, epoch: float, epochs: int, validation_losses: Sequence[float]) -> float:
        """The factor at `epoch` (fractional) of `epochs`, after these validation losses, one for each finished epoch."""


@dataclass(frozen=True)
class Constant(Schedule):
    """1."""

    kind = "constant"
    title = "Constant"

    def factor(self, epoch: float, epochs: int, validation_losses: Sequence[float]) -> float:
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """f^⌊e / every⌋."""

    kind = "step"
    title = "Step"

    every: int = option(5, ge=1, label="Every", help="Epochs between two falls.", unit="epochs", live=True)
    fall: float = option(0.1, gt=0, le=1, label="Factor", help="What the rate is multiplied with.", live=True)

    def factor(self, epoch: float, epochs: int, validation_losses: Sequence[float]) -> float:
        return float(self.fall ** math.floor(epoch / self.every))


@dataclass(frozen=True)
class Cosine(Schedule):
    """low + (1 − low)·½·(1 + cos(π·e/E))."""

    kind = "cosine"
    title = "Cosine"

    low: float = option(0.0, ge=0, le=1, label="Lowest factor", help="What is left of the rate at the end.", live=True)

    def factor(self, epoch: float, epochs: int, validation_losses: Sequence[float]) -> float:
        return self.low + (1 - self.low) * 0.5 * (1 + math.cos(math.pi * min(epoch / max(epochs, 1), 1.0)))


@dataclass(frozen=True)
class Plateau(Schedule):
    """f^(number of plateaus): the rate falls when the validation loss has not fallen for `patience` epochs."""

    kind = "plateau"
    title = "Reduce on plateau"

    patience: int = option(3, ge=1, label="Patience", help="Epochs without a better validation loss.", unit="epochs", live=True)
    fall: float = option(0.5, gt=0, le=1, label="Factor", help="What the rate is multiplied with.", live=True)

    def factor(self, epoch: float, epochs: int, validation_losses: Sequence[float]) -> float:
        best, waited, falls = math.inf, 0, 0
        for loss in validation_losses:
            if loss < best:
                best, waited = loss, 0
            else:
                waited += 1
            if waited == self.patience:
                falls, waited = falls + 1, 0
        return float(self.fall ** falls)


def warm_up(epoch: float, warm_up_epochs: float) -> float:
    """min(1, e / warm-up epochs); 1 when there is no warm-up."""
    return 1.0 if warm_up_epochs <= 0 else min(1.0, epoch / warm_up_epochs)


def schedule_from_json(data: Any) -> Schedule:
    """The schedule that `{"kind": …, option: value}` describes."""
    schedule: Schedule = from_kind(SCHEDULES, data, "schedule")
    return schedule
