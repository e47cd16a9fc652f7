"""How a trainer begins: from a checkpoint, or with the weights that still fit; and in which phase it then rests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from cnnstudio.session.messages import Load, RunPhase
from engine.checkpoint import Checkpoint
from engine.layer import Array
from engine.spec import NetworkSpec
from engine.trainer import Trainer

Names = tuple[str, ...]


def begin(message: Load) -> tuple[Trainer, Names, Names]:
    """The trainer that a message asks for, the names of the weights that it took over, and of those drawn anew.

    Raises EngineError when network, data and checkpoint do not fit together.
    """
    assert message.data is not None
    trainer = Trainer(message.spec, message.data, message.settings)
    if message.checkpoint is None:
        return trainer, *_carry_over(message.arrays, trainer.network.parameters.named)
    _restore(trainer, message.checkpoint)
    trainer.change(message.settings.replace(seed=trainer.settings.seed))
    return trainer, (), ()


def phase_of(trainer: Trainer) -> RunPhase:
    """Whether a trainer stands before, inside or at the end of a run."""
    if trainer.epoch == trainer.first_epoch and not trainer.batch:
        return RunPhase.READY
    return RunPhase.FINISHED if trainer.run_over else RunPhase.PAUSED


def _restore(trainer: Trainer, saved: Checkpoint) -> None:
    """Go back to a checkpoint; a layer may have got another name on screen since."""
    if _layers(saved.spec) == _layers(trainer.network.spec):
        saved = dataclasses.replace(saved, spec=trainer.network.spec)
    trainer.restore(saved)


def _layers(spec: NetworkSpec) -> list[tuple[str, object]]:
    return [(node.id, node.layer) for node in spec]


def _carry_over(arrays: Mapping[str, Array], named: Mapping[str, Array]) -> tuple[Names, Names]:
    """Take over the arrays that fit; returns the names of those, and of the others."""
    kept = [name for name, own in named.items() if name in arrays and arrays[name].shape == own.shape]
    for name in kept:
        named[name][...] = arrays[name]
    return tuple(kept), tuple(name for name in named if name not in kept)
