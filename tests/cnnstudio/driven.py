"""Driving the training of a studio from a test, and waiting for what comes of it."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.studio import Studio
from engine.checkpoint import Checkpoint


def phase(studio: Studio) -> RunPhase:
    """What the session does."""
    return studio.controller.state.phase


def at_rest(studio: Studio) -> bool:
    """Whether the session has a network that is not being trained."""
    return phase(studio) not in (RunPhase.EMPTY, RunPhase.RUNNING)


def weights(studio: Studio) -> Checkpoint:
    """The whole state of the session."""
    checkpoint = studio.controller.checkpoint_now(10)
    assert checkpoint is not None
    return checkpoint


def train(qtbot: QtBot, studio: Studio, batches: int) -> None:
    """Train batch by batch, and take in all that the session has to say of them."""
    for _ in range(batches):
        step = studio.controller.state.step
        studio.controller.step_batch()
        qtbot.waitUntil(lambda step=step: studio.controller.state.step > step and at_rest(studio))
    studio.controller.catch_up()


def reset(qtbot: QtBot, studio: Studio) -> None:
    """Draw the weights anew, which begins a run."""
    studio.reset_weights()
    qtbot.waitUntil(lambda: studio.controller.state.step == 0 and len(studio.controller.history) == 0)


def two_runs(qtbot: QtBot, studio: Studio) -> tuple[Checkpoint, Checkpoint]:
    """Two runs with different rates; gives their weights. The second is present."""
    train(qtbot, studio, 3)
    first = weights(studio)
    reset(qtbot, studio)
    studio.change(Change("learning_rate", 0.05))
    train(qtbot, studio, 2)
    return first, weights(studio)
