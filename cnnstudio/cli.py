"""The command line: opens the program, and trains, checks and evaluates networks without a window.

Qt is imported only where a window opens, so that training works on a machine without it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from cnnstudio.command_line import check, evaluate, listing, train
from cnnstudio.command_line.sources import EXIT_CODES, exit_code_of
from cnnstudio.display import no_screen_message
from engine.errors import EngineError

COMMANDS = ("open", "train", "evaluate", "check", "templates", "datasets", "demo")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # `cnnstudio` and `cnnstudio FILE` are short for `cnnstudio open`.
    if not arguments or (arguments[0] not in COMMANDS and not arguments[0].startswith("-")):
        arguments.insert(0, "open")
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        return code
    except EngineError as error:
        print(f"cnnstudio {parsed.command}: {_one_line(error.message)}", file=sys.stderr)
        return exit_code_of(error)
    except KeyboardInterrupt:
        print(f"cnnstudio {parsed.command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `cnnstudio templates | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cnnstudio", description="Build, train and understand convolutional networks.",
                                     epilog=EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"CNN Studio {metadata.version('cnnstudio')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=summary, epilog=EXIT_CODES,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)

    window = add("open", "open the program, with a project if one is named (the default)")
    window.add_argument("project", nargs="?", type=Path, help="a project file (.cnn)")
    window.set_defaults(run=_open)
    train.add_arguments(add("train", "train a network"))
    evaluate.add_arguments(add("evaluate", "measure a trained project on the test images"))
    check.add_arguments(add("check", "compare a network's gradients with finite differences"))
    listing.add_template_arguments(add("templates", "list the networks that come with the program"))
    listing.add_dataset_arguments(add("datasets", "list the data sets that come with the program"))
    _add_demo_arguments(add("demo", "drive the program by itself and leave a picture of every stage"))
    return parser


def _open(arguments: argparse.Namespace) -> int:
    if message := no_screen_message():
        print(message, file=sys.stderr)
        return 2
    from cnnstudio.app import run

    return run(arguments.project)


def _add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    from cnnstudio import demo

    demo.add_arguments(parser)
    parser.set_defaults(run=demo.main)


def _one_line(message: str) -> str:
    return " ".join(message.split())
