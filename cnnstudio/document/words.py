"""The engine's words in the language of the program: names of layers and options, sentences of errors and
fixes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from cnnstudio.document.graph import Block
from engine.datasets.catalog import ENTRIES
from engine.datasets.dataset import Dataset
from engine.errors import EngineError, Fix
from engine.layer import Layer
from engine.pattern import Departure, either

if TYPE_CHECKING:
    from cnnstudio.document.derived import Derived

CONTEXT = "Engine"
"""The translation context of every text that comes from the engine."""


def say(text: str) -> str:
    """A text of the engine (title, summary, label, help, template) in the language of the program."""
    return QCoreApplication.translate(CONTEXT, text) if text else ""


_PROPER = {"he": "He", "glorot": "Glorot", "lecun": "LeCun", "pca": "PCA", "zca": "ZCA", "minmax": "min–max"}
"""Names of people and abbreviations among the words of choices."""
_NAMES = ("{path}", "{name}")
"""Beginnings of sentences that stand as they are written."""


def choice_words(choice: str) -> str:
    """A choice of an option in English words, "he_normal" as "He normal"; `say` has it in the language of the program."""
    return " ".join(_PROPER.get(word, word) for word in choice.split("_"))


def layer_title(layer: Layer | type[Layer]) -> str:
    """The name of a layer kind, "Max pool"."""
    return say(layer.title)


def class_names(data: Dataset | None) -> tuple[str, ...]:
    """The classes of a data set that comes with the program in its language, those of any other as they are written."""
    if data is None:
        return ()
    ships = any(entry.name == data.name for entry in ENTRIES)
    return tuple(QCoreApplication.translate("ClassName", name) for name in data.classes) if ships else data.classes


def layer_phrases(layer: Layer) -> list[str]:
    """The main options of a layer, the first one foremost: "6 @ 5×5", "stride 2"."""
    return [say(phrase.template).format(**phrase.args) for phrase in layer.caption()]


def block_name(block: Block, derived: Derived) -> str:
    """The name on the block: the one given, or its kind, numbered where it occurs more than once."""
    if block.node.name:
        return block.node.name
    title = layer_title(block.node.layer)
    number = derived.numbers.get(block.id)
    return title if number is None else f"{title} {number}"


def error_sentence(error: EngineError) -> str:
    """What is wrong, without place and fixes, beginning with a capital letter or with a name as it is written."""
    template = say(error.template)
    sentence = template.format(**error.args_by_name)
    return sentence if template.startswith(_NAMES) else _capital(sentence)


def fix_label(fix: Fix) -> str:
    """What a button that applies the fix says."""
    return _capital(say(fix.template).format(**fix.args))


def fix_sentence(fix: Fix) -> str:
    """The fix as a sentence of its own, for advice that no button can follow."""
    return QCoreApplication.translate(CONTEXT, "{advice}.").format(advice=fix_label(fix))


def departure_sentence(departure: Departure) -> str:
    """Why a network is not canonical."""
    may = either([say(word) for word in departure.words], say("{first} or {last}"))
    args = dict(departure.args) | ({"kind": say(departure.args["kind"])} if "kind" in departure.args else {})
    return _capital(say(departure.template).format(**args, may=may))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
