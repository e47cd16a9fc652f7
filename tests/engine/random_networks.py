"""Random layers and networks for hypothesis, made from nothing but the options that the layers declare."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import engine.layers  # noqa: F401  registers all kinds
from engine.errors import ShapeError
from engine.layer import LAYERS, Layer, Shape
from engine.layers.dense import Dense, Flatten
from engine.layers.softmax import Softmax
from engine.options import Option
from engine.spec import NetworkSpec

KINKED = {"relu", "leaky_relu", "elu", "max_pool"}
"""Layers whose derivative jumps somewhere."""


def values(option: Option) -> st.SearchStrategy[Any]:
    """Legal and small values of an option."""
    if option.kind == "choice":
        return st.sampled_from(option.choices)
    if option.kind == "bool":
        return st.booleans()
    if option.kind == "float":
        low = option.ge if option.ge is not None else option.gt if option.gt is not None else -2
        high = option.le if option.le is not None else option.lt if option.lt is not None else 2
        return st.floats(low, high, exclude_min=option.ge is None and option.gt is not None,
                         exclude_max=option.le is None and option.lt is not None, allow_subnormal=False)
    small = st.integers(int(option.ge or 0), 4)
    if option.kind == "pair":
        return st.tuples(small, small)
    if option.kind == "padding":
        numbers = st.tuples(*[st.integers(0, 3)] * 4)
        return st.one_of(st.sampled_from(["valid", "same", "cover"]), numbers)
    assert option.kind == "int"
    return small


def layers(kinds: list[str]) -> st.SearchStrategy[Layer]:
    """A layer of one of these kinds with random options; it need not fit any input."""
    return st.sampled_from(kinds).flatmap(
        lambda kind: st.builds(LAYERS[kind], **{o.name: values(o) for o in LAYERS[kind].options()}))


@st.composite
def chains(draw: st.DrawFn, *, smooth: bool = False, whole: bool = False) -> NetworkSpec:
    """A legal network: an Input and up to seven layers, those left out that do not fit.

    `smooth` leaves out layers with kinks; `whole` closes with Flatten, a fully connected layer of 3 units and softmax.
    """
    kinds = sorted(kind for kind in LAYERS if kind != "input" and not (smooth and kind in KINKED))
    options = {o.name: values(o) for o in LAYERS["input"].options()}
    size = st.integers(1, 9)
    first = draw(st.builds(LAYERS["input"], **options | {"channels": st.integers(1, 3), "height": size, "width": size})
                 .filter(lambda layer: layer.components <= layer.image_shape.size))
    chain, shape = [first], first.output_shape(Shape(()))
    for layer in draw(st.lists(layers(kinds), max_size=7)):
        try:
            after = layer.output_shape(shape)
        except ShapeError:
            continue
        if after.size <= 400:
            chain, shape = [*chain, layer], after
    if whole:
        chain += [Flatten(), Dense(3), Softmax()]
    return NetworkSpec.of(chain)
