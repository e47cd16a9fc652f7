"""What happens to a gradient between the backward pass and the optimizer: penalties are added, and its length is limited."""

from __future__ import annotations

import numpy as np

from engine.layer import Array
from engine.memory import Parameters
from engine.settings import TrainSettings


def penalise(p: Parameters, settings: TrainSettings, scratch: Array) -> float:
    """Add λ₂·w and λ₁·sign(w) of the penalised weights to the gradient; returns ½·λ₂·Σw² + λ₁·Σ|w|. `scratch` is (P,)."""
    penalty = 0.0
    if settings.l2:
        part = np.multiply(p.flat, p.penalised, out=scratch)
        penalty += 0.5 * settings.l2 * float(part @ part)
        part *= settings.l2
        p.gradient += part
    if settings.l1:
        part = np.multiply(p.flat, p.penalised, out=scratch)
        penalty += settings.l1 * float(np.abs(part).sum())
        np.sign(part, out=part)
        part *= settings.l1
        p.gradient += part
    return penalty


def clip(gradient: Array, longest: float) -> float:
    """Shorten the gradient vector to `longest`, unless that is 0, if it is longer; returns its length before."""
    norm = float(np.linalg.norm(gradient))
    if longest and norm > longest:
        gradient *= longest / norm
    return norm
