"""Whatever is cut off or flipped in a file, opening it either works or says so in one DataError."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.datasets.catalog import open_dataset
from engine.errors import DataError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 6, 6)).astype(np.uint8)
LABELS = (np.arange(12) % 3).astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def make_idx(folder: Path) -> tuple[Path, Path]:
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    images = folder / "train-images-idx3-ubyte.gz"
    images.write_bytes(idx(IMAGES))
    return folder, images


def make_idx_gz(folder: Path) -> tuple[Path, Path]:
    _, images = make_idx(folder)
    images.write_bytes(gzip.compress(idx(IMAGES)))
    return folder, images


def make_labels(folder: Path) -> tuple[Path, Path]:
    make_idx(folder)
    return folder, folder / "train-labels-idx1-ubyte"


def make_npz(folder: Path) -> tuple[Path, Path]:
    np.savez_compressed(folder / "set.npz", images=IMAGES, labels=LABELS, classes=np.array(["a", "b", "c"]))
    return folder / "set.npz", folder / "set.npz"


def make_plain_npz(folder: Path) -> tuple[Path, Path]:
    np.savez(folder / "set.npz", images=IMAGES.astype(np.float32), labels=LABELS.astype(np.float64))
    return folder / "set.npz", folder / "set.npz"


def make_images(folder: Path, suffix: str) -> tuple[Path, Path]:
    for name in "ab":
        (folder / name).mkdir(exist_ok=True)
        for i in range(2):
            Image.fromarray(IMAGES[i]).save(folder / name / f"{i}{suffix}")
    return folder, folder / "b" / f"1{suffix}"


def make_png(folder: Path) -> tuple[Path, Path]:
    return make_images(folder, ".png")


def make_jpeg(folder: Path) -> tuple[Path, Path]:
    return make_images(folder, ".jpg")


def make_table(folder: Path) -> tuple[Path, Path]:
    path = folder / "set.csv"
    lines = [",".join(map(str, [label, *row])) for label, row in zip(LABELS, IMAGES.reshape(12, 36), strict=True)]
    path.write_text("label," + ",".join(f"p{i}" for i in range(36)) + "\n" + "\n".join(lines) + "\n")
    return path, path


def make_cifar(folder: Path) -> tuple[Path, Path]:
    path = folder / "data_batch_1.bin"
    path.write_bytes(b"".join(bytes([i % 3]) + bytes(3072) for i in range(6)))
    return folder, path


MAKERS = [
    make_idx, make_idx_gz, make_labels, make_npz, make_plain_npz, make_png, make_jpeg, make_table, make_cifar,
]  # fmt: skip


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The content cut off, with some bits flipped, or with a piece taken out, doubled or replaced."""
    data = bytearray(content)
    start = int(rng.integers(len(data)))
    end = min(len(data), start + int(rng.integers(1, 20)))
    match rng.integers(5):
        case 0:
            del data[start:]
        case 1:
            for at in rng.integers(0, len(data), rng.integers(1, 6)):
                data[at] ^= 1 << int(rng.integers(8))
        case 2:
            del data[start:end]
        case 3:
            data[start:start] = data[start:end]
        case _:
            data[start:end] = rng.bytes(end - start)
    return bytes(data)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("make", MAKERS)
def test_a_damaged_file_opens_or_says_what_is_wrong(make: Callable[[Path], tuple[Path, Path]], tmp_path: Path) -> None:
    opened, file = make(tmp_path)
    open_dataset(opened)
    whole = file.read_bytes()
    refused = 0
    for seed in range(150):
        file.write_bytes(damaged(whole, np.random.default_rng(seed)))
        try:
            data = open_dataset(opened)
        except DataError as error:
            refused += 1
            assert str(error) and "\n" not in error.what, seed
        else:
            assert np.isfinite(data.train.images).all()
            assert data.train.labels.min() >= 0 and data.train.labels.max() < len(data.classes)
    assert refused > 15
