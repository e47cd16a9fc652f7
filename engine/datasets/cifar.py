"""The binary version of CIFAR-10: records of one label byte and a 32×32 red, green and blue plane.

Format: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.datasets.dataset import Array
from engine.datasets.files import list_folder, read_bytes
from engine.datasets.published import Part, Published
from engine.errors import DataError, Fix

_SIDE = 32
_RECORD = 1 + 3 * _SIDE * _SIDE
_CLASS_FILE = "batches.meta.txt"


def read_cifar_folder(folder: Path, files: list[Path]) -> Published:
    """All .bin files of a folder: those with "test" in their name are the test part, the others train."""
    batches = [file for file in files if file.suffix.lower() == ".bin"]
    test = [file for file in batches if "test" in file.name.lower()]
    train = [file for file in batches if file not in test]
    if not train:
        raise DataError(
            "{path}: there are test images only, nothing to train on.",
            code="data.missing",
            path=str(folder),
            fixes=(Fix("advice", "add the files data_batch_1.bin to data_batch_5.bin"),),
        )
    return _published(folder, train, test)


def read_cifar_file(file: Path) -> Published:
    """One .bin file by itself, as training images."""
    return _published(file, [file], [])


def _published(path: Path, train: list[Path], test: list[Path]) -> Published:
    return Published(
        path.stem,
        _read_part(train),
        test=_read_part(test) if test else None,
        classes=_class_names(train[0].parent / _CLASS_FILE),
        value_range=(0.0, 255.0),
        source=f"{path} (A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009)",
    )


def _read_part(files: list[Path]) -> Part:
    records = np.concatenate([_records(file) for file in files])
    paths = ", ".join(str(file) for file in files)
    return Part(paths, records[:, 1:].reshape(-1, 3, _SIDE, _SIDE), records[:, 0], paths)


def _records(file: Path) -> Array:
    data = read_bytes(file)
    if not data or len(data) % _RECORD:
        raise DataError(
            "{path}: {found} bytes are not a whole number of CIFAR-10 records of {record} bytes (1 + 3 · {side} · {side}).",
            code="data.cut_off",
            path=str(file),
            found=len(data),
            record=_RECORD,
            side=_SIDE,
            fixes=(Fix("advice", "download or copy the file again"),),
        )
    return np.frombuffer(data, np.uint8).reshape(-1, _RECORD)


def _class_names(file: Path) -> tuple[str, ...] | None:
    """The class names, one a line, if the file is there; empty lines at the end do not count."""
    if file not in list_folder(file.parent):
        return None
    try:
        names = read_bytes(file).decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise DataError("{path}: this is no text file.", code="data.class_names", path=str(file)) from error
    return tuple(name.strip() for name in names if name.strip())
