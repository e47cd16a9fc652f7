"""A lane: the arrays through which one slice of a batch runs, and its steps forward and backward as a list of calls."""

from __future__ import annotations

import contextvars
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.layer import Array, Context, Workspace
from engine.losses import Loss, targets_of
from engine.memory import Arena, Parameters, aligned_zeros, buffer_dtype, of_layer
from engine.metrics import predicted_classes
from engine.spec import Placed

Call = Callable[[], object]
Steps = list[tuple[int, list[Call]]]
"""The calls of one pass through the network, layer by layer with its index."""

BUFFER = 512
"""Numbers that NumPy takes at once where operands do not lie in one run. Runs that are longer it works on where they are, shorter
ones it copies together first; with its usual 8,192 it copies nearly everything, which takes two to three times as long."""


def settings() -> contextvars.Context:
    """NumPy's settings for the calls of a lane, entered in no time by `run`: a small buffer, and silence.

    Overflow is no news for NumPy to print: a number that is not finite ends the batch with an error.
    """
    with np.errstate(all="ignore"):
        np.setbufsize(BUFFER)
        return contextvars.copy_context()


@dataclass(frozen=True, eq=False)
class Parts:
    """What a lane is made from: the layers with their shapes, the parameters, and each layer's state.

    `last` is the layer at whose output the loss gives its delta, `first` the first layer that has parameters. All lanes write
    their gradients to `gradient`, if it is given.
    """

    placed: Sequence[Placed]
    parameters: Parameters
    states: Sequence[dict[str, Array]]
    loss: Loss
    first: int
    last: int
    gradient: Array | None = None

    @property
    def head(self) -> str:
        """The kind of the closing layer."""
        return self.placed[-1].node.layer.kind

    @property
    def outputs(self) -> int:
        """Numbers that one image's output has."""
        return self.placed[-1].y.size

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """The dtype of all floating point arrays."""
        return self.parameters.flat.dtype

    def of_layers(self, flat: Array) -> list[dict[str, Array]]:
        """Views of a vector that is laid out as the parameters are: for each layer, by short name."""
        views = self.parameters.views(flat)
        return [of_layer(views, p.node.id) for p in self.placed]


class Lane(ABC):
    """`n` images on their way through the network.

    `begin` takes images in; the calls of `forward` leave `logits` and `output`, both (n, outputs); `measure` compares them with
    the labels and writes `delta`; the calls of `backward` leave the slice's gradient in `gradient`, flat. All of them are to be
    made within `settings`.
    """

    output: Array
    logits: Array
    delta: Array
    forward: Steps
    backward: Steps

    def __init__(self, parts: Parts, n: int) -> None:
        self.parts = parts
        self.n = n
        self.gradient = aligned_zeros((parts.parameters.size,), parts.dtype) if parts.gradient is None else parts.gradient
        self.contexts = [Context(state=state) for state in parts.states]
        self.settings = settings()
        self._mode: tuple[bool | None, np.random.Generator | None] = None, None

    @abstractmethod
    def take(self, images: Array) -> None:
        """Take raw images (n, C, H, W) in."""

    def begin(self, images: Array, *, training: bool, rng: np.random.Generator | None = None) -> None:
        """Take raw images in and set the mode."""
        self.take(images)
        if (training, rng) != self._mode:
            self._mode = training, rng
            for ctx in self.contexts:
                ctx.training, ctx.rng = training, rng

    def measure(self, labels: Array, batch: int) -> tuple[float, int]:
        """The slice's summed loss and right answers; writes the first delta, already divided by the batch size.

        Labels are classes (n,) or targets (n, outputs); raises DataError when they do not fit the outputs.
        """
        loss, head = self.parts.loss, self.parts.head
        targets = targets_of(labels, self.parts.outputs, self.parts.dtype)
        value = float(loss.values(head, self.logits, self.output, targets).sum())
        right = predicted_classes(self.output) == predicted_classes(targets)
        loss.delta(head, self.logits, self.output, targets, self.delta)
        np.divide(self.delta, batch, out=self.delta)
        return value, int(np.count_nonzero(right))


class PlainLane(Lane):
    """Every layer's plain mathematics, with each layer's input, output and buffers left to look at.

    `deltas[i]` is ∂E/∂y of layer i, which is ∂E/∂x of layer i + 1. In training the deltas alternate between two blocks,
    because each is needed for one layer only; with `record` every layer keeps its own, down to the images' `images_delta`.
    The calls of `backward_deltas` leave these without the gradients of the parameters.
    """

    def __init__(self, parts: Parts, n: int, *, record: bool = False) -> None:
        super().__init__(parts, n)
        self.placed = parts.placed
        dtype = parts.dtype
        requests = [p.node.layer.workspace(p.x, n) for p in self.placed]
        scratch = Arena().place([{k: b for k, b in r.items() if b.scratch} for r in requests], dtype)
        self.images: Array = np.zeros((n, *self.placed[0].x), dtype)
        self.workspaces: list[Workspace] = []
        x = self.images
        for p, request, shared in zip(self.placed, requests, scratch, strict=True):
            ws = Workspace(shared)
            ws.update({name: np.zeros(b.shape, buffer_dtype(b, dtype)) for name, b in request.items() if not b.scratch})
            ws.x, ws.y = x, np.zeros((n, *p.y), dtype)
            self.workspaces.append(ws)
            x = ws.y
        self.deltas = self._make_deltas(record)
        self.images_delta: Array | None = np.zeros_like(self.images) if record else None
        self.output = self.workspaces[-1].y
        self.logits = self.workspaces[parts.last].y
        self.delta = self.deltas[parts.last]
        self.backward_deltas: Steps = []
        self._plan(0 if record else parts.first)

    def take(self, images: Array) -> None:
        np.copyto(self.images, images, casting="unsafe")

    def _make_deltas(self, record: bool) -> list[Array]:
        if record:
            return [np.zeros_like(ws.y) for ws in self.workspaces]
        largest = max(ws.y.size for ws in self.workspaces)
        blocks = [np.zeros(largest, self.parts.dtype) for _ in range(2)]
        return [blocks[i % 2][:ws.y.size].reshape(ws.y.shape) for i, ws in enumerate(self.workspaces)]

    def _plan(self, stop: int) -> None:
        """Bind each layer's arrays; backward ends at layer `stop`."""
        layers = [p.node.layer for p in self.placed]
        p, g = self.parts.of_layers(self.parts.parameters.flat), self.parts.of_layers(self.gradient)
        self.forward = [(i, [partial(layer.forward, ws.x, ws.y, p[i], ws, ctx)])
                        for i, (layer, ws, ctx) in enumerate(zip(layers, self.workspaces, self.contexts, strict=True))]
        self.backward = []
        for i in range(self.parts.last, stop - 1, -1):
            dx = self.images_delta if i == 0 else self.deltas[i - 1] if i > stop else None
            for steps, gradients in ((self.backward, g[i]), (self.backward_deltas, {})):
                steps.append((i, [partial(layers[i].backward, self.deltas[i], dx, p[i], gradients, self.workspaces[i])]))

    def first_broken(self) -> tuple[int, str] | None:
        """The first layer whose output is not finite, otherwise the last whose gradient is not; (index, what) or None."""
        for i, ws in enumerate(self.workspaces):
            if not np.isfinite(ws.y).all():
                return i, "output"
        g = self.parts.of_layers(self.gradient)
        for i in range(self.parts.last, -1, -1):
            if not all(np.isfinite(a).all() for a in g[i].values()):
                return i, "gradient"
        return None
