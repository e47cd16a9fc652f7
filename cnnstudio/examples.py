"""Ready-made small worlds: a typed image, a network with given weights, and the cell to look at first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnstudio.data_choice import typed_choice
from engine.errors import EngineError, SpecError
from engine.layer import Array
from engine.spec import NetworkSpec
from engine.term import CellRef


@dataclass(frozen=True, eq=False)
class Example:
    """One worked example of the course. `weights` are by name, as in "conv1.W"."""

    name: str
    title: str
    description: str
    network: NetworkSpec
    weights: Mapping[str, Array]
    data: Mapping[str, Any]
    """The choice of the data set, as documents keep it."""
    training: Mapping[str, Any]
    cell: CellRef
    order: int


def load_examples(folder: Path) -> tuple[Example, ...]:
    """All examples of a folder, in the order in which they are offered; raises SpecError for one that cannot be read."""
    found = [_load(path) for path in folder.glob("*.json")]
    return tuple(sorted(found, key=lambda example: (example.order, example.name)))


def _load(path: Path) -> Example:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        network = NetworkSpec.from_json(data["network"])
        weights = {name: np.array(values, np.float32) for name, values in data["weights"].items()}
        return Example(path.stem, data["title"], data["description"], network, weights,
                       typed_choice(data["image"], data["label"], data["classes"]), data["training"],
                       CellRef(data["cell"]["array"], tuple(data["cell"]["index"])), int(data["order"]))
    except (OSError, ValueError, KeyError, TypeError, EngineError) as error:
        raise SpecError("The example {name} cannot be read: {reason}.", code="example.unreadable", name=path.stem,
                        reason=str(error)) from error
