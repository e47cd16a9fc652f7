"""Blocks on their way through the clipboard: rows of JSON out, copies with new ids in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from cnnstudio.document import layout
from cnnstudio.document.graph import Block, Chain, Graph, Point, blocks_from_json, blocks_to_json
from engine.errors import SpecError
from engine.spec import free_id

SHIFT = 32.0
"""How far beside the original a copy lands."""


def rows_of(graph: Graph, ids: Iterable[str]) -> list[list[dict[str, Any]]]:
    """Blocks as JSON: those that are neighbours in a chain form a row."""
    chosen = set(ids)
    runs: list[list[Block]] = []
    for chain in graph.chains:
        joined = False
        for block in chain:
            if block.id in chosen:
                runs[-1].append(block) if joined else runs.append([block])
            joined = block.id in chosen
    return [blocks_to_json(run) for run in runs]


def copies_of(rows: Any, graph: Graph, used_ids: Iterable[str], corner: Point | None) -> list[Chain]:
    """The blocks of such rows with ids that were never used, their top left at a corner or beside the original.

    Raises SpecError or OptionError when the rows hold no blocks.
    """
    if not isinstance(rows, list) or not rows:
        raise SpecError("The clipboard holds no blocks.", code="graph.clipboard")
    runs = [blocks_from_json(row) for row in rows]
    blocks = [block for run in runs for block in run]
    if not blocks:
        raise SpecError("The clipboard holds no blocks.", code="graph.clipboard")
    left, top = min(b.position[0] for b in blocks), min(b.position[1] for b in blocks)
    x, y = layout.free_spot(graph, corner or (left + SHIFT, top + SHIFT))
    taken = set(used_ids)
    copies = []
    for run in runs:
        copy = []
        for block in run:
            node = dataclasses.replace(block.node, id=free_id(block.node.layer, taken))
            taken.add(node.id)
            copy.append(Block(node, (block.position[0] - left + x, block.position[1] - top + y)))
        copies.append(tuple(copy))
    return copies
