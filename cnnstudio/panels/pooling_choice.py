"""What of a pooling is shown: the mask of its winners, its windows beside its output, the gradient flowing back, the output."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtWidgets import QWidget

from cnnstudio.panels.comparison import NARROWEST
from cnnstudio.panels.pooling import average_weights, winner_marks
from cnnstudio.panels.shown_maps import Caption, ShownMaps, shown
from cnnstudio.widgets.fields import Choice
from engine.layer import Array
from engine.layers.pool import AvgPool2D
from engine.snapshot import Snapshot
from engine.spec import Placed

MASK, WINDOWS, BACK, OUTPUT = "mask", "windows", "back", "output"


class PoolingChoice(Choice):
    """The choice; hidden while no pooling is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind: str | None = None
        self.setAccessibleName(self.tr("What to show of the pooling"))
        self.setToolTip(
            self.tr("The winner of each window, its largest number, goes on; every other number is dropped. "
                    "An average weighs all of them alike.")
        )  # fmt: skip
        self.setMinimumWidth(NARROWEST)

    @property
    def mode(self) -> str:
        """MASK, WINDOWS, BACK or OUTPUT."""
        return str(self.currentData())

    def choose(self, mode: str) -> None:
        """Choose another one."""
        self.setCurrentIndex(self.findData(mode))

    def offer(self, pool: Placed | None) -> None:
        """Offer what there is of a pooling, without telling of a change; the choice is kept from one pooling to the next."""
        self.setVisible(pool is not None)
        if pool is None or pool.node.layer.kind == self._kind:
            return
        self._kind, mode = pool.node.layer.kind, self.currentData()
        blocked = self.blockSignals(True)
        self.clear()
        for text, key in (
            (self.tr("Winner mask") if self._kind == "max_pool" else self.tr("Weights"), MASK),
            (self.tr("Windows and output"), WINDOWS),
            (self.tr("Gradient flowing back"), BACK),
            (self.tr("Output"), OUTPUT),
        ):
            self.addItem(text, key)
        self.setCurrentIndex(max(self.findData(mode), 0))
        self.blockSignals(blocked)

    def hint(self) -> str:
        """What the pictures mean, in a few words."""
        is_max = self._kind == "max_pool"
        if self.mode == OUTPUT:
            return ""
        if self.mode == BACK:
            return self.tr("δ goes back to the winners only") if is_max else self.tr("each δ is shared out over its window")
        return self.tr("only marked cells pass on") if is_max else self.tr("every cell of a window counts")


def pooling_pictures(
    snapshot: Snapshot, pool: Placed, before: str | None, mode: str, order: Array | None = None, caption: Caption | None = None
) -> tuple[ShownMaps, ShownMaps | None] | None:
    """(what layer `before` puts into a pooling, what comes out beside it), in a mode; None where the snapshot has none of it.

    `order` and `caption` are as in `shown`, for both.
    """
    picture = partial(shown, order=order, caption=caption)
    suffix = "dy" if mode == BACK else "y"
    name, made = f"{before}.{suffix}", f"{pool.node.id}.{suffix}"
    array, layer = snapshot.arrays.get(name), pool.node.layer
    winner, window = snapshot.arrays.get(f"{pool.node.id}.winner"), layer.window(pool.x)
    fits = winner.shape == tuple(pool.y) if winner is not None else layer.kind != "max_pool"
    if array is None or window is None or array.shape != tuple(pool.x) or not fits:
        return None
    marks = winner_marks(winner, window, pool.x) if winner is not None else None
    if mode != MASK:
        source = picture(name, array, marks=marks if mode == WINDOWS else None)
        return source, picture(made, snapshot[made]) if made in snapshot else None
    if isinstance(layer, AvgPool2D):
        return picture(name, np.broadcast_to(average_weights(layer, pool.x), tuple(pool.x)), "activation"), None
    assert marks is not None
    return picture(name, marks, "mask"), None
