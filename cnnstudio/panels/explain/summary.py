"""One line below the number: its value in two terms, what a gate does with it, or where a given number comes from."""

from __future__ import annotations

from cnnstudio.panels.explain.subject import Subject
from cnnstudio.panels.explain.words import translate
from cnnstudio.widgets.numbers import format_value
from engine.term import LEAVES


def summary(subject: Subject) -> str:
    """As in "= Σ channels −11.544 + bias −0.317"; empty where the formula says it all."""
    if subject.term.op in LEAVES:
        return _given(subject)
    if subject.by is not None and subject.by.node.layer.kind == "relu":
        return _gate(subject)
    term, parts = subject.term, subject.parts
    if term.op != "sum" or not parts or parts[0].part is None:
        return ""
    words = {"channel": translate("Σ channels"), "filter": translate("Σ filters"), "image": translate("Σ images")}
    total = f"= {words.get(parts[0].part[0], 'Σ')} {format_value(sum(p.value for p in parts), 5)}"
    rest = [child for child in term.children if child.part is None]
    return total + "".join(" " + translate("+ bias {value}").format(value=format_value(b.value, 5)) for b in rest)


def _gate(subject: Subject) -> str:
    place = subject.place(subject.before, subject.cell)
    x = float(subject.snapshot[place.array][place.index])
    text = translate("The gate is open: x = {x} is above 0.") if x > 0 else translate(
        "The gate is closed: x = {x} is not above 0.")
    return text.format(x=format_value(x))


def _given(subject: Subject) -> str:
    if subject.kind == "parameter":
        return translate("A weight: drawn at random in the beginning, then changed by every update.")
    if subject.kind == "image":
        return translate("A pixel of the image as it was given.")
    if subject.kind == "target":
        return translate("What the output should be.")
    return translate("Kept by the layer or the optimizer; it is not computed from other cells of this step.")
