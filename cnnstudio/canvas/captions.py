"""What the blocks say: faces and hover texts made from the document."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from cnnstudio.canvas.face import Face
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Block
from cnnstudio.document.words import error_sentence, fix_label, layer_phrases, layer_title, say
from cnnstudio.widgets.numbers import format_bytes, format_count
from engine.errors import EngineError
from engine.layer import Layer

translate = QCoreApplication.translate

_LONGEST_FORMULA = 14


def face_of(document: Document, block: Block) -> Face:
    """The face of a block as the document stands now."""
    derived, layer = document.derived, block.node.layer
    facts = derived.analysis.get(block.id)
    problem = derived.problem(block.id)
    words = layer_phrases(layer)
    main = words[0] if words else _formula(layer)
    shape = str(facts.y) if facts else ""
    if layer.role == "output" and facts and not facts.y.is_image:
        main, shape = translate("Canvas", "{n} classes").format(n=facts.y.size), ""
    if not main:
        main, shape = shape, ""
    return Face(
        role=layer.role,
        title=document.name_of(block.id),
        parameters=translate("Canvas", "{n} params").format(n=format_count(facts.parameters))
        if facts and facts.parameters
        else "",
        main=main,
        shape=shape if shape != main else "",
        detail=" · ".join(words[1:]),
        problem=problem_sentence(document, problem) if problem else "",
        is_error=block.id in derived.errors,
        fixes=tuple(fix_label(fix) for fix in problem.fixes if fix.action != "advice") if problem else (),
        pale=block.id in derived.notes and block not in document.graph.main,
    )


def problem_sentence(document: Document, problem: EngineError) -> str:
    """What is wrong with a block, or what it waits for, with the names on screen."""
    if problem.code == "graph.waits":
        block_id = str(problem.args_by_name["block"])
        return translate("Canvas", "Waits for {block}.").format(block=document.name_of(block_id))
    return error_sentence(problem)


def tooltip_of(document: Document, block: Block) -> str:
    """What a block does and costs, shown while the pointer rests on it."""
    layer = block.node.layer
    lines = [f"{document.name_of(block.id)} · {layer_title(layer)}", say(layer.summary)]
    facts = document.derived.analysis.get(block.id)
    if facts is not None:
        lines.append(f"{facts.x} → {facts.y}" if facts.x else str(facts.y))
        lines.append(translate("Canvas", "{parameters} parameters, {macs} multiplications per image").format(
            parameters=format_count(facts.parameters), macs=format_count(facts.macs)))  # fmt: skip
        lines.append(translate("Canvas", "{size} per image").format(size=format_bytes(facts.activation_bytes)))
        if facts.receptive_field is not None:
            lines.append(translate("Canvas", "receptive field {field}").format(field=facts.receptive_field))
    return "\n".join(lines)


def _formula(layer: Layer) -> str:
    """The right side of the layer's own formula where it is short enough, "max(0, x)"; else nothing."""
    first = (type(layer).__doc__ or "").partition("\n")[0].removeprefix("y = ")
    formula = first.rstrip(".").partition("; ")[0]
    return formula if len(formula) <= _LONGEST_FORMULA and "Args" not in formula else ""
