"""What is recorded of a training beside its losses: norms, histograms and diagnoses, seldom enough to cost next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from cnnstudio.session.messages import Diagnosed, Report
from engine.diagnose import diagnose
from engine.layer import Array
from engine.layer_histograms import layer_histograms
from engine.layer_norms import layer_norms
from engine.snapshot import batch_snapshot
from engine.trainer import LastUpdate, Trainer

NORMS_INTERVAL = 0.2
"""Seconds between two records of the layers' norms while training runs."""
HISTOGRAMS_INTERVAL = 1.0
"""The same for the histograms around their weights."""
LARGEST_SHARE = 0.003
"""How much of its time a running training may spend on each kind of record; what takes longer is made less often."""


class Seldom:
    """When the next record of a kind is due."""

    def __init__(self, interval: float = 0.0) -> None:
        """Not before `interval` seconds after the last one."""
        self._interval, self._at = interval, 0.0

    @property
    def due(self) -> bool:
        """Whether it is time for another one."""
        return time.monotonic() >= self._at

    def made(self, start: float) -> None:
        """One was begun at that time, and is there."""
        now = time.monotonic()
        self._at = max(start + self._interval, now + (now - start) / LARGEST_SHARE)


class Recorder:
    """Belongs to the thread that trains, and posts what it records."""

    def __init__(self, post: Callable[[Report], None]) -> None:
        self._post = post
        self._norms, self._histograms, self._diagnosis = Seldom(NORMS_INTERVAL), Seldom(HISTOGRAMS_INTERVAL), Seldom()
        self._diagnosed: LastUpdate | None = None
        """The update of the last diagnosis."""
        self._drawn: Mapping[str, Array] | None = None
        """The weights from which changes count."""
        self.owes_diagnosis = False
        """Whether a diagnosis is to be made as soon as there is nothing else to do."""

    def begin(self, trainer: Trainer, drawn_weights: Array | None = None) -> None:
        """The network is another one, or all its weights were drawn anew: changes count from `drawn_weights`, a flat vector."""
        self._diagnosis, self.owes_diagnosis = Seldom(), False
        self._drawn = None if drawn_weights is None else trainer.network.parameters.views(drawn_weights)
        self.take_histograms(trainer, after_batch=False)

    def batch_done(self, trainer: Trainer, *, stepping: bool) -> None:
        """Take norms and histograms some times a second, or at every step while the training goes step by step."""
        if stepping or self._norms.due:
            start = time.monotonic()
            norms = layer_norms(trainer)
            if norms is not None:
                self._post(norms)
            self._norms.made(start)
        if stepping or self._histograms.due:
            self.take_histograms(trainer)

    def take_histograms(self, trainer: Trainer, *, after_batch: bool = True) -> None:
        """Take the histograms of the present weights; right after a batch also of its gradient and update."""
        start = time.monotonic()
        histograms = layer_histograms(trainer, self._drawn, after_batch=after_batch)
        if histograms is not None:
            self._post(histograms)
        self._histograms.made(start)

    def epoch_done(self, trainer: Trainer) -> None:
        """Say what goes wrong, unless that was said a short time ago: an epoch may be as short as a few diagnoses."""
        if self._diagnosis.due:
            self.diagnose(trainer)

    def diagnose(self, trainer: Trainer) -> None:
        """Say what goes wrong although nothing is broken, if a batch was trained since the last time."""
        self.owes_diagnosis = False
        if trainer.last_update is None or trainer.last_update is self._diagnosed:
            return
        self._diagnosed, start = trainer.last_update, time.monotonic()
        self._post(Diagnosed(diagnose(batch_snapshot(trainer))))
        self._diagnosis.made(start)
