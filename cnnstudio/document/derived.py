"""What follows from a graph: shapes, the error or the state of every block, the formula, the analysis, and
names on screen.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass

from cnnstudio.document.graph import Graph
from engine.analysis import Analysis, analyse
from engine.errors import EngineError, Fix, SpecError
from engine.pattern import Departure, Formula, parse
from engine.spec import NetworkSpec, Placed


@dataclass(frozen=True)
class Derived:
    """Everything that follows from one graph; computed once.

    `errors` holds the engine's error of the block where the network breaks; `notes` says of the other blocks
    what they wait for or miss (codes "graph.waits" and "graph.loose"). Fixes carry the id of their block.
    """

    spec: NetworkSpec
    placed: dict[str, Placed]
    errors: dict[str, EngineError]
    notes: dict[str, EngineError]
    blocking: EngineError | None
    """Why the network cannot be trained, or None."""
    blocking_block: str | None
    """The block to go to when it cannot be trained, or None."""
    pattern: Formula | Departure
    analysis: Analysis
    numbers: dict[str, int]
    """The number shown behind a block's kind ("Conv 2"), in the order of the chain; absent where a kind occurs once."""

    def output_shape(self, block_id: str) -> str:
        """The shape behind a block, "28×28×6", or an empty string while it is not known."""
        placed = self.placed.get(block_id)
        return str(placed.y) if placed else ""

    def problem(self, block_id: str) -> EngineError | None:
        """What a block has to say: its error, or what it waits for or misses."""
        return self.errors.get(block_id) or self.notes.get(block_id)


def derive(graph: Graph) -> Derived:
    """Infer shapes and errors, parse the formula, analyse."""
    spec = graph.spec
    placed, error = spec.infer()
    errors: dict[str, EngineError] = {}
    notes: dict[str, EngineError] = {}
    blocking_block = None
    if error is not None and spec.nodes:
        blocking_block = spec.nodes[len(placed)].id
        error = _at_block(error, blocking_block)
        errors[blocking_block] = error
        for node in spec.nodes[len(placed) + 1 :]:
            notes[node.id] = SpecError("waits for {block}.", code="graph.waits", layer=node.id, block=blocking_block)
    for chain in graph.loose:
        for index, block in enumerate(chain):
            notes[block.id] = _loose_note(graph, block.id, chain[0].id, index, chain[0].is_input)
    if error is None and len(spec) < 2:
        error = SpecError(
            "There is nothing to train yet: blocks must follow the Input block.",
            code="graph.only_input",
            layer=spec.nodes[0].id,
        )
        blocking_block = spec.nodes[0].id
    return Derived(
        spec,
        {p.node.id: p for p in placed},
        errors,
        notes,
        error,
        blocking_block,
        parse(spec),
        analyse(placed),
        _numbers(graph),
    )


def _at_block(error: EngineError, block_id: str) -> EngineError:
    """The error with the block's id, instead of its name on screen, as the place of its fixes."""
    fixes = tuple(dataclasses.replace(fix, layer=block_id) for fix in error.fixes)
    return type(error)(
        error.template,
        code=error.code,
        layer=block_id,
        position=error.position,
        field=error.field,
        fixes=fixes,
        **error.args_by_name,
    )


def _loose_note(graph: Graph, block_id: str, head: str, index: int, second_input: bool) -> EngineError:
    if second_input:
        return SpecError(
            "not used: a network has one Input block, and there is one already.",
            code="graph.second_input",
            layer=block_id,
            fixes=(Fix("remove", "remove it", layer=block_id),) if index == 0 else (),
        )
    if index:
        return SpecError("waits for {block}.", code="graph.waits", layer=block_id, block=head)
    if not graph.main:
        return SpecError(
            "not connected: it needs an Input block in front.",
            code="graph.loose",
            layer=block_id,
            fixes=(Fix("insert", "insert Input", layer=block_id, value="input"),),
        )
    return SpecError(
        "not connected: drag it onto an arrow, or draw a wire to it.",
        code="graph.loose",
        layer=block_id,
        fixes=(Fix("connect", "put it at the end", layer=block_id),),
    )


def _numbers(graph: Graph) -> dict[str, int]:
    kinds = Counter(block.node.layer.kind for block in graph)
    seen: Counter[str] = Counter()
    numbers = {}
    for block in graph:
        kind = block.node.layer.kind
        seen[kind] += 1
        if kinds[kind] > 1:
            numbers[block.id] = seen[kind]
    return numbers
