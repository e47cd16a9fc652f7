"""How cells are called on screen: "Conv 2 · filter 7 · row 2 · column 5"."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from cnnstudio.panels.explain.subject import Subject
from engine.snapshot import Snapshot


def translate(text: str) -> str:
    """A text of the Explain panel in the language of the program."""
    return QCoreApplication.translate("Explain", text)


def title(subject: Subject, name_of: Callable[[str], str]) -> str:
    """What the number is and where it lies; `name_of` gives the name of a block on screen."""
    head = _head(subject, name_of)
    places = [translate("image {n} of the batch").format(n=subject.image)] if subject.image is not None else []
    return " · ".join([head, *_axes(subject), *places])


def crumb(subject: Subject, name_of: Callable[[str], str]) -> str:
    """The title in as few letters as a trail of them allows: "δ Conv 2 [7, 2, 5]"."""
    sign = {"delta": "δ ", "gradient": "∂", "new": "→ ", "new slot": "→ "}.get(subject.kind, "")
    name = name_of(subject.owner.node.id) if subject.owner else _head(subject, name_of)
    if subject.kind in ("parameter", "gradient", "new", "slot", "new slot"):
        name = f"{name} {sign}{subject.target}"
    else:
        name = f"{sign}{name}"
    return f"{name} {list(subject.cell)}" if subject.cell else name


def _head(subject: Subject, name_of: Callable[[str], str]) -> str:
    name = name_of(subject.owner.node.id) if subject.owner else ""
    parameter = parameter_name(subject.target)
    match subject.kind:
        case "forward":
            return name
        case "delta" if subject.owner is None:
            return translate("Delta of the image")
        case "delta":
            return translate("Delta of {block}").format(block=name)
        case "parameter":
            return f"{name} · {parameter}"
        case "gradient":
            return translate("Gradient of {block} · {parameter}").format(parameter=parameter, block=name)
        case "new":
            return translate("After the update: {block} · {parameter}").format(parameter=parameter, block=name)
        case "slot" | "new slot":
            array = subject.ref.array.rpartition(".")[2]
            return translate("{array} of {block}").format(array=array, block=name)
        case "image":
            return translate("Image")
        case "target":
            return translate("Target")
        case "loss":
            return translate("Loss")
        case "losses":
            return translate("Loss of one image")
        case "penalty":
            return translate("Penalty of the weights")
        case "gradient_norm":
            return translate("Length of the gradient")
    return f"{name} {subject.target}".strip()


def parameter_name(name: str) -> str:
    """What a parameter is called: "W" -> "weight"."""
    return {"W": translate("weight"), "b": translate("bias"), "gamma": translate("scale γ"),
            "beta": translate("shift β")}.get(name, name)


def _axes(subject: Subject) -> list[str]:
    cell = subject.cell
    layer = subject.owner.node.layer if subject.owner else None
    if layer is not None and subject.kind in ("parameter", "gradient", "new", "slot", "new slot"):
        names = {
            ("conv", 4): (translate("filter {n}"), translate("channel {n}"), translate("row {n}"), translate("column {n}")),
            ("conv", 1): (translate("filter {n}"),),
            ("dense", 2): (translate("unit {n}"), translate("input {n}")),
            ("dense", 1): (translate("unit {n}"),),
        }.get((layer.role, len(cell)), (translate("channel {n}"),) * len(cell))
    elif len(cell) == 3:
        of_filters = layer is not None and layer.role == "conv"
        names = (translate("filter {n}") if of_filters else translate("channel {n}"), translate("row {n}"),
                 translate("column {n}"))
    elif len(cell) == 1:
        is_class = subject.kind == "target" or (layer is not None and layer.role == "output")
        names = (translate("class {n}") if is_class else translate("unit {n}"),)
    else:
        names = (translate("place {n}"),) * len(cell)
    return [name.format(n=n) for name, n in zip(names, cell, strict=True)]


def part_name(part: tuple[str, int] | None) -> str:
    """What a partial sum belongs to: "channel 2"."""
    if part is None:
        return ""
    what, number = part
    names = {"channel": translate("channel {n}"), "filter": translate("filter {n}"), "image": translate("image {n}")}
    return names[what].format(n=number) if what in names else what


def probe_line(snapshot: Snapshot) -> str:
    """Whose numbers these are, and of which step."""
    if snapshot.probe == "batch":
        return translate("the last training batch, step {step}, weights before the update").format(step=snapshot.step)
    return translate("this sample, step {step}").format(step=snapshot.step)


def array_words(name: str, name_of: Callable[[str], str]) -> str:
    """The caption of a picture of an array: "Conv 2 · output"."""
    layer, _, short = name.rpartition(".")
    if not layer:
        names = {"image": translate("Image"), "dimage": translate("Delta of the image"), "target": translate("Target")}
        return names.get(short, short)
    block = name_of(layer)
    what = {"y": translate("output of {block}"), "dy": translate("delta of {block}")}
    return what[short].format(block=block) if short in what else f"{block} {short}"
