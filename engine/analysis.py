"""What a network costs and sees: per layer the output shape, parameters, multiplications, memory and
receptive field.

Receptive field, from input to output, for each axis (source: Araujo, Norris, Sim, "Computing receptive fields
of convolutional neural networks", Distill 2019): with kernel k, stride s, dilation d and padding p before the
map,

    size' = size + d·(k − 1)·step        step' = step·s        start' = start − p·step

where a cell i of the layer's output reads the input's cells from start + i·step on, `size` of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from engine.layer import Layer, Shape
from engine.spec import NetworkSpec, Placed
from engine.windows import extent

BYTES = 4
"""Bytes of a float32."""

Pair = tuple[int, int]


@dataclass(frozen=True)
class Rect:
    """A rectangle of pixels: rows top..bottom and columns left..right, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    def within(self, height: int, width: int) -> Rect:
        """The part that lies on a picture of that size; the rest is padding."""
        return Rect(
            min(max(self.top, 0), height),
            max(min(self.bottom, height), 0),
            min(max(self.left, 0), width),
            max(min(self.right, width), 0),
        )


@dataclass(frozen=True)
class ReceptiveField:
    """Which pixels of the input a cell depends on; all pairs are (vertical, horizontal).

    `maps` is the shape of the maps that the cells lie on; a vector made of maps keeps it, so that the fields
    of its cells are known. A step of 0 means that every cell sees the same pixels.
    """

    size: Pair
    step: Pair
    start: Pair
    maps: Shape

    def of_cell(self, cell: tuple[int, ...]) -> Rect:
        """The pixels that a cell depends on, padding included; `cell` is (channel, row, column) or
        (feature,).
        """
        row, column = self._place(cell)
        top, left = self.start[0] + row * self.step[0], self.start[1] + column * self.step[1]
        return Rect(top, top + self.size[0], left, left + self.size[1])

    def _place(self, cell: tuple[int, ...]) -> Pair:
        if len(cell) == 3:
            return cell[1], cell[2]
        if not self.maps.is_image:
            return 0, 0
        row, column = divmod(cell[0] % (self.maps[1] * self.maps[2]), self.maps[2])
        return row, column

    def __str__(self) -> str:
        return f"{self.size[0]}×{self.size[1]}"


@dataclass(frozen=True)
class LayerFacts:
    """The facts about one layer; memory is in bytes of float32, of one image for activations."""

    id: str
    kind: str
    x: Shape
    y: Shape
    parameters: int
    macs: int
    activation_bytes: int
    parameter_bytes: int
    receptive_field: ReceptiveField | None
    """None where no single picture reaches: after PCA, every cell depends on every pixel in its own way."""


@dataclass(frozen=True)
class Analysis:
    """The facts about all layers whose shapes are known, and their totals."""

    layers: tuple[LayerFacts, ...]

    def __getitem__(self, node_id: str) -> LayerFacts:
        return self._by_id[node_id]

    def get(self, node_id: str) -> LayerFacts | None:
        """The facts about a layer, or None while its shapes are not known."""
        return self._by_id.get(node_id)

    @cached_property
    def _by_id(self) -> dict[str, LayerFacts]:
        return {facts.id: facts for facts in self.layers}

    @property
    def parameters(self) -> int:
        """Trained numbers of the whole network."""
        return sum(facts.parameters for facts in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations of one image, forward."""
        return sum(facts.macs for facts in self.layers)

    @property
    def activation_bytes(self) -> int:
        """Bytes of all outputs of one image."""
        return sum(facts.activation_bytes for facts in self.layers)

    @property
    def parameter_bytes(self) -> int:
        """Bytes of all parameters."""
        return sum(facts.parameter_bytes for facts in self.layers)

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """The field of a cell of the last feature maps, before fully connected layers see everything."""
        fields = [f.receptive_field for f in self.layers if f.y.is_image and f.receptive_field is not None]
        return fields[-1] if fields else None


def analyse(network: NetworkSpec | Iterable[Placed]) -> Analysis:
    """The facts about every layer up to the first one that does not fit."""
    placed = network.infer()[0] if isinstance(network, NetworkSpec) else tuple(network)
    field: ReceptiveField | None = None
    layers = []
    for place in placed:
        layer, x, y = place.node.layer, place.x, place.y
        field = _first_field(y) if place.index == 0 else _next_field(layer, field, x, y)
        parameters = sum(math.prod(p.shape) for p in layer.params(x).values())
        layers.append(
            LayerFacts(
                place.node.id,
                layer.kind,
                x,
                y,
                parameters,
                layer.macs(x),
                y.size * BYTES,
                parameters * BYTES,
                field,
            )
        )
    return Analysis(tuple(layers))


def _first_field(image: Shape) -> ReceptiveField | None:
    """Every cell of the prepared picture sees its own pixel; after PCA there is no picture."""
    return ReceptiveField((1, 1), (1, 1), (0, 0), image) if image.is_image else None


def _next_field(layer: Layer, field: ReceptiveField | None, x: Shape, y: Shape) -> ReceptiveField | None:
    if field is None:
        return None
    window = layer.window(x)
    if window is not None:
        axes = (0, 1)
        return ReceptiveField(
            _pair(field.size[a] + (extent(window.kernel[a], window.dilation[a]) - 1) * field.step[a] for a in axes),
            _pair(field.step[a] * window.stride[a] for a in axes),
            _pair(field.start[a] - window.padding[2 * a] * field.step[a] for a in axes),
            y,
        )
    if layer.role == "flatten":
        return field
    if x == y and layer.role in ("activation", "norm", "dropout"):
        return field
    return _whole(field)


def _whole(field: ReceptiveField) -> ReceptiveField:
    """The field of a cell that reads all maps: the union of the fields of all their cells."""
    if not field.maps.is_image:
        return field
    size = _pair(field.size[a] + (field.maps[a + 1] - 1) * field.step[a] for a in (0, 1))
    return ReceptiveField(size, (0, 0), field.start, Shape((1,)))


def _pair(values: Iterable[int]) -> Pair:
    first, second = values
    return first, second
