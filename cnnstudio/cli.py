"""The command line: opens the program, and trains, checks and evaluates networks without a window.

Qt is imported only where a window opens, so that training works on a machine without it.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cnnstudio import __version__
from cnnstudio.command_line import check, evaluate, listing, train
from cnnstudio.command_line.sources import EXIT_CODES, exit_code_of
from cnnstudio.display import no_screen_message
from engine.errors import EngineError, Fix, OptionError, StorageError

COMMANDS = ("open", "train", "evaluate", "check", "templates", "datasets", "demo")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    name = "cnnstudio"
    try:
        parsed = _parser().parse_args(_with_command(list(sys.argv[1:] if argv is None else argv)))
        name = f"cnnstudio {parsed.command}"
        code: int = parsed.run(parsed)
        return code
    except EngineError as error:
        print(f"{name}: {_one_line(error.message)}", file=sys.stderr)
        return exit_code_of(error)
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `cnnstudio templates | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _with_command(arguments: list[str]) -> list[str]:
    """`cnnstudio` and `cnnstudio FILE` are short for `cnnstudio open`; raises OptionError for a command that does not exist."""
    if not arguments:
        return ["open"]
    first = arguments[0]
    if first in COMMANDS or first.startswith("-"):
        return arguments
    path = Path(first)
    if path.suffix or len(path.parts) > 1 or path.exists():
        return ["open", *arguments]
    near = difflib.get_close_matches(first, COMMANDS, 1)
    fixes = (Fix("advice", "use {near}", {"near": near[0]}),) if near else ()
    raise OptionError("There is no command and no file {name}; the commands are {commands}.", code="cli.command", fixes=fixes,
                      name=repr(first), commands=", ".join(COMMANDS))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cnnstudio", description="Build, train and understand convolutional networks.",
                                     epilog=EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"CNN Studio {__version__}")
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
    if arguments.project is not None and not arguments.project.exists():
        raise StorageError("{path} is not there.", code="cli.missing", path=str(arguments.project))
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
