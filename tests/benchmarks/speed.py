"""One table of `bench --engine`: all contenders in turn, with the BLAS kernel that this process happens to use."""

from __future__ import annotations

import functools
import os
import statistics
import sys
import time
from typing import Any

import numpy as np

from engine import blas
from engine.layer import Array
from engine.network import Network
from engine.optimizers import Adam, Momentum, Optimizer
from engine.slices import SliceJob, cut_forward
from engine.update import Update
from tests.benchmarks.im2col import PlainEngine
from tests.benchmarks.networks import LAYERS, Step, ratio, rounds, spec, table, torch_modules

CORES = os.cpu_count() or 1
OPTIMIZERS: dict[str, Optimizer] = {"momentum": Momentum(), "Adam": Adam()}
RATE = 1e-4
LONGEST_START = 10.0
"""Seconds for worker processes to start."""


def batch(name: str, n: int) -> tuple[Array, Array]:
    """`n` images of noise for a network, and labels."""
    rng = np.random.default_rng(0)
    return rng.random((n, *spec(name).placed()[0].x), dtype=np.float32), rng.integers(0, 10, n)


def ours(name: str, n: int, optimizer: Optimizer, *, fast: bool = True, workers: int = 0) -> tuple[Network, Step]:
    """A network and its training step: gradient and update."""
    network = Network(spec(name), fast=fast, workers=workers)
    network.initialize(1)
    images, labels = batch(name, n)
    p = network.parameters
    slots = {slot: np.zeros_like(p.flat) for slot in optimizer.slots}
    update = Update(p, slots, np.zeros((2, p.size), p.flat.dtype))
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        network.gradient(images, labels)
        update.step(optimizer, RATE, count)

    step()
    if workers and len(network.slices(n)) > 1:
        await_workers(network)
    return network, step


def await_workers(network: Network) -> None:
    """Wait until the worker processes have started. Raises TimeoutError, since a network goes on without those that cannot."""
    end = time.monotonic() + LONGEST_START
    while not network.workers_ready():
        if time.monotonic() > end:
            raise TimeoutError(f"The worker processes have not started within {LONGEST_START:.0f} s.")
        time.sleep(0.01)


def torch_variants(name: str, n: int, optimizer: str) -> dict[str, Step]:
    """PyTorch's training step as it comes, with channels last, with a fused optimizer, and with both; {} without PyTorch."""
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(CORES)
    images, labels = (torch.from_numpy(a) for a in batch(name, n))
    steps: dict[str, Step] = {}
    for last in (False, True):
        for fused in (False, True):
            kind: dict[str, Any] = {"memory_format": torch.channels_last} if last else {}
            model, x = torch.nn.Sequential(*torch_modules(spec(name))).to(**kind), images.to(**kind)
            make = torch.optim.Adam(model.parameters(), lr=RATE, fused=fused) if optimizer == "Adam" else \
                torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, fused=fused)
            loss = torch.nn.CrossEntropyLoss()

            def step(model: Any = model, x: Any = x, make: Any = make, loss: Any = loss) -> None:
                make.zero_grad()
                loss(model(x), labels).backward()
                make.step()

            steps[f"PyTorch{', channels last' * last}{', fused' * fused}"] = step
    return steps


def milliseconds(times: list[float]) -> str:
    """The median."""
    return f"{statistics.median(times) * 1e3:.3g}"


Targets = dict[str, float]
TRAINING: dict[bool, Targets] = {True: {"tiny": 6, "LeNet": 2, "VGG-mini": 1.2},
                                 False: {"tiny": 4, "LeNet": 1.5, "VGG-mini": 0.75}}
"""How many times as fast as PyTorch a training step has to be, with small kernels (AVX-512) and without."""
INFERENCE: Targets = {"tiny": 5, "LeNet": 3, "VGG-mini": 1.3}
"""The same for the outputs of 64 images, with small kernels."""
ONE_IMAGE: Targets = {"tiny": 15, "LeNet": 60, "VGG-mini": 350}
"""Microseconds that the outputs of one image may take, with small kernels."""


def verdict(reached: bool) -> str:
    """What stands beside a target."""
    return "ok" if reached else "MISSED"


def training() -> str:
    """Time of a training step and its ratio to the best of PyTorch, for all networks, batch sizes and optimizers."""
    targets = TRAINING[not blas.packs_small_products()]
    lines = []
    for name in LAYERS:
        for n in (32, 64, 128):
            for kind, optimizer in OPTIMIZERS.items():
                networks = {"threads": ours(name, n, optimizer)}
                if len(networks["threads"][0].slices(n)) > 1:
                    networks["processes"] = ours(name, n, optimizer, workers=max(1, CORES - 1))
                rivals = torch_variants(name, n, kind)
                steps = {key: step for key, (_, step) in networks.items()} | rivals
                extra = n == 64 and kind == "momentum"
                if extra:
                    images, labels = batch(name, n)
                    engine = PlainEngine(spec(name))
                    steps["plain layers"] = ours(name, n, optimizer, fast=False)[1]
                    steps["im2col"] = lambda engine=engine, images=images, labels=labels: engine.step(images, labels, RATE)
                times = rounds(steps, seconds=0.3 * len(steps))
                for network, _ in networks.values():
                    network.close()
                best = min(networks, key=lambda key: statistics.median(times[key]))
                against = list(rivals)

                def faster(key: str, times: Any = times, against: list[str] = against) -> str:
                    return f"{ratio(times, key, against):.2f}" if against and key in times else "–"

                torch_time = min((times[key] for key in against), key=statistics.median, default=None)
                judged = verdict(ratio(times, best, against) >= targets[name]) if against else "–"
                lines.append([f"{name}, batch {n}, {kind}", milliseconds(times[best]),
                              milliseconds(torch_time) if torch_time else "–", faster("threads"), faster("processes"),
                              f"≥ {targets[name]:g}", judged, faster("plain layers"), faster("im2col")])
                print(".", end="", flush=True, file=sys.stderr)
    return table(["training step", "ours, ms", "PyTorch, ms", "threads", "processes", "target", "", "plain layers",
                  "im2col engine"], lines)


def inference() -> str:
    """Outputs for 64 images, and for one."""
    lines = []
    for name in LAYERS:
        networks = {"threads": Network(spec(name)), "processes": Network(spec(name), workers=max(1, CORES - 1))}
        for network in networks.values():
            network.initialize(1)
        for n in (64, 1):
            images, _ = batch(name, n)
            steps = {who: functools.partial(network.predict, images) for who, network in networks.items()
                     if who == "threads" or uses_processes(network, images)}
            rivals = torch_forward(name, images)
            times = rounds(steps | rivals, seconds=1.5)
            best = min(steps, key=lambda who: statistics.median(times[who]))
            microseconds, faster = statistics.median(times[best]) * 1e6, ratio(times, best, list(rivals)) if rivals else None
            target, judged = "–", "–"
            if not blas.packs_small_products():
                target = f"≤ {ONE_IMAGE[name]} µs" if n == 1 else f"≥ {INFERENCE[name]:g}"
                judged = verdict(microseconds <= ONE_IMAGE[name]) if n == 1 else \
                    "–" if faster is None else verdict(faster >= INFERENCE[name])
            lines.append([f"{name}, {n} image{'s' * (n > 1)}", f"{microseconds:.0f}", f"{faster:.2f}" if faster else "–", target,
                          judged, best if len(steps) > 1 else "one thread"])
        networks["processes"].close()
    return table(["inference", "ours, µs", "× PyTorch", "target", "", "in"], lines)


def uses_processes(network: Network, images: Array) -> bool:
    """Whether worker processes share in the outputs of so many images; if so they are ready now."""
    if len(cut_forward(len(images), network.macs)) == 1:
        return False
    await_workers(network)
    return True


def torch_forward(name: str, images: Array) -> dict[str, Step]:
    """PyTorch's inference as it comes and with channels last; {} without PyTorch."""
    try:
        import torch
    except ImportError:
        return {}
    steps: dict[str, Step] = {}
    for last in (False, True):
        kind: dict[str, Any] = {"memory_format": torch.channels_last} if last else {}
        model = torch.nn.Sequential(*torch_modules(spec(name)), torch.nn.Softmax(dim=1)).eval().to(**kind)
        x = torch.from_numpy(images).to(**kind)

        def step(model: Any = model, x: Any = x) -> None:
            with torch.inference_mode():
                model(x)

        steps[f"PyTorch{', channels last' * last}"] = step
    return steps


def shares() -> str:
    """Where the time of one slice goes, in one thread, and how fast its products are beside one large one."""
    a = np.ones((1024, 1024), np.float32)
    out = np.zeros_like(a)
    peak = 2 * 1024**3 / min(rounds({"gemm": lambda: np.matmul(a, a, out=out)}, 0.5)["gemm"]) / 1e9
    lines = []
    for name in LAYERS:
        n = 64 if name == "tiny" else 32
        parts = _time_of_parts(name, n)
        whole = sum(parts.values())
        placed = spec(name).placed()
        first = next(p for p in placed if p.node.layer.kind == "conv")
        macs = 3 * sum(p.node.layer.macs(p.x) for p in placed) - first.node.layer.macs(first.x)
        rate = 2 * n * macs / parts["products"] / 1e9
        lines.append([f"{name}, {n} images", f"{whole * 1e3:.3g}", f"{rate:.0f}", f"{rate / peak:.0%}",
                      *(f"{parts[kind] / whole:.0%}" for kind in PARTS)])
    note = f"One product of 1024 × 1024 matrices runs at {peak:.0f} GFLOP/s in one thread."
    return table(["one slice and its update", "ms", "GFLOP/s", "of peak", *PARTS], lines) + "\n\n" + note


def _time_of_parts(name: str, n: int) -> dict[str, float]:
    """The seconds that each kind of work takes: for every call the median of several steps."""
    network, _ = ours(name, n, Momentum())
    images, labels = batch(name, n)
    lane = network.slice_gradient(SliceJob(images, labels, n, ())) and network._begin(images, 0, training=True)
    calls = [(call, network.placed[i].node.layer.kind) for i, calls in lane.forward for call in calls]
    calls += [(lambda: lane.measure(labels, n), "loss")]
    calls += [(call, network.placed[i].node.layer.kind) for i, calls in lane.backward for call in calls]
    p = network.parameters
    update = Update(p, {"velocity": np.zeros_like(p.flat)}, np.zeros((2, p.size), p.flat.dtype))
    calls += [(lambda: update.step(OPTIMIZERS["momentum"], RATE, 1), "optimizer")]
    times: list[list[float]] = [[] for _ in calls]

    def measure() -> None:
        for _ in range(15):
            for (call, _), row in zip(calls, times, strict=True):
                start = time.perf_counter()
                call()
                row.append(time.perf_counter() - start)

    lane.settings.run(measure)
    parts = dict.fromkeys(PARTS, 0.0)
    for (call, layer), row in zip(calls, times, strict=True):
        parts[_kind(call, layer)] += statistics.median(row)
    return parts


PARTS = ("products", "unrolling", "pooling", "elementwise", "optimizer")


def _kind(call: Any, layer: str) -> str:
    """What a bound call does. The plan computes a convolution together with its pooling, as part of the pooling."""
    name = getattr(getattr(call, "func", call), "__name__", "")
    if layer == "optimizer":
        return layer
    if name in ("matmul", "dot", "copyto"):
        return "unrolling" if name == "copyto" else "products"
    return "pooling" if layer == "max_pool" and name in ("subtract", "maximum", "right_shift", "bitwise_xor") \
        else "elementwise"


def main(arguments: list[str]) -> int:
    """Print the tables."""
    library = blas.library()
    print(f"\n## Kernel: {library.get('internal_api')} {library.get('version')}, {library.get('architecture')}; {CORES} cores\n")
    print(training(), end="\n\n", flush=True)
    print(inference(), end="\n\n", flush=True)
    print(shares(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
