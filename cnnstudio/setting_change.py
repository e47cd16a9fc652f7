"""One training setting that the user has changed, and the words for it in the history of edits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication

from cnnstudio.document.words import say
from engine.options import Configurable
from engine.settings import TrainSettings

PARTS = ("loss", "optimizer", "schedule", "augmentation")
"""Settings that are objects with options of their own."""


@dataclass(frozen=True)
class Change:
    """An option of `TrainSettings` ("learning_rate", …) or one of its `PARTS`, and the new value."""

    option: str
    value: Any


def change_words(change: Change) -> str:
    """What the undo history calls a change: "Learning rate: 0.01", "Optimizer: Adam"."""
    if change.option in PARTS:
        label = part_title(change.option)
        value = say(getattr(change.value, "title", "")) or "…"
    else:
        label = say(TrainSettings.option(change.option).label)
        value = f"{change.value:g}" if isinstance(change.value, float) else str(change.value)
    template = QCoreApplication.translate("SettingChange", "{setting}: {value}")
    return template.format(setting=label, value=value)


def part_title(part: str) -> str:
    """The name of a part on screen."""
    return {
        "loss": QCoreApplication.translate("SettingChange", "Loss"),
        "optimizer": QCoreApplication.translate("SettingChange", "Optimizer"),
        "schedule": QCoreApplication.translate("SettingChange", "Learning rate schedule"),
        "augmentation": QCoreApplication.translate("SettingChange", "Augmentation"),
    }[part]


def merge_key(change: Change, before: Configurable) -> str:
    """Numbers that are spun are one undo step; another optimizer or loss is a step of its own."""
    return "" if change.option in PARTS and type(change.value) is not type(before) else f"training.{change.option}"
