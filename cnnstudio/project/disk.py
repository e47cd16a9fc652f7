"""Reading a whole file and replacing a whole file: the old or the new one is there at every moment, never neither.

A database never works beside a project: SQLite cannot take paths of more than 512 bytes, and locks badly on network
drives. A project is made and checked in memory, and what touches the user's folder is plain file operations.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from hashlib import blake2b
from pathlib import Path

from engine.errors import StorageError

LARGEST = 2**31
"""Bytes of a file that is read at most; far more than a project can have."""
BLOCK = 2**20
PREFIX, SUFFIX = ".cnnstudio-", ".saving"
_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


def digest(data: bytes) -> str:
    """The fingerprint by which a changed file is noticed."""
    return blake2b(data, digest_size=16).hexdigest()


def file_state(path: Path) -> tuple[int, int]:
    """Size and time of a file, by which a changed one is noticed quickly; zeros where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def has_digest(path: Path, known: str) -> bool:
    """Whether a file can be read and has that fingerprint."""
    try:
        return digest(read_file(path)) == known
    except StorageError:
        return False


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one place, also by a link."""
    return os.path.realpath(one) == os.path.realpath(other)


def read_file(path: Path) -> bytes:
    """All bytes of a file; raises StorageError with the reason and the cure."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise StorageError("{path} is a folder, not a project. Choose a file that ends in .cnn.",
                               code="project.folder", path=str(path))  # fmt: skip
        # A pipe or a device would be waited for without end.
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise StorageError("{path} is not a CNN Studio project. Choose a file that ends in .cnn and was saved by "
                               "CNN Studio.", code="project.not_a_file", path=str(path))  # fmt: skip
        return _read(path)
    except OSError as error:
        raise reading_failed(path, error) from None


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in place of a file, or where none is; raises StorageError, and then the old file is whole.

    A temporary file beside it is written, flushed to the disk, read back and compared, and takes the file's place in
    one step. Only when the folder itself is on the disk does this return.
    """
    target = Path(os.path.realpath(path))
    temporary = target.parent / temporary_name(target.name, os.getpid())
    try:
        _check_target(target)
        remove_leftovers(target)
        mode = _permissions(target)
        with contextlib.ExitStack() as undo:
            undo.callback(_remove, temporary)
            _write(temporary, data, mode)
            if _read(temporary) != data:
                raise OSError(errno.EIO, "the disk returned other bytes than were written")
            _exchange(temporary, target)
    except OSError as error:
        raise writing_failed(path, error, len(data)) from None


def temporary_name(name: str, process: int) -> str:
    """The name of the temporary file for a target; short, because the target's own name may be as long as can be."""
    return f"{PREFIX}{digest(name.encode('utf-8', 'surrogateescape'))[:8]}-{process}{SUFFIX}"


def remove_leftovers(target: Path) -> None:
    """Remove temporary files of this target whose process died while it saved."""
    mine = temporary_name(target.name, 0).removesuffix(f"0{SUFFIX}")
    for entry in os.listdir(target.parent):
        if entry.startswith(mine) and entry.endswith(SUFFIX):
            process = entry.removeprefix(mine).removesuffix(SUFFIX)
            if process.isdecimal() and not is_alive(int(process)):
                with contextlib.suppress(OSError):  # it takes room, but does no harm; the next save tries again
                    os.unlink(target.parent / entry)


def is_alive(process: int) -> bool:
    """Whether another process of that number runs on this computer."""
    if process == os.getpid():
        return False
    if sys.platform == "win32":
        return _is_alive_on_windows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return False
    except PermissionError:
        return True
    return True


def _is_alive_on_windows(process: int) -> bool:
    """There, os.kill would end the process."""
    if sys.platform != "win32":
        raise NotImplementedError
    import ctypes

    kernel = ctypes.WinDLL("kernel32")
    handle = kernel.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    kernel.CloseHandle(handle)
    return True


def _check_target(target: Path) -> None:
    if os.path.isdir(target):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    # Replacing needs rights on the folder only: a file that the user protected would be lost.
    if os.path.exists(target) and not os.stat(target).st_mode & 0o222:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def _permissions(target: Path) -> int | None:
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes, mode: int | None) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(data)
        while rest:
            written = os.write(file, rest[:BLOCK])
            if not written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            rest = rest[written:]
        os.fsync(file)
    finally:
        os.close(file)
    if mode is not None:
        with contextlib.suppress(PermissionError):  # file systems without permissions refuse
            os.chmod(path, mode)


def _read(path: Path) -> bytes:
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        blocks = []
        while block := os.read(file, BLOCK):
            blocks.append(block)
        return b"".join(blocks)
    finally:
        os.close(file)


def _exchange(temporary: Path, target: Path) -> None:
    """The one step, made lasting."""
    if os.name == "nt":  # folders cannot be flushed there
        os.replace(temporary, target)
        return
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.replace(temporary, target)
        try:
            os.fsync(folder)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network drives do not know this
                raise
    finally:
        os.close(folder)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # after the exchange it is not there; after a failure the next save tries again
        os.unlink(path)


def reading_failed(path: Path, error: OSError) -> StorageError:
    """Why a file cannot be read, and what to do."""
    where = str(path)
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return StorageError("{path} is not there. It may have been moved or renamed, or its drive is not connected.",
                                code="project.missing", path=where)  # fmt: skip
        case errno.EACCES | errno.EPERM:
            return StorageError("{path} may not be read by you. Ask its owner for the permission, or open a copy.",
                                code="project.unreadable", path=where)  # fmt: skip
        case errno.ENAMETOOLONG:
            return StorageError("{path} is longer than a path may be.", code="project.long_name", path=where)
    return StorageError("{path} cannot be read: {reason}. Check the drive and try again.", code="project.read", path=where,
                        reason=error.strerror or str(error))  # fmt: skip


def writing_failed(path: Path, error: OSError, size: int) -> StorageError:
    """Why a file cannot be written, and what to do. Its old content is whole."""
    where = str(path)
    code = error.errno
    if code in _FULL:
        return StorageError("{path} was not saved: the disk is full, and {size:.1f} MB are needed. Free some space or save on "
                            "another disk.", code="project.disk_full", path=where, size=size / 1e6)  # fmt: skip
    match code:
        case errno.EACCES | errno.EPERM:
            return StorageError("{path} was not saved: the file or its folder is write-protected. Save under another name or in "
                                "another folder.", code="project.protected", path=where)  # fmt: skip
        case errno.EROFS:
            return StorageError("{path} was not saved: its drive can only be read. Save on another drive.",
                                code="project.read_only", path=where)  # fmt: skip
        case errno.ENAMETOOLONG:
            return StorageError("{path} was not saved: the name is too long. Choose a shorter one.", code="project.long_name",
                                path=where)  # fmt: skip
        case errno.ENOENT | errno.ENOTDIR:
            return StorageError("{path} was not saved: its folder is not there any more. Connect its drive again or save in "
                                "another folder.", code="project.no_folder", path=where)  # fmt: skip
        case errno.EISDIR:
            return StorageError("{path} was not saved: a folder has this name. Choose another name.", code="project.is_folder",
                                path=where)  # fmt: skip
    return StorageError("{path} was not saved: {reason}. Check the drive, or save in another folder.", code="project.write",
                        path=where, reason=error.strerror or str(error))  # fmt: skip
