"""A compiled network: allocates all arrays once, runs batches forward and backward, and is the only place with threads.

A batch is cut into slices by a plan that depends on the batch size and the layers only, never on the number of cores. Each
slice has its
own workspace and its own row of gradients; the rows are summed in a fixed order. So one seed gives one result, bit for bit,
whatever runs the slices. Small work is not cut, and neither is a batch whose images depend on each other (BatchNorm).
"""

from __future__ import annotations

import functools
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import threadpoolctl
from numpy.typing import DTypeLike

from engine.errors import Fix, ShapeError, TrainingError
from engine.initializers import initialize
from engine.layer import Array, Param
from engine.layers.input import Input
from engine.losses import CrossEntropy, Loss, targets_of
from engine.memory import Lane, Parameters, of_layer
from engine.metrics import predicted_classes
from engine.spec import NetworkSpec

SLICE = 32
"""Images in a slice: small enough for the caches and for memory, large enough for the matrix products."""
SMALL_WORK = 8_000_000
"""Multiply-accumulates of a batch below which cutting costs more than it gains."""


@dataclass(frozen=True)
class BatchResult:
    """The mean loss of a batch and how many of its images were classified rightly."""

    loss: float
    correct: int
    n: int


@dataclass(frozen=True)
class Evaluation:
    """The mean loss, the accuracy and every image's predicted class over a set of images."""

    loss: float
    accuracy: float
    predicted: Array


@dataclass(frozen=True)
class LayerStep:
    """One layer's part of a training step: phase "forward" or "backward"."""

    phase: str
    layer: str


@np.errstate(all="ignore")
def _quietly(call: Callable[..., None], *args: Any) -> None:
    """Overflow is no news for NumPy to print: a number that is not finite ends the batch with an error that names the layer."""
    call(*args)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    """The threads that run slices; BLAS itself is kept to one thread, since cutting the batch uses the cores better."""
    threadpoolctl.threadpool_limits(1, user_api="blas")
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="slice")


class Network:
    """A network with its weights, ready to run. Raises SpecError or ShapeError when the layers do not fit."""

    def __init__(self, spec: NetworkSpec, *, loss: Loss | None = None, dtype: DTypeLike = np.float32) -> None:
        self.spec = spec
        self.loss = loss or CrossEntropy()
        self.dtype = np.dtype(dtype)
        self.placed = spec.placed()
        self.outputs = _output_units(spec)
        wanted: dict[str, Param] = {}
        states: dict[str, Param] = {}
        for p in self.placed:
            wanted |= {f"{p.node.id}.{name}": param for name, param in p.node.layer.params(p.x).items()}
            states |= {f"{p.node.id}.{name}": param for name, param in p.node.layer.state(p.x).items()}
        self.parameters = Parameters(wanted, self.dtype)
        self._starting_state = states
        self.state: dict[str, Array] = {name: np.zeros(s.shape, self.dtype) for name, s in states.items()}
        self.reset_state()
        self._ids = [p.node.id for p in self.placed]
        self._layers = [p.node.layer for p in self.placed]
        self._p = [of_layer(self.parameters.named, i) for i in self._ids]
        self._states = [of_layer(self.state, i) for i in self._ids]
        self._head = self._layers[-1].kind
        self._fused = self._head in self.loss.fused_with
        self._last = len(self._layers) - (2 if self._fused else 1)
        self._first = next((i for i, p in enumerate(self._p) if p), len(self._p))
        self._couples = any(layer.couples_batch for layer in self._layers)
        self._random = any(layer.random for layer in self._layers)
        self._macs = sum(p.node.layer.macs(p.x) for p in self.placed)
        self._lanes: dict[tuple[int, int], Lane] = {}
        self._probe: Lane | None = None
        self._rows: Array = np.zeros((0, self.parameters.size), self.dtype)
        self._row_views: list[list[dict[str, Array]]] = []

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
        size = batch if self._couples or batch * self._macs < SMALL_WORK else SLICE
        return [slice(start, min(start + size, batch)) for start in range(0, batch, size)]

    def gradient(self, images: Array, labels: Array, *, key: Sequence[int] = ()) -> BatchResult:
        """Forward and backward over a batch; leaves the mean gradient in `parameters.gradient`.

        `key` seeds the random layers: seed and step. Raises TrainingError naming the layer when a number is not finite.
        """
        cut, targets = self.slices(len(images)), targets_of(labels, self.outputs, self.dtype)
        self._need_rows(len(cut))
        workers = min(len(cut), os.cpu_count() or 1)

        def work(w: int) -> list[tuple[float, int]]:
            done = []
            for k in range(w, len(cut), workers):
                lane = self._begin(images[cut[k]], w, True, (*key, k))
                for _ in self._forward(lane):
                    pass
                done.append(self._loss(lane, targets[cut[k]], len(images)))
                for _ in self._backward(lane, k):
                    pass
                self._check_finite(lane, k, done[-1][0])
            return done

        parts = [work(0)] if workers == 1 else list(_threads().map(work, range(workers)))
        return self._sum([parts[k % workers][k // workers] for k in range(len(cut))], len(images))

    def gradient_by_layer(self, images: Array, labels: Array, *, key: Sequence[int] = (),
                          ) -> Iterator[LayerStep | BatchResult]:
        """The same as `gradient`, stopping after every layer's forward and every layer's backward; the result comes last."""
        cut, targets = self.slices(len(images)), targets_of(labels, self.outputs, self.dtype)
        self._need_rows(len(cut))
        lanes = [self._begin(images[part], k, True, (*key, k)) for k, part in enumerate(cut)]
        for at_once in zip(*(self._forward(lane) for lane in lanes), strict=True):
            yield LayerStep("forward", self._ids[at_once[0]])
        sums = [self._loss(lane, targets[part], len(images)) for lane, part in zip(lanes, cut, strict=True)]
        for at_once in zip(*(self._backward(lane, k) for k, lane in enumerate(lanes)), strict=True):
            yield LayerStep("backward", self._ids[at_once[0]])
        for k, lane in enumerate(lanes):
            self._check_finite(lane, k, sums[k][0])
        yield self._sum(sums, len(images))

    def record(self, images: Array, labels: Array, *, key: Sequence[int] = ()) -> list[Lane]:
        """The same as `gradient`, slice by slice in lanes that keep every delta down to the images'."""
        cut, targets = self.slices(len(images)), targets_of(labels, self.outputs, self.dtype)
        self._need_rows(len(cut))
        lanes, sums = [], []
        for k, part in enumerate(cut):
            lane = Lane(self.placed, part.stop - part.start, self.dtype, self._states, record=True)
            lane.begin(images[part], training=True, rng=np.random.default_rng((*key, k)) if self._random else None)
            for _ in self._forward(lane):
                pass
            sums.append(self._loss(lane, targets[part], len(images)))
            for _ in self._backward(lane, k, down_to_image=True):
                pass
            lanes.append(lane)
        self._sum(sums, len(images))
        return lanes

    def predict(self, images: Array) -> Array:
        """The outputs (N, outputs) for raw images (N, C, H, W), in evaluation mode."""
        y = np.empty((len(images), self.outputs), self.dtype)
        self._evaluate(images, lambda lane, part: np.copyto(y[part], lane.output))
        return y

    def evaluate(self, images: Array, labels: Array) -> Evaluation:
        """Mean loss, accuracy and predicted classes in evaluation mode."""
        targets = targets_of(labels, self.outputs, self.dtype)
        losses = np.zeros(len(images), np.float64)
        predicted = np.zeros(len(images), np.int64)

        def keep(lane: Lane, part: slice) -> None:
            losses[part] = self.loss.values(self._head, self._logits(lane), lane.output, targets[part])
            predicted[part] = predicted_classes(lane.output)

        self._evaluate(images, keep)
        truth = np.asarray(labels) if labels.ndim == 1 else predicted_classes(labels)
        return Evaluation(float(losses.mean()), float(np.mean(predicted == truth)), predicted)

    def forward_sample(self, image: Array) -> Lane:
        """Run one raw image (C, H, W) in evaluation mode through a lane of its own; the lane holds every output and buffer."""
        if self._probe is None:
            self._probe = Lane(self.placed, 1, self.dtype, self._states, record=True)
        self._probe.begin(image[None], training=False)
        for _ in self._forward(self._probe):
            pass
        return self._probe

    def backward_sample(self, label: Array) -> tuple[float, dict[str, Array]]:
        """After `forward_sample`: the image's loss, and the gradients by name for that image alone.

        `label` has shape (1,) or (1, outputs). Every delta down to the image's own is left in the lane.
        """
        assert self._probe is not None
        gradient = np.zeros_like(self.parameters.gradient)
        views = self.parameters.views(gradient)
        loss, _ = self._loss(self._probe, targets_of(label, self.outputs, self.dtype), 1)
        for _ in self._backward(self._probe, rows=[of_layer(views, i) for i in self._ids], down_to_image=True):
            pass
        return loss, views

    def _lane(self, n: int, k: int) -> Lane:
        if (n, k) not in self._lanes:
            self._lanes[n, k] = Lane(self.placed, n, self.dtype, self._states)
        return self._lanes[n, k]

    def _begin(self, images: Array, k: int, training: bool, key: Sequence[int] = ()) -> Lane:
        lane = self._lane(len(images), k)
        lane.begin(images, training=training, rng=np.random.default_rng(key) if training and self._random else None)
        return lane

    def _need_rows(self, count: int) -> None:
        """One row of gradients for each slice; a batch that is not cut writes into the sum itself."""
        if len(self._rows) >= count and self._row_views:
            return
        self._rows = self.parameters.gradient[None] if count == 1 else np.zeros((count, self.parameters.size), self.dtype)
        self._row_views = []
        for row in self._rows:
            views = self.parameters.views(row)
            self._row_views.append([of_layer(views, i) for i in self._ids])

    def _forward(self, lane: Lane) -> Iterator[int]:
        """Layer after layer; yields the index of each layer done."""
        for i, layer in enumerate(self._layers):
            ws = lane.workspaces[i]
            _quietly(layer.forward, ws.x, ws.y, self._p[i], ws, lane.contexts[i])
            yield i

    def _logits(self, lane: Lane) -> Array:
        """z of the loss: the input of a closing softmax or sigmoid that is fused with it, otherwise the output."""
        return lane.workspaces[-1].x if self._fused else lane.output

    @np.errstate(all="ignore")
    def _loss(self, lane: Lane, targets: Array, batch: int) -> tuple[float, int]:
        """The slice's summed loss and right answers; writes the first delta, already divided by the batch size."""
        z, y = self._logits(lane), lane.output
        delta = lane.deltas[self._last]
        self.loss.delta(self._head, z, y, targets, delta)
        delta /= batch
        right = predicted_classes(y) == predicted_classes(targets)
        return float(self.loss.values(self._head, z, y, targets).sum()), int(np.count_nonzero(right))

    def _backward(self, lane: Lane, k: int = 0, *, rows: list[dict[str, Array]] | None = None,
                  down_to_image: bool = False) -> Iterator[int]:
        """Layer after layer from the last to the first that has parameters; yields the index of each layer done."""
        g = self._row_views[k] if rows is None else rows
        stop = 0 if down_to_image else self._first
        for i in range(self._last, stop - 1, -1):
            dx = lane.images_delta if i == 0 else lane.deltas[i - 1] if i > stop else None
            _quietly(self._layers[i].backward, lane.deltas[i], dx, self._p[i], g[i], lane.workspaces[i])
            yield i

    @np.errstate(all="ignore")
    def _check_finite(self, lane: Lane, k: int, loss: float) -> None:
        """Raise TrainingError naming the first layer whose output, or the last whose gradient, is not finite."""
        row = self._rows[k]
        if np.isfinite(loss) and np.isfinite(row @ row):
            return
        for i, ws in enumerate(lane.workspaces):
            if not np.isfinite(ws.y).all():
                raise _not_finite(self.spec.nodes[i].title, i, "output")
        for i in range(self._last, -1, -1):
            if not all(np.isfinite(g).all() for g in self._row_views[k][i].values()):
                raise _not_finite(self.spec.nodes[i].title, i, "gradient")
        if not np.isfinite(loss):
            raise _not_finite(self.spec.nodes[-1].title, len(self._ids) - 1, "loss")

    def _sum(self, parts: Sequence[tuple[float, int]], n: int) -> BatchResult:
        if len(parts) > 1:
            np.sum(self._rows[:len(parts)], axis=0, out=self.parameters.gradient)
        elif self._rows.base is not self.parameters.gradient:
            self.parameters.gradient[...] = self._rows[0]
        return BatchResult(sum(p[0] for p in parts) / n, sum(p[1] for p in parts), n)

    def _evaluate(self, images: Array, keep: Callable[[Lane, slice], None]) -> None:
        size = SLICE * 8 if SLICE * 8 * self._macs < SMALL_WORK else SLICE
        cut = [slice(start, min(start + size, len(images))) for start in range(0, len(images), size)]
        workers = min(len(cut), os.cpu_count() or 1)

        def work(w: int) -> None:
            for part in cut[w::workers]:
                lane = self._begin(images[part], w, False)
                for _ in self._forward(lane):
                    pass
                keep(lane, part)

        if workers <= 1:
            work(0) if cut else None
        else:
            list(_threads().map(work, range(workers)))


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
