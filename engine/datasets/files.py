"""Reading bytes and listing folders, with one clear DataError for each way in which that fails."""

from __future__ import annotations

import difflib
import gzip
import os
import re
import zlib
from pathlib import Path
from typing import BinaryIO

from engine.errors import DataError, Fix

MAX_BYTES = 4 << 30
"""The most that one file may unpack to; more would not fit into the memory of a student's computer."""

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20


def read_bytes(path: Path) -> bytearray:
    """The contents of a file, unpacked if they are gzip: the first bytes decide, not the file's name."""
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=raw) as stream:
                    return _read_all(path, stream)
            return _read_all(path, raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            "{path}: the compressed file is damaged or cut off ({reason}).",
            code="data.gzip",
            path=str(path),
            reason=str(error),
            fixes=(Fix("advice", "download or copy the file again"),),
        ) from error
    except OSError as error:
        raise file_error(path, error) from error


def _read_all(path: Path, stream: BinaryIO | gzip.GzipFile) -> bytearray:
    data = bytearray()
    while chunk := stream.read(_CHUNK):
        data += chunk
        check_size(path, len(data))
    return data


def check_size(path: Path, size: int) -> None:
    """Raise DataError when that many bytes are more than the program takes into memory."""
    if size > MAX_BYTES:
        raise DataError(
            "{path}: the images take more than {limit} GB of memory.",
            code="data.too_large",
            path=str(path),
            limit=MAX_BYTES >> 30,
            fixes=(Fix("advice", "use fewer or smaller images"),),
        )


def list_folder(path: Path) -> list[Path]:
    """What lies in a folder in natural order, "2" before "10"; hidden files and "__MACOSX" are left out."""
    try:
        return sorted((p for p in path.iterdir() if not p.name.startswith((".", "__"))), key=_natural_order)
    except OSError as error:
        raise file_error(path, error) from error


def _natural_order(path: Path) -> list[tuple[int, int | str]]:
    parts = re.split(r"([0-9]+)", path.name)
    return [(0, int(part)) if part.isdecimal() else (1, part.lower()) for part in parts] + [(1, path.name)]


def is_folder(path: Path) -> bool:
    """True for a folder, False for a file; raises DataError when there is neither."""
    try:
        os.stat(path)
        return path.is_dir()
    except (OSError, ValueError) as error:
        raise file_error(path, error) from error


def file_error(path: Path, error: OSError | ValueError) -> DataError:
    """The DataError that says what the operating system found wrong with a path."""
    if isinstance(error, FileNotFoundError):
        return _missing(path)
    if isinstance(error, PermissionError):
        return DataError(
            "{path}: this account may not read it.",
            code="data.permission",
            path=str(path),
            fixes=(Fix("advice", "give yourself the right to read it, or copy it to a folder of your own"),),
        )
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return DataError("{path}: it cannot be read ({reason}).", code="data.unreadable", path=str(path), reason=reason)


def _missing(path: Path) -> DataError:
    try:
        neighbours = [p.name for p in path.parent.iterdir()]
    except OSError:  # the folder is missing too, or closed: then there is nothing to propose
        neighbours = []
    near = difflib.get_close_matches(path.name, neighbours, 1)
    fixes = (Fix("advice", "use {near}", {"near": str(path.parent / near[0])}),) if near else ()
    return DataError("{path}: there is no such file or folder.", code="data.missing", path=str(path), fixes=fixes)
