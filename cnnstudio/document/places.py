"""Which place suits a new block, where it stands there, and whether it fits."""

from __future__ import annotations

from cnnstudio.document import layout
from cnnstudio.document.derived import Derived
from cnnstudio.document.graph import Graph, Place, Point
from engine.errors import EngineError
from engine.layer import LAYERS, Layer


def end_place(graph: Graph, kind: str) -> Place:
    """Where a kind is appended: behind the last block, but in front of an output block; Input at the head."""
    if LAYERS[kind].role == "input":
        first = next((c for c in graph.chains if not c[0].is_input), None)
        return Place() if graph.main or first is None else Place(before=first[0].id)
    if not graph.main:
        return Place()
    last = graph.main[-1]
    if last.node.layer.role == "output" and len(graph.main) > 1:
        return Place(graph.main[-2].id, last.id)
    return Place(after=last.id)


def accepts(graph: Graph, derived: Derived, layer: Layer, place: Place) -> bool:
    """Whether a block with that layer fits at a place: its input fits, and what follows still does."""
    if place.loose:
        return True
    if layer.role == "input":
        head = place.before is not None and place.after is None
        return head and not any(b.is_input for b in graph.chain_of(place.before or ""))
    if place.after is None:
        return not graph[place.before or ""].is_input
    placed = derived.placed.get(place.after)
    if placed is None:
        return place.after not in derived.errors
    try:
        y = layer.output_shape(placed.y)
        if place.before is not None and place.before in derived.placed:
            graph[place.before].node.layer.output_shape(y)
    except EngineError:
        return False
    return True


def spot(graph: Graph, place: Place, position: Point | None) -> Point:
    """Where a new block stands when the user did not say: on the wire, behind the end, or below
    everything.
    """
    if position is not None:
        return position if not place.loose else layout.free_spot(graph, position)
    if place.after is not None and place.before is None:
        return layout.place_behind(graph.chain_of(place.after), graph.columns)
    if place.after is not None:
        x, y = graph[place.after].position
        return x + layout.PITCH_X, y
    if place.before is not None:
        x, y = graph[place.before].position
        return x - layout.PITCH_X, y
    if not len(graph):
        return layout.ORIGIN
    lowest = max(block.position[1] for block in graph)
    return layout.ORIGIN[0], lowest + layout.PITCH_Y
