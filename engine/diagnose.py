"""Diagnosis: training that goes wrong although nothing is broken, as name, place, evidence and cure.

Everything is read off one batch snapshot, with K outputs and N images:

    exploding loss         E is more than 3 times the loss of guessing: ln K (cross-entropy), ½·(1 − 1/K) (squared error)
    dead ReLU              at least half of a layer's units give 0 for all N images
    vanishing gradient     the root mean square of ∂E/∂W in a layer is below 1/100 of that in the last one
    missing normalisation  the root mean square of what Input hands on is above 10; layers are made for numbers around 1
    overfitting            for 3 epochs the validation loss has risen while the training loss fell
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from engine.errors import EngineError, Fix
from engine.events import EpochDone
from engine.layer import Array
from engine.snapshot import Snapshot

EXPLODED = 3.0
DEAD_SHARE = 0.5
VANISHED = 1 / 100
LARGE_INPUT = 10.0
RISING_EPOCHS = 3


class Diagnosis(EngineError):  # noqa: N818
    """What is going wrong, where, the evidence and the cures: told in the form of an error, but given back, never raised."""


def diagnose(batch: Snapshot) -> tuple[Diagnosis, ...]:
    """What a batch snapshot shows to be going wrong, the cause before its consequences."""
    found = [_large_input(batch), _exploded(batch), *_dead_relus(batch), _vanished(batch)]
    return tuple(d for d in found if d is not None)


def diagnose_epochs(epochs: Sequence[EpochDone]) -> Diagnosis | None:
    """Overfitting, as the curves show it."""
    last = epochs[-RISING_EPOCHS - 1:]
    if len(last) <= RISING_EPOCHS or not all(a.val_loss < b.val_loss and a.train_loss > b.train_loss
                                             for a, b in pairwise(last)):
        return None
    return Diagnosis(
        "The network learns the training images by heart. In {n} epochs the validation loss rose from {low:.3g} to "
        "{high:.3g}, while the training loss fell to {train:.3g}.", code="diagnosis.overfitting", n=RISING_EPOCHS,
        low=last[0].val_loss, high=last[-1].val_loss, train=last[-1].train_loss,
        fixes=(Fix("setting", "stop early", field="patience", value=RISING_EPOCHS),
               Fix("setting", "use an L2 penalty of 0.001", field="l2", value=1e-3)))


def _large_input(batch: Snapshot) -> Diagnosis | None:
    first = batch.spec.nodes[0]
    size = _rms(batch[f"{first.id}.y"])
    if size <= LARGE_INPUT:
        return None
    return Diagnosis("the images are not normalised. Their numbers are around {size:.3g}; layers are made for numbers around 1.",
                     code="diagnosis.input", layer=first.title, position=0, field="scaling", size=size,
                     fixes=(Fix("set", "scale the pixels to 0..1", layer=first.id, field="scaling", value="unit"),))


def _exploded(batch: Snapshot) -> Diagnosis | None:
    if batch.loss is None or batch.update is None or batch.update.t == 1:  # the first loss is no work of the updates
        return None
    outputs = batch["target"].shape[1]
    guess = float(np.log(max(outputs, 2))) if batch.loss_function.kind == "cross_entropy" else 0.5 * (1 - 1 / outputs)
    if outputs == 1 or batch.loss <= EXPLODED * guess:
        return None
    rate = batch.update.settings.learning_rate
    return Diagnosis("The loss explodes: it is {loss:.3g}, {times:.3g} times the {guess:.3g} of guessing.",
                     code="diagnosis.exploding", loss=batch.loss, times=batch.loss / guess, guess=guess,
                     fixes=(Fix("setting", "lower the learning rate from {rate:g} to {lower:g} and reset the weights",
                                {"rate": rate, "lower": rate / 10}, field="learning_rate", value=rate / 10),))


def _dead_relus(batch: Snapshot) -> list[Diagnosis]:
    found = []
    for i, node in enumerate(batch.spec.nodes):
        if node.layer.kind != "relu":
            continue
        y = batch[f"{node.id}.y"]
        over = (0,) if y.ndim == 2 else (0, 2, 3)
        dead, units = int(np.count_nonzero(y.max(axis=over) <= 0)), y.shape[1]
        if dead >= max(DEAD_SHARE * units, 1):
            found.append(Diagnosis(
                "dead: {dead} of {units} units give 0 for all {n} images, so that no gradient reaches the weights before them.",
                code="diagnosis.dead_relu", layer=node.title, position=i, dead=dead, units=units, n=len(y),
                fixes=(Fix("replace", "use Leaky ReLU", layer=node.id, value="leaky_relu"),
                       Fix("advice", "lower the learning rate and reset the weights"))))
    return found


def _vanished(batch: Snapshot) -> Diagnosis | None:
    sizes = [(i, node, _rms(batch[f"{node.id}.dW"])) for i, node in enumerate(batch.spec.nodes) if f"{node.id}.dW" in batch]
    if len(sizes) < 2 or sizes[-1][2] == 0:
        return None
    i, first, size = sizes[0]
    last = sizes[-1][1]
    if size == 0 or size >= VANISHED * sizes[-1][2]:  # exactly 0 is a dead layer's doing
        return None
    squashing = next((n for n in batch.spec.nodes if n.layer.kind in ("sigmoid", "tanh")), None)
    cure = Fix("replace", "use ReLU instead of {kind} in {name}", {"kind": squashing.layer.title, "name": squashing.title},
               layer=squashing.id, value="relu") if squashing else \
        Fix("advice", "put Batch norm after the layers, or use fewer of them")
    return Diagnosis("the gradient vanishes: it is {size:.2g} here and {last_size:.2g} in {last}, {times:.0f} times as much.",
                     code="diagnosis.vanishing", layer=first.title, position=i, fixes=(cure,), size=size,
                     last_size=sizes[-1][2], last=last.title, times=sizes[-1][2] / size)


def _rms(array: Array) -> float:
    """√(mean of squares)."""
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))
