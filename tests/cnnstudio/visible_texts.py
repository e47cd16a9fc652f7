"""Every English text that the program can show, collected from the source and from the resources."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import cnnstudio
import engine
import engine.layers  # registers all layers
from cnnstudio.document.words import choice_words
from cnnstudio.resources import resource_path
from engine.datasets import typed
from engine.datasets.catalog import ENTRIES
from engine.datasets.dataset import ReadOptions, SplitOptions
from engine.layer import LAYERS
from engine.options import Configurable
from engine.settings import TrainSettings

RAISED = ("EngineError", "OptionError", "ShapeError", "SpecError", "DataError", "TrainingError", "StorageError", "Diagnosis")
TRANSLATED = ("tr", "_tr", "translate", "QT_TRANSLATE_NOOP", "QT_TR_NOOP")


def all_texts() -> dict[str, str]:
    """English text -> where it comes from."""
    texts: dict[str, str] = {}
    for text, where in (*_of_program(), *_of_engine(), *_range_messages(), *_of_options(), *_of_resources()):
        if any(c.isalpha() for c in text):
            texts.setdefault(text, where)
    return texts


def _of_program() -> Iterator[tuple[str, str]]:
    """What passes through tr() and translate() in cnnstudio/, and the templates of its own errors."""
    for path, tree in _trees(Path(cnnstudio.__file__).parent):
        for call in _calls(tree):
            name = _name(call)
            if name in TRANSLATED:
                # tr("text"), translate("text") of a module, translate("Context", "text"), QT_TRANSLATE_NOOP("Context", "text")
                at = 0 if name in ("tr", "QT_TR_NOOP") or len(call.args) == 1 else 1
                if len(call.args) > at and isinstance(text := _constant(call.args[at]), str):
                    yield text, path
        yield from _error_texts(path, tree)


def _of_engine() -> Iterator[tuple[str, str]]:
    for path, tree in _trees(Path(engine.__file__).parent):
        yield from _error_texts(path, tree)
    from engine.optimizers import OPTIMIZERS
    from engine.schedules import SCHEDULES

    for table in (OPTIMIZERS, SCHEDULES):
        for kind in table.values():
            yield kind.title, kind.__module__
    for layer in LAYERS.values():
        yield layer.title, layer.__module__
        yield layer.summary, layer.__module__


def _range_messages() -> Iterator[tuple[str, str]]:
    """The one template of the engine that is put together from words (`Option._check_range`)."""
    for words in ("at least", "greater than", "at most", "less than"):
        yield f"{{label}} must be {words} {{limit}}; it is {{value}}.", "options.py"


def _of_options() -> Iterator[tuple[str, str]]:
    """Labels, helps and units of every option of everything that can be configured."""
    waiting: list[type[Configurable]] = [Configurable]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        for option in kind.options() if fields(kind) else ():
            for text in (option.label, option.help, option.unit, *map(choice_words, option.choices)):
                yield text, kind.__name__
    assert TrainSettings.options() and SplitOptions.options() and ReadOptions.options()


def _of_resources() -> Iterator[tuple[str, str]]:
    for entry in ENTRIES:
        yield entry.title, "data set"
        yield entry.description, "data set"
    yield typed.TITLE, "data set"
    for path in resource_path("templates").glob("*.json"):
        template = json.loads(path.read_text(encoding="utf-8"))
        for key in ("title", "description", "defect"):
            yield template.get(key, ""), path.name


def _error_texts(path: str, tree: ast.AST) -> Iterator[tuple[str, str]]:
    for call in _calls(tree):
        name = _name(call)
        if name in (*RAISED, "_error", "Phrase") and call.args:
            yield _constant(call.args[0]) or "", path
        elif name == "Fix" and len(call.args) > 1:
            yield _constant(call.args[1]) or "", path
        elif name in ("Departure", "Diagnosis") and len(call.args) > 2:
            yield _constant(call.args[2]) or "", path


def _trees(folder: Path) -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(folder.rglob("*.py")):
        yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
