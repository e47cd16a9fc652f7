"""Snapshots: frozen, read-only copies of a training's arrays at one step, for looking at and for explaining.

Two probes, which are never mixed. *sample*: one image in evaluation mode with the current weights; its arrays have no batch axis.
*batch*: the last training batch as it was, with the weights before the update.

    image, dimage              the raw image and ∂E/∂image
    target                     what the output should be, (outputs,)
    loss                       E; of a batch the mean of `losses` plus `penalty`
    conv1.y, conv1.dy          output and delta ∂E/∂y; the input conv1.x is the output of the layer before
    conv1.W, conv1.dW          parameters and their gradients, before penalties and clipping
    max_pool1.winner …         what else a layer keeps to be looked at
    batch_norm1.mean …         what belongs to a layer but is not trained by gradient

and in a batch only

    losses, penalty            the loss of each image (N,), and what L2 and L1 add to the loss
    gradient_norm              the length of the gradient with penalties, which is what clipping looks at
    conv1.W_after              the weights after the update
    conv1.W_velocity, conv1.W_velocity_after       the optimizer's slots before and after it
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from engine.errors import Fix, TrainingError
from engine.lane import PlainLane
from engine.layer import Array
from engine.losses import Loss, targets_of
from engine.network import Network
from engine.settings import TrainSettings
from engine.spec import NetworkSpec, Placed
from engine.trainer import LastUpdate, Trainer
from engine.update import clip, penalise


@dataclass(frozen=True, eq=False)
class SnapshotRequest:
    """What to copy: one raw image (C, H, W) and, for deltas and gradients, its label; layers None means all of them.

    `layers` are those whose outputs are copied. The deltas are of the same, or of `deltas_of`; weights, gradients and changes, or
    of `weights_of`. Without `gradients`, which take about as long as the deltas, only these come with a label. `changes` is for
    who knows older weights: what the last update changed ("conv1.W_update"), and what all of them did since the weights were
    drawn or loaded ("conv1.W_change"). `other` is a second image, of which the output of `other_layer` comes beside those of the
    first ("other:conv1.y"). Who asks for different things in turn knows what has come by the `mark`, which the snapshot bears
    again.
    """

    image: Array | None = None
    label: int | None = None
    layers: tuple[str, ...] | None = None
    weights_of: tuple[str, ...] | None = None
    deltas_of: tuple[str, ...] | None = None
    gradients: bool = True
    changes: bool = False
    other: Array | None = None
    other_layer: str | None = None
    mark: int = 0

    def takes_output_of(self, layer: str) -> bool:
        """Whether the output of a layer is copied, with the buffers that it shows."""
        return self.layers is None or layer in self.layers

    def takes_weights_of(self, layer: str) -> bool:
        """Whether weights, gradients and changes of a layer are copied."""
        return self.takes_output_of(layer) if self.weights_of is None else layer in self.weights_of

    def takes_delta_of(self, layer: str) -> bool:
        """Whether the delta of a layer is copied."""
        return self.takes_output_of(layer) if self.deltas_of is None else layer in self.deltas_of


@dataclass(frozen=True, eq=False)
class UpdateFacts:
    """How the update of a batch snapshot was made: settings, the rate after schedule and warm-up, and its number t = 1, 2, …"""

    settings: TrainSettings
    learning_rate: float
    t: int

    def is_clipped(self, gradient_norm: float) -> bool:
        """True when the gradient was shortened."""
        return 0 < self.settings.clip_norm < gradient_norm


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Arrays by name after `step` updates, with the network and the loss function that they belong to.

    `probe` is "sample" or "batch"; `loss` is None for a sample without a label; only a batch has an `update`. `mark` is that of
    the request.
    """

    step: int
    probe: str
    arrays: Mapping[str, Array]
    spec: NetworkSpec
    loss_function: Loss
    loss: float | None = None
    update: UpdateFacts | None = None
    mark: int = 0

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    def __contains__(self, name: str) -> bool:
        return name in self.arrays


def frozen(array: Array | float) -> Array:
    """A contiguous copy that cannot be written to; floating point numbers as they are."""
    copy = np.array(array, order="C", copy=True)
    copy.flags.writeable = False
    return copy


def sample_snapshot(network: Network, step: int, request: SnapshotRequest) -> Snapshot:
    """Run the sample probe through a workspace of its own: forward as far as is asked for, and backward when a label is given."""
    wanted = [p for p in network.placed if request.takes_output_of(p.node.id)]
    weighty = {p.node.id for p in network.placed if request.takes_weights_of(p.node.id)}
    arrays: dict[str, Array] = {}
    loss = None
    if request.image is not None:
        last = len(network.placed) if request.label is not None else wanted[-1].index + 1 if wanted else 0
        lanes = [network.forward_sample(request.image, last)]
        arrays["image"] = frozen(lanes[0].images[0])
        for p in wanted:
            arrays |= _outputs(lanes, p, _first)
        if request.label is not None:
            label = np.array([request.label])
            loss, gradients = network.backward_sample(label, gradients=request.gradients)
            targets = targets_of(label, network.outputs, network.dtype)
            with_delta = [p for p in network.placed if request.takes_delta_of(p.node.id)]
            arrays |= {"target": frozen(targets[0]), "loss": frozen(loss)} | _deltas(network, lanes, with_delta, targets, _first)
            arrays |= _of_layers(gradients, weighty, "d")
    arrays |= _of_layers(network.state, {p.node.id for p in wanted}) | _of_layers(network.parameters.named, weighty)
    return Snapshot(step, "sample", arrays, network.spec, network.loss, loss, mark=request.mark)


def batch_snapshot(trainer: Trainer) -> Snapshot:
    """Compute the last training batch and its update once more, bit for bit, leaving the trainer as it is.

    Raises TrainingError when no update has been made yet.
    """
    last = trainer.last_update
    if last is None:
        raise TrainingError("No batch has been trained yet.", code="snapshot.no_batch",
                            fixes=(Fix("advice", "train at least one step"),))
    live = trainer.network
    network = Network(live.spec, loss=live.loss, dtype=live.dtype)
    network.parameters.flat[...] = last.weights
    network.set_state(live.state)
    lanes, result = network.record(last.images, last.labels, key=(last.settings.seed, last.t - 1))
    targets = targets_of(last.labels, network.outputs, network.dtype)
    z, y = _together([lane.logits for lane in lanes]), _together([lane.output for lane in lanes])
    losses = network.loss.values(network.placed[-1].node.layer.kind, z, y, targets)
    arrays = {"image": frozen(_together([lane.images for lane in lanes])), "target": frozen(targets), "losses": frozen(losses)}
    arrays |= _deltas(network, lanes, network.placed, targets, _together)
    for p in network.placed:
        arrays |= _outputs(lanes, p, _together)
    ids = {p.node.id for p in network.placed}
    arrays |= _of_layers(live.state, ids) | _of_layers(network.parameters.named, ids)
    arrays |= _of_layers(network.parameters.named_gradient, ids, "d")
    penalty = _update(network, last, arrays)
    loss = result.loss + penalty
    arrays |= {"penalty": frozen(penalty), "loss": frozen(loss)}
    facts = UpdateFacts(last.settings, last.learning_rate, last.t)
    return Snapshot(last.t, "batch", arrays, network.spec, network.loss, loss, facts)


def _update(network: Network, last: LastUpdate, arrays: dict[str, Array]) -> float:
    """Make the update and keep all that is new in it; returns the penalty."""
    p, settings = network.parameters, last.settings
    slots = {name: slot.copy() for name, slot in last.slots.items()}
    scratch = np.zeros((2, p.size), p.flat.dtype)
    penalty = penalise(p, settings, scratch[0])
    arrays["gradient_norm"] = frozen(clip(p.gradient, settings.clip_norm))
    with np.errstate(all="ignore"):
        settings.optimizer.update(p.flat, p.gradient, slots, last.learning_rate, last.t, p.penalised, scratch)
    named = [("after", p.flat), *last.slots.items(), *((f"{name}_after", slot) for name, slot in slots.items())]
    for suffix, flat in named:
        arrays |= {f"{name}_{suffix}": frozen(view) for name, view in p.views(flat).items()}
    return penalty


def _first(arrays: Sequence[Array]) -> Array:
    """The only image of a sample, without its batch axis."""
    return np.asarray(arrays[0][0])


def _together(arrays: Sequence[Array]) -> Array:
    """The slices of a batch as one array again."""
    return np.concatenate(arrays) if len(arrays) > 1 else arrays[0]


def _outputs(lanes: Sequence[PlainLane], p: Placed, joined: Callable[[Sequence[Array]], Array]) -> dict[str, Array]:
    """The output of a layer and the buffers that it shows."""
    spaces = [lane.workspaces[p.index] for lane in lanes]
    arrays = {f"{p.node.id}.y": frozen(joined([ws.y for ws in spaces]))}
    for name, of_images in _shown_buffers(p):
        arrays[f"{p.node.id}.{name}"] = frozen(joined([ws[name] for ws in spaces]) if of_images else spaces[0][name])
    return arrays


@functools.lru_cache(maxsize=1024)
def _shown_buffers(p: Placed) -> tuple[tuple[str, bool], ...]:
    """The buffers that a layer shows, and whether each has an axis for the images."""
    one, two = (p.node.layer.workspace(p.x, n) for n in (1, 2))
    return tuple((name, buffer.shape != two[name].shape) for name, buffer in one.items() if buffer.shown and not buffer.scratch)


def _deltas(network: Network, lanes: Sequence[PlainLane], wanted: Sequence[Placed], targets: Array,
            joined: Callable[[Sequence[Array]], Array]) -> dict[str, Array]:
    """The deltas of the image and of all layers' outputs, that of a closing layer which is fused with the loss, too."""
    of_image = [lane.images_delta for lane in lanes if lane.images_delta is not None]
    arrays = {"dimage": frozen(joined(of_image))}
    arrays |= {f"{p.node.id}.dy": frozen(joined([lane.deltas[p.index] for lane in lanes])) for p in wanted}
    last = network.placed[-1].node
    if last.layer.kind in network.loss.fused_with and f"{last.id}.dy" in arrays:
        y = np.concatenate([lane.output for lane in lanes])
        delta = network.loss.delta_at_output(last.layer.kind, y, targets) / len(targets)
        arrays[f"{last.id}.dy"] = frozen(joined([delta]))
    return arrays


def _of_layers(named: Mapping[str, Array], layers: Set[str], prefix: str = "") -> dict[str, Array]:
    """Copies of the arrays of some layers, "conv1.W" as "conv1." + prefix + "W"."""
    places = ((*name.rsplit(".", 1), name) for name in named)
    return {f"{layer}.{prefix}{own}": frozen(named[name]) for layer, own, name in places if layer in layers}
