"""Where the commands' networks and data come from, and which exit code an error has."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnstudio.data_choice import choice_of, open_choice
from cnnstudio.document.graph import Graph
from cnnstudio.project.files import open_project
from cnnstudio.project.state import ProjectState
from cnnstudio.resources import resource_path
from engine.checkpoint import Checkpoint
from engine.datasets.dataset import Dataset, ReadOptions
from engine.errors import DataError, EngineError, Fix, OptionError, ShapeError, SpecError, StorageError, TrainingError
from engine.settings import TrainSettings
from engine.spec import NetworkSpec
from engine.templates import load_template

EXIT_CODES = """exit codes:
  0    done
  1    training failed, for example because a number is no longer finite
  2    the command line is wrong
  3    a file is missing, broken, or cannot be written
  4    the data does not fit: images of another size, labels that name no output
  5    the network does not fit together
  130  interrupted"""

# Errors of the data that lie in the files themselves, not in how they fit the network.
_FIT = ("data.shape", "data.classes", "data.labels", "data.label_run", "data.targets", "data.outside", "data.no_test")


def exit_code_of(error: EngineError) -> int:
    """The exit code for an error, as `EXIT_CODES` says."""
    if isinstance(error, DataError):
        return 4 if error.code in _FIT else 3
    if isinstance(error, (ShapeError, SpecError)):
        return 3 if error.code.startswith(("network.file", "template.")) else 5
    return {TrainingError: 1, OptionError: 2, StorageError: 3}.get(type(error), 1)


@dataclass(frozen=True, eq=False)
class Source:
    """A network with the training settings and the data set that it came with; a project also has weights."""

    name: str
    network: NetworkSpec
    training: TrainSettings
    data: Mapping[str, Any]
    """The choice of the data set; empty when there is none."""
    checkpoint: Checkpoint | None = None
    project: ProjectState | None = None


def open_network(text: str) -> Source:
    """NETWORK: a template's name, a project (.cnn) or a network as JSON. Raises an EngineError that says what it is not."""
    path = Path(text)
    if not path.suffix and not path.exists():
        return _from_template(text)
    if path.suffix.lower() == ".json":
        return _from_json(path)
    project = open_project(path)
    graph = Graph.from_json(project.graph)
    settings = TrainSettings.from_json(graph.training) if graph.training else TrainSettings()
    choice = graph.data if isinstance(graph.data, dict) else {}
    return Source(graph.title or path.stem, graph.spec, settings, choice, project.checkpoint, project)


def _from_template(name: str) -> Source:
    folder = resource_path("templates")
    names = sorted(p.stem for p in folder.glob("*.json"))
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        fixes = (Fix("advice", "use {near}", {"near": near[0]}),) if near else ()
        raise SpecError("There is no template and no file {name}; the templates are {names}.", code="template.unknown",
                        fixes=fixes, name=repr(name), names=", ".join(n for n in names if not n.startswith("defect_")))
    template = load_template(folder, name)
    return Source(template.title, template.network, TrainSettings.from_json(template.training), {"name": template.data})


def _from_json(path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SpecError("{path} cannot be read: {reason}.", code="network.file", path=str(path), reason=reason) from None
    return Source(path.stem, NetworkSpec.from_json(text), TrainSettings(), {})


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare NETWORK, --data and how the data is read."""
    parser.add_argument("network", metavar="NETWORK", help="a template's name, a project (.cnn), or a network as JSON")
    parser.add_argument("--data", metavar="DATA", help="a bundled data set's name, or a path: IDX files, .npz, image folders, "
                                                       "CSV, CIFAR; by default what the network came with")
    parser.add_argument("--labels", choices=ReadOptions.option("labels").choices, default="strict",
                        help="what to do with labels that are not 0, 1, 2 …")
    parser.add_argument("--resize", type=_size, metavar="HxW", default=(0, 0), help="bring image files to one size")
    parser.add_argument("--shape", type=_size, metavar="HxW", default=(0, 0), help="size of images stored as plain rows")
    parser.add_argument("--label-column", choices=ReadOptions.option("label_column").choices, default="auto",
                        help="where a table holds the labels")


def data_choice(arguments: argparse.Namespace, source: Source) -> Mapping[str, Any]:
    """The choice that the arguments make, otherwise the one that the network came with."""
    reading = ReadOptions(labels=arguments.labels, resize=arguments.resize, shape=arguments.shape,
                          label_column=arguments.label_column)
    name = arguments.data or source.data.get("name")
    if not name:
        raise OptionError("{network} names no data set.", code="cli.no_data", network=source.name,
                          fixes=(Fix("advice", "name one with --data"),))
    if not arguments.data and reading == ReadOptions():
        return source.data
    return choice_of(name, reading)


def open_data(arguments: argparse.Namespace, source: Source) -> Dataset:
    """The data set of `data_choice`."""
    return open_choice(data_choice(arguments, source))


def positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().replace("×", "x").partition("x")
    try:
        return int(height), int(width or height)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 28x28") from None


def json_number(value: Any) -> Any:
    """A float as JSON can hold it: NaN, which it cannot, becomes null."""
    return None if isinstance(value, float) and value != value else value
