"""Terms in one line of plain text, cut into segments of which those that are cells can be clicked."""

from __future__ import annotations

from dataclasses import dataclass

from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.words import translate
from cnnstudio.widgets.numbers import format_value
from engine.term import LEAVES, CellRef, Term

MOST_LEAVES = 5
"""A term of no more leaves than this is written out in one line."""

_AROUND = {"exp": "exp", "log": "ln", "root": "√", "tanh": "tanh", "normal_cdf": "Φ", "sign": "sign", "abs": "abs"}
_BETWEEN = {"sum": " + ", "product": " · ", "difference": " − ", "quotient": " / ", "equals": " = ", "power": " ^ ",
            "max": ", ", "mean": ", "}  # fmt: skip


@dataclass(frozen=True)
class Segment:
    """A piece of a line; with `ref` it is the number of a cell, which can be explained in turn."""

    text: str
    ref: CellRef | None = None


def segments(term: Term, names: Names) -> list[Segment]:
    """One line for a term: its partial sum's name, its cell, or its formula with numbers."""
    if term.part is not None:
        return [Segment(names.part(term.part))]
    if term.op in LEAVES:
        return leaf(term, names)
    written = _written(term, MOST_LEAVES, outermost=True)
    if written is not None:
        return written
    if term.ref is not None:
        return [Segment(names.cell(term.ref), term.ref)]
    return [Segment(f"{term.label}: {_summary(term)}" if term.label else _summary(term))]


def leaf(term: Term, names: Names) -> list[Segment]:
    """A cell by its name, a constant by its symbol."""
    if term.op == "padding":
        return [Segment(translate("padding"))]
    if term.ref is not None:
        symbol = [Segment(f"{term.label} = ")] if term.label else []
        return [*symbol, Segment(names.cell(term.ref), term.ref)]
    return [Segment(term.label or format_value(term.value))]


def _summary(term: Term) -> str:
    """What an operation on many terms is, without the terms."""
    words = {
        "sum": translate("sum of {count} terms"),
        "mean": translate("mean of {count} terms"),
        "max": translate("largest of {count} numbers"),
        "argmax": translate("place of the largest of {count} numbers"),
        "product": translate("product of {count} factors"),
        "quotient": translate("quotient"),
        "difference": translate("difference"),
        "negative": translate("negative"),
        "root": translate("square root"),
        "square": translate("square"),
        "exp": "exp",
        "log": "ln",
    }
    text = words.get(term.op, term.op)
    return text.format(count=len(term.children)) if "{count}" in text else text


def _written(term: Term, room: int, *, outermost: bool = False) -> list[Segment] | None:
    """The formula with numbers, or None when it has more than `room` leaves."""
    if term.op in LEAVES:
        whole = term.op == "constant" and term.value == int(term.value)
        text = format_value(term.value).partition(".")[0] if whole else format_value(term.value)
        return [Segment(f"({text})" if text.startswith("−") and not outermost else text, term.ref if term.op == "cell" else None)]
    if term.ref is not None and not outermost:
        return [Segment(format_value(term.value), term.ref)]
    if term.label and not outermost:
        text = format_value(term.value)
        return [Segment(f"({text})" if text.startswith("−") else text)]
    if callable(term.inner) and not outermost:
        return [Segment(translate("winner {n}").format(n=int(term.value)))] if term.op == "argmax" else None
    if len(term.children) > room:
        return None
    pieces: list[list[Segment]] = []
    for child in term.children:
        piece = _written(child, room - len(term.children) + 1)
        if piece is None:
            return None
        pieces.append(piece)
    if sum(segment.ref is not None for piece in pieces for segment in piece) > room:
        return None
    return _combined(term, pieces, outermost)


def _combined(term: Term, pieces: list[list[Segment]], outermost: bool) -> list[Segment]:
    match term.op:
        case "copy":
            return pieces[0]
        case "negative":
            return [Segment("−"), *pieces[0]]
        case "square":
            return [*pieces[0], Segment("²")]
        case "gate":
            return [Segment(translate("if") + " "), *pieces[0], Segment(" > 0: "), *pieces[1],
                    Segment(" " + translate("else") + " "), *pieces[2]]
        case "max" | "mean":
            return [Segment(f"{term.op}("), *_between(pieces, ", "), Segment(")")]
        case "argmax":
            return [Segment("argmax("), *_between(pieces, ", "), Segment(")")]
    if term.op in _AROUND:
        inside = pieces[0]
        if inside[0].text == "(":
            inside = inside[1:-1]
        return [Segment(f"{_AROUND[term.op]}("), *inside, Segment(")")]
    joined = _between(pieces, _BETWEEN[term.op])
    return joined if outermost or term.op == "product" else [Segment("("), *joined, Segment(")")]


def _between(pieces: list[list[Segment]], sign: str) -> list[Segment]:
    joined: list[Segment] = []
    for index, piece in enumerate(pieces):
        joined += [Segment(sign), *piece] if index else piece
    return joined
