"""Who computes the slices of a batch changes no bit: one thread, two, or processes; and processes leave nothing behind."""

from __future__ import annotations

import itertools
import multiprocessing
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from engine import slices
from engine.errors import DataError, TrainingError
from engine.layer import Array
from engine.layers.activation import ReLU
from engine.layers.conv import Conv2D
from engine.layers.dense import Dense, Flatten
from engine.layers.dropout import Dropout
from engine.layers.input import Input
from engine.layers.pool import MaxPool2D
from engine.layers.softmax import Softmax
from engine.network import Network
from engine.spec import NetworkSpec
from tests.engine.networks import lenet5, small


def with_dropout() -> NetworkSpec:
    return NetworkSpec.of([Input(1, 28, 28, mean="feature"), Conv2D(12, (5, 5)), ReLU(), MaxPool2D(), Dropout(rate=0.3),
                           Conv2D(16, (5, 5)), ReLU(), Flatten(), Dense(10), Softmax()])


def batch(n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(4)
    return rng.integers(0, 256, (n, 1, 28, 28)).astype(np.uint8), rng.integers(0, 10, n)


def trained(network: Network, n: int = 150, steps: int = 3) -> bytes:
    """The weights after a few plain steps of descent."""
    images, labels = batch(n)
    network.initialize(1)
    network.fit_input(images, (0.0, 255.0))
    for step in range(steps):
        network.gradient(images, labels, key=(7, step))
        network.parameters.flat -= np.float32(0.05) * network.parameters.gradient
    return network.parameters.flat.tobytes()


def ready(network: Network) -> Network:
    """The network with its workers started."""
    images, labels = batch(64)
    network.gradient(images, labels, key=(0, 0))
    end = time.monotonic() + 60
    while not network.workers_ready():
        assert network._crew._count and time.monotonic() < end, "the workers did not start"
        time.sleep(0.01)
    return network


@pytest.fixture
def crew() -> Iterator[Network]:
    network = ready(Network(with_dropout(), workers=2))
    yield network
    network.close()
    assert not [child for child in multiprocessing.active_children() if child.name.startswith("slices")]


@pytest.mark.parametrize("n", [40, 150])  # the work of 40 is too little for threads
@pytest.mark.parametrize("cores", [1, 2, 3, 5])
def test_the_number_of_threads_changes_no_bit(cores: int, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(with_dropout())
    assert len(network.slices(n)) > 1 and (n * network.macs < slices.WORK_FOR_THREADS) == (n == 40)
    usual = trained(network, n)
    monkeypatch.setattr(slices, "_allowed", cores)
    assert trained(Network(with_dropout()), n) == usual


@pytest.mark.parametrize("n", [25, 49, 64, 150, 256])
def test_a_batch_is_cut_into_an_even_number_of_like_slices(n: int) -> None:
    network = Network(lenet5())
    cut = network.slices(n)
    sizes = [part.stop - part.start for part in cut]
    assert sum(sizes) == n and cut[0].start == 0 and all(a.stop == b.start for a, b in itertools.pairwise(cut))
    assert len(cut) % 2 == 0 and max(sizes) <= slices.largest_slice(network.macs) and max(sizes) - min(sizes) < len(cut)


@pytest.mark.parametrize(("macs", "images"), [(0, 256), (5_000, 256), (200_000, 160), (1_000_000, 32), (50_000_000, 32)])
def test_slices_have_more_images_where_images_are_little_work(macs: int, images: int) -> None:
    assert slices.largest_slice(macs) == images
    assert max(part.stop - part.start for part in slices.cut_forward(5000, macs)) <= images


def test_processes_change_no_bit(crew: Network) -> None:
    here = Network(with_dropout())
    for n in (150, 64, 40):
        assert trained(crew, n) == trained(here, n)


def test_this_process_computes_its_share_beside_one_worker() -> None:
    images, labels = batch(150)
    here, crew = Network(with_dropout()), ready(Network(with_dropout(), workers=1))
    assert len(here.slices(150)) > 1
    assert trained(crew) == trained(here)
    assert crew.predict(images).tobytes() == here.predict(images).tobytes()
    assert crew.gradient(images, labels, key=(1, 1)) == here.gradient(images, labels, key=(1, 1))
    crew.close()


@pytest.mark.parametrize("components", [10, 0])  # 0 keeps all
def test_the_largest_slices_fit_into_the_shared_memory(components: int) -> None:
    # Images of more numbers than their principal components, and labels of many numbers, both as wide as can be.
    spec = NetworkSpec.of([Input(1, 28, 28, projection="pca", components=components), Dense(600), ReLU(), Dense(300), Softmax()])
    here, crew = Network(spec), Network(spec, workers=1)
    size = slices.largest_slice(here.macs)
    assert [part.stop - part.start for part in here.slices(2 * size)] == [size, size]
    images, labels = np.random.default_rng(1).random((2 * size, 1, 28, 28)), np.eye(300)[np.arange(2 * size) % 300]
    for network in (here, ready(crew)):
        network.initialize(1)
        network.fit_input(images, (0.0, 1.0))
        network.gradient(images, labels)
    assert crew.workers_ready() and crew.parameters.gradient.tobytes() == here.parameters.gradient.tobytes()
    assert crew.predict(images).tobytes() == here.predict(images).tobytes() and crew.workers_ready()
    crew.close()


def test_a_batch_in_slices_has_the_mean_gradient_and_loss_of_its_parts() -> None:
    images, labels = batch(64)
    network, size = Network(lenet5()), 16
    network.initialize(1)
    assert len(network.slices(64)) > 1 == len(network.slices(size))
    whole, gradient = network.gradient(images, labels), network.parameters.gradient.copy()
    results, mean = [], np.zeros_like(gradient)
    for start in range(0, 64, size):
        results.append(network.gradient(images[start:start + size], labels[start:start + size]))
        mean += network.parameters.gradient * (size / 64)
    np.testing.assert_allclose(gradient, mean, rtol=1e-4, atol=1e-4 * np.abs(mean).max())
    assert whole.loss == pytest.approx(np.mean([part.loss for part in results]), rel=1e-5)
    assert (whole.correct, whole.n) == (sum(part.correct for part in results), 64)


def test_a_worker_that_dies_is_replaced_by_this_process(crew: Network, caplog: pytest.LogCaptureFixture) -> None:
    assert crew._crew._workers is not None
    crew._crew._workers._processes[1].kill()
    assert trained(crew) == trained(Network(with_dropout()))
    assert "without worker processes: worker 1 is gone (exit code -9)" in caplog.text and crew._crew._workers is None


def test_a_batch_that_broke_off_leaves_no_answer_behind_for_the_next_one(crew: Network) -> None:
    images, labels = batch(150)
    usual = trained(Network(with_dropout()))
    trained(crew)
    crew.parameters.flat[0] = np.nan
    with pytest.raises(TrainingError) as kept:  # with the frames that it went through
        crew.gradient(images, labels, key=(0, 0))
    assert trained(crew) == trained(ready(crew)) == usual and kept.value.layer == "conv1"


def test_errors_are_those_of_this_process(crew: Network) -> None:
    images, labels = batch(64)
    with pytest.raises(DataError, match="labels run from"):
        crew.gradient(images, labels + 5, key=(0, 0))
    crew.parameters.flat[0] = np.nan
    with pytest.raises(TrainingError) as error:
        crew.gradient(images, labels, key=(0, 0))
    assert error.value.layer == "conv1"


def test_workers_serve_a_network_that_runs_in_a_thread() -> None:
    found: list[bytes] = []

    def run() -> None:
        network = ready(Network(with_dropout(), workers=2))
        found.append(trained(network))
        network.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [trained(Network(with_dropout()))]


@pytest.mark.parametrize("n", [1, 40, 64, 150])
def test_processes_and_threads_change_no_bit_of_the_outputs(crew: Network, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = batch(n)
    here = Network(with_dropout())
    for network in (here, crew):
        network.initialize(3)
        network.fit_input(images, (0.0, 255.0))
    outputs = here.predict(images)
    assert crew.predict(images).tobytes() == outputs.tobytes()
    assert crew.evaluate(images, labels).loss == here.evaluate(images, labels).loss
    monkeypatch.setattr(slices, "_allowed", 1)
    assert here.predict(images).tobytes() == outputs.tobytes()
    plain = Network(with_dropout(), fast=False)
    plain.parameters.flat[...] = here.parameters.flat
    plain.fit_input(images, (0.0, 255.0))
    np.testing.assert_allclose(outputs, np.concatenate([plain.predict(image[None]) for image in images]), atol=1e-5)


def test_workers_find_what_the_network_was_fitted_to_before_they_started() -> None:
    images, labels = batch(64)
    here, late = Network(with_dropout()), Network(with_dropout(), workers=1)
    for network in (here, late):
        network.initialize(1)
        network.fit_input(images, (0.0, 255.0))
    ready(late)
    assert all((late.state[name] == value).all() for name, value in here.state.items())
    assert late.gradient(images, labels, key=(1, 1)) == here.gradient(images, labels, key=(1, 1))
    assert (late.parameters.gradient == here.parameters.gradient).all()
    late.close()


def test_outputs_come_from_the_present_weights_and_outlast_the_next(crew: Network) -> None:
    images, _ = batch(64)
    crew.initialize(1)
    before = crew.predict(images)
    kept = before.copy()
    crew.parameters.flat *= 2
    assert np.abs(crew.predict(images) - before).max() > 1e-3
    assert (before == kept).all()


def test_outputs_do_not_wait_for_a_worker_that_died(crew: Network, caplog: pytest.LogCaptureFixture) -> None:
    images, _ = batch(150)
    crew.initialize(1)
    usual = crew.predict(images)
    assert crew._crew._workers is not None
    crew._crew._workers._processes[0].kill()
    assert (crew.predict(images) == usual).all()
    assert "without worker processes" in caplog.text


def test_small_work_starts_no_process() -> None:
    network = Network(small(), workers=2)
    network.gradient(np.zeros((64, 1, 8, 8), np.float32), np.zeros(64, np.int64))
    assert network.predict(np.zeros((600, 1, 8, 8), np.float32)).shape == (600, network.outputs)
    assert network.predict(np.zeros((0, 1, 8, 8), np.float32)).shape == (0, network.outputs)
    assert network._crew._workers is None


def test_a_program_that_forgets_to_close_ends_all_the_same() -> None:
    program = """
import time
import numpy as np
from tests.engine.test_workers import Network, ready, with_dropout
if __name__ == "__main__":
    network = ready(Network(with_dropout(), workers=2))
    print(*(process.pid for process in network._crew._workers._processes))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert len(done.stdout.split()) == 2 and not done.stderr
