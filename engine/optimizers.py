"""Optimizers: how a gradient becomes a new weight.

All work in place over the flat vector of parameters w with its gradient g; lr is the learning rate, t = 1, 2, … the number
of the step.

    sgd        w ← w − lr·g
    momentum   v ← μ·v + g                      w ← w − lr·v
    nesterov   v ← μ·v + g                      w ← w − lr·(g + μ·v)
    rmsprop    s ← ρ·s + (1 − ρ)·g²             w ← w − lr·g / (√s + ε)
    adam       m ← β₁·m + (1 − β₁)·g            w ← w − lr·m̂ / (√ŝ + ε),   m̂ = m / (1 − β₁ᵗ),  ŝ = s / (1 − β₂ᵗ)
               s ← β₂·s + (1 − β₂)·g²
    adamw      as adam, and before it           w ← w − lr·λ·w for the weights (not for biases)

Sources: Polyak 1964; Nesterov 1983 in PyTorch's form; Tieleman and Hinton 2012; Kingma and Ba 2015; Loshchilov and Hutter 2019.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.layer import Array
from engine.options import Configurable, from_kind, option
from engine.term import Term, constant, term

OPTIMIZERS: dict[str, type[Optimizer]] = {}


@dataclass(frozen=True)
class Optimizer(Configurable, ABC):
    """An update rule; its running averages ("slots") are flat vectors that the trainer holds and saves."""

    title: ClassVar[str]
    slots: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        OPTIMIZERS[cls.kind] = cls

    @abstractmethod
    def update(self, w: Array, g: Array, slots: Mapping[str, Array], lr: float, t: int, penalised: Array, scratch: Array) -> None:
        """Change w and the slots in place; `penalised` is 1 where a weight decay applies; `scratch` is (2, P)."""

    def explain_slots(self, g: Term, slots: Mapping[str, Term]) -> dict[str, Term]:
        """The new slots of one weight, from its gradient and the slots before."""
        return {}

    @abstractmethod
    def explain(self, w: Term, g: Term, slots: Mapping[str, Term], lr: Term, t: int, penalised: bool) -> Term:
        """The new weight, from the weight before, its gradient and the *new* slots."""


@dataclass(frozen=True)
class SGD(Optimizer):
    """w ← w − lr·g."""

    kind = "sgd"
    title = "SGD"

    def update(self, w: Array, g: Array, slots: Mapping[str, Array], lr: float, t: int, penalised: Array, scratch: Array) -> None:
        w -= np.multiply(g, lr, out=scratch[0])

    def explain(self, w: Term, g: Term, slots: Mapping[str, Term], lr: Term, t: int, penalised: bool) -> Term:
        return w - lr * g


@dataclass(frozen=True)
class Momentum(Optimizer):
    """v ← μ·v + g; w ← w − lr·v."""

    kind = "momentum"
    title = "SGD with momentum"
    slots = ("velocity",)

    momentum: float = option(0.9, ge=0, lt=1, label="Momentum", help="How much of the last velocity is kept.", live=True)

    def update(self, w: Array, g: Array, slots: Mapping[str, Array], lr: float, t: int, penalised: Array, scratch: Array) -> None:
        v = slots["velocity"]
        v *= self.momentum
        v += g
        w -= np.multiply(v, lr, out=scratch[0])

    def explain_slots(self, g: Term, slots: Mapping[str, Term]) -> dict[str, Term]:
        return {"velocity": constant(self.momentum, "μ") * slots["velocity"] + g}

    def explain(self, w: Term, g: Term, slots: Mapping[str, Term], lr: Term, t: int, penalised: bool) -> Term:
        return w - lr * slots["velocity"]


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """v ← μ·v + g; w ← w − lr·(g + μ·v)."""

    kind = "nesterov"
    title = "Nesterov momentum"
    slots = ("velocity",)

    momentum: float = option(0.9, ge=0, lt=1, label="Momentum", help="How much of the last velocity is kept.", live=True)

    def update(self, w: Array, g: Array, slots: Mapping[str, Array], lr: float, t: int, penalised: Array, scratch: Array) -> None:
        v = slots["velocity"]
        v *= self.momentum
        v += g
        step = np.multiply(v, self.momentum, out=scratch[0])
        step += g
        step *= lr
        w -= step

    def explain_slots(self, g: Term, slots: Mapping[str, Term]) -> dict[str, Term]:
        return {"velocity": constant(self.momentum, "μ") * slots["velocity"] + g}

    def explain(self, w: Term, g: Term, slots: Mapping[str, Term], lr: Term, t: int, penalised: bool) -> Term:
        return w - lr * (g + constant(self.momentum, "μ") * slots["velocity"])


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """s ← ρ·s + (1 − ρ)·g²; w ← w − lr·g / (√s + ε)."""

    kind = "rmsprop"
    title = "RMSProp"
    slots = ("square",)

    rho: float = option(0.99, ge=0, lt=1, label="ρ", help="How much of the last mean square is kept.", live=True)
    epsilon: float = option(1e-8, gt=0, label="ε", help="Keeps the division finite.", live=True)

    def update(self, w: Array, g: Array, slots: Mapping[str, Array], lr: float, t: int, penalised: Array, scratch: Array) -> None:
        s = slots["square"]
        s *= self.rho
        square = np.multiply(g, g, out=scratch[0])
        square *= 1 - self.rho
        s += square
        root = np.sqrt(s, out=scratch[0])
        root += self.epsilon
        step = np.divide(g, root, out=scratch[1])
        step *= lr
        w -= step

    def explain_slots(self, g: Term, slots: Mapping[str, Term]) -> dict[str, Term]:
        return {"square": _running(self.rho, "ρ", slots["square"], term("square", g))}

    def explain(self, w: Term, g: Term, slots: Mapping[str, Term], lr: Term, t: int, penalised: bool) -> Term:
        return w - lr * g / (term("root", slots["square"]) + constant(self.epsilon, "ε"))


@dataclass(frozen=True)
class Adam(Optimizer):
    """m, s ← running means of g and g²; w ← w − lr·m̂ / (√ŝ + ε)."""

    kind = "adam"
    title = "Adam"
    slots = ("mean", "square")

    beta1: float = option(0.9, ge=0, lt=1, label="β₁", help="How much of the last mean gradient is kept.", live=True)
    beta2: float = option(0.999, ge=0, lt=1, label="β₂", help="How much of the last mean square is kept.", live=True)
    epsilon: float = option(1e-8, gt=0, label="ε", help="Keeps the division finite.", live=True)

    def update(self, w: Array, g: Array, slots: Mapping[str, Array], lr: float, t: int, penalised: Array, scratch: Array) -> None:
        m, s = slots["mean"], slots["square"]
        part = scratch[0]
        m *= self.beta1
        m += np.multiply(g, 1 - self.beta1, out=part)
        s *= self.beta2
        np.multiply(g, g, out=part)
        part *= 1 - self.beta2
        s += part
        root = np.sqrt(s, out=part)
        # m̂ / (√ŝ + ε) = c / (1 − β₁ᵗ) · m / (√s + c·ε) with c = √(1 − β₂ᵗ): the corrections are two numbers, not two vectors.
        c = math.sqrt(1 - self.beta2**t)
        root += c * self.epsilon
        step = np.divide(m, root, out=part)
        step *= lr * c / (1 - self.beta1**t)
        w -= step

    def explain_slots(self, g: Term, slots: Mapping[str, Term]) -> dict[str, Term]:
        return {"mean": _running(self.beta1, "β₁", slots["mean"], g),
                "square": _running(self.beta2, "β₂", slots["square"], term("square", g))}

    def explain(self, w: Term, g: Term, slots: Mapping[str, Term], lr: Term, t: int, penalised: bool) -> Term:
        mean = (slots["mean"] / constant(1 - self.beta1**t, "1 − β₁ᵗ")).named("m̂")
        square = (slots["square"] / constant(1 - self.beta2**t, "1 − β₂ᵗ")).named("ŝ")
        return w - lr * mean / (term("root", square) + constant(self.epsilon, "ε"))


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: w ← w − lr·λ·w first."""

    kind = "adamw"
    title = "AdamW"

    weight_decay: float = option(0.01, ge=0, label="Weight decay λ", help="Pulls the weights towards 0 at every step.", live=True)

    def update(self, w: Array, g: Array, slots: Mapping[str, Array], lr: float, t: int, penalised: Array, scratch: Array) -> None:
        decay = np.multiply(w, penalised, out=scratch[0])
        decay *= lr * self.weight_decay
        w -= decay
        super().update(w, g, slots, lr, t, penalised, scratch)

    def explain(self, w: Term, g: Term, slots: Mapping[str, Term], lr: Term, t: int, penalised: bool) -> Term:
        decayed = w - lr * constant(self.weight_decay, "λ") * w if penalised else w
        return super().explain(decayed, g, slots, lr, t, penalised)


def _running(kept: float, symbol: str, before: Term, new: Term) -> Term:
    """kept·before + (1 − kept)·new."""
    return constant(kept, symbol) * before + constant(1 - kept, f"1 − {symbol}") * new


def optimizer_from_json(data: Any) -> Optimizer:
    """The optimizer that `{"kind": …, option: value}` describes."""
    optimizer: Optimizer = from_kind(OPTIMIZERS, data, "optimizer")
    return optimizer
