"""What arrays and cells of a snapshot are called on screen: "Conv 2 W[0, 1, 2, 2]", by the name on the block, not by its id."""

from __future__ import annotations

from collections.abc import Callable

from cnnstudio.panels.explain.subject import Subject, array_kind
from cnnstudio.panels.explain.words import kept_name, of_parameter, slot_name, translate
from cnnstudio.widgets.numbers import closed_up
from engine.snapshot import Snapshot
from engine.term import CellRef

_LETTER = {"gamma": "γ", "beta": "β"}


class Names:
    """The names for one snapshot; `name_of` gives the name of a block on screen."""

    def __init__(self, snapshot: Snapshot, name_of: Callable[[str], str]) -> None:
        self._placed = {p.node.id: p for p in snapshot.spec.placed()}
        self._name_of = name_of

    def array(self, name: str) -> str:
        """An array in a few letters: "Conv 2", "δ Conv 2", "Conv 2 W", "Conv 2 ∂W", "Conv 2 → W"."""
        layer, _, short = name.rpartition(".")
        if not layer:
            return _of_no_layer(name)
        kind, parameter, rest = array_kind(self._placed[layer], short)
        block, letter = self._name_of(layer), _LETTER.get(parameter, parameter)
        match kind:
            case "forward":
                return block
            case "delta":
                return f"δ {block}"
            case "parameter":
                return f"{block} {letter}"
            case "gradient":
                return f"{block} ∂{letter}"
            case "new":
                return f"{block} → {letter}"
            case "slot":
                return f"{block} {letter} {slot_name(rest)}"
            case "new slot":
                return f"{block} → {letter} {slot_name(rest)}"
        return f"{block} {kept_name(short)}"

    def block(self, name: str) -> str:
        """The block to which an array belongs."""
        return self._name_of(name.rpartition(".")[0])

    def cell(self, ref: CellRef) -> str:
        """A cell: "Conv 2 [0, 3, 4]", "Conv 2 W[0, 1, 2, 2]"."""
        if not ref.index:
            return self.array(ref.array)
        plain = ref.array.endswith((".y", ".dy")) or "." not in ref.array
        return f"{self.array(ref.array)}{' ' if plain else ''}{list(ref.index)}"

    def crumb(self, subject: Subject) -> str:
        """A subject as in a trail: the cell without its image."""
        name = self.array(subject.ref.array)
        return f"{name} {list(subject.cell)}" if subject.cell else name

    def caption(self, name: str) -> str:
        """An array in words, as the caption of its picture: "output of Conv 2"."""
        layer, _, short = name.rpartition(".")
        if not layer:
            return _of_no_layer(name)
        kind, parameter, rest = array_kind(self._placed[layer], short)
        block = self._name_of(layer)
        match kind:
            case "forward" if self._placed[layer].node.layer.kind == "input" and self._placed[layer].y.is_image:
                return translate("input image")
            case "forward":
                return closed_up(translate("output of {block}").format(block=block))
            case "delta":
                return closed_up(translate("delta of {block}").format(block=block))
            case "parameter" | "gradient" | "new" | "slot" | "new slot":
                return of_parameter(kind, block, parameter, rest)
        return f"{block} · {kept_name(short)}"

    def part(self, part: tuple[str, int] | None) -> str:
        """What a partial sum belongs to: "channel 2", or a whole array of parameters: "Conv 2 W"."""
        if part is None:
            return ""
        what, number = part
        words = {"channel": translate("channel {n}"), "filter": translate("filter {n}"), "image": translate("image {n}")}
        return words[what].format(n=number) if what in words else self.array(what)

    def part_heading(self, part: tuple[str, int] | None) -> str:
        """The same at the head of a section: "Channel 2"."""
        text = self.part(part)
        # What is said of a layer's array begins with the block's own name, which stays as it is.
        return text if part is None or "." in part[0] else text[:1].upper() + text[1:]


def _of_no_layer(name: str) -> str:
    names = {"image": translate("Image"), "dimage": translate("Delta of the image"), "target": translate("Target"),
             "loss": translate("Loss"), "losses": translate("Loss of one image"), "penalty": translate("Penalty of the weights"),
             "gradient_norm": translate("Length of the gradient")}  # fmt: skip
    return names.get(name, name)
