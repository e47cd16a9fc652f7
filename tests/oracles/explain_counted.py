"""Random cells of every layer and target, each explained and compared with the reference loops, and how many there were.

    python -m tests.oracles.explain_counted [--cells 1000]

A cell passes when its tree folds to the number that the reference has there, the snapshot's own number is that number too, and
every leaf and every named inner term is the cell that it names.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any

import numpy as np

from engine import reference
from engine.explain import explain, explain_unfused
from engine.layer import LAYERS, Array, Context
from engine.losses import LOSSES
from engine.optimizers import OPTIMIZERS
from engine.snapshot import Snapshot
from engine.spec import Placed
from tests.engine.explain.checks import assert_close, assert_names, some_cells
from tests.engine.explain.worlds import network_with, probes, random_settings, smallest_network

TOLERANCE = 1e-11
"""Largest difference, relative to the largest number of the array."""
AT_ONCE = 8
"""Cells of one array that are explained."""
HEADS = ("softmax", "sigmoid", "")
IN_TWO_STEPS = "delta in two steps"
"""y − t once more, from the loss to the closing layer and back through it."""


@dataclass(frozen=True)
class Row:
    """What a cell belongs to: a layer, a loss or an optimizer, and which of its arrays."""

    what: str
    target: str


def rows() -> list[Row]:
    """All that must be counted."""
    params = {"conv": ("W", "b"), "dense": ("W", "b"), "batch_norm": ("gamma", "beta")}
    found = [Row(kind, target) for kind in sorted(LAYERS)
             for target in ("y", "dx", *(f"d{name}" for name in params.get(kind, ())))]
    for loss, head in itertools.product(sorted(LOSSES), HEADS):
        of = f"{loss}, {head or 'plain'}"
        found += [Row(of, target) for target in ("loss of a sample", "loss of a batch", "loss of an image", "delta")]
        if head in LOSSES[loss].fused_with:
            found += [Row(of, "delta at the output"), Row(of, IN_TWO_STEPS)]
    for kind in sorted(OPTIMIZERS):
        found += [Row(kind, target) for target in ("new weight", *(f"new {slot}" for slot in OPTIMIZERS[kind].slots))]
    return [*found, Row("update", "penalty"), Row("update", "length of the gradient")]


def count(cells: int, seed: int = 1) -> Counter[Row]:
    """Explain random cells until every row has `cells` of them; AssertionError names the first that is wrong."""
    counted: Counter[Row] = Counter({row: 0 for row in rows()})
    rng = np.random.default_rng(seed)
    for kind in itertools.cycle(sorted(LAYERS)):
        if all(counted[row] >= cells for row in counted if row.what in LAYERS):
            break
        if all(counted[row] >= cells for row in counted if row.what == kind):
            continue
        for snapshot in probes(network_with(kind, rng), random_settings(rng)):
            _check(snapshot, counted, cells, rng)
    turns = itertools.cycle(itertools.product(HEADS, sorted(LOSSES)))
    for optimizer, (head, loss) in zip(itertools.cycle(sorted(OPTIMIZERS)), turns, strict=False):
        if min(counted.values()) >= cells:
            return counted
        for snapshot in probes(smallest_network(head), random_settings(rng, optimizer, loss)):
            _check(snapshot, counted, cells, rng)
    raise AssertionError("the turns never end")


def _check(snapshot: Snapshot, counted: Counter[Row], cells: int, rng: np.random.Generator) -> None:
    """Explain some cells of every array whose row is not full."""
    for row, name, expected in _expected(snapshot, {row for row in counted if counted[row] < cells}):
        assert expected.shape == snapshot[name].shape, name
        for ref in some_cells(name, expected, min(AT_ONCE, cells - counted[row]), rng):
            term = explain_unfused(snapshot, ref) if row.target == IN_TWO_STEPS else explain(snapshot, ref)
            assert term is not None, ref
            what = f"{row.what}, {row.target}: {ref} of {snapshot.spec}"
            # The terms of a gradient may cancel: it is as exact as the numbers that it was added up from.
            among = [*expected.ravel(), *(child.value for child in term.children), *_of_logarithms(snapshot, row)]
            assert_close(term.fold(), expected[ref.index], among, TOLERANCE, what)
            assert_close(term.value, expected[ref.index], among, TOLERANCE, f"the number of {what}")
            assert_names(term, snapshot.arrays)
            counted[row] += 1


def _of_logarithms(snapshot: Snapshot, row: Row) -> list[float]:
    """How large a number must be taken to be that has gone through the logarithm of a probability: near 1 it is as exact as 1,
    and log(1 − y) as exact as 1 / (1 − y) where y is near 1."""
    if not row.target.startswith("loss"):
        return []
    y = snapshot[f"{snapshot.spec.nodes[-1].id}.y"]
    rounding = np.finfo(float).eps / TOLERANCE
    return [1.0, *(rounding / (1 - y[(y > 0) & (y < 1)]))]


def _expected(snapshot: Snapshot, wanted: set[Row]) -> Iterator[tuple[Row, str, Array]]:
    """The arrays of the wanted rows, computed anew without the engine's layers, losses and optimizers."""
    placed = snapshot.spec.placed()
    fused = placed[-1].node.layer.kind in snapshot.loss_function.fused_with
    for p in placed:
        kind = p.node.layer.kind
        if any(row.what == kind for row in wanted):
            for target, name, array in _of_layer(snapshot, p, backward=not (fused and p is placed[-1])):
                if Row(kind, target) in wanted:
                    yield Row(kind, target), name, array
    for row, name, array in itertools.chain(_of_loss(snapshot, fused), _of_update(snapshot)):
        if row in wanted:
            yield row, name, array


def _of_layer(snapshot: Snapshot, p: Placed, *, backward: bool) -> Iterator[tuple[str, str, Array]]:
    """(target, array's name, array) by the reference loops."""
    training, layer, name = snapshot.probe == "batch", p.node.layer, p.node.id
    before = snapshot.spec.nodes[p.index - 1].id if p.index else ""
    x, dy = snapshot[f"{before}.y" if before else "image"], snapshot[f"{name}.dy"]
    if not training:
        x, dy = x[None], dy[None]

    def context() -> Context:
        kept = {array.rpartition(".")[2]: numbers for array, numbers in snapshot.arrays.items()
                if array.rpartition(".")[0] == name}  # fmt: skip
        shown = {k: a if training or a.ndim != x.ndim - 1 else a[None] for k, a in kept.items() if k in layer.workspace(p.x, 1)}
        return Context(training, None, {k: kept[k].copy() for k in layer.state(p.x)} | shown)

    parameters = {k: snapshot[f"{name}.{k}"] for k in layer.params(p.x)}
    yield "y", f"{name}.y", _as_probe(reference.forward(layer, x, parameters, context()), training)
    if backward:
        dx, gradients = reference.backward(layer, x, dy, parameters, context())
        yield "dx", f"{before}.dy" if before else "dimage", _as_probe(dx, training)
        for k, gradient in gradients.items():
            yield f"d{k}", f"{name}.d{k}", gradient


def _as_probe(array: Array, training: bool) -> Array:
    return array if training else array[0]


def _of_loss(snapshot: Snapshot, fused: bool) -> Iterator[tuple[Row, str, Array]]:
    """Losses and deltas from the logits, written down once more."""
    placed, loss = snapshot.spec.placed(), snapshot.loss_function.kind
    head = placed[-1].node.layer.kind if placed[-1].node.layer.kind in HEADS else "plain"
    end = placed[-1 - (head != "plain")].node.id
    z, t = np.atleast_2d(snapshot[f"{end}.y"]), np.atleast_2d(snapshot["target"])
    softmax = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    sigmoid = 1 / (1 + np.exp(-z))
    y = {"softmax": softmax, "sigmoid": sigmoid, "plain": z}[head]
    if loss == "squared_error":
        losses, delta = 0.5 * ((y - t) ** 2).sum(axis=1), y - t
    elif head == "sigmoid":
        losses, delta = (t * np.log1p(np.exp(-z)) + (1 - t) * np.log1p(np.exp(z))).sum(axis=1), sigmoid - t
    else:
        losses, delta = -(t * np.log(softmax)).sum(axis=1), softmax - t
    delta = delta / len(z)
    of, batch = f"{loss}, {head}", snapshot.probe == "batch"
    where = end if fused or head == "plain" else placed[-1].node.id
    yield Row(of, "delta"), f"{where}.dy", _as_probe(delta, batch)
    if fused:
        yield Row(of, IN_TWO_STEPS), f"{where}.dy", _as_probe(delta, batch)
        at_output = -(t / y) + ((1 - t) / (1 - y) if head == "sigmoid" else 0)
        yield Row(of, "delta at the output"), f"{placed[-1].node.id}.dy", _as_probe(at_output / len(z), batch)
    if batch:
        yield Row(of, "loss of an image"), "losses", losses
        yield Row(of, "loss of a batch"), "loss", np.array(losses.mean() + snapshot["penalty"])
    else:
        yield Row(of, "loss of a sample"), "loss", np.array(losses[0])


def _of_update(snapshot: Snapshot) -> Iterator[tuple[Row, str, Array]]:
    """Penalty, gradient with penalties, its length, slots and new weights, written down once more."""
    facts = snapshot.update
    if facts is None:
        return
    settings, kind, lr = facts.settings, facts.settings.optimizer.kind, facts.learning_rate
    options = settings.optimizer.to_json()
    weights = {f"{p.node.id}.{k}": param.penalised
               for p in snapshot.spec.placed() for k, param in p.node.layer.params(p.x).items()}
    gradients, penalty = {}, 0.0
    for name, penalised in weights.items():
        w, g = snapshot[name], snapshot[".d".join(name.rsplit(".", 1))]
        gradients[name] = g + penalised * (settings.l2 * w + settings.l1 * np.sign(w))
        penalty += penalised * (0.5 * settings.l2 * (w**2).sum() + settings.l1 * np.abs(w).sum())
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    yield Row("update", "penalty"), "penalty", np.array(penalty)
    yield Row("update", "length of the gradient"), "gradient_norm", np.array(norm)
    shorter = settings.clip_norm / norm if 0 < settings.clip_norm < norm else 1.0
    for name, penalised in weights.items():
        w, g, slots = snapshot[name], gradients[name] * shorter, {}
        before = {slot: snapshot[f"{name}_{slot}"] for slot in settings.optimizer.slots}
        if "velocity" in before:
            slots["velocity"] = options["momentum"] * before["velocity"] + g
        if "mean" in before:
            slots["mean"] = options["beta1"] * before["mean"] + (1 - options["beta1"]) * g
        if "square" in before:
            kept = options["rho"] if kind == "rmsprop" else options["beta2"]
            slots["square"] = kept * before["square"] + (1 - kept) * g**2
        for slot, array in slots.items():
            yield Row(kind, f"new {slot}"), f"{name}_{slot}_after", array
        yield Row(kind, "new weight"), f"{name}_after", _new_weight(kind, options, w, g, slots, lr, facts.t, penalised)


def _new_weight(kind: str, options: dict[str, Any], w: Array, g: Array, slots: dict[str, Array], lr: float, t: int,
                penalised: bool) -> Array:
    match kind:
        case "sgd":
            return w - lr * g
        case "momentum":
            return w - lr * slots["velocity"]
        case "nesterov":
            return w - lr * (g + options["momentum"] * slots["velocity"])
        case "rmsprop":
            return w - lr * g / (np.sqrt(slots["square"]) + options["epsilon"])
    if kind == "adamw" and penalised:
        w = w * (1 - lr * options["weight_decay"])
    mean, square = slots["mean"] / (1 - options["beta1"] ** t), slots["square"] / (1 - options["beta2"] ** t)
    return np.asarray(w - lr * mean / (np.sqrt(square) + options["epsilon"]))


def main(arguments: Sequence[str]) -> int:
    """Print the table of counts."""
    parser = argparse.ArgumentParser(prog="explain_counted", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1000, help="cells of each layer and target (1000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    began = process_time()
    counted = count(options.cells, options.seed)
    for row, cells in counted.items():
        print(f"{row.what:24}{row.target:26}{cells:6}")
    print(f"{len(counted)} rows, {sum(counted.values()):,} cells, all equal, in {process_time() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
