"""The numbers of the course text, cell by cell through explain: pictures, feature maps, every delta, gradient and new weight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.datasets.dataset import Dataset, Split
from engine.explain import explain
from engine.layer import Array, Layer, Shape
from engine.layers.activation import ReLU, Sigmoid
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.layers.softmax import Softmax
from engine.losses import CrossEntropy, SquaredError
from engine.network import Network
from engine.optimizers import SGD
from engine.settings import TrainSettings
from engine.snapshot import Snapshot, SnapshotRequest, batch_snapshot, sample_snapshot
from engine.spec import NetworkSpec
from engine.term import CellRef, Term
from engine.trainer import Trainer
from tests.engine.explain.checks import assert_names

FILE = Path(__file__).resolve().parents[3] / "shared" / "examples" / "worked_examples.json"


@pytest.fixture(scope="module")
def examples() -> dict[str, Any]:
    """The worked examples by id."""
    if not FILE.is_file():
        pytest.skip("worked_examples.json is not in ../shared/examples beside this checkout")
    return {e["id"]: e for e in json.loads(FILE.read_text(encoding="utf-8"))["examples"]}


def looked_at(image: Any, *layers: Layer, **parameters: Any) -> Snapshot:
    """One raw image run through some layers, with these parameters ("conv1_W")."""
    pixels = np.array(image, float)
    network = Network(NetworkSpec.of([Input(*pixels.shape, scaling="none"), *layers, Flatten()]), dtype=np.float64)
    for name, value in parameters.items():
        network.parameters.named[name.replace("_", ".")][...] = value
    return sample_snapshot(network, 0, SnapshotRequest(pixels))


def explained(snapshot: Snapshot, array: str) -> Array:
    """A whole array, every cell of it folded from the leaves of its explanation."""
    out = np.zeros(snapshot[array].shape)
    for index in np.ndindex(out.shape):
        term = explain(snapshot, CellRef(array, index))
        assert_names(term, snapshot.arrays)
        assert term.children, f"{array} is not explained"
        out[index] = term.fold()
    return out


def products(term: Term) -> list[tuple[CellRef | None, CellRef | None, float]]:
    """All products of two leaves in a tree: what the factors are, and the value."""
    if term.op == "product" and not any(child.children for child in term.children):
        a, b = term.children
        return [(a.ref, b.ref, term.value)]
    return [found for child in term.children for found in products(child)]


def test_1_2_padding_at_one_side_reads_every_pixel(examples: dict[str, Any]) -> None:
    example = examples["1.2-padding"]
    window = {"kernel_size": tuple(example["window"]), "stride": tuple(example["stride"])}
    size = Shape((1, *example["input_size"]))
    image = np.arange(size.size).reshape(size)
    for rule, expected in (("valid", example["without_padding"]), ("cover", example["with_padding"])):
        layer = MaxPool2D(padding=rule, **window)
        snapshot = looked_at(image, layer)
        assert list(layer.output_shape(size)[1:]) == expected["output_size"]
        read = {leaf.ref for index in np.ndindex(snapshot["max_pool1.y"].shape)
                for leaf in explain(snapshot, CellRef("max_pool1.y", index)).leaves() if leaf.op == "cell"}
        rows, columns = ({ref.index[axis] for ref in read if ref} for axis in (1, 2))
        if rule == "valid":
            assert 5 - len(rows) == expected["uncovered_rows"]
            assert 5 - len(columns) == expected["uncovered_columns"]
        else:
            assert len(read) == 25
            sides = dict(zip(("top", "bottom", "left", "right"), layer.window(size).padding, strict=True))
            assert sides == expected["padding"]


def test_1_2_convolution_of_a_volume(examples: dict[str, Any]) -> None:
    example = examples["1.2-conv-volume"]
    layer = Conv2D(2, (3, 3), stride=(example["stride"],) * 2, padding=(example["padding"],) * 4)
    snapshot = looked_at(example["input"], layer, conv1_W=example["kernels"], conv1_b=example["bias"])
    assert np.array_equal(explained(snapshot, "conv1.y"), example["output"])
    for cell in example["explained_cells"]:
        *channels, bias = explain(snapshot, CellRef("conv1.y", tuple(cell["cell"]))).children
        assert [c.part for c in channels] == [("channel", 0), ("channel", 1), ("channel", 2)]
        assert [c.fold() for c in channels] == cell["channel_sums"]
        assert all(len(c.children) == 9 for c in channels)
        assert (bias.ref, bias.value) == (CellRef("conv1.b", (cell["cell"][0],)), cell["bias"])
        assert sum(c.fold() for c in channels) + bias.value == cell["value"]


def test_1_3_relu(examples: dict[str, Any]) -> None:
    points = np.array(examples["1.3-relu"]["points"], float)
    snapshot = looked_at(points[:, 0].reshape(1, 1, -1), ReLU())
    assert np.array_equal(explained(snapshot, "relu1.y").ravel(), points[:, 1])


@pytest.mark.parametrize("name", ["1.4-maxpool", "2.2-maxpool"])
def test_max_pooling(examples: dict[str, Any], name: str) -> None:
    example = examples[name]
    layer = MaxPool2D(tuple(example["window"]), (example.get("stride", 1),) * 2)
    snapshot = looked_at(example["input"], layer)
    assert np.array_equal(explained(snapshot, "max_pool1.y"), example["output"])
    assert explain(snapshot, CellRef("max_pool1.y", (0, 0, 0))).winner == snapshot["max_pool1.winner"][0, 0, 0]


def test_2_1_convolution(examples: dict[str, Any]) -> None:
    example = examples["2.1-conv"]
    snapshot = looked_at(example["input"], Conv2D(2, (2, 2)), ReLU(), conv1_W=example["kernels"], conv1_b=example["bias"])
    assert np.array_equal(explained(snapshot, "conv1.y"), [*example["output"], example["output_filter2"]])
    first = explain(snapshot, CellRef("conv1.y", (0, 0, 0)))
    assert [value for _, _, value in products(first)] == example["first_cell"]["products"]
    assert first.fold() == example["first_cell"]["net"]
    assert explain(snapshot, CellRef("relu1.y", (0, 0, 0))).fold() == example["first_cell"]["out"]


def test_3_3_the_delta_of_an_input_cell_meets_the_rotated_kernel() -> None:
    """The text's row for i22: δ11·h22 + δ12·h21 + δ21·h12 + δ22·h11."""
    network = Network(NetworkSpec.of([Input(1, 4, 4, scaling="none"), Conv2D(1, (2, 2)), Flatten(), Dense(2)]), dtype=np.float64)
    network.initialize(3)
    image = np.random.default_rng(0).normal(size=(1, 4, 4))
    snapshot = sample_snapshot(network, 0, SnapshotRequest(image, 1))
    found = [(a, b) for a, b, _ in products(explain(snapshot, CellRef("input.dy", (0, 1, 1))))]
    row = [((0, 0), (1, 1)), ((0, 1), (1, 0)), ((1, 0), (0, 1)), ((1, 1), (0, 0))]
    assert found == [(CellRef("conv1.W", (0, 0, *h)), CellRef("conv1.dy", (0, *delta))) for delta, h in row]


def complete_step(example: dict[str, Any]) -> Trainer:
    """The small network after its one step of training, in float64."""
    units = len(example["fc_bias"])
    classified = "class" in example["target"]
    label = int(example["target"]["class"] if classified else example["target"]["value"][0])
    image = np.array(example["input"], float)
    split = Split(image[None].astype(np.float32), np.array([label]), np.arange(1))
    data = Dataset("course", "Course", ("0", "1"), split, split, None, (0.0, 1.0), "made", "none", "0" * 64)
    spec = NetworkSpec.of([Input(*image.shape, scaling="none"), Conv2D(2, (2, 2)), ReLU(), MaxPool2D((2, 2), (1, 1)), Flatten(),
                           Dense(units), Softmax() if classified else Sigmoid()])
    settings = TrainSettings(epochs=1, batch_size=1, learning_rate=example["learning_rate"], optimizer=SGD(),
                             loss=CrossEntropy() if classified else SquaredError())
    trainer = Trainer(spec, data, settings, dtype=np.float64)
    start = {"conv1.W": "kernels", "conv1.b": "bias", "dense1.W": "fc_weights", "dense1.b": "fc_bias"}
    for name, key in start.items():
        trainer.network.parameters.named[name][...] = example[key]
    next(trainer.run())
    return trainer


@pytest.mark.parametrize("name", ["complete-step-softmax", "complete-step-sigmoid-mse"])
def test_a_complete_training_step(examples: dict[str, Any], name: str) -> None:
    example = examples[name]
    trainer = complete_step(example)
    batch = batch_snapshot(trainer)
    sample = sample_of_the_weights_before(trainer)
    forward, backward, update = example["forward"], example["backward"], example["update"]
    head = trainer.network.placed[-1].node.id
    expected = {
        "conv1.y": forward["net_o"], "relu1.y": forward["out_o"], "max_pool1.y": forward["m"], "flatten1.y": forward["flat"],
        "dense1.y": forward["z"], f"{head}.y": forward["y"], "loss": forward["loss"], "dense1.dy": backward["delta_z"],
        "max_pool1.dy": backward["delta_m"], "relu1.dy": backward["delta_out_o"], "conv1.dy": backward["delta_net_o"],
        "input.dy": backward["d_input"]}
    gradients = {"conv1.dW": backward["d_kernels"], "conv1.db": backward["d_bias"], "dense1.dW": backward["d_fc_weights"],
                 "dense1.db": backward["d_fc_bias"]}
    new = {"conv1.W_after": update["kernels"], "conv1.b_after": update["bias"], "dense1.W_after": update["fc_weights"],
           "dense1.b_after": update["fc_bias"]}
    for array, numbers in (expected | gradients).items():
        np.testing.assert_allclose(explained(sample, array), numbers, rtol=1e-12, atol=1e-15, err_msg=array)
        of_batch = explained(batch, array)
        of_image = of_batch if array == "loss" or array in gradients else of_batch[0]
        np.testing.assert_allclose(of_image, numbers, rtol=1e-12, atol=1e-15, err_msg=array)
    for array, numbers in new.items():
        np.testing.assert_allclose(explained(batch, array), numbers, rtol=1e-12, atol=1e-15, err_msg=array)
    winner = sample["max_pool1.winner"]
    rows, columns = np.indices(winner.shape)[1:]
    places = (rows + winner // 2) * 3 + columns + winner % 2
    assert np.array_equal(places, forward["winner_flat_index_in_3x3"])


def test_3_2_the_delta_goes_to_the_winner_alone(examples: dict[str, Any]) -> None:
    sample = sample_of_the_weights_before(complete_step(examples["complete-step-softmax"]))
    loser = explain(sample, CellRef("relu1.dy", (0, 0, 1)))
    assert [[factor.value for factor in product.children][1] for product in loser.children] == [0, 0]
    assert loser.fold() == 0
    winner = explain(sample, CellRef("relu1.dy", (0, 0, 0)))
    assert [product.children[0].ref for product in winner.children if product.value] == [CellRef("max_pool1.dy", (0, 0, 0))]


def sample_of_the_weights_before(trainer: Trainer) -> Snapshot:
    """The training image looked at as a sample, with the weights of before the step."""
    last = trainer.last_update
    assert last is not None
    network = Network(trainer.network.spec, loss=trainer.settings.loss, dtype=np.float64)
    network.parameters.flat[...] = last.weights
    network.set_state(trainer.network.state)
    return sample_snapshot(network, 0, SnapshotRequest(last.images[0], int(last.labels[0])))
