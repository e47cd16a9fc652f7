"""A compiled network: allocates all arrays once and runs batches forward and backward.

A batch is cut into slices (slices.py), which threads or worker processes (workers.py) take through lanes: rows of arrays with the
calls that compute on them, either the layers' plain mathematics (lane.py) or a faster plan (plans/). A batch whose images depend
on each other (BatchNorm) is not cut.
"""

from __future__ import annotations

import contextlib
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from engine.blas import limit_to_one_thread
from engine.errors import EngineError, Fix, ShapeError, TrainingError
from engine.initializers import initialize
from engine.lane import Call, Lane, Parts, PlainLane
from engine.layer import Array, Param
from engine.layers.input import Input
from engine.losses import CrossEntropy, Loss, targets_of
from engine.memory import Parameters, named_views, of_layer
from engine.metrics import confidences, predicted_classes
from engine.plans import innermost, single
from engine.slices import (
    BatchResult,
    ForwardJob,
    Outputs,
    SliceJob,
    SliceResult,
    Total,
    cores_for,
    cut,
    cut_forward,
    in_threads,
    largest_slice,
    shares_out,
    side_by_side,
)
from engine.spec import NetworkSpec
from engine.workers import Crew, Plan


@dataclass(frozen=True)
class Evaluation:
    """The mean loss, the accuracy, and of every image the predicted class with the output that stands for it.

    Behind a softmax that output is the probability; a single sigmoid gives max(y, 1 − y).
    """

    loss: float
    accuracy: float
    predicted: Array
    confidence: Array


@dataclass(frozen=True)
class LayerStep:
    """One layer's part of a training step: phase "forward" or "backward"."""

    phase: str
    layer: str


class Network:
    """A network with its weights, ready to run. Raises SpecError or ShapeError when the layers do not fit.

    With `fast` False every layer runs as its plain mathematics, also where a plan of engine/plans would be faster. `workers` is
    the number of processes that compute slices of large batches beside this one, 0 for threads of this process; the result is the
    same. A worker itself is given the memory of its parameters, its state and the gradient of a slice.
    """

    def __init__(self, spec: NetworkSpec, *, loss: Loss | None = None, dtype: DTypeLike = np.float32, fast: bool = True,
                 workers: int = 0, memory: tuple[Array, Array, Array] | None = None) -> None:
        limit_to_one_thread()
        self.spec = spec
        self.loss = loss or CrossEntropy()
        self.dtype = np.dtype(dtype)
        self.placed = spec.placed()
        self._macs = sum(p.node.layer.macs(p.x) for p in self.placed)
        self.outputs = _output_units(spec)
        self.workers = workers
        self._crew = Crew(workers, self._plan_for_workers())
        parameters, state, gradient = memory or (*self._crew.common, None)
        self.parameters = Parameters(spec.params(), self.dtype, parameters)
        self._starting_state = spec.state()
        flat_state = np.zeros(_numbers(self._starting_state), self.dtype) if state is None else state
        self.state = named_views(flat_state, self._starting_state)
        if memory is None:
            self.reset_state()
        self._ids = [p.node.id for p in self.placed]
        self._layers = [p.node.layer for p in self.placed]
        self._head = self._layers[-1].kind
        has_parameters = [bool(p.node.layer.params(p.x)) for p in self.placed]
        self._parts = Parts(
            self.placed, self.parameters, [of_layer(self.state, i) for i in self._ids], self.loss,
            first=has_parameters.index(True) if any(has_parameters) else len(self._ids),
            last=len(self._layers) - (2 if self._head in self.loss.fused_with else 1), gradient=gradient)
        self._couples = any(layer.couples_batch for layer in self._layers)
        self._random = any(layer.random for layer in self._layers)
        self._innermost = fast and innermost.serves(self.placed)
        self._single = fast and single.serves(self.placed)
        self._cuts: dict[int, list[slice]] = {}
        self._forward_cuts: dict[int, list[slice]] = {}
        self._lanes: dict[tuple[int, int, bool], Lane] = {}
        self._probe: PlainLane | None = None

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image on its way forward."""
        return self._macs

    def initialize(self, seed: int) -> None:
        """Draw all weights anew. A parameter's draw depends on the seed and its own name only, so that adding a block leaves the
        others' start as it was."""
        for name, param in self.parameters.wanted.items():
            rng = np.random.default_rng(np.random.SeedSequence((seed, zlib.crc32(name.encode()))))
            self.parameters.named[name][...] = initialize(param, rng)

    def reset_state(self) -> None:
        """Give the arrays that are not trained, such as running means, their starting values."""
        for name, state in self._starting_state.items():
            self.state[name][...] = initialize(state, np.random.default_rng(0))

    def running_state(self) -> dict[str, Array]:
        """Copies of the arrays that training changes beside the parameters; what Input was fitted to is not among them."""
        fitted = self._ids[0] + "."
        return {name: value.copy() for name, value in self.state.items() if not name.startswith(fitted)}

    def set_state(self, values: Mapping[str, Array]) -> None:
        """Write arrays of the state by name."""
        for name, value in values.items():
            self.state[name][...] = value

    def fit_input(self, images: Array, value_range: tuple[float, float]) -> None:
        """Fit the Input layer's mean, range or principal axes to the training images (N, C, H, W)."""
        layer = self._layers[0]
        assert isinstance(layer, Input)
        for name, value in layer.fit(images, value_range).items():
            self.state[f"{self._ids[0]}.{name}"][...] = value

    def slices(self, batch: int) -> list[slice]:
        """How a batch is cut: a function of the batch size and the layers only."""
        if batch not in self._cuts:
            self._cuts[batch] = cut(batch, self._macs, whole=self._couples)
        return self._cuts[batch]

    def gradient(self, images: Array, labels: Array, *, key: Sequence[int] = ()) -> BatchResult:
        """Forward and backward over a batch; leaves the mean gradient in `parameters.gradient`.

        `key` seeds the random layers: seed and step. Raises TrainingError naming the layer when a number is not finite.
        """
        n = len(images)
        if len(self.slices(n)) == 1:  # where a step takes a tenth of a millisecond, what follows would be felt
            job = SliceJob(images, labels, n, (*key, 0))
            result = self.slice_gradient(job)
            if not result.finite:
                raise self._not_finite(job)
            np.copyto(self.parameters.gradient, result.gradient)
            return BatchResult(result.loss / n, result.correct, n)
        jobs, total = self._jobs(images, labels, key), Total(self.parameters.gradient, n)

        def work(k: int, lane: int) -> SliceResult:
            return self.slice_gradient(jobs[k], lane)

        results = self._crew.gradients(jobs, lambda k: work(k, 0)) if self.workers_ready() else \
            in_threads(work, len(jobs), n * self._macs)
        with contextlib.closing(results):  # at once: the error below may keep this frame for long
            for job, result in zip(jobs, results, strict=True):
                if not result.finite:
                    raise self._not_finite(job)
                total.add(result)
        return total.result()

    def slice_gradient(self, job: SliceJob, lane: int = 0) -> SliceResult:
        """Forward and backward over one slice of a batch, in lane number `lane`."""
        begun = self._begin(job.images, lane, training=True, key=job.key)
        return begun.settings.run(self._both_ways, begun, job)

    def slice_outputs(self, job: ForwardJob, lane: int = 0) -> Outputs:
        """Forward over one slice in evaluation mode, in lane number `lane`, whose arrays the outputs are."""
        begun = self._begin(job.images, lane, training=False)
        begun.settings.run(self._make_calls, begun.forward)
        return Outputs(begun.logits, begun.output)

    def workers_ready(self) -> bool:
        """Whether worker processes are wanted and have started; the first call starts them."""
        return self._crew.ready()

    def close(self) -> None:
        """End the worker processes, if there are any; the next batch that wants them starts new ones."""
        self._crew.close()

    def gradient_by_layer(self, images: Array, labels: Array, *, key: Sequence[int] = (),
                          ) -> Iterator[LayerStep | BatchResult]:
        """The same as `gradient`, stopping after every layer's forward and every layer's backward; the result comes last."""
        jobs, total = self._jobs(images, labels, key), Total(self.parameters.gradient, len(images))
        lanes = [self._begin(job.images, k, training=True, key=job.key) for k, job in enumerate(jobs)]
        for steps in zip(*(lane.forward for lane in lanes), strict=True):
            self._make_each(lanes, steps)
            yield LayerStep("forward", self._ids[steps[0][0]])
        measured = [lane.settings.run(lane.measure, job.labels, job.batch) for lane, job in zip(lanes, jobs, strict=True)]
        for steps in zip(*(lane.backward for lane in lanes), strict=True):
            self._make_each(lanes, steps)
            yield LayerStep("backward", self._ids[steps[0][0]])
        for lane, job, (loss, correct) in zip(lanes, jobs, measured, strict=True):
            result = lane.settings.run(_result, lane, loss, correct)
            if not result.finite:
                raise self._not_finite(job)
            total.add(result)
        yield total.result()

    def record(self, images: Array, labels: Array, *, key: Sequence[int] = ()) -> tuple[list[PlainLane], BatchResult]:
        """The same as `gradient`, slice by slice in plain lanes that keep every output, buffer and delta.

        Where `gradient` runs through a faster plan, the two agree up to rounding.
        """
        lanes, total = [], Total(self.parameters.gradient, len(images))
        for job in self._jobs(images, labels, key):
            lane = PlainLane(self._parts, len(job.images), record=True)
            total.add(self._in_plain(lane, job))
            lanes.append(lane)
        return lanes, total.result()

    def predict(self, images: Array) -> Array:
        """The outputs (N, outputs) for raw images (N, C, H, W), in evaluation mode."""
        return self._outputs(images).output.copy()

    def evaluate(self, images: Array, labels: Array) -> Evaluation:
        """Mean loss, accuracy and predicted classes in evaluation mode."""
        targets = targets_of(labels, self.outputs, self.dtype)
        logits, output = self._outputs(images)
        losses = self.loss.values(self._head, logits, output, targets)
        predicted = predicted_classes(output)
        truth = np.asarray(labels) if labels.ndim == 1 else predicted_classes(labels)
        return Evaluation(float(losses.mean(dtype=np.float64)), float(np.mean(predicted == truth)), predicted,
                          confidences(output))

    def forward_sample(self, image: Array, layers: int | None = None) -> PlainLane:
        """Run one raw image (C, H, W) in evaluation mode through a lane of its own, which keeps every output and buffer.

        It goes through so many layers, or through all.
        """
        if self._probe is None:
            self._probe = PlainLane(self._parts, 1, record=True)
        self._probe.begin(image[None], training=False)
        self._probe.settings.run(self._make_calls, self._probe.forward[:layers])
        return self._probe

    def backward_sample(self, label: Array, *, gradients: bool = True) -> tuple[float, dict[str, Array]]:
        """After `forward_sample`: the image's loss, and the gradients by name for that image alone, none where not wanted.

        `label` has shape (1,) or (1, outputs). Every delta down to the image's own is left in the lane.
        """
        assert self._probe is not None
        loss, _ = self._probe.settings.run(self._probe.measure, label, 1)
        self._probe.settings.run(self._make_calls, self._probe.backward if gradients else self._probe.backward_deltas)
        return loss, self.parameters.views(self._probe.gradient) if gradients else {}

    def _make_each(self, lanes: Iterable[Lane], steps: Iterable[tuple[int, list[Call]]]) -> None:
        """One step of each lane."""
        for lane, step in zip(lanes, steps, strict=True):
            lane.settings.run(self._make_calls, [step])

    def _both_ways(self, lane: Lane, job: SliceJob) -> SliceResult:
        """Forward, loss and backward."""
        self._make_calls(lane.forward)
        loss, correct = lane.measure(job.labels, job.batch)
        self._make_calls(lane.backward)
        return _result(lane, loss, correct)

    def _make_calls(self, steps: Iterable[tuple[int, Iterable[Call]]]) -> None:
        i = 0
        try:
            for i, calls in steps:  # noqa: B007  the index says where an error lies
                for call in calls:
                    call()
        except EngineError as error:
            raise error.at(self.spec.nodes[i].title, i) from None

    def _random_numbers(self, key: Sequence[int]) -> np.random.Generator | None:
        """What the random layers draw from, if there are any."""
        return np.random.default_rng(key) if self._random else None

    def _begin(self, images: Array, k: int, *, training: bool, key: Sequence[int] = ()) -> Lane:
        """Lane number `k` for that many images, with the images taken in."""
        place = (len(images), k, training)
        if place not in self._lanes:
            self._lanes[place] = self._make_lane(len(images), training=training)
        lane = self._lanes[place]
        lane.begin(images, training=training, rng=self._random_numbers(key) if training else None)
        return lane

    def _make_lane(self, n: int, *, training: bool) -> Lane:
        """The fastest lane for that many images."""
        if self._single and n == 1 and not training:
            return single.SingleLane(self._parts)
        return innermost.InnermostLane(self._parts, n, training=training) if self._innermost else PlainLane(self._parts, n)

    def _jobs(self, images: Array, labels: Array, key: Sequence[int]) -> list[SliceJob]:
        """The slices of a batch."""
        n = len(images)
        return [SliceJob(images[part], labels[part], n, (*key, k)) for k, part in enumerate(self.slices(n))]

    def _in_plain(self, lane: PlainLane, job: SliceJob) -> SliceResult:
        """A slice through a lane of its own."""
        lane.begin(job.images, training=True, rng=self._random_numbers(job.key))
        return lane.settings.run(self._both_ways, lane, job)

    def _not_finite(self, job: SliceJob) -> TrainingError:
        """The error that names the first layer whose output, or the last whose gradient, is not finite.

        The slice is computed once more layer by layer, so that the place can be found.
        """
        lane = PlainLane(self._parts, len(job.images))
        self._in_plain(lane, job)
        index, what = lane.first_broken() or (len(self._ids) - 1, "loss")
        return _not_finite(self.spec.nodes[index].title, index, what)

    def _plan_for_workers(self) -> Plan:
        """What worker processes must know of this network."""
        most = largest_slice(self._macs)
        widest = most * np.dtype(np.float64).itemsize
        return Plan(self.spec, self.loss, self.dtype, _numbers(self.spec.params()), _numbers(self.spec.state()),
                    outputs=2 * most * self.outputs, images=self.placed[0].x.size * widest, labels=self.outputs * widest)

    def _outputs(self, images: Array) -> Outputs:
        """Logits and outputs in evaluation mode, which last until the next images come."""
        n = len(images)
        if n not in self._forward_cuts:
            self._forward_cuts[n] = cut_forward(n, self._macs)
        parts = self._forward_cuts[n]
        if len(parts) == 1:
            return self.slice_outputs(ForwardJob(images))
        jobs = [ForwardJob(images[part]) for part in parts]
        whole = Outputs(*np.empty((2, n, self.outputs), self.dtype))

        def keep(k: int, of_slice: Outputs) -> None:
            np.copyto(whole.logits[parts[k]], of_slice.logits)
            np.copyto(whole.output[parts[k]], of_slice.output)

        if shares_out(n, self._macs) and self.workers_ready():
            for k, of_slice in self._crew.outputs(jobs, lambda k: self.slice_outputs(jobs[k])):
                keep(k, of_slice)
            return whole
        lanes = cores_for(len(jobs), n * self._macs // 2)  # the way forward alone is less than half of both ways

        def work(lane: int) -> None:
            for k in range(lane, len(jobs), lanes):
                keep(k, self.slice_outputs(jobs[k], lane))

        side_by_side(work, range(lanes))
        return whole


def _numbers(wanted: Mapping[str, Param]) -> int:
    """How many numbers the arrays hold together."""
    return sum(math.prod(param.shape) for param in wanted.values())


def _result(lane: Lane, loss: float, correct: int) -> SliceResult:
    gradient = lane.gradient
    finite = math.isfinite(loss) and (math.isfinite(gradient.dot(gradient)) or bool(np.isfinite(gradient).all()))
    return SliceResult(gradient, loss, correct, finite)


def _output_units(spec: NetworkSpec) -> int:
    last = spec.placed()[-1]
    if last.y.is_image:
        raise ShapeError("the network ends with maps of {maps}; a vector with one number for each class is needed.",
                         code="network.ends_with_maps", layer=last.node.title, position=last.index, maps=str(last.y),
                         fixes=(Fix("append", "append Flatten and FC", layer=last.node.id, value="flatten"),))
    return last.y.size


def _not_finite(layer: str, position: int, what: str) -> TrainingError:
    return TrainingError("the {what} is no longer a finite number (NaN or infinity).", code="training.not_finite", layer=layer,
                         position=position, what=what,
                         fixes=(Fix("advice", "lower the learning rate and go on from the last finite weights"),))
