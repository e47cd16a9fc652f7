"""Where blocks stand: the tidy layout that wraps like text, and making room for what is put in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cnnstudio.document.graph import Block, Chain, Graph, Point

BLOCK_WIDTH, BLOCK_HEIGHT = 144.0, 124.0
GAP_X, GAP_Y = 56.0, 28.0
PITCH_X, PITCH_Y = BLOCK_WIDTH + GAP_X, BLOCK_HEIGHT + GAP_Y
NARROWEST_GAP = 40.0
ORIGIN: Point = (0.0, 0.0)


def rows_of(chain: Sequence[Block], columns: int, origin: Point) -> dict[str, Point]:
    """The places of a chain laid out from `origin` in rows of `columns` blocks, left to right like text."""
    x, y = origin
    return {block.id: (x + i % columns * PITCH_X, y + i // columns * PITCH_Y) for i, block in enumerate(chain)}


def tidy(graph: Graph, columns: int | None = None) -> dict[str, Point]:
    """The places of all blocks: the network from the origin on, every other chain in rows below."""
    columns = columns or graph.columns
    places: dict[str, Point] = {}
    x, y = ORIGIN
    for chain in (graph.main, *graph.loose):
        if chain:
            places |= rows_of(chain, columns, (x, y))
            y += -(-len(chain) // columns) * PITCH_Y
    return places


def is_tidy(chain: Chain, columns: int) -> bool:
    """Whether the blocks stand as `rows_of` would put them."""
    return bool(chain) and rows_of(chain, columns, chain[0].position) == {b.id: b.position for b in chain}


def settle(before: Graph, after: Graph, new: Iterable[str] = ()) -> Graph:
    """`after` with the blocks moved so that none covers another.

    A chain that stood tidily in `before` is made tidy again; otherwise blocks behind the `new` ones are
    pushed aside, and only as far as needed.
    """
    was_tidy = not before.main or is_tidy(before.main, before.columns)
    if after.main and was_tidy:
        origin = before.main[0].position if before.main else after.main[0].position
        after = after.moved(_changed(after, rows_of(after.main, after.columns, origin)))
    else:
        for block_id in new:
            after = after.moved(_pushed(after.chain_of(block_id), block_id))
    return after.moved(_cleared(after, set(new)))


def _changed(graph: Graph, places: dict[str, Point]) -> dict[str, Point]:
    return {block.id: places[block.id] for block in graph if places.get(block.id, block.position) != block.position}


def _pushed(chain: Chain, block_id: str) -> dict[str, Point]:
    """The places of blocks behind one block of a chain that must go right to leave it a gap."""
    places: dict[str, Point] = {}
    index = next(i for i, b in enumerate(chain) if b.id == block_id)
    x, y = chain[index].position
    for block in chain[index + 1 :]:
        bx, by = block.position
        if abs(by - y) >= BLOCK_HEIGHT or bx < x - BLOCK_WIDTH or bx >= x + BLOCK_WIDTH + NARROWEST_GAP:
            break
        x += PITCH_X
        places[block.id] = (x, by)
    return places


def _cleared(graph: Graph, new: set[str]) -> dict[str, Point]:
    """The places below the network for loose chains that it would cover, unless they were just put there."""
    taken = [block.position for block in graph.main]
    places: dict[str, Point] = {}
    for chain in graph.loose:
        if any(block.id in new for block in chain) or not any(_overlap(b.position, p) for b in chain for p in taken):
            continue
        down = max(y for _, y in taken) + PITCH_Y - min(b.position[1] for b in chain)
        moved = {b.id: (b.position[0], b.position[1] + down) for b in chain}
        while any(_overlap(p, q) for p in moved.values() for q in taken):
            moved = {key: (x, y + PITCH_Y) for key, (x, y) in moved.items()}
        places |= moved
        taken += moved.values()
    return places


def free_spot(graph: Graph, wanted: Point) -> Point:
    """The nearest place at or diagonally below `wanted` where a block hides no other."""
    x, y = wanted
    while any(abs(bx - x) < 24 and abs(by - y) < 24 for bx, by in (b.position for b in graph)):
        x, y = x + 24, y + 24
    return x, y


def place_behind(chain: Chain, columns: int) -> Point:
    """Where the next block of a chain stands: to the right of the last, or in the next row."""
    x, y = chain[-1].position
    if is_tidy(chain, columns) and len(chain) % columns == 0:
        return chain[0].position[0], y + PITCH_Y
    return x + PITCH_X, y


def _overlap(a: Point, b: Point) -> bool:
    return abs(a[0] - b[0]) < BLOCK_WIDTH and abs(a[1] - b[1]) < BLOCK_HEIGHT
