"""Snapshots: frozen, read-only copies of a training's arrays at one step, for looking at and for explaining.

Arrays are named "layer.array": "conv1.y" the output, "conv1.x" is the output of the layer before, "conv1.dy" = ∂E/∂y,
"conv1.W", "conv1.dW", and
every live buffer of the layer ("max_pool1.winner"). "image" is the raw input. Two probes, which are never mixed: *sample* is
one image in
evaluation mode with the current weights; *batch* is the last training batch as it was, with the weights before the update.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.layer import Array
from engine.memory import Lane
from engine.network import Network


@dataclass(frozen=True, eq=False)
class SnapshotRequest:
    """What to copy: one raw image (C, H, W) and, for deltas and gradients, its label; layers None means all of them.

    `parameters` adds the weights of all layers asked for.
    """

    image: Array | None = None
    label: int | None = None
    layers: tuple[str, ...] | None = None
    parameters: bool = True


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Arrays by name after `step` updates; those of a sample have no batch axis. `loss` is the sample's, if it had a label."""

    step: int
    probe: str
    arrays: Mapping[str, Array]
    loss: float | None = None

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    def __contains__(self, name: str) -> bool:
        return name in self.arrays


def frozen(array: Array) -> Array:
    """A contiguous copy that cannot be written to; floating point numbers as they are."""
    copy = np.array(array, order="C", copy=True)
    copy.flags.writeable = False
    return copy


def sample_snapshot(network: Network, step: int, request: SnapshotRequest) -> Snapshot:
    """Run the sample probe: forward, and backward when a label is given, through a workspace of its own."""
    wanted = [p for p in network.placed if request.layers is None or p.node.id in request.layers]
    arrays: dict[str, Array] = {}
    loss = None
    if request.image is not None:
        lane = network.forward_sample(request.image)
        arrays["image"] = frozen(lane.images[0])
        for p in wanted:
            arrays |= _of_workspace(lane, p.index, p.node.id)
        if request.label is not None:
            loss, gradients = network.backward_sample(np.array([request.label]))
            arrays |= {f"{p.node.id}.dy": frozen(lane.deltas[p.index][0]) for p in wanted}
            arrays |= {_gradient_name(name): frozen(g) for name, g in gradients.items()
                       if request.layers is None or name.rsplit(".", 1)[0] in request.layers}
    if request.parameters:
        for p in wanted:
            prefix = p.node.id + "."
            arrays |= {name: frozen(w) for name, w in network.parameters.named.items() if name.startswith(prefix)}
    return Snapshot(step, "sample", arrays, loss)


def _of_workspace(lane: Lane, index: int, layer_id: str) -> dict[str, Array]:
    ws, layer = lane.workspaces[index], lane.placed[index]
    live = {name for name, b in layer.node.layer.workspace(layer.x, 1).items() if not b.scratch}
    return {f"{layer_id}.y": frozen(ws.y[0])} | {f"{layer_id}.{name}": frozen(ws[name][0]) for name in live}


def _gradient_name(name: str) -> str:
    layer, parameter = name.rsplit(".", 1)
    return f"{layer}.d{parameter}"
