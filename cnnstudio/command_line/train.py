"""`cnnstudio train`: train a network with a progress bar, or with one JSON object for each epoch."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cnnstudio.command_line.sources import Source, add_network_arguments, json_number, open_data, open_network
from cnnstudio.document.graph import Graph
from cnnstudio.project.files import save_project
from cnnstudio.project.state import DataCard, ProjectState
from engine.datasets.dataset import Dataset
from engine.errors import EngineError, Fix, StorageError
from engine.losses import LOSSES
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.settings import TrainSettings
from engine.trainer import BatchDone, EpochDone, Finished, Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `train` takes; what is left out comes from the network's own settings."""
    add_network_arguments(parser)
    parser.add_argument("--epochs", type=int, metavar="E")
    parser.add_argument("--batch-size", type=int, metavar="B")
    parser.add_argument("--lr", type=float, metavar="R", help="learning rate")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, metavar="O", help=", ".join(OPTIMIZERS))
    parser.add_argument("--momentum", type=float, metavar="M", help="of the optimizers momentum and nesterov")
    parser.add_argument("--schedule", choices=SCHEDULES, metavar="S", help="of the learning rate: " + ", ".join(SCHEDULES))
    parser.add_argument("--loss", choices=LOSSES, metavar="L", help=", ".join(LOSSES))
    parser.add_argument("--seed", type=int, metavar="S", help="the same seed gives the same weights, bit for bit")
    parser.add_argument("--out", type=Path, metavar="FILE", help="save the trained network as a project (.cnn)")
    parser.add_argument("--json", action="store_true", help="one JSON object for each epoch on standard output")
    parser.set_defaults(run=run)


def settings_of(arguments: argparse.Namespace, source: Source) -> TrainSettings:
    """The network's own settings with what the arguments change; raises OptionError for illegal values."""
    settings = source.training
    options = {"epochs": arguments.epochs, "batch_size": arguments.batch_size, "learning_rate": arguments.lr,
               "seed": arguments.seed}
    parts: dict[str, Any] = {}
    if arguments.optimizer and arguments.optimizer != settings.optimizer.kind:
        parts["optimizer"] = OPTIMIZERS[arguments.optimizer]()
    if arguments.momentum is not None:
        parts["optimizer"] = parts.get("optimizer", settings.optimizer).replace(momentum=arguments.momentum)
    if arguments.schedule and arguments.schedule != settings.schedule.kind:
        parts["schedule"] = SCHEDULES[arguments.schedule]()
    if arguments.loss:
        parts["loss"] = LOSSES[arguments.loss]()
    return settings.replace(**{k: v for k, v in options.items() if v is not None}, **parts)


def run(arguments: argparse.Namespace) -> int:
    """Train; a project that has weights goes on from them."""
    if arguments.out is not None:
        _check_target(arguments.out)
    source = open_network(arguments.network)
    settings = settings_of(arguments, source)
    data = open_data(arguments, source)
    trainer = Trainer(source.network, data, settings)
    if source.checkpoint is not None and source.checkpoint.spec == source.network:
        trainer.restore(source.checkpoint)
        trainer.settings = settings.replace(seed=trainer.settings.seed, loss=trainer.settings.loss)
        trainer.begin_run()
    try:
        _train(trainer, as_json=arguments.json)
    finally:  # what has been learnt is kept also when the run is interrupted or ends in an error
        if arguments.out is not None and trainer.step:
            save_project(arguments.out, project_of(source, trainer, data))
            print(f"saved {arguments.out} after step {trainer.step}", file=sys.stderr)
    return 0


def project_of(source: Source, trainer: Trainer, data: Dataset) -> ProjectState:
    """The trained network as a project."""
    choice = {"name": data.name}
    graph = Graph.from_json(source.project.graph) if source.project else Graph.of(source.network, title=source.name)
    graph = dataclasses.replace(graph, training=trainer.settings.to_json(), data=choice)
    return ProjectState(graph.to_json(), trainer.checkpoint(), DataCard.of(data, choice))


def _train(trainer: Trainer, *, as_json: bool) -> None:
    first, steps = trainer.step, trainer.settings.epochs * trainer.batches
    console = Console(file=sys.stderr)
    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
                  disable=as_json or not console.is_terminal) as progress:
        bar = progress.add_task("training", total=steps)
        for event in trainer.run():
            if isinstance(event, BatchDone):
                progress.update(bar, completed=event.step - first, description=f"epoch {event.epoch + 1}  loss {event.loss:.4f}")
            elif isinstance(event, EpochDone):
                if as_json:
                    print(_as_json(event), flush=True)
                else:
                    console.print(_as_text(event), highlight=False, soft_wrap=True)
            elif isinstance(event, Finished) and event.reason == "early stopping":
                console.print("stopped early: the validation loss no longer falls", highlight=False)


def _as_json(event: EpochDone) -> str:
    names = ("epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "images_per_second")
    return json.dumps({name: json_number(getattr(event, name)) for name in names})


def _as_text(event: EpochDone) -> str:
    return (f"epoch {event.epoch}: loss {event.train_loss:.4f}, accuracy {event.train_accuracy:.1%} · "
            f"validation loss {event.val_loss:.4f}, accuracy {event.val_accuracy:.1%} · "
            f"{event.images_per_second:,.0f} images/s")


def _check_target(path: Path) -> None:
    """Say before the training, not after it, that the result could not be saved."""
    if path.is_dir():
        raise _target_error(path, "it is a folder", "name a file in it")
    if not path.absolute().parent.is_dir():
        raise _target_error(path, "its folder does not exist", "make the folder first")


def _target_error(path: Path, reason: str, cure: str) -> EngineError:
    return StorageError("{path} cannot be written: {reason}.", code="cli.target", path=str(path), reason=reason,
                        fixes=(Fix("advice", cure),))
