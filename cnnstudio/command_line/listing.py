"""`cnnstudio templates` and `cnnstudio datasets`: what comes with the program."""

from __future__ import annotations

import argparse

from cnnstudio.resources import resource_path
from engine.datasets.catalog import bundled_names
from engine.templates import load_templates


def add_template_arguments(parser: argparse.ArgumentParser) -> None:
    """`templates` takes nothing."""
    parser.set_defaults(run=templates)


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """`datasets` takes nothing."""
    parser.set_defaults(run=datasets)


def templates(arguments: argparse.Namespace) -> int:
    """Print name, data set and description of every template."""
    for t in load_templates(resource_path("templates")):
        print(f"{t.name:26} {t.data:10} {t.description}")
    return 0


def datasets(arguments: argparse.Namespace) -> int:
    """Print name, image shape, counts and description of every bundled data set."""
    for d in bundled_names(resource_path("datasets")):
        channels, height, width = d.shape
        counts = f"{d.training_images:,} + {d.test_images:,} test"
        print(f"{d.name:10} {f'{height}×{width}×{channels}':9} {counts:20} {d.description}")
    return 0
