"""Going back to an earlier training run: an undo step that exchanges everything for everything, so that nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from cnnstudio.document.graph import Block, Graph
from cnnstudio.document.layout import tidy
from cnnstudio.document.weights_bank import WeightsBank
from cnnstudio.project.state import RunRecord
from engine.checkpoint import Checkpoint
from engine.spec import NetworkSpec

if TYPE_CHECKING:
    from cnnstudio.studio import Studio


@dataclass(frozen=True, eq=False)
class Standing:
    """Where the work stands: the network with its settings and data, the weights, and the id of the run they come from.

    `bank` has the weights that edits before it have left, which undo brings back.
    """

    graph: Graph
    checkpoint: Checkpoint | None
    run: int
    bank: WeightsBank = field(default_factory=WeightsBank)


class Reopen(QUndoCommand):
    """One standing in place of another. What is left is kept as it is at that moment, also when training has gone on."""

    def __init__(self, studio: Studio, wanted: Standing, text: str) -> None:
        super().__init__(text)
        self._studio, self._there = studio, wanted

    def redo(self) -> None:
        """Go to the run."""
        self._there = self._studio.exchange(self._there)

    def undo(self) -> None:
        """Go back."""
        self._there = self._studio.exchange(self._there)


def graph_of(run: RunRecord, checkpoint: Checkpoint | None, now: Graph) -> Graph:
    """The graph of a run: as its checkpoint has it, or as it began; blocks stand where they stood then.

    Where it is the network that is there already, its blocks, and all loose ones, stay where they are.
    """
    spec = NetworkSpec.from_json(run.network) if checkpoint is None else checkpoint.spec
    training = run.last_settings if checkpoint is None else checkpoint.settings.to_json()
    if tuple(spec) == tuple(now.spec):
        return replace(now, training=training, data=run.data)
    graph = Graph.of(spec, title=now.title, columns=now.columns, training=training, data=run.data)
    return graph.moved({block.id: _place(block, run) for block in graph} if run.places else tidy(graph))


def _place(block: Block, run: RunRecord) -> tuple[float, float]:
    return run.places.get(block.id, block.position)
