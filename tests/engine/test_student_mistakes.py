"""What students do wrong: each mistake gets the right place, the arithmetic and the nearest fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.datasets.catalog import open_dataset
from engine.diagnose import diagnose
from engine.errors import EngineError
from engine.layer import Layer
from engine.layers.activation import ReLU
from engine.layers.batchnorm import BatchNorm
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import GlobalAvgPool, MaxPool2D
from engine.layers.softmax import Softmax
from engine.losses import SquaredError
from engine.network import Network
from engine.optimizers import Momentum
from engine.settings import TrainSettings
from engine.snapshot import batch_snapshot
from engine.spec import NetworkSpec, Node
from engine.trainer import Trainer
from engine.weights import load_weights
from tests.engine.networks import blobs, lenet5, small


def shapes(*layers: Layer) -> Callable[[], object]:
    return lambda: NetworkSpec.of(layers).placed()


def read(*layers: dict[str, Any]) -> Callable[[], object]:
    return lambda: NetworkSpec.from_json({"format": 1, "layers": list(layers)})


def weights(**changed: Any) -> Callable[[], object]:
    def load() -> None:
        network = Network(small())
        load_weights(network, {**network.parameters.named, **{k.replace("__", "."): v for k, v in changed.items()}})
    return load


def train(spec: NetworkSpec, settings: TrainSettings, images: int = 96, **data: Any) -> Callable[[], object]:
    return lambda: list(Trainer(spec, blobs(images, **data), settings).run())


@dataclass(frozen=True)
class Mistake:
    """What is done, and what the message must say: place, a part of its words, and the value of the first fix."""

    name: str
    do: Callable[[], object]
    place: str | None
    says: str
    fix: Any = None
    field: str | None = None


ADVICE = "advice"
MISTAKES = [
    Mistake("kernel larger than the image", shapes(Input(1, 8, 8), Conv2D(4, (9, 9))), "conv1 (layer 1)",
            "Input height 8 + 0 + 0 padding = 8. Use a kernel of at most 8, or add 1 of padding.", (8, 8), "kernel_size"),
    Mistake("kernel larger than what two poolings left",
            shapes(Input(1, 8, 8), Conv2D(4, (3, 3)), MaxPool2D(), MaxPool2D(), Conv2D(4, (5, 5))), "conv2 (layer 4)",
            "the 5×5 kernel does not fit. Input height 1 + 0 + 0 padding = 1.", (1, 1), "kernel_size"),
    Mistake("window larger than the map", shapes(Input(1, 3, 8), MaxPool2D((4, 4))), "max_pool1 (layer 1)",
            "the 4×4 window does not fit. Input height 3 + 0 + 0 padding = 3.", (3, 3), "kernel_size"),
    Mistake("only the width is too small", shapes(Input(1, 8, 2), Conv2D(4, (3, 3))), "conv1 (layer 1)",
            "Input width 2 + 0 + 0 padding = 2.", (2, 2), "kernel_size"),
    Mistake("dilation spreads the kernel too far", shapes(Input(1, 8, 8), Conv2D(4, (3, 3), dilation=(5, 5))), "conv1 (layer 1)",
            "spans 11 cells with dilation 5 and does not fit", (2, 2), "kernel_size"),
    Mistake("missing Flatten", shapes(Input(3, 8, 8), Dense(10)), "dense1 (layer 1)",
            "its input is 8×8×3. Flatten makes 8 · 8 · 3 = 192 numbers of it. Insert Flatten.", "flatten"),
    Mistake("convolution after Flatten", shapes(Input(1, 8, 8), Flatten(), Conv2D()), "conv1 (layer 2)",
            "its input is a vector of 64. Put it before the Flatten block."),
    Mistake("pooling after Flatten", shapes(Input(1, 8, 8), Flatten(), MaxPool2D()), "max_pool1 (layer 2)",
            "pooling needs maps, but its input is a vector of 64"),
    Mistake("global pooling after Flatten", shapes(Input(1, 8, 8), Flatten(), GlobalAvgPool()), "global_avg_pool1 (layer 2)",
            "its input is a vector of 64"),
    Mistake("groups that do not divide the channels", shapes(Input(3, 8, 8), Conv2D(4, groups=2)), "conv1 (layer 1)",
            "3 / 2 leaves 1", 1, "groups"),
    Mistake("groups that do not divide the depth", shapes(Input(4, 8, 8), Conv2D(5, groups=2)), "conv1 (layer 1)",
            "5 / 2 leaves 1", 6, "depth"),
    Mistake("no Input", shapes(Conv2D()), None, "A network begins with an Input block. Insert Input.", "input"),
    Mistake("nothing at all", shapes(), None, "A network begins with an Input block.", "input"),
    Mistake("Input in the middle", shapes(Input(), Input()), "input1 (layer 1)", "a second Input block cannot stand inside"),
    Mistake("two layers of one name", lambda: NetworkSpec((Node("a", Input()), Node("a", ReLU()))).placed(), None,
            "Two layers have the id 'a'."),
    Mistake("maps at the end", lambda: Network(NetworkSpec.of([Input(1, 8, 8), Conv2D()])), "conv1 (layer 1)",
            "ends with maps of 6×6×8; a vector with one number for each class is needed", "flatten"),
    Mistake("more components than features", shapes(Input(1, 8, 8, projection="pca", components=65)), "input (layer 0)",
            "65 components. An image of 8×8×1 has 64 features", 64, "components"),
    Mistake("PCA of photographs", shapes(Input(3, 224, 224, projection="zca_whitening")), "input (layer 0)",
            "224×224×3 = 150528 features", "none", "projection"),
    Mistake("stride 0", lambda: Conv2D(stride=(0, 0)), None, "Stride must be at least 1", (1, 1), "stride"),
    Mistake("no filters", lambda: Conv2D(0), None, "Depth must be at least 1; it is 0.", 1, "depth"),
    Mistake("kernel 0", lambda: Conv2D(kernel_size=(3, 0)), None, "Kernel must be at least 1", (3, 1), "kernel_size"),
    Mistake("kernel of three sizes", lambda: Conv2D(kernel_size=(3, 3, 3)), None, "one whole number or height × width"),  # type: ignore[arg-type]
    Mistake("negative padding", lambda: Conv2D(padding=(-1, 0, 2, 0)), None, "cannot be negative", (0, 0, 2, 0), "padding"),
    Mistake("padding misspelt", lambda: Conv2D(padding="sames"), None, "one of valid, same, cover", "same", "padding"),
    Mistake("padding of three sides", lambda: Conv2D(padding=(1, 2, 3)), None, "(top, bottom, left, right)"),  # type: ignore[arg-type]
    Mistake("dropout in percent", lambda: Dropout(50), None, "50 % is written 0.5", 0.5, "rate"),
    Mistake("dropout of everything", lambda: Dropout(1.0), None, "Rate must be less than 1; it is 1.0.", 0.5, "rate"),
    Mistake("no units", lambda: Dense(0), None, "Units must be at least 1; it is 0.", 1, "units"),
    Mistake("half a unit", lambda: Dense(10.5), None, "Units must be a whole number; it is 10.5."),  # type: ignore[arg-type]
    Mistake("units in words", lambda: Dense("ten"), None, "Units must be a whole number; it is 'ten'."),  # type: ignore[arg-type]
    Mistake("start weights misspelt", lambda: Conv2D(init="he"), None, "it is 'he'. Use 'he_normal'.", "he_normal", "init"),
    Mistake("bias in words", lambda: Conv2D(bias="yes"), None, "Bias must be on or off"),  # type: ignore[arg-type]
    Mistake("momentum above 1", lambda: Momentum(1.5), None, "Momentum must be less than 1; it is 1.5.", 0.9, "momentum"),
    Mistake("learning rate 0", lambda: TrainSettings(learning_rate=0), None, "must be greater than 0", 0.001, "learning_rate"),
    Mistake("learning rate with a comma", lambda: TrainSettings(learning_rate="0,01"),  # type: ignore[arg-type]
            None, "must be a number; it is '0,01'"),
    Mistake("learning rate NaN", lambda: TrainSettings(learning_rate=float("nan")), None, "must be a finite number"),
    Mistake("batch of none", lambda: TrainSettings(batch_size=0), None, "Batch size must be at least 1", 1, "batch_size"),
    Mistake("no epochs", lambda: TrainSettings(epochs=0), None, "Epochs must be at least 1", 1, "epochs"),
    Mistake("negative seed", lambda: TrainSettings(seed=-1), None, "Seed must be at least 0; it is -1.", 0, "seed"),
    Mistake("a layer's name from another library", read({"id": "c", "kind": "conv2d"}), "c", "no layer of kind 'conv2d'"),
    Mistake("an option from another library", read({"id": "c", "kind": "conv", "filters": 3}), "c",
            "conv has no option 'filters'; it has depth, kernel_size"),
    Mistake("an option misspelt", read({"id": "c", "kind": "conv", "paddin": 3}), "c", "Use 'padding'."),
    Mistake("an optimizer misspelt", lambda: TrainSettings.from_json({"optimizer": {"kind": "adm"}}), None, "Use 'adam'."),
    Mistake("a setting abbreviated", lambda: TrainSettings.from_json({"lr": 1}), None,
            "it has epochs, batch_size, learning_rate"),
    Mistake("broken JSON", lambda: NetworkSpec.from_json('{"layers": ['), None, "not a network in JSON"),
    Mistake("a list instead of a network", lambda: NetworkSpec.from_json([1]), None, "an object with a list of layers"),
    Mistake("a newer format", lambda: NetworkSpec.from_json({"format": 9, "layers": []}), None,
            "format 9; this program reads format 1"),
    Mistake("images of another size", train(small(), TrainSettings(), shape=(1, 9, 8)), "input (layer 0)",
            "takes 8×8×1, but the images of blobs are 9×8×1", (1, 9, 8)),
    Mistake("colour images", train(small(), TrainSettings(), shape=(3, 8, 8)), "input (layer 0)", "are 8×8×3", (3, 8, 8)),
    Mistake("too few outputs", train(small(), TrainSettings(), classes=5), None,
            "5 classes, but the network has 3 outputs", 5, None),
    Mistake("batch normalisation of one image",
            train(NetworkSpec.of([Input(1, 8, 8), Flatten(), Dense(4), BatchNorm(), Dense(3), Softmax()]),
                  TrainSettings(batch_size=20), images=21), "batch_norm1 (layer 3)", "Use a batch of at least 2 images."),
    Mistake("a rate at which numbers overflow", train(small(), TrainSettings(learning_rate=1e30, loss=SquaredError(), epochs=9)),
            "dense1 (layer 5)", "no longer a finite number (NaN or infinity). Lower the learning rate"),
    Mistake("another seed in the middle", lambda: Trainer(small(), blobs(), TrainSettings()).change(TrainSettings(seed=5)), None,
            "cannot change in the middle of it. Reset the weights first."),
    Mistake("weights of a colour network", weights(conv1__W=np.zeros((4, 3, 3, 3))), "conv1 (layer 1)",
            "The channels differ: 3 instead of 1. Give the Input block 3 channels.", 3),
    Mistake("weights of a wider network", weights(conv1__W=np.zeros((6, 1, 3, 3))), "conv1 (layer 1)",
            "conv1.W is 4×1×3×3 here, but 6×1×3×3 in the weights. The depth differ: 6 instead of 4. Set its depth to 6.", 6),
    Mistake("weights of a larger image", weights(dense1__W=np.zeros((3, 784))), "dense1 (layer 5)",
            "The inputs differ: 784 instead of 64."),
    Mistake("weights that are NaN", weights(conv1__b=np.full(4, np.nan)), "conv1 (layer 1)", "not a finite number"),
    Mistake("weights of another name", weights(conv1__w=np.zeros(3)), None, "no parameter conv1.w"),
    Mistake("no weights", lambda: load_weights(Network(small()), {}), "conv1 (layer 1)", "the weights have no conv1.W"),
    Mistake("a data set misspelt", lambda: open_dataset("mnist12"), None, "There is no data set 'mnist12'"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name)
def test_a_mistake_is_answered_with_place_arithmetic_and_the_nearest_fix(mistake: Mistake) -> None:
    with pytest.raises(EngineError) as caught:
        mistake.do()
    error = caught.value
    assert mistake.says in error.message
    assert error.where.removesuffix(": ") == (mistake.place or "")
    if mistake.fix is not None:
        assert error.fixes[0].value == mistake.fix
    if mistake.field is not None:
        assert error.fixes[0].field == mistake.field


def test_there_are_at_least_forty_of_them() -> None:
    assert len(MISTAKES) >= 40


def test_labels_from_1_are_refused_with_the_way_to_shift_them(tmp_path: Path) -> None:
    path = tmp_path / "ones.npz"
    np.savez(path, images=np.zeros((40, 8, 8), np.uint8), labels=np.arange(40) % 10 + 1)
    with pytest.raises(EngineError, match="1") as caught:
        open_dataset(path)
    assert (caught.value.code, caught.value.fixes[0].value) == ("data.label_run", "renumber")


def test_learning_rate_1_is_diagnosed_with_the_numbers_and_a_lower_rate() -> None:
    settings = TrainSettings(learning_rate=1.0, optimizer=Momentum())
    trainer = Trainer(lenet5(), blobs(640, 10, (1, 28, 28)), settings)
    for _ in trainer.run(until=5):
        pass
    found = diagnose(batch_snapshot(trainer))[0]
    assert found.code == "diagnosis.exploding" and "times the 2.3 of guessing" in found.message
    assert found.fixes[0].value == 0.1


def test_the_padding_fix_does_what_its_words_say() -> None:
    spec = NetworkSpec.of([Input(1, 8, 8), Conv2D(4, (9, 9)), Flatten(), Dense(2)])
    with pytest.raises(EngineError) as caught:
        spec.placed()
    fix = caught.value.fixes[1]
    assert fix.label == "add 1 of padding"
    mended = spec.replace("conv1", spec["conv1"].layer.replace(**{str(fix.field): fix.value}))
    window = mended["conv1"].layer.window(mended.placed()[1].x)
    assert window is not None and window.padding == (0, 1, 0, 1)
