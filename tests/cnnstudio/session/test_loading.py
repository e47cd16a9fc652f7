"""How a trainer begins: from a checkpoint, or with the weights that fit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cnnstudio.session.loading import begin, phase_of
from cnnstudio.session.messages import Load, RunPhase
from engine.errors import StorageError
from engine.layers.conv import Conv2D
from engine.settings import TrainSettings
from engine.spec import NetworkSpec
from engine.trainer import Trainer
from tests.engine.networks import blobs, small

SETTINGS = TrainSettings(epochs=2, batch_size=20, seed=3)


def trained(steps: int) -> Trainer:
    trainer = Trainer(small(), blobs(), SETTINGS)
    for _ in trainer.run(until=steps):
        pass
    return trainer


def test_a_layer_that_was_renamed_on_screen_keeps_its_checkpoint() -> None:
    saved = trained(3).checkpoint()
    renamed = NetworkSpec(tuple(dataclasses.replace(node, name=node.id.upper()) for node in small()))
    trainer, kept, fresh = begin(Load(renamed, blobs(), SETTINGS, saved))
    assert (trainer.step, kept, fresh) == (3, (), ()) and trainer.network.spec == renamed
    assert np.array_equal(trainer.network.parameters.flat, saved.parameters)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    with pytest.raises(StorageError, match="another network"):
        begin(Load(small(Conv2D(4, (1, 1))), blobs(), SETTINGS, trained(3).checkpoint()))


def test_settings_apply_to_a_checkpoint_but_for_its_seed() -> None:
    wanted = SETTINGS.replace(learning_rate=0.5, seed=9)
    trainer, _, _ = begin(Load(small(), blobs(), wanted, trained(3).checkpoint()))
    assert trainer.settings == wanted.replace(seed=3)


def test_weights_are_taken_by_name_where_the_shape_fits() -> None:
    arrays = {"conv1.W": np.full((4, 1, 3, 3), 0.5), "conv1.b": np.zeros(5), "gone.W": np.zeros(1)}
    trainer, kept, fresh = begin(Load(small(), blobs(), SETTINGS, arrays=arrays))
    assert kept == ("conv1.W",) and fresh == ("conv1.b", "dense1.W", "dense1.b")
    assert (trainer.network.parameters.named["conv1.W"] == 0.5).all()
    assert np.array_equal(trainer.network.parameters.named["dense1.W"], trained(0).network.parameters.named["dense1.W"])


@pytest.mark.parametrize(("steps", "phase"), [(0, RunPhase.READY), (1, RunPhase.PAUSED), (5, RunPhase.PAUSED),
                                              (7, RunPhase.PAUSED), (99, RunPhase.FINISHED)])
def test_the_phase_follows_from_the_place_in_the_run(steps: int, phase: RunPhase) -> None:
    assert phase_of(trained(steps)) == phase
