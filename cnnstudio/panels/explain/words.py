"""How cells are called on screen: "Conv 2 · filter 7 · row 2 · column 5"."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from cnnstudio.panels.explain.subject import Subject, array_kind
from engine.snapshot import Snapshot


def translate(text: str) -> str:
    """A text of the Explain panel in the language of the program."""
    return QCoreApplication.translate("Explain", text)


def title(subject: Subject, name_of: Callable[[str], str]) -> str:
    """What the number is and where it lies; `name_of` gives the name of a block on screen."""
    head = _head(subject, name_of)
    places = [translate("image {n} of the batch").format(n=subject.image)] if subject.image is not None else []
    return " · ".join([head, *_axes(subject), *places])


def _head(subject: Subject, name_of: Callable[[str], str]) -> str:
    name = name_of(subject.owner.node.id) if subject.owner else ""
    match subject.kind:
        case "forward":
            return name
        case "delta" if subject.owner is None:
            return translate("Delta of the image")
        case "delta":
            return translate("Delta of {block}").format(block=name)
        case "parameter" | "gradient" | "new" | "slot" | "new slot":
            assert subject.owner is not None
            _, parameter, slot = array_kind(subject.owner, subject.ref.array.rpartition(".")[2])
            return of_parameter(subject.kind, name, parameter, slot)
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
    return f"{name} · {kept_name(subject.target)}"


def of_parameter(kind: str, block: str, parameter: str, slot: str) -> str:
    """What a parameter of a block is called, or its gradient, an optimizer's slot of it, or what the update made of them."""
    words = parameter_name(parameter)
    if kind in ("slot", "new slot"):
        words += f" · {slot_name(slot)}"
    if kind == "gradient":
        return translate("Gradient of {block} · {parameter}").format(block=block, parameter=words)
    if kind in ("new", "new slot"):
        return translate("After the update: {block} · {parameter}").format(block=block, parameter=words)
    return f"{block} · {words}"


def parameter_name(name: str) -> str:
    """What a parameter is called: "W" -> "weight"."""
    return {"W": translate("weight"), "b": translate("bias"), "gamma": translate("scale γ"),
            "beta": translate("shift β")}.get(name, name)


def _place_in_vector(subject: Subject) -> str:
    if subject.kind == "target" or (subject.owner is not None and subject.owner.node.layer.role == "output"):
        return translate("class {n}")
    if subject.owner is not None and subject.owner.index == 0:
        return translate("component {n}")  # of PCA
    of_maps = subject.kind == "other" and subject.owner is not None and subject.owner.x.is_image
    return translate("channel {n}") if of_maps else translate("unit {n}")


def slot_name(slot: str) -> str:
    """What a running average of an optimizer is called."""
    names = {"velocity": translate("velocity v"), "mean": translate("mean m"), "square": translate("mean square s")}
    return names.get(slot, slot)


def kept_name(name: str) -> str:
    """What an array is called that a layer keeps for itself."""
    names = {"mean": translate("mean"), "variance": translate("variance"), "mask": translate("mask"),
             "offset": translate("offset"), "gain": translate("gain"), "winner": translate("winner"),
             "normal": translate("normalised input"), "inverse_deviation": translate("1 / deviation"),
             "gate": translate("gate"), "axes": translate("axes"), "amplitude": translate("amplitude")}  # fmt: skip
    return names.get(name, name)


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
        names = (_place_in_vector(subject),)
    else:
        names = (translate("place {n}"),) * len(cell)
    return [name.format(n=n) for name, n in zip(names, cell, strict=True)]


def step_line(snapshot: Snapshot) -> str:
    """Of which step the numbers are, for where their probe is named already."""
    if snapshot.probe == "batch":
        return translate("step {step}, weights before the update").format(step=snapshot.step)
    return translate("step {step}").format(step=snapshot.step)


def probe_line(snapshot: Snapshot) -> str:
    """Whose numbers these are, and of which step."""
    if snapshot.probe == "batch":
        return translate("the last training batch, step {step}, weights before the update").format(step=snapshot.step)
    return translate("this sample, step {step}").format(step=snapshot.step)
