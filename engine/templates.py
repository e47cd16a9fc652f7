"""Ready-made networks: each a JSON file with a title, a description, the network, training settings and a
data set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import EngineError, Fix, SpecError
from engine.spec import NetworkSpec


@dataclass(frozen=True)
class Template:
    """A network to begin with; `defect` names what is wrong with it when it is there to learn from."""

    name: str
    title: str
    description: str
    network: NetworkSpec
    training: Mapping[str, Any]
    """Training settings as `TrainSettings.from_json` reads them; what is left out has its default."""
    data: str
    """The name of the data set in the catalogue."""
    order: int
    defect: str = ""


def load_template(folder: Path, name: str) -> Template:
    """The template of that name; raises SpecError when there is none or it cannot be read."""
    path = folder / f"{name}.json"
    if not path.is_file():
        names = sorted(p.stem for p in folder.glob("*.json"))
        raise SpecError(
            "There is no template {name}; there are {names}.",
            code="template.unknown",
            name=repr(name),
            names=", ".join(names) or "none",
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(name, str(error)) from None
    if not isinstance(data, dict) or not {"title", "description", "network", "data"} <= data.keys():
        raise _unreadable(name, "a title, a description, a network and a data set are expected")
    try:
        network = NetworkSpec.from_json(data["network"])
    except EngineError as error:
        raise _unreadable(name, str(error)) from error
    return Template(
        name,
        str(data["title"]),
        str(data["description"]),
        network,
        dict(data.get("training", {})),
        str(data["data"]),
        int(data.get("order", 1000)),
        str(data.get("defect", "")),
    )


def load_templates(folder: Path) -> tuple[Template, ...]:
    """All templates of a folder, in the order in which they are offered."""
    found = [load_template(folder, path.stem) for path in folder.glob("*.json")]
    return tuple(sorted(found, key=lambda template: (template.order, template.name)))


def _unreadable(name: str, reason: str) -> SpecError:
    return SpecError(
        "The template {name} cannot be read: {reason}.",
        code="template.unreadable",
        fixes=(Fix("advice", "install the program again"),),
        name=repr(name),
        reason=reason,
    )
