"""Diagnosis: each defective template is found out with place and cure, and the sound ones are left in peace."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnstudio.resources import resource_path
from engine.datasets.catalog import open_dataset
from engine.diagnose import diagnose, diagnose_epochs
from engine.errors import TrainingError
from engine.settings import TrainSettings
from engine.snapshot import batch_snapshot
from engine.templates import load_template
from engine.trainer import EpochDone, Trainer


def trained(name: str, bundled: Path, steps: int) -> Trainer:
    template = load_template(resource_path("templates"), name)
    trainer = Trainer(template.network, open_dataset(template.data, bundled=bundled), TrainSettings.from_json(template.training))
    for _ in trainer.run(until=steps):
        pass
    return trainer


@pytest.mark.parametrize(("name", "code", "layer", "cure"), [
    ("defect_dead_relu", "diagnosis.dead_relu", "relu2", "leaky_relu"),
    ("defect_exploding_rate", "diagnosis.exploding", None, 0.05),
    ("defect_no_normalisation", "diagnosis.input", "input", "unit"),
    ("defect_vanishing_sigmoid", "diagnosis.vanishing", "dense1", "relu"),
])
def test_the_defect_of_a_template_is_found_with_its_place_and_cure(
        name: str, code: str, layer: str | None, cure: object, bundled: Path) -> None:
    first = diagnose(batch_snapshot(trained(name, bundled, 5 if name != "defect_no_normalisation" else 2)))[0]
    assert (first.code, first.layer) == (code, layer)
    assert first.fixes[0].value == cure


@pytest.mark.parametrize("name", ["simplest", "lenet5", "digits", "mlp", "logistic"])
@pytest.mark.parametrize("steps", [1, 10])
def test_a_sound_network_is_left_in_peace(name: str, steps: int, bundled: Path) -> None:
    assert diagnose(batch_snapshot(trained(name, bundled, steps))) == ()


def test_without_a_trained_batch_there_is_nothing_to_diagnose(bundled: Path) -> None:
    with pytest.raises(TrainingError, match="Train at least one step"):
        batch_snapshot(trained("digits", bundled, 0))


def epoch(number: int, train_loss: float, val_loss: float) -> EpochDone:
    return EpochDone(number, number, train_loss, 1.0, val_loss, 0.9, 1.0, 0.01)


def test_a_rising_validation_loss_under_a_falling_training_loss_is_overfitting() -> None:
    rows = [epoch(i, 1 / i, loss) for i, loss in enumerate([0.9, 0.5, 0.6, 0.7, 0.8], 1)]
    found = diagnose_epochs(rows)
    assert found is not None and "from 0.5 to 0.8" in found.message and found.fixes[0].field == "patience"
    assert diagnose_epochs(rows[:4]) is None
    assert diagnose_epochs([epoch(i, float(i), float(i)) for i in range(1, 6)]) is None
