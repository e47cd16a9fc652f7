"""The training loop as a generator of events.

    for event in trainer.run():        # one event a batch, one an epoch
        ...

Pause means to stop asking, step means `next(run)`, stop means `run.close()`; a new `run()` goes on where the last one ended,
and `begin_run()` before it makes it a further run. With grain "gradient" the loop also stops before every update, with grain
"layer" after every layer's forward, every layer's backward and the update; a batch that is left in the middle is computed again.
Batches, masks and augmentations are pure functions of the seed and the step, so a checkpoint needs no generator state.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from engine.checkpoint import Checkpoint
from engine.datasets.augmentation import Augmentation
from engine.datasets.dataset import Dataset, Split
from engine.datasets.splits import batches
from engine.errors import DataError, EngineError, Fix, StorageError, TrainingError
from engine.events import BatchDone as BatchDone
from engine.events import EpochDone as EpochDone
from engine.events import Evaluating as Evaluating
from engine.events import Event as Event
from engine.events import Finished as Finished
from engine.events import GradientDone as GradientDone
from engine.events import LayerDone as LayerDone
from engine.layer import Array
from engine.network import Evaluation, LayerStep, Network
from engine.schedules import warm_up
from engine.settings import TrainSettings
from engine.slices import BatchResult
from engine.spec import NetworkSpec
from engine.update import Update, clip, penalise


@dataclass(frozen=True, eq=False)
class LastUpdate:
    """All that the last update was made from, so that it can be computed once more, to be looked at.

    `t` counts updates from 1; `weights` and `slots` are the flat vectors before it, which the next update overwrites.
    """

    images: Array
    labels: Array
    settings: TrainSettings
    learning_rate: float
    t: int
    weights: Array
    slots: Mapping[str, Array]


UNCHANGED = Augmentation()
"""Images as they are. Made once: options are checked whenever they are made, which would be felt at every step."""
EVALUATION_PART = 256
"""Images that are evaluated between two events: about as much work as one batch of training."""


T = TypeVar("T")


def drained(work: Generator[Any, None, T]) -> T:
    """Run a generator to its end and return its value."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            value: T = end.value
            return value


class Trainer:
    """A network, its data and its optimizer at one point of training.

    Raises DataError when the images or labels do not fit the network.
    """

    def __init__(self, spec: NetworkSpec, data: Dataset, settings: TrainSettings, *, dtype: DTypeLike = np.float32,
                 workers: int = 0) -> None:
        self.network = Network(spec, loss=settings.loss, dtype=dtype, workers=workers)
        self._coming: NetworkSpec | None = None
        self._in_batch = False
        self.data = data
        self.settings = settings
        self.step = 0
        self.epoch = 0
        self.batch = 0
        self.first_epoch = 0
        self.validation_losses: list[float] = []
        self.validation: Evaluation | None = None
        """How the validation images were answered at the end of the last epoch of this run."""
        self.changes: list[tuple[int, TrainSettings]] = []
        self._sums = (0.0, 0, 0)
        self._order_of: tuple[int, ...] = ()
        self._order: list[Array] = []
        self._check_data()
        p = self.network.parameters
        self._before: Array = np.zeros_like(p.flat)
        self._scratch: Array = np.zeros((2, p.size), p.flat.dtype)
        self._new_slots()
        self._running: dict[str, Array] = {}
        self.last_batch: tuple[Array, Array] | None = None
        self.last_update: LastUpdate | None = None
        self.reset(settings.seed)

    def reset(self, seed: int) -> None:
        """Draw new weights from `seed` and start from step 0."""
        self.settings = self.settings.replace(seed=seed)
        self.network.initialize(seed)
        for slot in self.slots.values():
            slot[...] = 0
        self.network.reset_state()
        self.network.fit_input(self.data.train.images, self.data.value_range)
        self.step = self.epoch = self.batch = self.first_epoch = 0
        self.validation_losses, self.changes, self._sums = [], [], (0.0, 0, 0)
        self.last_batch = self.last_update = None
        self._before[...] = self.network.parameters.flat

    def begin_run(self) -> None:
        """Let the next `run()` train all epochs that are set, from the present weights: schedule and patience begin anew.

        An epoch that was left in the middle stays unfinished.
        """
        if self.batch:
            self.epoch, self.batch = self.epoch + 1, 0
        self.first_epoch = self.epoch
        self.validation_losses, self._sums = [], (0.0, 0, 0)

    @property
    def run_over(self) -> str:
        """Why the present run has come to its end, "epochs" or "early stopping"; empty while it has not."""
        if self.epoch - self.first_epoch >= self.settings.epochs:
            return "epochs"
        return "early stopping" if self._waited_too_long() else ""

    @property
    def batches(self) -> int:
        """Updates in one epoch."""
        return -(-len(self.data.train) // self.settings.batch_size)

    @property
    def weights_before(self) -> dict[str, Array]:
        """The parameters as they were before the last update."""
        return self.network.parameters.views(self._before)

    @property
    def learning_rate(self) -> float:
        """The rate of the next update: the rate that was set, times schedule and warm-up."""
        s = self.settings
        epoch = self.epoch - self.first_epoch
        return s.learning_rate * s.schedule.factor(epoch + self.batch / self.batches, s.epochs, self.validation_losses) \
            * warm_up(epoch + (self.batch + 1) / self.batches, s.warm_up_epochs)

    def change(self, settings: TrainSettings) -> None:
        """Use other settings from the next batch on; logged with the step. Raises TrainingError for what cannot change now."""
        if settings.loss != self.settings.loss or settings.seed != self.settings.seed:
            raise TrainingError("The loss and the seed belong to a whole run; they cannot change in the middle of it.",
                                code="training.change", fixes=(Fix("advice", "reset the weights first"),))
        if settings.batch_size != self.settings.batch_size:
            # The place in the epoch is kept as nearly as the new size allows.
            self.batch = min(self.batch * self.settings.batch_size // settings.batch_size,
                             -(-len(self.data.train) // settings.batch_size) - 1)
        old = self.settings.optimizer
        self.settings = settings
        if settings.optimizer.slots != old.slots:
            self._new_slots()
        self.changes.append((self.step, settings))

    def change_layers(self, spec: NetworkSpec) -> None:
        """Use other live options of the layers, such as a dropout rate, from the next batch on; weights and place stay.

        Raises TrainingError when the specs differ in more.
        """
        if not self.network.spec.differs_live(spec):
            raise TrainingError("Only options such as a dropout rate can change in the middle of a run.",
                                code="training.layers")
        self._coming = spec
        if not self._in_batch:
            self._take_layers()

    def _take_layers(self) -> None:
        spec, self._coming = self._coming, None
        if spec is None:
            return
        old = self.network
        self.network = Network(spec, loss=self.settings.loss, dtype=old.dtype, workers=old.workers)
        self.network.parameters.flat[...] = old.parameters.flat
        self.network.set_state(old.state)
        self._prepare_update()
        old.close()
        # What was recorded of the last batch belongs to the options before.
        self.last_batch = self.last_update = None

    def run(self, *, until: int | None = None, grain: str = "batch") -> Generator[Event, None, None]:
        """Train up to step `until`, or to the end of the epochs that were set, yielding events."""
        while not (reason := self.run_over):
            busy, seen = 0.0, 0
            while self.batch < self.batches:
                if until is not None and self.step >= until:
                    return
                started = time.perf_counter()
                for event in self._step(grain):
                    busy += time.perf_counter() - started  # without the time for which the caller keeps the event
                    if isinstance(event, BatchDone):
                        seen += event.images
                    yield event
                    started = time.perf_counter()
            yield (yield from self._end_epoch(seen / max(busy, 1e-9)))
        yield Finished(reason, self.step)

    def evaluation(self, split: Split) -> Generator[Evaluating, None, Evaluation]:
        """Evaluate the images of a split in parts, so that a caller can look up in between; returns the whole."""
        if not len(split):
            return Evaluation(math.nan, math.nan, np.zeros(0, np.int64), np.zeros(0, np.float32))
        parts = []
        for start in range(0, len(split), EVALUATION_PART):
            part = slice(start, start + EVALUATION_PART)
            parts.append(self.network.evaluate(split.images[part], split.labels[part]))
            yield Evaluating(min(part.stop, len(split)), len(split))
        weights = [len(part.predicted) for part in parts]
        return Evaluation(float(np.average([part.loss for part in parts], weights=weights)),
                          float(np.average([part.accuracy for part in parts], weights=weights)),
                          np.concatenate([part.predicted for part in parts]),
                          np.concatenate([part.confidence for part in parts]))

    def test_evaluation(self) -> Generator[Evaluating, None, Evaluation]:
        """Evaluate the test split, which nothing else touches; raises DataError when there is none."""
        if self.data.test is None:
            raise DataError("{name} has no test split.", code="data.no_test", name=self.data.name)
        return self.evaluation(self.data.test)

    def evaluate_test(self) -> Evaluation:
        """Loss, accuracy and predictions on the test split; raises DataError when there is none."""
        return drained(self.test_evaluation())

    def _step(self, grain: str) -> Iterator[BatchDone | GradientDone | LayerDone]:
        """One update; with grain "layer" also its parts."""
        result = yield from self._gradient(grain)
        rate = self.learning_rate
        penalty = penalise(self.network.parameters, self.settings, self._scratch[0])
        self._update(rate)
        self.step += 1
        self.batch += 1
        loss = result.loss + penalty
        self._sums = (self._sums[0] + loss * result.n, self._sums[1] + result.correct, self._sums[2] + result.n)
        if grain == "layer":
            yield LayerDone(self.step, "update", "")
        yield BatchDone(self.step, self.epoch, self.batch, self.batches, loss, result.correct / result.n, rate, result.n)

    def _gradient(self, grain: str) -> Generator[GradientDone | LayerDone, None, BatchResult]:
        """The gradient of the next batch. Left in the middle or failed, it leaves the running state as it was."""
        self._take_layers()
        images, labels = self._load_batch()
        key = (self.settings.seed, self.step)
        self._in_batch = True
        self._running = self.network.running_state()
        result: BatchResult | None = None
        finished = False
        try:
            if grain != "layer":
                result = self.network.gradient(images, labels, key=key)
            else:
                for part in self.network.gradient_by_layer(images, labels, key=key):
                    if isinstance(part, LayerStep):
                        yield LayerDone(self.step + 1, part.phase, part.layer)
                    else:
                        result = part
            assert result is not None
            if grain == "gradient":
                yield GradientDone(self.step + 1)
            finished = True
        finally:
            if not finished:
                self.network.set_state(self._running)
            self._running, self._in_batch = {}, False
        self.last_batch = (images, labels)
        return result

    def _load_batch(self) -> tuple[Array, Array]:
        train, s = self.data.train, self.settings
        place = (len(train), s.batch_size, s.seed, self.epoch)
        if place != self._order_of:
            self._order_of, self._order = place, list(batches(*place))
        chosen = self._order[self.batch]
        images = train.images[chosen]
        if s.augmentation != UNCHANGED:
            plain, images = images.astype(np.float32), np.empty(images.shape, np.float32)
            s.augmentation.augment(plain, np.random.default_rng((s.seed, self.step, 1)), images)
        return images, train.labels[chosen]

    @np.errstate(all="ignore")  # overflow is found below and named
    def _update(self, rate: float) -> None:
        s, p = self.settings, self.network.parameters
        if s.clip_norm:
            clip(p.gradient, s.clip_norm)
        self.last_update = None
        if not self._updating.step(s.optimizer, rate, self.step + 1):
            broken = next(name for name, w in p.named.items() if not np.isfinite(w).all())
            p.flat[...] = self._before
            for name, slot in self.slots.items():
                slot[...] = self._slots_before[name]
            raise self._diverged(broken)
        assert self.last_batch is not None
        self.last_update = LastUpdate(*self.last_batch, s, rate, self.step + 1, self._before, self._slots_before)

    def _diverged(self, name: str) -> EngineError:
        layer = name.rsplit(".", 1)[0]
        return TrainingError("the update makes {name} infinite or NaN.", code="training.not_finite", name=name,
                             fixes=(Fix("advice", "lower the learning rate and go on from the last finite weights"),),
                             layer=self.network.spec[layer].title, position=self.network.spec.index(layer))

    def _end_epoch(self, images_per_second: float) -> Generator[Evaluating, None, EpochDone]:
        validation = self.validation = yield from self.evaluation(self.data.validation)
        rate = self.learning_rate
        loss, correct, n = self._sums
        self.epoch, self.batch, self._sums = self.epoch + 1, 0, (0.0, 0, 0)
        self.validation_losses.append(validation.loss)
        return EpochDone(self.epoch, self.step, loss / n, correct / n, validation.loss, validation.accuracy,
                         images_per_second, rate)

    def _waited_too_long(self) -> bool:
        patience, losses = self.settings.patience, self.validation_losses
        return bool(patience) and len(losses) > patience and min(losses[-patience:]) >= min(losses[:-patience])

    def _new_slots(self) -> None:
        p = self.network.parameters
        self.slots: dict[str, Array] = {name: np.zeros_like(p.flat) for name in self.settings.optimizer.slots}
        self._keep_slots()

    def _keep_slots(self) -> None:
        """Make room for the slots before an update, and prepare updates of these slots."""
        self._slots_before = {name: slot.copy() for name, slot in self.slots.items()}
        self._prepare_update()

    def _prepare_update(self) -> None:
        self._updating = Update(self.network.parameters, self.slots, self._scratch, before=self._before,
                                slots_before=self._slots_before)

    def _check_data(self) -> None:
        """The images must have the network's input shape, and every class needs an output."""
        shape, data = self.network.placed[0].x, self.data
        if tuple(shape) != tuple(data.shape):
            c, h, w = data.shape
            raise DataError("the Input block takes {wanted}, but the images of {name} are {found}.", code="data.shape",
                            layer=self.network.spec.nodes[0].title, position=0, wanted=str(shape), name=data.name,
                            found=f"{h}×{w}×{c}",
                            fixes=(Fix("set", "set the Input block to {found}", {"found": f"{h}×{w}×{c}"},
                                       layer=self.network.spec.nodes[0].id, field="shape", value=(c, h, w)),))
        outputs, classes = self.network.outputs, len(data.classes)
        if outputs < classes and not (outputs == 1 and classes == 2):
            last = next((p.node for p in reversed(self.network.placed) if "units" in p.node.layer.to_json()), None)
            raise DataError("{name} has {classes} classes, but the network has {outputs} outputs.", code="data.classes",
                            name=data.name, classes=classes, outputs=outputs,
                            fixes=() if last is None else (
                                Fix("set", "set the last FC block to {classes} units", {"classes": classes},
                                    layer=last.id, field="units", value=classes),))

    def checkpoint(self) -> Checkpoint:
        """Everything that exact resumption needs, as copies; in the middle of a batch, as it was before the batch."""
        net = self.network
        return Checkpoint(net.spec, self.settings, net.parameters.flat.copy(),
                          {k: v.copy() for k, v in (net.state | self._running).items()},
                          {k: v.copy() for k, v in self.slots.items()}, self.step, self.epoch, self.batch, self._sums,
                          tuple(self.validation_losses), self.first_epoch)

    def restore(self, saved: Checkpoint) -> None:
        """Go back to a checkpoint of the same network; raises StorageError when it belongs to another one."""
        if saved.spec != self.network.spec or saved.parameters.shape != self.network.parameters.flat.shape:
            raise StorageError("This checkpoint belongs to another network.", code="checkpoint.other_network")
        self.settings = saved.settings
        self.network.parameters.flat[...] = saved.parameters
        self._before[...] = saved.parameters
        self.network.set_state(saved.state)
        self.slots = {k: v.copy() for k, v in saved.slots.items()}
        self._keep_slots()
        self.last_batch = self.last_update = None
        self.step, self.epoch, self.batch, self._sums = saved.step, saved.epoch, saved.batch, saved.sums
        self.validation_losses, self.first_epoch = list(saved.validation_losses), saved.first_epoch
