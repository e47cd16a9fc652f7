"""Losses: how wrong the output is, and the delta with which back-propagation begins.

A loss E is the mean over the batch of the samples' losses. With y the network's output, t the target (one-hot for a class) and z
the input of a closing softmax or sigmoid:

    cross-entropy, softmax      E = −Σ_k t_k log y_k = log Σ_k e^{z_k} − Σ_k t_k z_k                ∂E/∂z = y − t
    cross-entropy, sigmoid      E = −Σ_k t_k log y_k + (1 − t_k) log(1 − y_k)                       ∂E/∂z = y − t
    cross-entropy, plain        the outputs are taken as logits z, as PyTorch does                  ∂E/∂z = softmax(z) − t
    squared error, any          E = ½ Σ_k (y_k − t_k)²                                              ∂E/∂y = y − t

Cross-entropy is computed from z and its delta goes straight to z: log(0) and 0/0 cannot occur. The squared error is the
course's, with the factor ½ and a sum over the outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.errors import DataError
from engine.layer import Array
from engine.options import Configurable, from_kind
from engine.term import Term, term

LOSSES: dict[str, type[Loss]] = {}


@dataclass(frozen=True)
class Loss(Configurable, ABC):
    """A loss over outputs (N, K) and targets (N, K)."""

    title: ClassVar[str]
    fused_with: ClassVar[tuple[str, ...]] = ()
    """The kinds of closing layers for which the delta is given at their input z instead of at their output y."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        LOSSES[cls.kind] = cls

    @abstractmethod
    def values(self, head: str, z: Array, y: Array, t: Array) -> Array:
        """The loss of each sample, (N,); `head` is the kind of the closing layer,
        and z its input when `head` is in `fused_with`, otherwise the output."""

    @abstractmethod
    def delta(self, head: str, z: Array, y: Array, t: Array, out: Array) -> None:
        """Write the samples' ∂E/∂z (if `head` is in `fused_with`) or ∂E/∂y into `out`; not yet divided by N."""

    def delta_at_output(self, head: str, y: Array, t: Array) -> Array:
        """The samples' ∂E/∂y of a closing layer in `fused_with`, which training never needs."""
        raise NotImplementedError(f"{self.kind} is not fused with {head}")

    @abstractmethod
    def explain(self, head: str, z: Sequence[Term], y: Sequence[Term], t: Sequence[Term]) -> Term:
        """The loss of one sample; z, y and t as in `values`."""

    @abstractmethod
    def explain_delta(self, head: str, k: int, z: Sequence[Term], y: Sequence[Term], t: Sequence[Term]) -> Term:
        """What `delta` writes for output k of one sample."""

    def explain_delta_at_output(self, head: str, k: int, y: Sequence[Term], t: Sequence[Term]) -> Term:
        """What `delta_at_output` gives for output k of one sample."""
        raise NotImplementedError(f"{self.kind} is not fused with {head}")


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """E = −Σ_k t_k log y_k, computed from the logits."""

    kind = "cross_entropy"
    title = "Cross-entropy"
    fused_with = ("softmax", "sigmoid")

    def values(self, head: str, z: Array, y: Array, t: Array) -> Array:
        if head == "sigmoid":
            return np.asarray((np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))).sum(axis=1))
        shifted = z - z.max(axis=1, keepdims=True)
        return np.asarray(np.log(np.exp(shifted).sum(axis=1)) * t.sum(axis=1) - (shifted * t).sum(axis=1))

    def delta(self, head: str, z: Array, y: Array, t: Array, out: Array) -> None:
        if head in self.fused_with:
            np.subtract(y, t, out=out)
        else:
            e = np.exp(z - z.max(axis=1, keepdims=True))
            np.subtract(e / e.sum(axis=1, keepdims=True), t, out=out)

    def delta_at_output(self, head: str, y: Array, t: Array) -> Array:
        """−t/y, and with sigmoid (1 − t)/(1 − y) besides; the largest number of the dtype stands for infinity."""
        with np.errstate(all="ignore"):
            delta = -np.divide(t, y, out=np.zeros_like(y), where=t != 0)
            if head == "sigmoid":
                delta += np.divide(1 - t, 1 - y, out=np.zeros_like(y), where=t != 1)
        return np.nan_to_num(delta)

    def explain(self, head: str, z: Sequence[Term], y: Sequence[Term], t: Sequence[Term]) -> Term:
        """−Σ t·log y, without the terms whose factor is 0."""
        if head == "sigmoid":
            return -term("sum", *(part for share, goal in zip(y, t, strict=True) for part in _logarithms(share, goal)))
        if head == "softmax" and all(share.fold() > 0 for share, goal in zip(y, t, strict=True) if goal.value):
            return -term("sum", *(goal * term("log", share) for share, goal in zip(y, t, strict=True) if goal.value))
        # Without a softmax, and where a probability is too small for a number, its logarithm comes from the logits.
        largest = term("max", *z).named("max z")
        of_sum = term("log", term("sum", *(term("exp", score - largest) for score in z)))
        return -term("sum", *(goal * (score - largest - of_sum) for score, goal in zip(z, t, strict=True) if goal.value))

    def explain_delta(self, head: str, k: int, z: Sequence[Term], y: Sequence[Term], t: Sequence[Term]) -> Term:
        if head in self.fused_with:
            return y[k] - t[k]
        largest = term("max", *z).named("max z")
        powers = [term("exp", score - largest) for score in z]
        return powers[k] / term("sum", *powers) - t[k]

    def explain_delta_at_output(self, head: str, k: int, y: Sequence[Term], t: Sequence[Term]) -> Term:
        goal, share = t[k], y[k]
        parts = [-(goal / share)] if goal.value or share.value else []  # 0/0 is none
        if head == "sigmoid" and (goal.value != 1 or share.value != 1):
            parts.append((1 - goal) / (1 - share))
        return parts[0] if len(parts) == 1 else term("sum", *parts)


@dataclass(frozen=True)
class SquaredError(Loss):
    """E = ½ Σ_k (y_k − t_k)²."""

    kind = "squared_error"
    title = "Squared error"

    def values(self, head: str, z: Array, y: Array, t: Array) -> Array:
        return np.asarray(0.5 * np.square(y - t).sum(axis=1))

    def delta(self, head: str, z: Array, y: Array, t: Array, out: Array) -> None:
        np.subtract(y, t, out=out)

    def explain(self, head: str, z: Sequence[Term], y: Sequence[Term], t: Sequence[Term]) -> Term:
        return 0.5 * term("sum", *(term("square", share - goal) for share, goal in zip(y, t, strict=True)))

    def explain_delta(self, head: str, k: int, z: Sequence[Term], y: Sequence[Term], t: Sequence[Term]) -> Term:
        return y[k] - t[k]


def _logarithms(y: Term, t: Term) -> list[Term]:
    """t·log y + (1 − t)·log(1 − y), without a term whose factor is 0."""
    parts = [t * term("log", y)] if t.value else []
    return parts + ([(1 - t) * term("log", 1 - y)] if t.value != 1 else [])


def loss_from_json(data: Any) -> Loss:
    """The loss that `{"kind": …}` describes."""
    loss: Loss = from_kind(LOSSES, data, "loss")
    return loss


def targets_of(labels: Array, outputs: int, dtype: Any) -> Array:
    """Targets (N, outputs): one-hot rows for class labels, the labels themselves for a single output unit or for given rows.

    Raises DataError when a label names no output.
    """
    if labels.ndim == 2:
        if labels.shape[1] != outputs:
            raise DataError("The targets have {found} values, but the network has {outputs} outputs.", code="data.targets",
                            found=labels.shape[1], outputs=outputs)
        return labels.astype(dtype)
    if outputs == 1:
        if labels.size and (labels.min() < 0 or labels.max() > 1):
            raise DataError("A single output tells two classes apart, 0 and 1; the labels run from {low} to {high}.",
                            code="data.labels", low=int(labels.min()), high=int(labels.max()))
        return labels[:, None].astype(dtype)
    if labels.size and (labels.min() < 0 or labels.max() >= outputs):
        raise DataError("The labels run from {low} to {high}, but the network's {outputs} outputs stand for 0 to {last}.",
                        code="data.labels", low=int(labels.min()), high=int(labels.max()), outputs=outputs, last=outputs - 1)
    targets = np.zeros((len(labels), outputs), dtype)
    targets[np.arange(len(labels)), labels] = 1
    return targets
