"""Worker processes that compute the slices of a batch side by side, each with an interpreter of its own.

Threads of one process take turns at Python's interpreter lock, and so does a window that wants to be drawn meanwhile; processes
do not. Parameters, images and gradients pass through one block of shared memory without a name, which vanishes with the last
process that holds it; a short message over a pipe says what to compute. A worker ends when its pipe closes, whatever has become
of the process at the other end.

This process computes a slice as well, after it has given one to every worker. Whoever waits for a message looks for it some time
before it goes to sleep, since waking up takes longer than all else that passes between two processes.

The processes are started the same way on every system ("spawn"), when the first batch asks for them, and are used as soon as they
are ready. Which process computes a slice changes no bit of it: if a worker fails, its slice is computed in this process.
"""

from __future__ import annotations

import contextlib
import logging
import math
import multiprocessing
import signal
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from ctypes import c_char
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from engine.layer import Array
from engine.losses import Loss
from engine.slices import SliceJob, SliceResult
from engine.spec import NetworkSpec

log = logging.getLogger(__name__)

LONGEST_GOODBYE = 2.0
"""Seconds that a worker may take to end by itself."""
PATIENCE = 5e-4
"""Seconds for which the next message is looked for without pause: about what lies between two steps of training."""


@dataclass(frozen=True)
class Plan:
    """What a worker must know to make the same network, and the most bytes that a slice's images or labels may have."""

    spec: NetworkSpec
    loss: Loss
    dtype: np.dtype[Any]
    parameters: int
    state: int
    images: int
    labels: int

    def bytes(self, workers: int) -> int:
        """The size of the shared block."""
        return (self.parameters * (1 + workers) + self.state) * self.dtype.itemsize + (self.images + self.labels) * workers

    def common(self, block: Any) -> tuple[Array, Array]:
        """Parameters and state in the shared block."""
        floats: Array = np.frombuffer(block, self.dtype, self.parameters + self.state)
        return floats[:self.parameters], floats[self.parameters:]

    def own(self, block: Any, worker: int, workers: int) -> tuple[Array, Array, Array]:
        """One worker's gradient, and its bytes of images and of labels, in the shared block."""
        start = (self.parameters + self.state) * self.dtype.itemsize
        gradients: Array = np.frombuffer(block, self.dtype, self.parameters * workers, start)
        raw = np.frombuffer(block, np.uint8, offset=start + gradients.nbytes).reshape(workers, -1)[worker]
        return gradients.reshape(workers, -1)[worker], raw[:self.images], raw[self.images:]


Described = tuple[tuple[int, ...], str]
"""An array's shape and dtype."""
Task = tuple[Described, Described, int, tuple[int, ...], bool]
"""One slice of a batch: what its images and labels in the shared block are, the size of the batch, the key of the random layers,
and whether the parameters have changed. A plain tuple, which is the quickest to send."""


def _put(array: Array, memory: Array) -> Described:
    """Copy an array into bytes of memory."""
    np.copyto(memory[:array.nbytes].view(array.dtype).reshape(array.shape), array)
    return array.shape, array.dtype.str


def _get(what: Described, memory: Array) -> Array:
    """The array that `_put` has put there."""
    shape, dtype = what
    return memory[:math.prod(shape) * np.dtype(dtype).itemsize].view(dtype).reshape(shape)


def _next_message(pipe: Connection) -> Any:
    """What comes through a pipe next. Raises EOFError or OSError when the other end is gone."""
    end = time.perf_counter() + PATIENCE
    while not pipe.poll() and time.perf_counter() < end:
        pass
    return pipe.recv()


class WorkerError(Exception):
    """A worker has failed, or is gone."""


class Workers:
    """A number of processes with the same network; use them when `ready`."""

    def __init__(self, plan: Plan, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        block = context.RawArray(c_char, plan.bytes(count))
        self._parameters, self._state = plan.common(block)
        self._own = [plan.own(block, k, count) for k in range(count)]
        self._pipes: list[Connection] = []
        self._processes = []
        self._waiting = set(range(count))
        for k in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(plan, block, k, count, there), daemon=True, name=f"slices {k}")
            process.start()
            there.close()  # so that the worker's end closes with the worker
            self._pipes.append(here)
            self._processes.append(process)

    def __len__(self) -> int:
        return len(self._pipes)

    @property
    def ready(self) -> bool:
        """Whether all have started. Raises WorkerError when one could not."""
        for k in list(self._waiting):
            if self._pipes[k].poll():
                self._answer(k)
                self._waiting.discard(k)
        return not self._waiting

    def share(self, parameters: Array, state: Array) -> None:
        """Give all workers the parameters and the state."""
        np.copyto(self._parameters, parameters)
        np.copyto(self._state, state)

    def begin(self, k: int, job: SliceJob, *, changed: bool) -> None:
        """Let worker `k` compute a slice; `changed` says that `share` has been called since its last one."""
        _, for_images, for_labels = self._own[k]
        task: Task = (_put(job.images, for_images), _put(job.labels, for_labels), job.batch, job.key, changed)
        try:
            self._pipes[k].send(task)
        except OSError as error:
            raise WorkerError(str(error)) from error

    def finish(self, k: int) -> SliceResult:
        """Wait for worker `k`; the gradient stays until it begins the next slice."""
        loss, correct, finite = self._answer(k)
        return SliceResult(self._own[k][0], loss, correct, finite)

    def _answer(self, k: int) -> Any:
        try:
            answer = _next_message(self._pipes[k])
        except (EOFError, OSError) as error:
            raise WorkerError(f"worker {k} is gone") from error
        if isinstance(answer, str):
            raise WorkerError(answer)
        return answer

    def close(self) -> None:
        """End all workers and wait for their end."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(LONGEST_GOODBYE)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._pipes, self._processes = [], []


class Crew:
    """Workers that start when first wanted, and without which the work is done in this process."""

    def __init__(self, count: int, plan: Callable[[], Plan]) -> None:
        self._count, self._plan = count, plan
        self._workers: Workers | None = None

    def ready(self) -> bool:
        """Whether workers are wanted and all have started; the first call starts them."""
        if not self._count:
            return False
        try:
            if self._workers is None:
                self._workers = Workers(self._plan(), self._count)
                weakref.finalize(self, self._workers.close)
            return self._workers.ready
        except (WorkerError, OSError) as error:
            self._give_up(error)
            return False

    def compute(self, jobs: Sequence[SliceJob], parameters: Array, state: Array,
                here: Callable[[int], SliceResult]) -> Iterator[SliceResult]:
        """The slices' results in order, each until the next is asked for.

        `here` computes a slice in this process: its share, and what a broken worker leaves undone.
        """
        workers, done = self._workers, 0
        assert workers is not None
        count = len(workers)
        try:
            workers.share(parameters, state)
            for start in range(0, len(jobs), count + 1):
                given = jobs[start:start + count]
                for k, job in enumerate(given):
                    workers.begin(k, job, changed=not start)
                own = here(start + count) if start + count < len(jobs) else None
                for k in range(len(given)):
                    yield workers.finish(k)
                    done += 1
                if own is not None:
                    yield own
                    done += 1
        except WorkerError as error:
            self._give_up(error)
            for k in range(done, len(jobs)):
                yield here(k)
        finally:
            if done < len(jobs):
                self.close()  # nobody wants their answers any more

    def close(self) -> None:
        """End the workers, if there are any."""
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    def _give_up(self, error: Exception) -> None:
        log.warning("Training goes on without worker processes: %s", error)
        self._count = 0
        self.close()


def _serve(plan: Plan, block: Any, worker: int, workers: int, pipe: Connection) -> None:
    """A worker's life: compute slices until the pipe closes."""
    from engine.network import Network  # which itself imports this file

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's affair; this one ends with it
    parameters, state = plan.common(block)
    gradient, for_images, for_labels = plan.own(block, worker, workers)
    network = Network(plan.spec, loss=plan.loss, dtype=plan.dtype, memory=(parameters, gradient))
    with contextlib.suppress(EOFError, OSError):  # the other end is gone, and nobody is left to tell
        pipe.send(None)
        while True:
            task: Task = _next_message(pipe)
            images, labels, batch, key, changed = task
            try:
                if changed:
                    network.set_flat_state(state)
                job = SliceJob(_get(images, for_images), _get(labels, for_labels), batch, key)
                of_slice = network.slice_gradient(job)
            except Exception as error:
                pipe.send(f"{type(error).__name__}: {error}")
            else:
                pipe.send((of_slice.loss, of_slice.correct, of_slice.finite))
