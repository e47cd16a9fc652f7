"""Where a block lands when it is let go: on which wire, at which end of a chain, or loose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF

from cnnstudio.canvas.face import PORT_Y
from cnnstudio.canvas.wire_item import distance_to, route
from cnnstudio.document.graph import Graph, Place, Point
from cnnstudio.document.layout import BLOCK_HEIGHT, BLOCK_WIDTH, GAP_X, PITCH_X, place_behind

WIRE_REACH = 34.0

HeightOf = Callable[[str], float]


def place_at(graph: Graph, points: Sequence[QPointF], height_of: HeightOf, *, is_input: bool = False) -> Place:
    """The place where a block lands whose middle, or the pointer that holds it, is at one of the points.

    Wires come before ends, and ends before blocks. `is_input` is for an Input block, which only begins chains.
    """
    if is_input:
        return _first(_head_at(graph, point, orphans_only=True) for point in points) or Place()
    return (
        _first(_wire_at(graph, point, height_of) for point in points)
        or _first(_end_at(graph, point) for point in points)
        or _first(_head_at(graph, point, orphans_only=False) for point in points)
        or _first(_beside_block(graph, point, height_of) for point in points)
        or Place()
    )


def _first(places: Iterable[Place | None]) -> Place | None:
    return next((place for place in places if place is not None), None)


def _wire_at(graph: Graph, point: QPointF, height_of: HeightOf) -> Place | None:
    best, nearest = None, WIRE_REACH
    positions = {block.id: block.position for block in graph}
    for first, second in graph.wires:
        (ax, ay), (bx, by) = positions[first], positions[second]
        points = route(QPointF(ax + BLOCK_WIDTH, ay + PORT_Y), QPointF(bx, by + PORT_Y), ay + height_of(first), by)
        distance = distance_to(points, point)
        if distance < nearest:
            best, nearest = Place(first, second), distance
    return best


def _end_at(graph: Graph, point: QPointF) -> Place | None:
    for chain in graph.chains:
        if _slot(place_behind(chain, graph.columns)).contains(point) or _slot(
            (chain[-1].position[0] + PITCH_X, chain[-1].position[1])
        ).contains(point):
            return Place(after=chain[-1].id)
    return None


def _head_at(graph: Graph, point: QPointF, *, orphans_only: bool) -> Place | None:
    for chain in graph.chains:
        if chain[0].is_input:
            continue
        x, y = chain[0].position
        if _slot((x - PITCH_X, y)).contains(point) or (orphans_only and _slot((x, y)).contains(point)):
            return Place(before=chain[0].id)
    return None


def _beside_block(graph: Graph, point: QPointF, height_of: HeightOf) -> Place | None:
    """On a block: in front of it in its left half, behind it in its right half."""
    for block in graph:
        x, y = block.position
        if not QRectF(x, y, BLOCK_WIDTH, height_of(block.id)).contains(point):
            continue
        if point.x() < x + BLOCK_WIDTH / 2 and not block.is_input:
            return Place(graph.previous(block.id), block.id)
        return Place(block.id, graph.next(block.id))
    return None


def _slot(corner: Point) -> QRectF:
    """Where the middle of a block may be to snap into the place with this corner: there, or on the gap at either side."""
    return QRectF(corner[0] - GAP_X, corner[1] - 8, BLOCK_WIDTH + 2 * GAP_X, BLOCK_HEIGHT + 16)
