"""`cnnstudio check`: the gradients of a whole network beside finite differences."""

from __future__ import annotations

import argparse

import numpy as np

from cnnstudio.command_line.sources import add_network_arguments, open_data, open_network, positive
from engine.gradcheck import check_gradients
from engine.network import Network

LARGEST_ERROR = 1e-5
"""Rounding gives less than a tenth of this, a wrong formula much more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `check` takes."""
    add_network_arguments(parser)
    parser.add_argument("--images", type=positive, default=8, metavar="N", help="images in the batch (8)")
    parser.add_argument("--cells", type=positive, default=20, metavar="N", help="cells of each parameter that are tried (20)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the weights, and of the choice of images and cells")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the largest relative error of each parameter; the exit code is 1 when one exceeds 10⁻⁵."""
    source = open_network(arguments.network)
    data = open_data(arguments, source)
    network = Network(source.network, loss=source.training.loss, dtype=np.float64)
    network.initialize(arguments.seed)
    network.fit_input(data.train.images, data.value_range)
    batch = data.train.take(arguments.images, seed=arguments.seed)
    checks = check_gradients(network, batch.images, batch.labels, cells=arguments.cells, seed=arguments.seed)
    width = max((len(c.name) for c in checks), default=0)
    print(f"{'parameter':{width}}  cells  kinks  largest relative error")
    for c in checks:
        print(f"{c.name:{width}}  {c.cells:5}  {c.kinks:5}  {c.largest_error:.1e}")
    worst = max((c.largest_error for c in checks), default=0.0)
    print(f"{'right' if worst <= LARGEST_ERROR else 'WRONG'}: the largest relative error is {worst:.1e}")
    return 0 if worst <= LARGEST_ERROR else 1
