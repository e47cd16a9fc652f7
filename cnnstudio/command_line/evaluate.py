"""`cnnstudio evaluate`: loss and accuracy of a trained project on the test images, which training never sees."""

from __future__ import annotations

import argparse
import json

from cnnstudio.command_line.sources import add_network_arguments, json_number, open_data, open_network
from engine.errors import Fix, StorageError
from engine.trainer import Trainer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `evaluate` takes."""
    add_network_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print loss and accuracy; raises StorageError when the network has no weights."""
    source = open_network(arguments.network)
    if source.checkpoint is None:
        raise StorageError("{name} has no trained weights.", code="cli.no_weights", name=source.name,
                           fixes=(Fix("advice", "train it with --out FILE and evaluate that file"),))
    trainer = Trainer(source.checkpoint.spec, open_data(arguments, source), source.checkpoint.settings)
    trainer.restore(source.checkpoint)
    result = trainer.evaluate_test()
    if arguments.json:
        print(json.dumps({"images": len(result.predicted), "test_loss": json_number(result.loss),
                          "test_accuracy": json_number(result.accuracy)}))
    else:
        print(f"{len(result.predicted)} test images: loss {result.loss:.4f}, accuracy {result.accuracy:.2%}")
    return 0
