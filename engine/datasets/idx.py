"""IDX, the format of MNIST: a magic number, the sizes, then one byte per pixel or label; often gzipped.

Format: http://yann.lecun.com/exdb/mnist/. Big-endian: magic (0, 0, type, dimensions), each dimension as 4
bytes, then the values in row-major order.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
from pathlib import Path

import numpy as np

from engine.datasets.dataset import Array, times
from engine.datasets.files import check_size, read_bytes
from engine.datasets.published import Part, Published
from engine.errors import DataError, Fix

IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049
_HOLDS = {IMAGES_MAGIC: "images", LABELS_MAGIC: "labels"}

_FILE_NAME = re.compile(r"(train|t10k)-(images|labels)[-.]idx[13]-ubyte(\.gz)?", re.IGNORECASE)

FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

# Well-known sets, recognised by the SHA-256 of their training labels: title, class names, source, licence.
_KNOWN: dict[str, tuple[str, tuple[str, ...] | None, str, str]] = {
    "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13": (
        "MNIST",
        None,
        "Y. LeCun, C. Cortes, C. Burges: the MNIST database of handwritten digits",
        "CC BY-SA 3.0",
    ),
    "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7": (
        "Fashion-MNIST",
        FASHION_CLASSES,
        "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, Zalando Research",
        "MIT",
    ),
}


def is_idx_name(name: str) -> bool:
    """True for the usual four file names, "train-images-idx3-ubyte.gz" and the like."""
    return _FILE_NAME.fullmatch(name) is not None


def read_idx_folder(folder: Path, files: list[Path]) -> Published:
    """The training pair of images and labels in a folder, and the t10k pair as test part if it is there."""
    found: dict[tuple[str, str], Path] = {}
    for file in files:
        if match := _FILE_NAME.fullmatch(file.name):
            # "x.gz" sorts after "x", and the unpacked file wins.
            found.setdefault((match[1].lower(), match[2].lower()), file)
    train = _read_pair(folder, found, "train")
    test = _read_pair(folder, found, "t10k") if {("t10k", "images"), ("t10k", "labels")} & found.keys() else None
    digest = hashlib.sha256(train.labels.tobytes()).hexdigest()
    title, classes, source, licence = _KNOWN.get(digest, (folder.name, None, str(folder), ""))
    return Published(title, train, test=test, classes=classes, value_range=(0.0, 255.0), source=source, licence=licence)


def _read_pair(folder: Path, found: dict[tuple[str, str], Path], which: str) -> Part:
    for holds in ("images", "labels"):
        if (which, holds) not in found:
            raise DataError(
                "{path}: the file {name} is missing.",
                code="data.missing",
                path=str(folder),
                name=f"{which}-{holds}-idx{3 if holds == 'images' else 1}-ubyte(.gz)",
                fixes=(Fix("advice", "put the file into this folder; images and labels belong together"),),
            )
    images, labels = found[which, "images"], found[which, "labels"]
    return Part(str(images), read_idx(images, IMAGES_MAGIC), read_idx(labels, LABELS_MAGIC), str(labels))


def read_idx(path: Path, magic: int) -> Array:
    """The uint8 array in an IDX file that must begin with this magic: (N, H, W) images or (N,) labels."""
    data = read_bytes(path)
    if len(data) < 4:
        raise _cut_off(path, len(data), 4)
    (found,) = struct.unpack_from(">I", data)
    if found != magic:
        raise _wrong_magic(path, found, magic)
    dimensions = found & 0xFF
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise _cut_off(path, len(data), start)
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    expected = start + math.prod(shape)
    check_size(path, expected)
    if len(data) < expected:
        raise _cut_off(path, len(data), expected)
    if len(data) > expected:
        raise DataError(
            "{path}: the header says {shape}, {expected} bytes with the header, but the file has {found}.",
            code="data.too_long",
            path=str(path),
            shape=times(shape),
            expected=expected,
            found=len(data),
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _cut_off(path: Path, found: int, expected: int) -> DataError:
    return DataError(
        "{path}: the file is cut off: it has {found} of {expected} bytes.",
        code="data.cut_off",
        path=str(path),
        found=found,
        expected=expected,
        fixes=(Fix("advice", "download or copy the file again"),),
    )


def _wrong_magic(path: Path, found: int, magic: int) -> DataError:
    other = _HOLDS.get(found)
    if other is None:
        what = "{path}: this is no IDX file of {wanted}: it begins with {found}, not with the magic number {magic}."
    else:
        what = "{path}: this file holds {other} (magic number {found}) where {wanted} belong ({magic})."
    return DataError(
        what,
        code="data.magic",
        path=str(path),
        found=found,
        magic=magic,
        wanted=_HOLDS[magic],
        other=other,
        fixes=(Fix("advice", "give the files their right names"),) if other else (),
    )
