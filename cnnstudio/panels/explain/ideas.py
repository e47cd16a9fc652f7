"""The ideas behind the numbers: local connection, weight sharing, and what a fully connected layer would cost instead."""

from __future__ import annotations

import math

from cnnstudio.panels.explain.pictures import Block, window_block
from cnnstudio.panels.explain.subject import Subject
from cnnstudio.panels.explain.words import translate
from cnnstudio.widgets.numbers import closed_up, format_count
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense
from engine.layers.input import Input


def sentences(subject: Subject) -> str:
    """What the explained number teaches about its layer; empty where there is nothing to say."""
    owner = subject.owner
    if owner is None or subject.kind not in ("forward", "parameter"):
        return ""
    layer, x, y = owner.node.layer, owner.x, owner.y
    parameters = sum(math.prod(p.shape) for p in layer.params(x).values())
    texts = []
    if isinstance(layer, Conv2D):
        reads = x[0] // layer.groups * math.prod(layer.kernel_size)
        if subject.kind == "forward":
            texts.append(translate("Local connection: this number reads {reads} of the {total} numbers of its input.").format(
                reads=format_count(reads), total=format_count(x.size)))
        else:
            texts.append(translate("Weight sharing: this one number serves all {cells} cells of map {filter}.").format(
                cells=format_count(y[1] * y[2]), filter=subject.cell[0]))
        text = translate("As a convolution the layer has {few} parameters; fully connected, the same sizes take {many}.")
        texts.append(text.format(
            few=format_count(parameters), many=format_count(x.size * y.size + layer.bias * y.size)))
    elif isinstance(layer, Dense) and subject.kind == "forward":
        texts.append(translate("Fully connected: this unit reads all {inputs} inputs, with a weight of its own for each; "
                               "the layer has {parameters} parameters.").format(
                                   inputs=format_count(x.size), parameters=format_count(parameters)))  # fmt: skip
    return closed_up(" ".join(texts))


def pixels(subject: Subject) -> Block | None:
    """The rows and columns of the image that feed a cell of a map, cut at its edges; None where all do, or no picture is left."""
    if subject.kind != "forward" or subject.owner is None or len(subject.cell) != 3:
        return None
    placed = subject.snapshot.spec.placed()
    rows, columns = range(subject.cell[1], subject.cell[1] + 1), range(subject.cell[2], subject.cell[2] + 1)
    for p in reversed(placed[:subject.owner.index + 1]):
        layer, window = p.node.layer, p.node.layer.window(p.x)
        if isinstance(layer, Input) and layer.projection != "none":
            return None
        if window is not None:
            first, last = (window_block(window, (0, *place)) for place in
                           ((rows.start, columns.start), (rows.stop - 1, columns.stop - 1)))  # fmt: skip
            rows, columns = (range(a.start, b.stop) for a, b in zip(first, last, strict=True))
    _, height, width = placed[0].x
    return (range(max(rows.start, 0), min(rows.stop, height)), range(max(columns.start, 0), min(columns.stop, width)))
