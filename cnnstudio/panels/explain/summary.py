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
    if term.op != "sum" or not parts or parts[0] is term:
        return ""
    words = {"channel": translate("Σ channels"), "filter": translate("Σ filters"), "image": translate("Σ images")}
    over = words.get(parts[0].part[0], "Σ") if parts[0].part is not None else translate("Σ inputs")
    total = f"= {over} {format_value(sum(p.value for p in parts), 5)}"
    rest = [child for child in term.children if all(child is not p for p in parts)]
    return total + "".join(" " + translate("+ bias {value}").format(value=format_value(b.value, 5)) for b in rest)


def _gate(subject: Subject) -> str:
    """What the gate of a ReLU does with x on the way forward, with the δ that arrives on the way back."""
    x = _number_at(subject, subject.before)
    if subject.kind == "forward":
        text = translate("The gate is open: x = {x} is above 0.") if x > 0 else translate(
            "The gate is closed: x = {x} is not above 0.")
    elif x <= 0:
        text = translate("The gate is closed, x = {x} is not above 0: no δ passes.")
    elif subject.by is not None and _number_at(subject, f"{subject.by.node.id}.dy") == 0:
        text = translate("The gate is open, x = {x} is above 0, but the δ that arrives is 0.")
    else:
        text = translate("The gate is open, x = {x} is above 0: the δ passes unchanged.")
    return text.format(x=format_value(x))


def _number_at(subject: Subject, array: str) -> float:
    place = subject.place(array, subject.cell)
    return float(subject.snapshot[place.array][place.index])


def _given(subject: Subject) -> str:
    if subject.kind == "parameter":
        return translate("A weight: drawn at random at the start, then changed by every update.")
    if subject.kind == "image":
        return translate("A pixel of the image as it was given.")
    if subject.kind == "target":
        return translate("What the output should be.")
    return translate("Kept by the layer or the optimizer; it is not computed from other cells of this step.")
