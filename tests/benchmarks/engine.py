"""How fast the engine is: beside PyTorch, beside itself without plans, with either kind of BLAS kernel; and how it grows.

    python3 run.py bench --engine [--quick]

Two processes measure one after the other, one with the BLAS kernels made for this processor and one with those of a processor
without AVX-512 (OPENBLAS_CORETYPE=Haswell). In each all contenders take turns, so that other load hits all of them alike; a ratio
is the median of the rounds' ratios, and PyTorch's time that of its fastest variant. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from engine.datasets.augmentation import Augmentation
from engine.datasets.catalog import open_dataset
from engine.datasets.splits import batches
from engine.layer import Layer
from engine.layers.activation import ReLU
from engine.layers.dense import Dense, Flatten
from engine.layers.input import Input
from engine.layers.softmax import Softmax
from engine.network import Network
from engine.optimizers import Momentum
from engine.spec import NetworkSpec
from tests.benchmarks.networks import conv, rounds, spec, table
from tests.benchmarks.speed import batch, ours

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def growth() -> str:
    """The time of a step against the batch, the depth and the size of the images."""
    cases: dict[str, tuple[NetworkSpec, int]] = {f"LeNet, batch {n}": (spec("LeNet"), n) for n in (16, 32, 64, 128, 256)}
    cases |= {f"{depth} convolutions 8 @ 3×3 on 16×16, batch 64": (_chain(depth, 16), 64) for depth in (1, 2, 4, 8)}
    cases |= {f"2 convolutions 8 @ 3×3 on {size}×{size}, batch 64": (_chain(2, size), 64) for size in (8, 16, 32, 64)}
    lines = []
    for name, (network_spec, n) in cases.items():
        network = Network(network_spec)
        network.initialize(1)
        rng = np.random.default_rng(0)
        images, labels = rng.random((n, *network.placed[0].x), dtype=np.float32), rng.integers(0, 10, n)
        seconds = statistics.median(rounds({"step": lambda a=images, b=labels, c=network: c.gradient(a, b)}, 0.7)["step"])
        macs = sum(p.node.layer.macs(p.x) for p in network.placed)
        lines.append([name, f"{seconds * 1e3:.3g}", f"{seconds / n * 1e6:.1f}", f"{macs / 1e6:.2f}"])
    return table(["gradient of a batch, threads", "ms", "µs an image", "MMAC an image"], lines)


def _chain(depth: int, size: int) -> NetworkSpec:
    layers: list[Layer] = [Input(1, size, size)]
    for _ in range(depth):
        layers += [conv(8, 3, 1), ReLU()]
    return NetworkSpec.of([*layers, Flatten(), Dense(10), Softmax()])


def memory() -> str:
    """How much memory VGG-mini takes beyond what the program has imported, each batch size in a process of its own."""
    lines = []
    for n in (32, 64, 128, 256):
        command = [sys.executable, "-m", "tests.benchmarks.engine", "--memory", str(n)]
        lines.append([f"VGG-mini, batch {n}", subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()])
    return table(["memory above the imports, gradients in threads", "MB"], lines)


def memory_of(n: int) -> float:
    """MB that a few steps of VGG-mini add to this process."""
    np.random.default_rng(0).random(1)  # imported when first used
    network = Network(spec("tiny"))
    network.initialize(1)
    before = _resident()
    images, labels = np.zeros((n, 3, 32, 32), np.uint8), np.zeros(n, np.int64)
    network = Network(spec("VGG-mini"))
    network.initialize(1)
    for _ in range(3):
        network.gradient(images, labels)
    return _resident() - before


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def data() -> str:
    """The way of the images from the disk into a batch."""
    folder = SHARED / "mnist"
    if not folder.is_dir():
        return "The data pipeline is measured with ../shared/data/mnist, which is not there."
    start = time.perf_counter()
    train = open_dataset(folder).train
    opened = time.perf_counter() - start
    layer = Input(1, 28, 28, mean="feature", normalise="deviation")
    start = time.perf_counter()
    layer.fit(train.images, (0.0, 255.0))
    fitted = time.perf_counter() - start
    start = time.perf_counter()
    order = list(batches(len(train), 64, 1, 0))
    for chosen in order:
        train.images[chosen]
    shuffled = time.perf_counter() - start
    augmentation = Augmentation(shift=2, rotation=10.0, scale=0.1, noise=0.05)
    images, out = train.images[order[0]].astype(np.float32), np.empty((64, 1, 28, 28), np.float32)
    rng = np.random.default_rng(0)
    each = statistics.median(rounds({"augment": lambda: augmentation.augment(images, rng, out)}, 1.0)["augment"])
    network, _ = ours("LeNet", 64, Momentum())
    x, labels = batch("LeNet", 64)
    step = statistics.median(rounds({"step": lambda: network.gradient(x, labels)}, 1.0)["step"])
    lines = [[f"open {len(train):,} images of MNIST", f"{opened * 1e3:.0f} ms"],
             ["preprocess: mean and deviation of every pixel", f"{fitted * 1e3:.0f} ms"],
             ["shuffle and gather an epoch in batches of 64", f"{shuffled * 1e3:.0f} ms"],
             ["augment a batch of 64: shift, turn, scale, noise", f"{each * 1e3:.2f} ms"],
             ["for comparison: gradient of LeNet, batch 64", f"{step * 1e3:.2f} ms"]]
    return table(["data pipeline", "time"], lines)


def main(arguments: Sequence[str]) -> int:
    """Print all tables as Markdown."""
    parser = argparse.ArgumentParser(prog="bench --engine", description="How fast the engine is.")
    parser.add_argument("--quick", action="store_true", help="the native kernel's speed only")
    parser.add_argument("--memory", type=int, metavar="BATCH", help="MB for one batch size, in this process")
    options = parser.parse_args(arguments)
    if options.memory:
        print(f"{memory_of(options.memory):.0f}")
        return 0
    print(f"{date.today()}, {_processor()}, Python {platform.python_version()}, NumPy {np.__version__}")
    for kernel in ("",) if options.quick else ("", "Haswell"):
        environ = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        if kernel:
            environ["OPENBLAS_CORETYPE"] = kernel
        subprocess.run([sys.executable, "-m", "tests.benchmarks.speed"], env=environ, check=True)
    if not options.quick:
        print("\n## Growth and data\n")
        for part in (memory, growth, data):
            print(part(), end="\n\n", flush=True)
    return 0


def _processor() -> str:
    """The processor's name and the number of its cores."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
