"""How right the trained networks are beside PyTorch's: same architecture, starting weights, order of images and optimizer.

    python3 run.py bench --accuracy [--seeds 5] [--images 20000] [--epochs 3]

The mean accuracies on the test images may differ by 0.3 points at most. MNIST and Fashion-MNIST are read from ../shared/data,
where that is there; the digits come with the program.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnnstudio.resources import resource_path
from engine.datasets.catalog import open_dataset
from engine.datasets.dataset import Dataset, Split
from engine.datasets.splits import batches
from engine.optimizers import Momentum
from engine.settings import TrainSettings
from engine.spec import NetworkSpec
from engine.trainer import Trainer
from tests.benchmarks.networks import spec, table, torch_modules

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
ALLOWED = 0.3
"""Points by which the means may differ."""


def sets(images: int) -> Iterator[tuple[str, Dataset, NetworkSpec, int]]:
    """Name, data, network, and how many times as many epochs as asked for."""
    digits = open_dataset("digits8x8", bundled=resource_path("datasets"))
    yield "digits 8×8", digits, spec("tiny"), 5
    for name, folder in (("MNIST", "mnist"), ("Fashion-MNIST", "fashion_mnist")):
        if (SHARED / folder).is_dir():
            whole = open_dataset(SHARED / folder)
            yield name, dataclasses.replace(whole, train=whole.train.take(images, 0)), spec("LeNet"), 1
        else:
            print(f"{name} is not in ../shared/data beside this checkout; left out.")


def test_images(data: Dataset) -> Split:
    """The test split, or where there is none the validation split, which nothing is chosen by here."""
    return data.test or data.validation


def ours(trainer: Trainer, data: Dataset) -> float:
    """Train to the end; accuracy on the test images in percent."""
    for _ in trainer.run():
        pass
    part = test_images(data)
    return 100 * trainer.network.evaluate(part.images, part.labels).accuracy


def torchs(network: NetworkSpec, weights: dict[str, Any], data: Dataset, settings: TrainSettings) -> float:
    """The same with PyTorch, from the same weights and in the same order."""
    import torch

    model = torch.nn.Sequential(*torch_modules(network))
    with torch.no_grad():
        for (name, value), target in zip(weights.items(), model.parameters(), strict=True):
            assert tuple(target.shape) == value.shape, name
            target.copy_(torch.from_numpy(value))
    optimizer = torch.optim.SGD(model.parameters(), lr=settings.learning_rate, momentum=0.9)
    low, high = data.value_range

    def scaled(images: Any) -> Any:
        return torch.from_numpy((images.astype(np.float32) - low) / np.float32(high - low))

    for epoch in range(settings.epochs):
        for chosen in batches(len(data.train), settings.batch_size, settings.seed, epoch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(scaled(data.train.images[chosen])),
                                              torch.from_numpy(data.train.labels[chosen])).backward()
            optimizer.step()
    part = test_images(data)
    with torch.inference_mode():
        predicted = np.concatenate([model(scaled(images)).argmax(dim=1).numpy() for images in
                                    np.array_split(part.images, max(1, len(part) // 500))])
    return 100 * float(np.mean(predicted == part.labels))


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 where a difference is too large."""
    parser = argparse.ArgumentParser(prog="bench --accuracy", description="How right the networks are beside PyTorch's.")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=20_000, help="training images of MNIST and Fashion-MNIST")
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args(arguments)
    try:
        import torch

        torch.set_num_threads(2)
    except ImportError:
        print("PyTorch is not installed; there is nothing to compare with.")
        return 0
    lines, worst = [], 0.0
    for name, data, network, times in sets(options.images):
        found, wanted = [], []
        for seed in range(1, options.seeds + 1):
            settings = TrainSettings(epochs=options.epochs * times, batch_size=64, learning_rate=0.02, seed=seed,
                                     optimizer=Momentum(0.9))
            trainer = Trainer(network, data, settings)
            weights = {key: value.copy() for key, value in trainer.network.parameters.named.items()}
            found.append(ours(trainer, data))
            wanted.append(torchs(network, weights, data, settings))
            print(".", end="", flush=True, file=sys.stderr)
        difference = float(np.mean(found) - np.mean(wanted))
        worst = max(worst, abs(difference))
        lines.append([f"{name}, {len(data.train):,} images, {options.epochs * times} epochs", f"{np.mean(found):.2f}",
                      f"{np.mean(wanted):.2f}", f"{difference:+.2f}", f"{np.std(found, ddof=1):.2f}" if len(found) > 1 else "–"])
    print(table([f"accuracy in %, mean of {options.seeds} seeds", "ours", "PyTorch", "difference", "deviation of seeds"], lines))
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
