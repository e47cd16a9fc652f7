"""Worker processes that compute the slices of a batch side by side, each with an interpreter of its own.

Threads of one process take turns at Python's interpreter lock, and so does a window that wants to be drawn meanwhile; processes
do not. Parameters and state lie in one block of shared memory without a name, which vanishes with the last process that holds
it; images, gradients and outputs pass through it; a short message over a pipe says what to compute. A worker ends when its pipe
closes, whatever has become of the process at the other end.

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
import os
import pickle
import select
import signal
import sys
import time
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from ctypes import c_char
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from engine.layer import Array
from engine.losses import Loss
from engine.memory import CACHE_LINE
from engine.slices import ForwardJob, Outputs, SliceJob, SliceResult
from engine.spec import NetworkSpec

T = TypeVar("T")

log = logging.getLogger(__name__)

LONGEST_GOODBYE = 2.0
"""Seconds that a worker may take to end by itself."""
LONGEST_MESSAGE = 8192
"""Bytes that a message may have; what would be longer is an error's text, which is cut."""
PATIENCE = 5e-4
"""Seconds for which the next message is looked for without pause: about what lies between two steps of training."""


Described = tuple[tuple[int, ...], str]
"""An array's shape and dtype."""


class Place:
    """Bytes of memory for an array of any shape and dtype; the views of it are made once."""

    def __init__(self, memory: Array) -> None:
        self._memory = memory
        self._views: dict[Described, Array] = {}

    def view(self, what: Described) -> Array:
        """The array of that description."""
        if what not in self._views:
            shape, dtype = what
            self._views[what] = self._memory[:math.prod(shape) * np.dtype(dtype).itemsize].view(dtype).reshape(shape)
        return self._views[what]

    def put(self, array: Array) -> Described:
        """Copy an array in."""
        what = array.shape, array.dtype.str
        np.copyto(self.view(what), array)
        return what


class Own(NamedTuple):
    """What the shared block holds for one worker: its gradient and outputs, and its slice's images and labels."""

    gradient: Array
    outputs: Array
    images: Place
    labels: Place


@dataclass(frozen=True)
class Plan:
    """What a worker must know to make the same network, and the most numbers and bytes that a slice's arrays may have."""

    spec: NetworkSpec
    loss: Loss
    dtype: np.dtype[Any]
    parameters: int
    state: int
    outputs: int
    images: int
    labels: int

    def bytes(self, workers: int) -> int:
        """The size of the shared block, with room to begin at a cache line."""
        own = self._bytes(self.parameters) + self._bytes(self.outputs) + _lines(self.images) + _lines(self.labels)
        return CACHE_LINE + self._bytes(self.parameters) + self._bytes(self.state) + own * workers

    def arrays(self, block: Any, workers: int) -> tuple[tuple[Array, Array], list[Own]]:
        """The shared block as parameters and state, which all have in common, and what each worker has for itself."""
        raw = np.frombuffer(block, np.uint8)
        end = -raw.ctypes.data % CACHE_LINE

        def take(count: int, dtype: DTypeLike) -> Array:
            nonlocal end
            size = count * np.dtype(dtype).itemsize
            start, end = end, end + _lines(size)
            return raw[start:start + size].view(dtype)

        return (take(self.parameters, self.dtype), take(self.state, self.dtype)), [
            Own(take(self.parameters, self.dtype), take(self.outputs, self.dtype),
                Place(take(self.images, np.uint8)), Place(take(self.labels, np.uint8))) for _ in range(workers)]

    def _bytes(self, count: int) -> int:
        return _lines(count * self.dtype.itemsize)


def _lines(size: int) -> int:
    """So many bytes in whole cache lines."""
    return -(-size // CACHE_LINE) * CACHE_LINE


Task = tuple[Described, Described | None, int, tuple[int, ...]]
"""One slice of a batch: what its images and labels in the shared block are, the size of the batch, the key of the random layers.
Without labels only outputs are wanted. A plain tuple, which is the quickest to send."""


class Line:
    """A pipe's end for short messages, of which at most one is on its way in each direction.

    What `Connection` does around a message (a pickler and a selector made anew, a header, several reads) takes as long as a
    layer; where the system lets us, we read and write the pipe itself.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.has_message: Callable[[], Any] = pipe.poll
        self._write: Callable[[bytes], object] = pipe.send_bytes
        self._read: Callable[[], bytes] = pipe.recv_bytes
        if sys.platform != "win32":
            poller = select.poll()
            poller.register(pipe.fileno(), select.POLLIN)
            self.has_message = partial(poller.poll, 0)
            self._write = partial(os.write, pipe.fileno())
            self._read = partial(os.read, pipe.fileno(), LONGEST_MESSAGE)

    def send(self, message: object) -> None:
        """Raises OSError when the other end is gone."""
        self._write(pickle.dumps(message))

    def next_message(self) -> Any:
        """What comes next. Raises EOFError or OSError when the other end is gone."""
        end = time.perf_counter() + PATIENCE
        while not self.has_message() and time.perf_counter() < end:
            pass
        return pickle.loads(self._read())  # nothing, from an end that is gone, is an EOFError, too

    def close(self) -> None:
        """The other end will know."""
        self._pipe.close()


def _in_rows(memory: Array, n: int, outputs: int) -> Outputs:
    """Memory for the logits and the outputs of `n` images."""
    return Outputs(*memory[:2 * n * outputs].reshape(2, n, outputs))


class WorkerError(Exception):
    """A worker has failed, or is gone."""


class Workers:
    """A number of processes with the same network and the same block of memory; use them when `ready`."""

    def __init__(self, plan: Plan, block: Any, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        _, self._own = plan.arrays(block, count)
        self._lines: list[Line] = []
        self._processes = []
        self._waiting = set(range(count))
        for k in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(plan, block, k, count, there), daemon=True, name=f"slices {k}")
            process.start()
            there.close()  # so that the worker's end closes with the worker
            self._lines.append(Line(here))
            self._processes.append(process)

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def ready(self) -> bool:
        """Whether all have started. Raises WorkerError when one could not."""
        for k in list(self._waiting):
            if self._lines[k].has_message():
                self._answer(k)
                self._waiting.discard(k)
        return not self._waiting

    def begin(self, k: int, job: SliceJob | ForwardJob) -> None:
        """Let worker `k` compute a slice."""
        own = self._own[k]
        images = own.images.put(job.images)
        task: Task = (images, None, 0, ()) if isinstance(job, ForwardJob) else \
            (images, own.labels.put(job.labels), job.batch, job.key)
        try:
            self._lines[k].send(task)
        except OSError as error:
            raise self._gone(k) from error

    def finish(self, k: int) -> SliceResult:
        """Wait for worker `k`; the gradient stays until it begins the next slice."""
        loss, correct, finite = self._answer(k)
        return SliceResult(self._own[k].gradient, loss, correct, finite)

    def finish_forward(self, k: int) -> Outputs:
        """The same where only outputs are wanted."""
        return _in_rows(self._own[k].outputs, *self._answer(k))

    def _answer(self, k: int) -> Any:
        try:
            answer = self._lines[k].next_message()
        except (EOFError, OSError) as error:
            raise self._gone(k) from error
        if isinstance(answer, str):
            raise WorkerError(answer)
        return answer

    def _gone(self, k: int) -> WorkerError:
        process = self._processes[k]
        process.join(LONGEST_GOODBYE)
        return WorkerError(f"worker {k} is gone (exit code {process.exitcode})")

    def close(self) -> None:
        """End all workers and wait for their end."""
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.join(LONGEST_GOODBYE)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        self._lines, self._processes = [], []


class Crew:
    """Workers that start when first wanted, and without which the work is done in this process.

    `common` is the memory of the parameters and of the state that they share, None where no workers are wanted.
    """

    def __init__(self, count: int, plan: Plan) -> None:
        self._count, self._plan = count, plan
        self._workers: Workers | None = None
        self.common: tuple[Array | None, Array | None] = None, None
        if count:
            self._block = multiprocessing.get_context("spawn").RawArray(c_char, plan.bytes(count))
            self.common, _ = plan.arrays(self._block, count)

    def ready(self) -> bool:
        """Whether workers are wanted and all have started; the first call starts them."""
        if not self._count:
            return False
        try:
            if self._workers is None:
                self._workers = Workers(self._plan, self._block, self._count)
                weakref.finalize(self, self._workers.close)
            return self._workers.ready
        except (WorkerError, OSError) as error:
            self._give_up(error)
            return False

    def gradients(self, jobs: Sequence[SliceJob], here: Callable[[int], SliceResult]) -> Generator[SliceResult, None, None]:
        """The slices' results in order, each until the next is asked for. Whoever does not want them all must close it, before
        the workers are given anything else.

        `here` computes a slice in this process: its share, and what a broken worker leaves undone.
        """
        assert self._workers is not None
        return (result for _, result in self._compute(jobs, here, self._workers.finish, in_order=True))

    def outputs(self, jobs: Sequence[ForwardJob], here: Callable[[int], Outputs]) -> Iterator[tuple[int, Outputs]]:
        """The same where only outputs are wanted: slices by number, as they come."""
        assert self._workers is not None
        return self._compute(jobs, here, self._workers.finish_forward, in_order=False)

    def _compute(self, jobs: Sequence[SliceJob | ForwardJob], here: Callable[[int], T], finish: Callable[[int], T], *,
                 in_order: bool) -> Iterator[tuple[int, T]]:
        workers, left = self._workers, set(range(len(jobs)))
        assert workers is not None
        count = len(workers)
        try:
            for start in range(0, len(jobs), count + 1):
                given = range(start, min(start + count, len(jobs)))
                for k in given:
                    workers.begin(k - start, jobs[k])
                own = start + count
                result = here(own) if own in left else None
                if result is not None and not in_order:  # while the workers are still busy
                    yield own, result
                    left.remove(own)
                for k in given:
                    yield k, finish(k - start)
                    left.remove(k)
                if result is not None and in_order:
                    yield own, result
                    left.remove(own)
        except WorkerError as error:
            self._give_up(error)
            for k in sorted(left):
                yield k, here(k)
                left.remove(k)
        finally:
            if left:
                self.close()  # nobody wants their answers any more

    def close(self) -> None:
        """End the workers, if there are any."""
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    def _give_up(self, error: Exception) -> None:
        log.warning("The network goes on without worker processes: %s", error)
        self._count = 0
        self.close()


def _serve(plan: Plan, block: Any, worker: int, workers: int, pipe: Connection) -> None:
    """A worker's life: compute slices until the pipe closes."""
    from engine.network import Network  # which itself imports this file

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's affair; this one ends with it
    common, of_workers = plan.arrays(block, workers)
    own = of_workers[worker]
    network = Network(plan.spec, loss=plan.loss, dtype=plan.dtype, memory=(*common, own.gradient))
    line = Line(pipe)
    places: dict[tuple[int, ...], Outputs] = {}
    with contextlib.suppress(EOFError, OSError):  # the other end is gone, and nobody is left to tell
        line.send(None)
        while True:
            task: Task = line.next_message()
            images, labels, batch, key = task
            answer: Any
            try:
                if labels is None:
                    logits, output = network.slice_outputs(ForwardJob(own.images.view(images)))
                    answer = output.shape
                    if answer not in places:
                        places[answer] = _in_rows(own.outputs, *answer)
                    np.copyto(places[answer].logits, logits)
                    np.copyto(places[answer].output, output)
                else:
                    job = SliceJob(own.images.view(images), own.labels.view(labels), batch, key)
                    of_slice = network.slice_gradient(job)
                    answer = of_slice.loss, of_slice.correct, of_slice.finite
            except Exception as error:
                answer = f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE // 8]
            line.send(answer)
