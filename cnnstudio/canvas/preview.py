"""How the network would stand if the hand let go: outlines of the blocks to come, and the wires that would be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnstudio.canvas.ghost_item import GhostItem
from cnnstudio.canvas.wire_item import WireItem
from cnnstudio.document.diff import difference
from cnnstudio.document.graph import Graph

if TYPE_CHECKING:
    from cnnstudio.canvas.scene import CanvasScene


class Preview:
    """Adds to a scene what a candidate graph has more, and hides the wires that it has not."""

    def __init__(self, scene: CanvasScene) -> None:
        self._scene = scene
        self.ghosts: dict[str, GhostItem] = {}
        self._wires: list[WireItem] = []

    @property
    def shown(self) -> bool:
        """Whether anything of a candidate is shown."""
        return bool(self.ghosts or self._wires)

    def show(self, candidate: Graph, shown: dict[str, tuple[str, str]]) -> None:
        """Show a candidate; `shown` gives title and role of the blocks that appear as outlines."""
        scene = self._scene
        for block_id, (title, role) in shown.items():
            ghost = GhostItem(title, role)
            ghost.setPos(*candidate[block_id].position)
            self.ghosts[block_id] = ghost
            scene.addItem(ghost)
        diff = difference(scene.document.graph, candidate)
        ends = scene.blocks | self.ghosts
        for wire in diff.wires_removed:
            scene.wires[wire].hide()
        for wire in {*diff.wires_added, *(w for w in candidate.wires if w[0] in shown or w[1] in shown)}:
            line = WireItem(wire, ends[wire[0]], ends[wire[1]])
            line.mark(selected=False, highlighted=True, hovered=False)
            self._wires.append(line)
            scene.addItem(line)
        for wire, line in scene.wires.items():
            if not wire[1] and candidate.main and candidate.main[-1].id != wire[0]:
                line.hide()

    def clear(self) -> None:
        """Show the graph as it is again."""
        if not self.shown:
            return
        for item in (*self.ghosts.values(), *self._wires):
            self._scene.removeItem(item)
        self.ghosts, self._wires = {}, []
        for line in self._scene.wires.values():
            line.show()
