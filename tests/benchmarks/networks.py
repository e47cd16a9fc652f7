"""The networks that are measured, as ours and as PyTorch's, and the measuring itself."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from engine.layer import Layer
from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.layers.softmax import Softmax
from engine.spec import NetworkSpec

Step = Callable[[], object]


def conv(depth: int, kernel: int, pad: int = 0) -> Conv2D:
    """A square convolution."""
    return Conv2D(depth, (kernel, kernel), padding=(pad,) * 4)


LAYERS: dict[str, list[Layer]] = {
    "tiny": [Input(1, 8, 8), conv(8, 3, 1), ReLU(), MaxPool2D(), Flatten(), Dense(10), Softmax()],
    "LeNet": [Input(1, 28, 28), conv(6, 5, 2), ReLU(), MaxPool2D(), conv(16, 5), ReLU(), MaxPool2D(), Flatten(), Dense(120),
              ReLU(), Dense(84), ReLU(), Dense(10), Softmax()],
    "VGG-mini": [Input(3, 32, 32), conv(32, 3, 1), ReLU(), conv(32, 3, 1), ReLU(), MaxPool2D(), conv(64, 3, 1), ReLU(),
                 MaxPool2D(), Flatten(), Dense(128), ReLU(), Dense(10), Softmax()]}


def spec(name: str) -> NetworkSpec:
    """One of the three networks."""
    return NetworkSpec.of(LAYERS[name])


def torch_modules(network: NetworkSpec) -> list[Any]:
    """The same layers as PyTorch's modules, without input and softmax."""
    import torch.nn as nn

    modules: list[Any] = []
    for placed in network.placed():
        layer = placed.node.layer
        if isinstance(layer, Conv2D):
            sides = layer.window(placed.x).padding
            modules.append(nn.Conv2d(placed.x[0], layer.depth, layer.kernel_size, padding=(sides[0], sides[2])))
        elif isinstance(layer, MaxPool2D):
            modules.append(nn.MaxPool2d(layer.kernel_size))
        elif isinstance(layer, Dense):
            modules.append(nn.Linear(placed.x.size, layer.units))
        elif isinstance(layer, ReLU):
            modules.append(nn.ReLU())
        elif isinstance(layer, Flatten):
            modules.append(nn.Flatten())
    return modules


PAUSE = 0.01
"""Seconds before each turn, in which threads that the one before has left spinning come to rest."""


def rounds(contenders: Mapping[str, Step], seconds: float, count: int = 11) -> dict[str, list[float]]:
    """Seconds of one call of each contender, in `count` rounds of all in turn, so that other load hits all of them alike.

    A round lasts about `seconds` / `count`; everybody is called as often as fits into its share of it.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    repeats = {}
    for name, step in contenders.items():
        step()
        step()
        start = time.perf_counter()
        step()
        repeats[name] = max(1, round(seconds / count / len(contenders) / (time.perf_counter() - start)))
    for _ in range(count):
        for name, step in contenders.items():
            time.sleep(PAUSE)
            step()
            start = time.perf_counter()
            for _ in range(repeats[name]):
                step()
            times[name].append((time.perf_counter() - start) / repeats[name])
    return times


def ratio(times: Mapping[str, list[float]], name: str, rivals: list[str]) -> float:
    """How many times as fast as the best rival: the median of the rounds' ratios."""
    best = min(rivals, key=lambda rival: statistics.median(times[rival]))
    return statistics.median(b / a for a, b in zip(times[name], times[best], strict=True))


def table(head: list[str], lines: list[list[str]]) -> str:
    """A Markdown table with aligned columns, the first to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    rule = [("-" if i == 0 else "") + "-" * (w - 1) + ("-" if i == 0 else ":") for i, w in enumerate(widths)]
    rule[0] = "-" * widths[0]
    return "\n".join("| " + " | ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths,
                     strict=True))) + " |" for line in [head, rule, *lines])
