"""A lock that lives exactly as long as its process: the operating system gives it back, also after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

_PLACE = 2**20
"""The byte that is locked on Windows, where nobody else could read what is locked."""


class FileLock:
    """Held from `acquire` to `release` or the end of the process; its file says who holds it."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self._file = file

    @classmethod
    def acquire(cls, path: Path) -> FileLock | None:
        """The lock, or None while another holds it; raises OSError where files cannot be made or locked."""
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(file)
        except BlockingIOError:
            os.close(file)
            return None
        except OSError:
            os.close(file)
            raise
        return cls(path, file)

    def describe(self, about: dict[str, Any]) -> None:
        """Say in the file who holds the lock and what for."""
        data = json.dumps(about | {"process": os.getpid()}).encode()
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, data)
        os.ftruncate(self._file, len(data))

    def release(self, *, remove: bool = False) -> None:
        """Give the lock back, and remove its file if it is not needed any more."""
        with contextlib.suppress(OSError):  # a file that is left over is found and removed at the next start
            if remove:
                os.unlink(self.path)
        os.close(self._file)


def description(path: Path) -> dict[str, Any]:
    """What the holder of a lock says about itself; empty when it says nothing."""
    try:
        about = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _lock(file: int) -> None:
    """Raises BlockingIOError while another holds the lock."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from None
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
