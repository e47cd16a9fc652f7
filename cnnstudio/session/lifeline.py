"""What another training process must be told when one has died: the network that it had, and its last checkpoint."""

from __future__ import annotations

from dataclasses import replace

from cnnstudio.project.state import cut
from cnnstudio.session.messages import Load
from engine.checkpoint import Checkpoint
from engine.history import RunHistory
from engine.settings import TrainSettings
from engine.spec import NetworkSpec


class Lifeline:
    """Follows what the session is told, and the checkpoints that it gives."""

    def __init__(self) -> None:
        self._load: Load | None = None
        self._taken = False
        """Whether the network has been taken: checkpoints before that belong to the one before."""

    def begin(self, load: Load) -> None:
        """Another network is on its way."""
        self._load, self._taken = load, False

    def loaded(self) -> None:
        """The network has been taken."""
        self._taken = True

    def change(self, settings: TrainSettings) -> None:
        """The settings are others."""
        if self._load is not None:
            self._load = replace(self._load, settings=settings)

    def change_layers(self, spec: NetworkSpec) -> None:
        """The live options of the layers are others."""
        if self._load is not None:
            self._load = replace(self._load, spec=spec)

    def reset(self, seed: int) -> None:
        """All weights are drawn anew."""
        if self._load is not None:
            settings = self._load.settings.replace(seed=seed)
            self._load = replace(self._load, settings=settings, checkpoint=None, arrays={})

    def keep(self, checkpoint: Checkpoint | None) -> None:
        """The whole state at some step; the last one counts."""
        if self._load is not None and self._taken and checkpoint is not None:
            self._load = replace(self._load, checkpoint=checkpoint)

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The last state of the present network that is known, if there is one."""
        return None if self._load is None else self._load.checkpoint

    @property
    def taken(self) -> bool:
        """Whether the network was taken; if it was not, it would hardly be the next time."""
        return self._taken

    def again(self, history: RunHistory) -> Load | None:
        """The message that brings the network back as it last was known, if there was one; `history` is cut to fit."""
        if self._load is None or self._load.checkpoint is None:
            return self._load
        saved, spec = self._load.checkpoint, self._load.spec
        if saved.spec.differs_live(spec):
            saved = replace(saved, spec=spec)
        return replace(self._load, checkpoint=saved, history=cut(history, saved))
