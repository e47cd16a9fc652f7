"""What changed between two graphs, by block id: what a canvas must create, update, move and remove."""

from __future__ import annotations

from dataclasses import dataclass

from cnnstudio.document.graph import Graph, Wire


@dataclass(frozen=True)
class Diff:
    """The ids of blocks and the wires that differ between two graphs."""

    added: frozenset[str]
    removed: frozenset[str]
    changed: frozenset[str]
    """Blocks whose layer or name is another one."""
    moved: frozenset[str]
    wires_added: frozenset[Wire]
    wires_removed: frozenset[Wire]

    @property
    def structural(self) -> bool:
        """Whether the network itself differs, not only places and names."""
        return bool(self.added or self.removed or self.wires_added or self.wires_removed)


def difference(before: Graph, after: Graph) -> Diff:
    """What must be done to turn a picture of `before` into one of `after`."""
    old, new = {b.id: b for b in before}, {b.id: b for b in after}
    kept = old.keys() & new.keys()
    old_wires, new_wires = set(before.wires), set(after.wires)
    return Diff(
        added=frozenset(new.keys() - old.keys()),
        removed=frozenset(old.keys() - new.keys()),
        changed=frozenset(i for i in kept if old[i].node is not new[i].node and old[i].node != new[i].node),
        moved=frozenset(i for i in kept if old[i].position != new[i].position),
        wires_added=frozenset(new_wires - old_wires),
        wires_removed=frozenset(old_wires - new_wires),
    )
