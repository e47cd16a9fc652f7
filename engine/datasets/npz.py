"""NumPy archives (.npz) of images and labels under any of the usual names; nothing pickled is ever loaded.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html; a zip of one .npy file an
array.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from engine.datasets.dataset import Array
from engine.datasets.files import check_size, file_error
from engine.datasets.images import as_images
from engine.datasets.labels import class_indices
from engine.datasets.published import Part, Published
from engine.errors import DataError, Fix

# Names of (images, labels) in the order in which they are looked for; upper and lower case count the same.
_TRAIN = (
    ("train_images", "train_labels"),
    ("x_train", "y_train"),
    ("images", "labels"),
    ("x", "y"),
    ("data", "target"),
)
_VALIDATION = (("val_images", "val_labels"), ("validation_images", "validation_labels"), ("x_val", "y_val"))
_TEST = (("test_images", "test_labels"), ("x_test", "y_test"))
_CLASS_NAMES = ("classes", "class_names", "label_names", "target_names")


@dataclass(frozen=True)
class Header:
    """Shape and type of one array of an archive, known without reading its values."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool


class Archive:
    """The arrays of an .npz file: headers at once, values on demand."""

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self.path = path
        self._file = file
        self._members = {
            info.filename.removesuffix(".npy").lower(): info for info in file.infolist() if info.filename.endswith(".npy")
        }

    def names(self) -> list[str]:
        """The names of the arrays in lower case."""
        return list(self._members)

    def pair(self, names: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
        """The first of these (images, labels) names of which both arrays are there."""
        return next((pair for pair in names if set(pair) <= self._members.keys()), None)

    def header(self, name: str) -> Header:
        """Shape and type of an array; raises DataError for object arrays, whose values are pickled."""
        with self._file.open(self._members[name]) as stream:
            return self._header(name, stream)

    def _header(self, name: str, stream: IO[bytes]) -> Header:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran_order, dtype = read(stream)
        if dtype.hasobject:
            raise DataError(
                "{path}: the array {name} holds Python objects, which are never loaded: they could run any program.",
                code="data.objects",
                path=str(self.path),
                name=name,
                fixes=(
                    Fix(
                        "advice",
                        "save it again as plain numbers; images of different sizes need one size first",
                    ),
                ),
            )
        return Header(shape, dtype, fortran_order)

    def read(self, name: str) -> Array:
        """The values of an array."""
        member = self._members[name]
        with self._file.open(member) as stream:
            header = self._header(name, stream)
            size = header.dtype.itemsize * math.prod(header.shape)
            check_size(self.path, max(size, member.file_size))
            values = stream.read()  # to the end, where the checksum is compared
        if len(values) != size:
            raise DataError(
                "{path}: the array {name} has {found} bytes instead of {expected}.",
                code="data.cut_off",
                path=str(self.path),
                name=name,
                found=len(values),
                expected=size,
            )
        return np.frombuffer(values, header.dtype).reshape(header.shape, order="F" if header.fortran_order else "C")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The archive at this path; whatever goes wrong with it inside the block becomes a DataError."""
    try:
        with zipfile.ZipFile(path) as file:
            yield Archive(path, file)
    except DataError:
        raise
    except zipfile.BadZipFile as error:
        raise _not_an_archive(path, str(error)) from error
    except OSError as error:
        raise file_error(path, error) from error
    except Exception as error:
        # Damaged bytes make zipfile, the decompressors and NumPy's header parser raise almost anything:
        # zlib.error, EOFError, RuntimeError (encrypted), NotImplementedError, SyntaxError, TokenError, …
        raise _not_an_archive(path, str(error) or type(error).__name__) from error


def _not_an_archive(path: Path, reason: str) -> DataError:
    return DataError(
        "{path}: this is not an .npz file of NumPy, or it is damaged ({reason}).",
        code="data.not_npz",
        path=str(path),
        reason=reason,
        fixes=(Fix("advice", "save the arrays with numpy.savez_compressed"),),
    )


def read_npz(path: Path) -> Published:
    """Training images and labels of an archive, validation and test parts if it has them, and class names."""
    with open_archive(path) as archive:
        return Published(
            path.stem,
            _part(archive, _training_names(archive)),
            _optional_part(archive, _VALIDATION),
            _optional_part(archive, _TEST),
            classes=class_names(archive),
            source=str(path),
        )


def _training_names(archive: Archive) -> tuple[str, str]:
    names = archive.pair(_TRAIN)
    if names is None:
        raise DataError(
            "{path}: no images with labels are in it; its arrays are: {found}.",
            code="data.no_images",
            path=str(archive.path),
            found=", ".join(archive.names()) or "none",
            fixes=(Fix("advice", "name the arrays images and labels, or train_images, train_labels and test_…"),),
        )
    return names


@dataclass(frozen=True)
class Summary:
    """What can be said about a data set without reading its images; `shape` is (C, H, W)."""

    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    training_images: int
    test_images: int


def read_summary(path: Path) -> Summary:
    """Image shape, class names and counts of an archive; only headers and labels are read."""
    with open_archive(path) as archive:
        images, labels = _training_names(archive)
        header = archive.header(images)
        one_image = as_images(np.zeros((1, *header.shape[1:]), header.dtype), str(path))
        _, classes = class_indices([(str(path), archive.read(labels))], class_names(archive), "strict")
        test = archive.pair(_TEST)
        channels, height, width = one_image.shape[1:]
        return Summary(
            (channels, height, width),
            classes,
            header.shape[0],
            archive.header(test[0]).shape[0] if test else 0,
        )


def class_names(archive: Archive) -> tuple[str, ...] | None:
    """The names of the classes if the archive has an array of them."""
    for name in _CLASS_NAMES:
        if name in archive.names():
            names = archive.read(name)
            if names.ndim != 1 or names.dtype.kind not in "USiu":
                raise DataError(
                    "{path}: the array {name} should be a row of class names.",
                    code="data.class_names",
                    path=str(archive.path),
                    name=name,
                )
            return tuple(names.astype(str).tolist())
    return None


def _part(archive: Archive, names: tuple[str, str]) -> Part:
    images, labels = names
    return Part(f"{archive.path} ({images})", archive.read(images), archive.read(labels), f"{archive.path} ({labels})")


def _optional_part(archive: Archive, names: tuple[tuple[str, str], ...]) -> Part | None:
    found = archive.pair(names)
    return None if found is None else _part(archive, found)
