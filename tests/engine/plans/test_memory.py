"""A plan allocates everything once, and keeps within its memory."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from engine.memory import CACHE_LINE, HUGE_PAGE, aligned_zeros
from engine.network import Network
from engine.plans.innermost import InnermostLane
from engine.slices import SliceJob
from tests.benchmarks.networks import LAYERS, spec

BUFFERS = 300_000
"""Bytes that NumPy itself takes for a moment where an operation's operands do not lie in one run: a few times 8,192 numbers."""
OBJECTS = 5_000
"""Bytes of small objects that Python and NumPy keep from the first calls: fewer than one array of the smallest network has."""


@pytest.mark.parametrize("name", LAYERS)
def test_a_step_allocates_nothing_that_grows_with_the_work(name: str) -> None:
    network = Network(spec(name))
    network.initialize(1)
    images, labels = np.zeros((32, *network.placed[0].x), np.float32), np.zeros(32, np.int64)
    job = SliceJob(images, labels, 32, ())
    for _ in range(2):
        network.slice_gradient(job)
    tracemalloc.start()
    try:
        network.slice_gradient(job)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(5):
            network.slice_gradient(job)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < OBJECTS and peak - before < BUFFERS


def test_evaluation_keeps_no_memory_for_a_backward_pass() -> None:
    network = Network(spec("VGG-mini"))
    trained, evaluated = (InnermostLane(network._parts, 32, training=training) for training in (True, False))
    assert not any(steps for _, steps in evaluated.backward) and any(steps for _, steps in trained.backward)
    assert len(evaluated.forward) == len(trained.forward)


@pytest.mark.parametrize("size", [1, 1000, HUGE_PAGE - 1, HUGE_PAGE, HUGE_PAGE + 1])
def test_arrays_begin_at_a_cache_line_and_large_ones_at_a_huge_page(size: int) -> None:
    arrays = [aligned_zeros((size,), np.uint8) for _ in range(3)]
    for array in arrays:
        assert array.shape == (size,) and not array.any()
        assert array.ctypes.data % (HUGE_PAGE if size >= HUGE_PAGE else CACHE_LINE) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_vgg_mini_at_batch_256_stays_within_60_mb() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.engine", "--memory", "256"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert float(done.stdout) < 60
