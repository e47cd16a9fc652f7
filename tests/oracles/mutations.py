"""Planted faults: every layer's backward pass with one thing wrong at a time.

A mutant is a layer's source with one change in the methods of its backward pass: a statement dropped (a
missing term), an index or constant shifted by one, a flip, transposition or stride left out, vertical taken
for horizontal, an operator or a function exchanged for its neighbour, a condition turned round.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.layer import LAYERS, Layer

HELPERS = {
    "conv": {"_columns", "_grouped", "_backward_to_input"},
    "max_pool": {"_cells", "_inside"},
    "avg_pool": {"_cells", "_inside", "_counts"},
    "input": {"_project"},
    "batch_norm": {"_axes", "_column"},
}
"""Methods that a backward pass relies on, beside `backward` itself."""

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
}
_FUNCTIONS = {
    "add": "subtract", "subtract": "add", "multiply": "add", "divide": "multiply", "maximum": "minimum",
    "minimum": "maximum", "greater": "less", "equal": "not_equal", "sum": "max", "exp": "negative",
}


_ACROSS = {"kh": "kw", "sh": "sw", "fh": "fw", "oh": "ow", "h": "w", "top": "left", "height": "width"}
"""Vertical for horizontal."""


@dataclass(frozen=True)
class Mutant:
    """A faulty layer class; `text` says where and what: "backward:112 drop dx *= dy"."""

    text: str
    layer: type[Layer]


def mutants(kind: str) -> Iterator[Mutant]:
    """Every single change to the backward pass of a kind of layer, in the order of the source."""
    cls, names = LAYERS[kind], {"backward"} | HELPERS.get(kind, set())
    tree = _source(cls)
    classes = {base.__name__ for base in cls.__mro__ if base.__module__ == cls.__module__}
    owners = [owner for owner in tree.body if isinstance(owner, ast.ClassDef) and owner.name in classes]
    for function in (node for owner in owners for node in owner.body if isinstance(node, ast.FunctionDef)):
        if function.name in names:
            body = function.body
            for what, changed in _changes(body[1:] if ast.get_docstring(function) else body):
                function.body = changed
                yield Mutant(f"{function.name}:{what}", _compiled(tree, cls))
            function.body = body


def unchanged(kind: str) -> Mutant:
    """A layer class that went the way of a mutant without a change."""
    return Mutant("unchanged", _compiled(_source(LAYERS[kind]), LAYERS[kind]))


def _source(cls: type[Layer]) -> ast.Module:
    return ast.parse(Path(inspect.getfile(cls)).read_text(encoding="utf-8"))


def _compiled(tree: ast.Module, cls: type[Layer]) -> type[Layer]:
    """The class as a changed module defines it; the registry keeps the true one."""
    namespace = {"__name__": cls.__module__, "__file__": inspect.getfile(cls)}
    registered = dict(LAYERS)
    try:
        exec(compile(ast.fix_missing_locations(tree), inspect.getfile(cls), "exec"), namespace)
    finally:
        LAYERS.update(registered)
    mutant: type[Layer] = namespace[cls.__name__]
    assert mutant is not cls and sys.modules[cls.__module__].__dict__[cls.__name__] is cls
    return mutant


def _changes(body: list[ast.stmt]) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Copies of a body with one change each, and what the change is."""
    holder = ast.Module(body, [])
    signed = {node.operand for node in ast.walk(holder) if isinstance(node, ast.UnaryOp)}
    for index, node in enumerate(ast.walk(holder)):
        if node in signed:  # NumPy takes −2 for −1 where it works out a length; a lost sign is a change by itself
            continue
        for number, (what, _) in enumerate(_variants(node)):
            changed = copy.deepcopy(holder)
            target = list(ast.walk(changed))[index]
            _replace(changed, target, _variants(target)[number][1])
            line = getattr(node, "lineno", 0)
            yield f"{line} {what}", changed.body


def _variants(node: ast.AST) -> list[tuple[str, ast.AST]]:
    """What may stand in a node's place, and the change in words."""
    found: list[tuple[str, ast.AST]] = []

    def instead(what: str, **fields: object) -> None:
        other = copy.deepcopy(node)
        for name, value in fields.items():
            setattr(other, name, value)
        found.append((what, other))

    names_only = isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Subscript)
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)) and not names_only:  # a lost name is no quiet fault
        found.append((f"drop {ast.unparse(node)}", ast.Pass()))
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in _OPERATORS:
        instead(f"other operator in {ast.unparse(node)}", op=_OPERATORS[type(node.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _OPERATORS:
        instead(f"other comparison in {ast.unparse(node)}", ops=[_OPERATORS[type(node.ops[0])]()])
    if isinstance(node, (ast.If, ast.IfExp)):
        instead(f"turn round {ast.unparse(node.test)}", test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found.append((f"no sign in {ast.unparse(node)}", node.operand))
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        instead(f"{node.value} + 1", value=node.value + 1)
    if isinstance(node, ast.Name) and node.id in _ACROSS and isinstance(node.ctx, ast.Load):
        instead(f"{_ACROSS[node.id]} instead of {node.id}", id=_ACROSS[node.id])
    if isinstance(node, ast.Slice):
        if node.lower is not None:
            instead(f"shift {ast.unparse(node)}", lower=ast.BinOp(node.lower, ast.Add(), ast.Constant(1)))
        if node.step is not None:
            instead(f"no step in {ast.unparse(node)}", step=None)
    if isinstance(node, ast.Attribute):
        if node.attr == "T":
            found.append((f"no transposition in {ast.unparse(node)}", node.value))
        if isinstance(node.value, ast.Name) and node.value.id == "np" and node.attr in _FUNCTIONS:
            instead(f"{_FUNCTIONS[node.attr]} instead of {node.attr}", attr=_FUNCTIONS[node.attr])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "swapaxes":
        found.append((f"no transposition in {ast.unparse(node)}", node.func.value))
    return found


def _replace(root: ast.AST, target: ast.AST, replacement: ast.AST) -> None:
    for parent in ast.walk(root):
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, replacement)
            elif isinstance(value, list):
                value[:] = [replacement if item is target else item for item in value]
