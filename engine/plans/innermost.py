"""A whole network with the images innermost, or the channels, in memory; N the images of a slice.

    scale, move -> unroll rows -> small matrix products -> max pooling -> bias and ReLU -> … -> matrix products of the FC layers

Why it is fast: convolutions become small matrix products that read their operands where they lie. With few channels the pixels of
a row in all images are the long side of a product, and maps lie as (H, C, W, N) (conv_rows.py); with wide channels the cells of a
window are, and maps lie as (H, N, W, C) (conv_winograd.py, conv_innermost.py, for a single image conv_of_one.py). Bias,
ReLU and pooling run over long contiguous runs; pooling comes before bias and ReLU, on a quarter of the numbers
(pool_innermost.py); deltas take the place of the values (boundary.py); the images are scaled as little as they need (images.py);
softmax and loss are one piece (head.py); and a step is a flat list of calls on arrays that were allocated once.

Layers that have no fast form here run as they are between two transpositions, so that every network with a convolution can use
the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from engine.lane import Lane, Parts
from engine.layer import Array, Layer
from engine.layers.activation import Activation, ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import AvgPool2D, MaxPool2D
from engine.layers.softmax import Softmax
from engine.losses import CrossEntropy
from engine.plans import conv_winograd, pool_innermost
from engine.plans.boundary import NOTHING, Boundary, Reach
from engine.plans.calls import Call, Form, Scratch
from engine.plans.forms import ActivationForm, AsItIs, ConvForm, DenseForm, FlattenForm, RowConvForm
from engine.plans.head import SoftmaxForm
from engine.plans.images import ImageReader
from engine.plans.pool_innermost import AvgPoolForm, MaxPoolForm
from engine.spec import Placed


def serves(placed: Sequence[Placed]) -> bool:
    """Whether the plan is the faster one: the network has convolutions, and no layer that needs the batch as a whole."""
    layers = [p.node.layer for p in placed]
    return any(isinstance(layer, Conv2D) for layer in layers) and not any(layer.couples_batch for layer in layers)


@dataclass(frozen=True)
class Stage:
    """Layers that one form computes: the first one, a max pooling after it, if `gated` a ReLU, others that add nothing."""

    layers: tuple[int, ...]
    pool: int | None
    gated: bool


class InnermostLane(Lane):
    """One slice of `n` images through fast forms. `training` False leaves out all that only the backward pass needs."""

    def __init__(self, parts: Parts, n: int, *, training: bool) -> None:
        super().__init__(parts, n)
        self._placed, self._training = parts.placed, training
        self._p, self._g = parts.of_layers(parts.parameters.flat), parts.of_layers(self.gradient)
        self._rows = not any(conv_winograd.wants(p) for p in parts.placed)
        self._stages = self._make_stages()
        self._boundaries = self._make_boundaries(parts.dtype)
        self._scratch = Scratch(parts.dtype, self._largest_frame())
        self._head: SoftmaxForm | None = None
        self._plan()
        of_loss = next(k for k, stage in enumerate(self._stages) if parts.last in stage.layers)
        self.output = self._boundaries[-1].y.T
        self.logits = self._boundaries[of_loss].y.T
        self.delta = self._boundaries[of_loss].dy.T if training else np.zeros((0, 0), parts.dtype)

    def take(self, images: Array) -> None:
        self._raw = images

    def measure(self, labels: Array, batch: int) -> tuple[float, int]:
        if self._head is None or labels.ndim != 1:
            return super().measure(labels, batch)
        return self._head.measure(labels, batch)

    def _layer(self, i: int) -> Layer | None:
        return self._placed[i].node.layer if i < len(self._placed) else None

    def _make_stages(self) -> list[Stage]:
        """The layers in groups: a convolution with its ReLU and max pooling, other ReLUs with the layer before them."""
        stages: list[Stage] = []
        start = 0
        while start < len(self._placed):
            pool = self._pool_after(start)
            gated, end = (pool == start + 2, pool + 1) if pool else (False, start + 1)
            if not gated and self._ends_in_relu(end - 1):
                gated, end = True, end + 1
            while not self._training and isinstance(self._layer(end), Dropout):
                end += 1
            stages.append(Stage(tuple(range(start, end)), pool, gated))
            start = end
        return stages

    def _pool_after(self, i: int) -> int | None:
        """The max pooling whose bias and ReLU may wait until after it: conv i, then perhaps a ReLU, then the pooling."""
        if not ConvForm.serves(self._placed[i].node.layer, self._placed[i]):
            return None
        j = i + 2 if self._ends_in_relu(i) else i + 1
        layer = self._layer(j)
        pools = isinstance(layer, MaxPool2D) and pool_innermost.serves(layer, self._placed[j])
        return j if pools and j <= self.parts.last else None

    def _ends_in_relu(self, i: int) -> bool:
        """A ReLU follows layer i, which never looks at its own output again, and the loss does not begin right there."""
        return isinstance(self._layer(i + 1), ReLU) and i + 1 < self.parts.last \
            and not isinstance(self._layer(i), Input | Activation)

    def _make_boundaries(self, dtype: DTypeLike) -> list[Boundary]:
        """One boundary after each stage."""
        boundaries: list[Boundary] = []
        for stage, reader in zip(self._stages, [*self._stages[1:], None], strict=True):
            place, end = self._placed[stage.layers[0]], stage.layers[-1]
            maker = place.node.layer
            padding, reach = NOTHING, None
            shape = self._placed[end].y
            if reader is not None and ConvForm.serves(self._placed[reader.layers[0]].node.layer, self._placed[reader.layers[0]]):
                window = self._placed[reader.layers[0]].node.layer.window(shape)
                padding = window.padding if window else NOTHING
            if self._training and self.parts.first <= end <= self.parts.last:
                to_input = stage.pool is None and ConvForm.serves(maker, place) and boundaries[-1].has_delta
                form = RowConvForm if self._rows else ConvForm
                reach = form.reach(maker, place) if to_input and isinstance(maker, Conv2D) else Reach()
            if isinstance(maker, Flatten) and self._is_view(stage) and boundaries[-1].vectors:
                boundaries.append(boundaries[-1].as_vectors())
            else:
                boundaries.append(Boundary(shape, self.n, dtype, padding=padding, reach=reach, gated=stage.gated, rows=self._rows,
                                           shared=end != self.parts.last and not isinstance(maker, Activation),
                                           vectors=reader is not None and self._is_view(reader)))
        return boundaries

    def _is_view(self, stage: Stage) -> bool:
        """Whether the stage is nothing but a Flatten, whose output may be the memory of its input: neither a ReLU nor the loss,
        which needs its values beside their delta, follows right there."""
        place = self._placed[stage.layers[0]]
        flattens = isinstance(place.node.layer, Flatten) and place.x.is_image
        return flattens and not stage.gated and stage.layers[-1] != self.parts.last

    def _largest_frame(self) -> int:
        """Numbers of the largest delta that is put into a frame of its own, behind a pooling."""
        if not self._training:
            return 0
        convs = [(self._placed[s.layers[0]].node.layer, self._placed[s.layers[0]]) for s in self._stages if s.pool is not None]
        return max((ConvForm.frame_size(layer, place, self.n) for layer, place in convs
                    if isinstance(layer, Conv2D) and place.index > self.parts.first), default=0)

    def _plan(self) -> None:
        """Fill `forward` and `backward` with the calls of every layer."""
        self.forward, self.backward = [(0, self._read_images())], []
        for k, stage in enumerate(self._stages):
            self._scratch.release()
            form = self._form(k, stage) if k else Form()
            *others, last = stage.layers
            # A form that stands for several layers does its work at the last one forward, at the first one backward.
            self.forward += [(i, []) for i in others] + [(last, form.forward)] if k else []
            if self._training and self.parts.first <= stage.layers[0] and last <= self.parts.last:
                self.backward += [(i, []) for i in others] + [(last, form.backward)]
        self.backward.reverse()

    def _form(self, k: int, stage: Stage) -> Form:
        i = stage.layers[0]
        place, x, y = self._placed[i], self._boundaries[k - 1], self._boundaries[k]
        layer, p, g = place.node.layer, self._p[i], self._g[i]
        if ConvForm.serves(layer, place):
            form = RowConvForm if self._rows else ConvForm
            return form(place, None if stage.pool is None else self._placed[stage.pool], x, y, p, g, self._scratch)
        if isinstance(layer, MaxPool2D) and pool_innermost.serves(layer, place):
            return MaxPoolForm(place, x, y, self._scratch)
        if isinstance(layer, AvgPool2D) and pool_innermost.serves(layer, place):
            return AvgPoolForm(place, x, y, self._scratch)
        if isinstance(layer, Dense):
            return DenseForm(place, x, y, p, g, self._scratch)
        if isinstance(layer, Flatten) and place.x.is_image:
            return FlattenForm(x, y, self._scratch)
        if isinstance(layer, Activation):
            return ActivationForm(layer, x, y, self._scratch, self.contexts[i])
        if isinstance(layer, Softmax) and i == len(self._placed) - 1 and isinstance(self.parts.loss, CrossEntropy):
            self._head = SoftmaxForm(x, y)
            return self._head
        return AsItIs(place, x, y, p, g, self._scratch, self.contexts[i])

    def _read_images(self) -> list[Call]:
        """Scaling, mean removal and normalisation on the way into the layout; a projection runs as it is."""
        place, y, ctx = self._placed[0], self._boundaries[0], self.contexts[0]
        layer = place.node.layer
        assert isinstance(layer, Input)
        if layer.projection != "none":
            raw = Boundary(place.x, self.n, y.y.dtype)
            return [lambda: np.copyto(raw.as_samples(raw.y), self._raw, casting="unsafe"),
                    *AsItIs(place, raw, y, {}, {}, self._scratch, ctx).forward]
        reader = ImageReader(y, ctx.state, self._scratch)
        return [lambda: reader.read(self._raw)]
