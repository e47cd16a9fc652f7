"""Whole trainings beside PyTorch: from the same weights and batches, the losses stay together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cnnstudio.resources import resource_path
from engine.datasets.catalog import open_dataset
from engine.datasets.dataset import Dataset
from engine.network import Network
from engine.optimizers import Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from engine.settings import TrainSettings
from engine.trainer import BatchDone, Trainer
from tests.engine.networks import lenet5

torch = pytest.importorskip("torch", reason="PyTorch is the oracle here; install it with: pip install torch")


def digits() -> Dataset:
    """Twenty batches of the bundled MNIST digits, with noise.

    On a plain background many cells of a pooling window are equal but for rounding, and which one gets the delta would differ.
    """
    data = open_dataset("mnist12k", bundled=resource_path("datasets"))
    train = data.train.take(64 * 20, seed=0)
    noise = np.random.default_rng(0).integers(0, 60, train.images.shape)
    return replace(data, train=replace(train, images=np.minimum(train.images + noise, 255).astype(np.uint8)))


def torch_lenet(network: Network, dtype: Any) -> Any:
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)).to(dtype)
    named = network.parameters.named
    layers = [("conv1", 0), ("conv2", 3), ("dense1", 7), ("dense2", 9), ("dense3", 11)]
    with torch.no_grad():
        for name, place in layers:
            model[place].weight.copy_(torch.from_numpy(named[f"{name}.W"]))
            model[place].bias.copy_(torch.from_numpy(named[f"{name}.b"]))
    return model


PAIRS = {
    "momentum": (Momentum(0.9), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9), 0.01),
    "nesterov": (Nesterov(0.9), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True), 0.01),
    "rmsprop": (RMSProp(), lambda p: torch.optim.RMSprop(p, lr=0.001), 0.001),
    "adam": (Adam(), lambda p: torch.optim.Adam(p, lr=0.001), 0.001),
    "adamw": (AdamW(weight_decay=0.01), lambda p: torch.optim.AdamW(
        [{"params": [q for q in p if q.ndim > 1], "weight_decay": 0.01},
         {"params": [q for q in p if q.ndim == 1], "weight_decay": 0.0}], lr=0.001), 0.001),
}


def losses_of_both(optimizer: Optimizer, make: Any, rate: float, steps: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    settings = TrainSettings(epochs=100, batch_size=64, learning_rate=rate, seed=5, optimizer=optimizer)
    trainer = Trainer(lenet5(), digits(), settings, dtype=dtype)
    torch.set_num_threads(1)  # so that the two libraries' threads do not wait for each other
    model = torch_lenet(trainer.network, getattr(torch, dtype))
    theirs = make(list(model.parameters()))
    ours_losses, their_losses = [], []
    for event in trainer.run(until=steps):
        if not isinstance(event, BatchDone):
            continue
        assert trainer.last_batch is not None
        images, labels = trainer.last_batch
        theirs.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(torch.from_numpy(images.astype(dtype) / 255)), torch.from_numpy(labels))
        loss.backward()
        theirs.step()
        ours_losses.append(event.loss)
        their_losses.append(loss.item())
    return np.array(ours_losses), np.array(their_losses)


@pytest.mark.parametrize("name", PAIRS)
def test_float64_losses_equal_those_of_pytorch(name: str) -> None:
    steps = 200 if name in ("momentum", "adam") else 50
    ours, theirs = losses_of_both(*PAIRS[name], steps=steps, dtype="float64")
    assert len(ours) == steps and ours[-1] < ours[0] / 2
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)


@pytest.mark.parametrize(("optimizer", "make", "rate"), [
    (Momentum(0.9), lambda p: torch.optim.SGD(p, lr=5e-4, momentum=0.9), 5e-4),
    (Adam(), lambda p: torch.optim.Adam(p, lr=2e-4), 2e-4),
], ids=["momentum", "adam"])
def test_float32_losses_equal_those_of_pytorch_over_50_steps(optimizer: Optimizer, make: Any, rate: float) -> None:
    # At higher rates a single cell that wins its pooling window by one rounding error is amplified to a percent within
    # 50 steps, in PyTorch's float32 against its own float64 just as here.
    ours, theirs = losses_of_both(optimizer, make, rate, steps=50, dtype="float32")
    assert len(ours) == 50 and ours[-1] < ours[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
