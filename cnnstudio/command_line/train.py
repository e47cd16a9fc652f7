"""`cnnstudio train`: train a network with a progress bar, or with one JSON object for each epoch."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cnnstudio.command_line.sources import Source, add_network_arguments, data_choice, json_number, open_data, open_network
from cnnstudio.document.graph import Graph
from cnnstudio.document.layout import tidy
from cnnstudio.project.files import save_project
from cnnstudio.project.state import DataCard, ProjectState, RunRecord
from engine.checkpoint import Checkpoint
from engine.datasets.dataset import Dataset
from engine.errors import EngineError, Fix, OptionError, StorageError
from engine.history import RunHistory
from engine.losses import LOSSES
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.settings import TrainSettings
from engine.trainer import BatchDone, EpochDone, Event, Finished, Trainer


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
    """Train; a project that has weights goes on from them. Raises KeyboardInterrupt after the batch in hand."""
    if arguments.out is not None:
        _check_target(arguments.out)
    source = open_network(arguments.network)
    settings = settings_of(arguments, source)
    data = open_data(arguments, source)
    trainer = Trainer(source.network, data, settings)
    goes_on = source.checkpoint is not None and _go_on(trainer, source.checkpoint, settings, arguments)
    first, history, whole = trainer.step, RunHistory(), True
    try:
        with interruptions() as interrupted:
            for event in _with_progress(trainer, as_json=arguments.json):
                if isinstance(event, BatchDone):
                    history.add_batches([event])
                elif isinstance(event, EpochDone):
                    history.add_epoch(event)
                if interrupted:
                    raise KeyboardInterrupt
    except AtOnce:
        whole = False
        raise
    finally:  # what has been learnt is kept also when the run is interrupted or ends in an error
        if arguments.out is not None and trainer.step > first and whole:
            choice = {**data_choice(arguments, source), "name": data.name}
            save_project(arguments.out, project_of(source, trainer, data, choice, history, first if goes_on else None))
            print(f"saved {arguments.out} after step {trainer.step}", file=sys.stderr)
    return 0


def _go_on(trainer: Trainer, saved: Checkpoint, settings: TrainSettings, arguments: argparse.Namespace) -> bool:
    """Begin a further run from saved weights; False, and said, when they belong to the network as it was before an edit."""
    if saved.spec != trainer.network.spec:
        print("the network was changed after its training: it begins with new weights", file=sys.stderr)
        return False
    for option, wanted, kept in (("--seed", arguments.seed, saved.settings.seed),
                                 ("--loss", arguments.loss, saved.settings.loss.kind)):
        if wanted is not None and wanted != kept:
            raise OptionError("The project goes on from trained weights, which belong to {option} {kept}.", code="cli.fixed",
                              option=option, kept=kept,
                              fixes=(Fix("advice", "leave out {option}", {"option": option}),
                                     Fix("advice", "begin anew from the template or the network's JSON")))
    trainer.restore(saved)
    trainer.change(settings.replace(seed=saved.settings.seed, loss=saved.settings.loss))
    trainer.begin_run()
    return True


class AtOnce(KeyboardInterrupt):
    """Broken off anywhere: half an update may be in the weights."""


@contextmanager
def interruptions() -> Iterator[list[int]]:
    """Collect Ctrl-C instead of breaking off inside an update; a second one breaks off at once, with `AtOnce`."""
    caught: list[int] = []

    def note(number: int, _frame: object) -> None:
        if caught:
            raise AtOnce
        caught.append(number)
        print("ending after this batch; press Ctrl-C again to break off without saving", file=sys.stderr)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield caught
    finally:
        signal.signal(signal.SIGINT, before)


def project_of(source: Source, trainer: Trainer, data: Dataset, choice: Mapping[str, Any], history: RunHistory,
               goes_on_from: int | None) -> ProjectState:
    """The trained network as a project; `goes_on_from` is the step at which the run went on from earlier weights."""
    graph = dataclasses.replace(_graph_of(source), training=trainer.settings.to_json(), data=dict(choice))
    runs = {run.id: run for run in source.project.runs} if source.project else {}
    settings = trainer.settings.to_json()
    going_on = runs.get(source.project.run) if source.project and goes_on_from is not None else None
    if source.project is not None and going_on is not None:
        before = source.project.history
        joined = RunHistory(np.concatenate([before.rows, history.rows]), [*before.epochs, *history.epochs])
        run = dataclasses.replace(going_on.with_change(goes_on_from or 0, settings), history=joined)
    else:
        id = max(runs, default=0) + 1
        run = RunRecord(f"Run {id}", settings, source.network.to_json(), dict(choice), history=history, id=id,
                        places={block.id: block.position for block in graph.main})
    runs[run.id] = run
    return ProjectState(graph.to_json(), trainer.checkpoint(), DataCard.of(data, choice), tuple(runs.values()), run.id)


def _graph_of(source: Source) -> Graph:
    """The blocks as the project has them; those of a network that has been in no window yet are laid out for one."""
    if source.project:
        return Graph.from_json(source.project.graph)
    graph = Graph.of(source.network, title=source.name)
    return graph.moved(tidy(graph))


def _with_progress(trainer: Trainer, *, as_json: bool) -> Iterator[Event]:
    """The events of a run; the progress bar, or a line of JSON for each epoch, goes along."""
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
            yield event


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
