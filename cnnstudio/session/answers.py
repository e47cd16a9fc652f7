"""The questions that take long: each as work in parts that ends with its report."""

from __future__ import annotations

from collections.abc import Generator

from cnnstudio.session.messages import ClassAveraged, Evaluated
from engine.class_average import class_average
from engine.trainer import Trainer


def evaluation(trainer: Trainer, split: str) -> Generator[object, None, Evaluated]:
    """Evaluate the "test", "validation" or "train" images; raises DataError at once where there is no such split."""
    parts = {"validation": trainer.data.validation, "train": trainer.data.train}
    work = trainer.evaluation(parts[split]) if split in parts else trainer.test_evaluation()

    def report() -> Generator[object, None, Evaluated]:
        return Evaluated((yield from work), split)

    return report()


def averaging(trainer: Trainer, layer: str, label: int) -> Generator[object, None, ClassAveraged]:
    """Average a layer's output over validation images of a class, of training images where there are none; None for a layer
    that the network no longer has.
    """
    if layer not in [node.id for node in trainer.network.spec]:
        return ClassAveraged(None)
    split = trainer.data.validation if len(trainer.data.validation) else trainer.data.train
    return ClassAveraged((yield from class_average(trainer.network, trainer.step, split, layer, label)))
