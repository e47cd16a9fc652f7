"""The network being edited as an immutable value: chains of blocks; every edit returns a copy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from engine.errors import EngineError, Fix, SpecError
from engine.spec import NetworkSpec, Node

FORMAT = 1
COLUMNS = 5

Point = tuple[float, float]
Wire = tuple[str, str]
"""The ids of the two blocks that a drawn wire joins: (from, to)."""


@dataclass(frozen=True)
class Block:
    """A layer of the network with its place on the canvas (top left corner, in scene pixels)."""

    node: Node
    position: Point = (0.0, 0.0)

    @property
    def id(self) -> str:
        """The id of the node; it never changes."""
        return self.node.id

    @property
    def is_input(self) -> bool:
        """Whether this block can begin a network."""
        return self.node.layer.role == "input"

    def at(self, position: Point) -> Block:
        """The same block at another place."""
        return dataclasses.replace(self, position=position)


Chain = tuple[Block, ...]


@dataclass(frozen=True)
class Place:
    """Where blocks may be put: between two blocks, behind the last one (`after`), in front of the first
    (`before`), or loose.
    """

    after: str | None = None
    before: str | None = None

    @property
    def loose(self) -> bool:
        """Whether blocks put here join no chain."""
        return self.after is None and self.before is None


@dataclass(frozen=True)
class Graph:
    """Chains of blocks, the training settings, and the choice of the data set.

    The first chain that begins with Input is the network. Wires are drawn between neighbours of a chain and
    never stored, so that branches and cycles cannot be expressed. `training` and `data` hold JSON values that
    the session understands.
    """

    chains: tuple[Chain, ...] = ()
    title: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    columns: int = COLUMNS

    @classmethod
    def of(cls, spec: NetworkSpec, **settings: Any) -> Graph:
        """A graph of one chain; the blocks still stand on one spot."""
        return cls((tuple(Block(node) for node in spec),) if len(spec) else (), **settings)

    # --- looking ---

    def __iter__(self) -> Iterator[Block]:
        """All blocks, the network's first."""
        main = self.main
        yield from main
        for chain in self.chains:
            if chain is not main:
                yield from chain

    def __len__(self) -> int:
        return sum(len(chain) for chain in self.chains)

    def __contains__(self, block_id: object) -> bool:
        return block_id in self._places

    def __getitem__(self, block_id: str) -> Block:
        chain, index = self.locate(block_id)
        return self.chains[chain][index]

    @cached_property
    def main(self) -> Chain:
        """The chain that is the network, or an empty one."""
        return next((chain for chain in self.chains if chain[0].is_input), ())

    @property
    def loose(self) -> tuple[Chain, ...]:
        """The other chains."""
        main = self.main
        return tuple(chain for chain in self.chains if chain is not main)

    @property
    def spec(self) -> NetworkSpec:
        """The network; without any layer when there is no Input block."""
        return NetworkSpec(tuple(block.node for block in self.main))

    @cached_property
    def wires(self) -> tuple[Wire, ...]:
        """All pairs of neighbours."""
        return tuple((a.id, b.id) for chain in self.chains for a, b in pairwise(chain))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of all blocks, the network's first."""
        return tuple(block.id for block in self)

    def locate(self, block_id: str) -> tuple[int, int]:
        """(chain, place in the chain) of a block; raises SpecError when there is none."""
        if block_id not in self._places:
            raise SpecError("There is no block {id}.", code="graph.no_such_block", id=repr(block_id))
        return self._places[block_id]

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        return {block.id: (c, i) for c, chain in enumerate(self.chains) for i, block in enumerate(chain)}

    def chain_of(self, block_id: str) -> Chain:
        """The chain in which a block stands."""
        return self.chains[self.locate(block_id)[0]]

    def next(self, block_id: str) -> str | None:
        """The id of the block behind, or None at the end of the chain."""
        c, i = self.locate(block_id)
        return self.chains[c][i + 1].id if i + 1 < len(self.chains[c]) else None

    def previous(self, block_id: str) -> str | None:
        """The id of the block in front, or None at the beginning of the chain."""
        c, i = self.locate(block_id)
        return self.chains[c][i - 1].id if i else None

    # --- editing ---

    def put(self, run: Iterable[Block], place: Place) -> Graph:
        """A copy with a row of new blocks put in at a place; raises SpecError when Input would stand inside a
        chain.
        """
        new = tuple(run)
        if place.loose:
            return self._with_chains((*self.chains, new))
        anchor = place.after if place.after is not None else place.before
        assert anchor is not None
        c, i = self.locate(anchor)
        at = i + 1 if place.after is not None else i
        chain = self.chains[c]
        return self._with_chains((*self.chains[:c], chain[:at] + new + chain[at:], *self.chains[c + 1 :]))

    def without(self, ids: Iterable[str]) -> Graph:
        """A copy without some blocks; every chain closes over the gap."""
        gone = set(ids)
        for block_id in gone:
            self.locate(block_id)
        return self._with_chains(tuple(b for b in chain if b.id not in gone) for chain in self.chains)

    def cut(self, wire: Wire) -> Graph:
        """A copy in which the chain is cut between two neighbours; the part behind becomes loose."""
        c, i = self.locate(wire[0])
        chain = self.chains[c]
        if self.next(wire[0]) != wire[1]:
            raise SpecError(
                "There is no wire from {first} to {second}.",
                code="graph.no_such_wire",
                first=wire[0],
                second=wire[1],
            )
        return self._with_chains((*self.chains[:c], chain[: i + 1], chain[i + 1 :], *self.chains[c + 1 :]))

    def join(self, first: str, second: str) -> Graph:
        """A copy in which a wire leads from one block to another; wires that stood in its way are cut.

        Raises SpecError when nothing may stand in front of the second block, or when the wire would close a
        circle.
        """
        (c, i), (d, j) = self.locate(first), self.locate(second)
        if (c, i + 1) == (d, j):
            return self
        if self[second].is_input:
            raise SpecError("nothing can stand in front of an Input block.", code="graph.before_input", layer=second)
        if c == d and j <= i:
            raise SpecError(
                "a wire cannot lead back: the network is a chain, without circles.",
                code="graph.circle",
                layer=second,
            )
        head, tail = self.chains[c], self.chains[d]
        if c == d:
            rest: list[Chain] = [head[i + 1 : j]]
        else:
            rest = [head[i + 1 :], tail[:j]]
        others = [chain for k, chain in enumerate(self.chains) if k not in (c, d)]
        return self._with_chains([head[: i + 1] + tail[j:], *others, *rest])

    def with_node(self, node: Node) -> Graph:
        """A copy in which the block of that id has another layer or name."""
        c, i = self.locate(node.id)
        chain = self.chains[c]
        block = Block(node, chain[i].position)
        return self._with_chains((*self.chains[:c], (*chain[:i], block, *chain[i + 1 :]), *self.chains[c + 1 :]))

    def moved(self, positions: Mapping[str, Point]) -> Graph:
        """A copy with some blocks at other places."""
        if not positions:
            return self
        return self._with_chains(tuple(b.at(positions[b.id]) if b.id in positions else b for b in chain) for chain in self.chains)

    def _with_chains(self, chains: Iterable[Sequence[Block]]) -> Graph:
        kept = tuple(tuple(chain) for chain in chains if chain)
        for chain in kept:
            for block in chain[1:]:
                if block.is_input:
                    raise SpecError(
                        "an Input block can only begin a network, not stand inside it.",
                        code="graph.input_inside",
                        layer=block.id,
                    )
        return dataclasses.replace(self, chains=kept)

    # --- saving ---

    def to_json(self) -> dict[str, Any]:
        """{"format": 1, "title", "columns", "chains": [[{…, "position": [x, y]}]], "training", "data"}."""
        return {
            "format": FORMAT,
            "title": self.title,
            "columns": self.columns,
            "chains": [blocks_to_json(chain) for chain in self.chains],
            "training": dict(self.training),
            "data": self.data,
        }

    @classmethod
    def from_json(cls, data: Any) -> Graph:
        """The graph that `to_json` wrote; raises SpecError or OptionError for anything else."""
        if not isinstance(data, Mapping) or not isinstance(data.get("chains"), list):
            raise _broken("an object with chains of blocks is expected")
        if data.get("format") != FORMAT:
            raise SpecError(
                "This network has format {found}; this program reads format {known}.",
                code="spec.format",
                found=repr(data.get("format")),
                known=FORMAT,
            )
        training, columns = data.get("training", {}), data.get("columns", COLUMNS)
        if not isinstance(training, Mapping) or not isinstance(columns, int) or not 1 <= columns <= 1000:
            raise _broken("training must be an object and columns a number from 1 to 1000")
        graph = cls(title=str(data.get("title", "")), training=dict(training), data=data.get("data"), columns=columns)
        graph = graph._with_chains(blocks_from_json(chain) for chain in data["chains"])
        ids = graph.ids
        if len(set(ids)) != len(ids):
            raise _broken("two blocks have the same id")
        return graph


def blocks_to_json(run: Iterable[Block]) -> list[dict[str, Any]]:
    """A row of blocks as JSON, for files and the clipboard."""
    return [block.node.to_json() | {"position": list(block.position)} for block in run]


def blocks_from_json(data: Any) -> tuple[Block, ...]:
    """The row of blocks that `blocks_to_json` wrote; raises SpecError or OptionError for anything else."""
    if not isinstance(data, list):
        raise _broken("a chain must be a list of blocks")
    return tuple(_block_from_json(item) for item in data)


def _block_from_json(data: Any) -> Block:
    if not isinstance(data, Mapping):
        raise _broken("a block must be an object")
    position = data.get("position", [0, 0])
    if not isinstance(position, list) or len(position) != 2 or not all(map(_is_coordinate, position)):
        raise _broken("a position must be two finite numbers")
    node = Node.from_json({key: value for key, value in data.items() if key != "position"})
    return Block(node, (float(position[0]), float(position[1])))


def _is_coordinate(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _broken(reason: str) -> EngineError:
    return SpecError(
        "This is not a saved network: {reason}.",
        code="graph.json",
        reason=reason,
        fixes=(Fix("advice", "open another file"),),
    )
