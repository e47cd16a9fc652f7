"""The undo command for weights that were edited by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from engine.layer import Array

if TYPE_CHECKING:
    from cnnstudio.studio import Studio


class WeightEdit(QUndoCommand):
    """One parameter before and after. Once a training step has run, the step vanishes: there is nothing to go back to."""

    def __init__(self, studio: Studio, name: str, before: Array, after: Array, text: str) -> None:
        super().__init__(text)
        self._studio, self._name = studio, name
        self._before, self._after = before.copy(), after.copy()
        self._age = studio.weights_age

    def redo(self) -> None:
        """Give the session the edited weights."""
        self._set(self._after)

    def undo(self) -> None:
        """Give the session the weights of before."""
        self._set(self._before)

    def _set(self, array: Array) -> None:
        if self._age != self._studio.weights_age:
            self.setObsolete(True)
            return
        self._studio.settle()  # the session may still have to be built for the network that this step belongs to
        self._studio.controller.set_weights(self._name, array)
