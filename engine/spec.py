"""A network as a frozen, ordered list of named layers: edits return copies, JSON with a format version."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from engine.errors import EngineError, Fix, ShapeError, SpecError
from engine.layer import Layer, Param, Shape, layer_from_json
from engine.layers.input import Input

FORMAT = 1


@dataclass(frozen=True)
class Node:
    """One layer of a network: an id that never changes and is unique, the layer, and the name on screen."""

    id: str
    layer: Layer
    name: str = ""

    @property
    def title(self) -> str:
        """The name on screen: the one given, otherwise the id."""
        return self.name or self.id

    def to_json(self) -> dict[str, Any]:
        """{"id": …, "kind": …, options…} and "name" when one was given."""
        return {"id": self.id} | ({"name": self.name} if self.name else {}) | self.layer.to_json()

    @classmethod
    def from_json(cls, data: Any) -> Node:
        """The node that `to_json` wrote; raises SpecError or OptionError, placed at the node's id."""
        if not isinstance(data, Mapping) or not isinstance(data.get("id"), str) or not data["id"]:
            raise SpecError("A layer must be an object with an id and a kind.", code="spec.node")
        try:
            layer = layer_from_json({k: v for k, v in data.items() if k not in ("id", "name")})
        except EngineError as error:
            error.layer = data["id"]
            raise
        return cls(data["id"], layer, str(data.get("name", "")))


@dataclass(frozen=True)
class Placed:
    """A node with its place in the chain and the shapes of one sample before and after it."""

    index: int
    node: Node
    x: Shape
    y: Shape


@dataclass(frozen=True)
class NetworkSpec:
    """An ordered chain of layers that begins with Input.

    `placed()` infers all shapes and raises a ShapeError that says which layer, what, and the fix.
    """

    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, layers: Iterable[Layer]) -> NetworkSpec:
        """A spec from layers alone; ids are the kind and a running number: "conv1", "conv2", "max_pool1"."""
        nodes: list[Node] = []
        for layer in layers:
            nodes.append(Node(free_id(layer, {n.id for n in nodes}), layer))
        return cls(tuple(nodes))

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __reduce__(self) -> tuple[Callable[[bytes], NetworkSpec], tuple[bytes]]:
        """Pickled as bytes that are made once, and read once: with every frame a spec crosses to another process."""
        return _unpickled, (self._pickled,)

    @cached_property
    def _pickled(self) -> bytes:
        return pickle.dumps(self.nodes, pickle.HIGHEST_PROTOCOL)

    def __getitem__(self, node_id: str) -> Node:
        return self.nodes[self.index(node_id)]

    def index(self, node_id: str) -> int:
        """The place of the node with that id; raises SpecError when there is none."""
        for i, node in enumerate(self.nodes):
            if node.id == node_id:
                return i
        raise SpecError("There is no layer {id}; there are {ids}.", code="spec.no_such_layer", id=repr(node_id),
                        ids=", ".join(n.id for n in self.nodes))

    def placed(self) -> tuple[Placed, ...]:
        """Every node with its inferred shapes; raises SpecError or ShapeError at the first node that does not fit."""
        return self._placed

    @cached_property
    def _placed(self) -> tuple[Placed, ...]:
        # Explaining one number asks a dozen times.
        placed, error = self.infer()
        if error is not None:
            raise error
        return placed

    def infer(self) -> tuple[tuple[Placed, ...], EngineError | None]:
        """The nodes whose shapes are known, up to the first error, and that error or None."""
        placed: list[Placed] = []
        try:
            shape = self._check_form().image_shape
            for i, node in enumerate(self.nodes):
                try:
                    y = node.layer.output_shape(shape)
                except ShapeError as error:
                    raise error.at(node.title, i) from None
                placed.append(Placed(i, node, shape, y))
                shape = y
        except EngineError as error:
            return tuple(placed), error
        return tuple(placed), None

    def params(self) -> dict[str, Param]:
        """The parameters of all layers by name, as in "conv1.W", in the order of the flat vector; raises as `placed` does."""
        return {f"{p.node.id}.{name}": param for p in self.placed() for name, param in p.node.layer.params(p.x).items()}

    def state(self) -> dict[str, Param]:
        """The running figures of all layers by name, as in "batch_norm1.mean"; raises as `placed` does."""
        return {f"{p.node.id}.{name}": param for p in self.placed() for name, param in p.node.layer.state(p.x).items()}

    def _check_form(self) -> Input:
        first = self.nodes[0].layer if self.nodes else None
        if not isinstance(first, Input):
            raise SpecError("A network begins with an Input block.", code="spec.no_input",
                            fixes=(Fix("insert", "insert Input", value="input"),))
        seen: set[str] = set()
        for i, node in enumerate(self.nodes):
            if i and isinstance(node.layer, Input):
                raise SpecError("a second Input block cannot stand inside the chain.", code="spec.second_input",
                                layer=node.title, position=i, fixes=(Fix("remove", "remove it", layer=node.id),))
            if node.id in seen:
                raise SpecError("Two layers have the id {id}.", code="spec.doubled_id", id=repr(node.id))
            seen.add(node.id)
        return first

    def insert(self, index: int, node: Node) -> NetworkSpec:
        """A copy with a node inserted before place `index`."""
        return NetworkSpec((*self.nodes[:index], node, *self.nodes[index:]))

    def remove(self, node_id: str) -> NetworkSpec:
        """A copy without that node; the chain closes."""
        i = self.index(node_id)
        return NetworkSpec(self.nodes[:i] + self.nodes[i + 1:])

    def replace(self, node_id: str, layer: Layer) -> NetworkSpec:
        """A copy in which that node has another layer."""
        i = self.index(node_id)
        return NetworkSpec((*self.nodes[:i], Node(node_id, layer, self.nodes[i].name), *self.nodes[i + 1:]))

    def differs_live(self, other: NetworkSpec) -> bool:
        """Whether the other differs in nothing but options that may change between two batches, such as a dropout rate."""
        if [(n.id, type(n.layer)) for n in self.nodes] != [(n.id, type(n.layer)) for n in other.nodes]:
            return False
        return all(
            option.live or getattr(a.layer, option.name) == getattr(b.layer, option.name)
            for a, b in zip(self.nodes, other.nodes, strict=True)
            for option in a.layer.options()
        )

    def to_json(self) -> dict[str, Any]:
        """{"format": 1, "layers": [...]}."""
        return {"format": FORMAT, "layers": [n.to_json() for n in self.nodes]}

    @classmethod
    def from_json(cls, data: Any) -> NetworkSpec:
        """The spec that `to_json` wrote, as an object or as text; raises SpecError for anything else."""
        if isinstance(data, (str, bytes)):
            try:
                data = json.loads(data)
            except ValueError as error:
                raise SpecError("This is not a network in JSON: {reason}.", code="spec.json", reason=str(error)) from None
        if not isinstance(data, Mapping) or not isinstance(data.get("layers"), list):
            raise SpecError("This is not a network: an object with a list of layers is expected.", code="spec.json_form")
        if data.get("format") != FORMAT:
            raise SpecError("This network has format {found}; this program reads format {known}.", code="spec.format",
                            found=repr(data.get("format")), known=FORMAT)
        return cls(tuple(Node.from_json(item) for item in data["layers"]))


@lru_cache(maxsize=16)
def _unpickled(nodes: bytes) -> NetworkSpec:
    """The spec that was pickled: one object, which keeps its shapes, for all that have the same bytes."""
    return NetworkSpec(pickle.loads(nodes))


def free_id(layer: Layer, taken: set[str]) -> str:
    """The first id of the form kind + number that is not taken; Input is simply "input"."""
    if layer.kind == "input" and "input" not in taken:
        return "input"
    number = 1
    while f"{layer.kind}{number}" in taken:
        number += 1
    return f"{layer.kind}{number}"
