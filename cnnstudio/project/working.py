"""The working database of an open document: every edit and every checkpoint is in it within a second.

It lies in the user's application data folder, never beside the project, and one thread writes it. Saving makes a project
file of it; after a crash it is found by cnnstudio/project/recovery.py.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from cnnstudio.document.graph import Graph
from cnnstudio.project import disk, files, records, schema
from cnnstudio.project.folder import filled, notes, open_database, refuse_if_open_elsewhere, remove_database, working_failed
from cnnstudio.project.lock import FileLock
from cnnstudio.project.pending import Pending, checkpoints
from cnnstudio.project.state import DataCard, ProjectState, RunRecord
from cnnstudio.project.thinning import Kept
from engine.checkpoint import Checkpoint
from engine.errors import StorageError
from engine.events import EpochDone
from engine.layer import Array

_log = logging.getLogger("cnnstudio")

DELAY = 0.5
"""Seconds in which changes are gathered into one transaction: while training runs, rows that are told twice."""
RETRY = 2.0
"""Seconds between two attempts to write to a disk that is full or gone."""
BUDGET = 64 * 2**20
"""Bytes that the checkpoints of a document take, unless the user decides otherwise."""

T = TypeVar("T")


class WorkingDatabase:
    """Takes what happens in the program at once, and writes it a moment later, in its own thread.

    While it cannot be written, `failure` says why; nothing is lost then, and it is tried again and again. Saving works
    all the same. Methods may be called from one thread.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None, lock: FileLock | None) -> None:
        """`connection` holds the tables; use `create` or `recovery.adopt`."""
        self.path = path
        self.failure: StorageError | None = None
        self.budget = BUDGET
        """Bytes that checkpoints take at most."""
        self._connection = connection
        self._lock = lock
        self._network: Graph | None = None
        self._pending = Pending()
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._asked = 0
        self._closing = False
        self.next_run = max(records.ids(connection, "runs"), default=0) + 1
        known = notes(connection)
        self._project = Path(known["path"]) if known.get("path") else None
        self._digest = known.get("digest", "")
        if known.get("saving") and disk.has_digest(Path(known["saving"]), known["saving_digest"]):
            self._project, self._digest = Path(known["saving"]), known["saving_digest"]
            self._pending.notes = {"path": known["saving"], "digest": self._digest, "saving": ""}
        self._seen: tuple[int, int] | None = None
        """Size and time of the project file when it was known to be the one that was opened or saved last."""
        self._claim()
        self._thread = threading.Thread(target=self._work, name="working database", daemon=True)
        self._thread.start()

    @classmethod
    def create(cls, folder: Path | None, content: Graph | sqlite3.Connection) -> WorkingDatabase:
        """A new database with a network alone, or with the rows of a project; in memory without a folder, and then
        nothing survives a crash.

        Raises StorageError when the folder cannot be used.
        """
        if folder is None:
            return cls(filled(files.connect(":memory:"), content), None, None)
        path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}.db"
        lock = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock.acquire(path.with_suffix(".lock"))
            connection = filled(open_database(path), content)
        except (*schema.UNREADABLE, OSError) as error:
            if lock is not None:
                remove_database(path)
                lock.release(remove=True)
            raise working_failed(folder, error) from None
        return cls(connection, path, lock)

    # --- what happens in the program ---

    def put_network(self, graph: Graph) -> None:
        """The network was edited."""
        self._network = graph
        self._put(Pending(network=graph))

    def put_data(self, card: DataCard) -> None:
        """Another data set is used."""
        self._put(Pending(data=card))

    def begin_run(self, run: RunRecord) -> int:
        """A training run begins; gives its id."""
        id, self.next_run = self.next_run, self.next_run + 1
        self.change_run(id, run)
        return id

    def change_run(self, id: int, run: RunRecord) -> None:
        """A run has another name, note or setting, or was deleted; `id` counts, not the record's own."""
        self._put(Pending(runs={id: dataclasses.replace(run, id=id)}))

    def put_batches(self, run: int, rows: Array) -> None:
        """Batches were trained, (n, 4) as in `RunHistory.rows`."""
        self._put(Pending(batches={run: [np.array(rows)]}))

    def put_epoch(self, run: int, epoch: EpochDone) -> None:
        """An epoch was trained."""
        self._put(Pending(epochs=[(run, epoch)]))

    def put_checkpoint(self, run: int, checkpoint: Checkpoint) -> None:
        """The weights as they are now; `run` is 0 when they come from no run."""
        self._put(Pending(checkpoints={run: checkpoint}))

    def put_modified(self, modified: bool) -> None:
        """Whether there is anything that is not in the project file."""
        self._put(Pending(notes={"modified": "1" if modified else ""}))

    # --- asking ---

    @property
    def project(self) -> Path | None:
        """The project file that this document was opened from or saved to last."""
        return self._project

    def changed_on_disk(self) -> bool:
        """Whether the project file is another one than was opened or saved last."""
        if self._project is None or not self._digest or not self._project.exists():
            return False
        state = disk.file_state(self._project)
        if state != self._seen and disk.has_digest(self._project, self._digest):
            self._seen = state  # written anew with the same content, or looked at for the first time
        return state != self._seen

    def missing_on_disk(self) -> bool:
        """Whether the project file is not at its place any more."""
        return self._project is not None and not self._project.exists()

    def flush(self) -> StorageError | None:
        """Write everything now; gives the reason when that fails."""
        return self._ask(self._write)

    def state(self) -> ProjectState:
        """Everything as it is now."""
        return self._ask(lambda: self._read(lambda made: records.read_state(made, self._name)))

    def checkpoints(self) -> list[Kept]:
        """All checkpoints that are kept, in the order they were taken."""
        return self._ask(lambda: self._read(checkpoints))

    def checkpoint_of(self, run: int) -> Checkpoint | None:
        """The newest weights of a run; None when none are kept any more."""
        return self._ask(lambda: self._read(lambda made: records.checkpoint_of(made, run)))

    def checkpoint(self, id: int) -> Checkpoint:
        """One of them; raises StorageError when it is not there any more or damaged."""

        def find(made: sqlite3.Connection) -> Checkpoint:
            record = records.read(made, "checkpoints", id)
            if record is None:
                raise StorageError("This checkpoint is not there any more.", code="working.no_checkpoint")
            return records.read_checkpoint(record)

        return self._ask(lambda: self._read(find))

    # --- saving and closing ---

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Make a project file of everything that was put in; raises StorageError, and then the old file is whole.

        A file that somebody else has changed since it was opened is refused, unless it is to be overwritten.
        """
        refuse_if_open_elsewhere(path, self.path)
        if not overwrite and self._project is not None and disk.same_file(path, self._project) and self.changed_on_disk():
            raise StorageError(
                "{path} was not saved: another program has changed the file since it was opened here. Save under another "
                "name, or overwrite it.", code="project.changed", path=str(path))  # fmt: skip
        self._digest = self._ask(lambda: self._save(path, copy=False))
        self._project, self._seen = path, None
        self._claim()

    def save_copy(self, path: Path) -> None:
        """Make a project file that this document has nothing to do with afterwards; raises StorageError as `save`."""
        if self._project is not None and disk.same_file(path, self._project):
            self.save(path)
        else:
            refuse_if_open_elsewhere(path, self.path)
            self._ask(lambda: self._save(path, copy=True))

    def adopt_project(self, path: Path, digest: str) -> None:
        """This document was opened from a project file with that content."""
        self._project, self._digest, self._seen = path, digest, None
        self._put(Pending(notes={"path": str(path), "digest": digest}))
        self._claim()

    def close(self, *, keep: bool = False) -> None:
        """End the thread. The database is removed, unless it is to be offered at the next start."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._connection.close()
        if self.path is not None and not keep:
            remove_database(self.path)
        if self._lock is not None:
            self._lock.release(remove=not keep)

    # --- the thread ---

    def _put(self, change: Pending) -> None:
        with self._changed:
            if not self._pending:  # otherwise the thread is gathering changes already, and need not be woken for this one
                self._changed.notify()
            self._pending.absorb(change)

    def _ask(self, question: Callable[[], T]) -> T:
        """Have something done in the thread, after all that was put in before, and wait for it."""
        answer: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def work() -> None:
            try:
                answer.put((question(), None))
            except BaseException as error:  # it belongs to the one who asked
                answer.put((None, error))

        with self._changed:
            if self._closing:
                raise StorageError("The document is closed.", code="working.closed")
            self._requests.put(work)
            self._asked += 1
            self._changed.notify()
        result, error = answer.get()
        if error is not None:
            raise error
        return result  # type: ignore[return-value]

    def _work(self) -> None:
        wait = DELAY
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._closing or bool(self._pending))
                self._changed.wait_for(lambda: self._asked or self._closing, timeout=wait)
                asked, self._asked = self._asked, 0
                closing = self._closing
            failed = self._write() is not None
            wait = RETRY if failed else DELAY
            for _ in range(asked):
                self._requests.get()()
            if closing:
                return

    def _write(self) -> StorageError | None:
        """One transaction with all that is pending; after a failure it stays pending."""
        with self._changed:
            pending, self._pending = self._pending, Pending()
        if not pending:
            return self.failure
        try:
            pending.write(self._connection, self.budget, working=True)
            self.failure = None
        except (*schema.UNREADABLE, OSError) as error:
            if self.failure is None:
                _log.warning("the working database cannot be written: %s", error)
            self.failure = working_failed(Path() if self.path is None else self.path.parent, error)
            with self._changed:
                pending.absorb(self._pending)
                self._pending = pending
        return self.failure

    def _read(self, reader: Callable[[sqlite3.Connection], T]) -> T:
        """Look at everything, also at what could not be written."""
        if not self._pending:
            return reader(self._connection)
        made = self._project_in_memory()
        try:
            return reader(made)
        finally:
            made.close()

    def _save(self, path: Path, *, copy: bool) -> str:
        made = self._project_in_memory()
        try:
            data = files.image(made)
        finally:
            made.close()
        digest = disk.digest(data)
        # Noted first: after a crash in the middle the next start finds the half-written file, and knows the whole one.
        self._note({"saving": str(path), "saving_digest": "" if copy else digest})
        disk.replace_file(path, data)
        done = {"saving": ""} if copy else {"modified": "", "path": str(path), "digest": digest, "saving": ""}
        self._note(done)
        return digest

    def _note(self, notes: dict[str, str]) -> None:
        """Write notes now; when that fails, they stay pending like everything else."""
        with self._changed:
            self._pending.absorb(Pending(notes=notes))
        self._write()

    def _project_in_memory(self) -> sqlite3.Connection:
        """A project of everything but deleted runs: intact rows, then what is not in them yet; the network comes from
        memory.
        """
        made = files.memory()
        with made:
            made.execute("BEGIN")
            lossy = records.copy(self._connection, made, only_newest_network=True)
            records.add_about(made)
        if lossy:
            _log.warning("damaged rows were left out of: %s", ", ".join(lossy))
        extra = Pending(network=self._network)
        with self._changed:
            extra.absorb(self._pending)
        extra.write(made, self.budget, working=False)
        with made:
            made.execute("DELETE FROM networks WHERE id < (SELECT max(id) FROM networks)")
            for id in records.deleted_runs(made):
                records.remove_run(made, id)
        return made

    def _claim(self) -> None:
        """Let other processes see which project is open here."""
        if self._lock is not None:
            self._lock.describe({"path": os.path.realpath(self._project) if self._project is not None else ""})

    @property
    def _name(self) -> str:
        return self._project.name if self._project is not None else "this document"
