"""Opening a data set by name or path: the sets that come with the program, and files of any known format."""

from __future__ import annotations

import dataclasses
import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from engine.datasets.cifar import read_cifar_file, read_cifar_folder
from engine.datasets.dataset import Dataset, ReadOptions, SplitOptions
from engine.datasets.files import is_folder, list_folder
from engine.datasets.folder import read_class_folders
from engine.datasets.idx import is_idx_name, read_idx_folder
from engine.datasets.npz import read_npz, read_summary
from engine.datasets.published import WITH_TEST, WITHOUT_TEST, Published, assemble
from engine.datasets.table import SUFFIXES as TABLE_SUFFIXES
from engine.datasets.table import read_table_file, read_table_folder
from engine.errors import DataError, Fix


@dataclass(frozen=True)
class Entry:
    """What the program knows about a data set that comes with it, beside its arrays in NAME.npz."""

    name: str
    title: str
    description: str
    value_range: tuple[float, float]
    source: str
    licence: str
    split: SplitOptions


ENTRIES = (
    Entry(
        "mnist12k",
        "MNIST, 12,000 digits",
        "Handwritten digits, white on black: a balanced choice from MNIST.",
        (0.0, 255.0),
        "Y. LeCun, C. Cortes, C. Burges: the MNIST database of handwritten digits",
        "CC BY-SA 3.0",
        WITH_TEST,
    ),
    Entry(
        "digits8x8",
        "Digits 8×8",
        "Small handwritten digits with grey values 0 to 16; trains within seconds.",
        (0.0, 16.0),
        "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998",
        "CC BY 4.0",
        WITHOUT_TEST,
    ),
    Entry(
        "shapes32",
        "Coloured shapes",
        "Drawn shapes in all colours, sizes and directions on coloured backgrounds.",
        (0.0, 255.0),
        "Drawn by engine/datasets/shapes.py",
        "MIT",
        WITH_TEST,
    ),
)


@dataclass(frozen=True)
class BundledSet:
    """What a list of the data sets that come with the program shows; `shape` is (C, H, W)."""

    name: str
    title: str
    description: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    training_images: int
    test_images: int


def bundled_names(bundled: Path) -> tuple[BundledSet, ...]:
    """The data sets in the program's folder, without reading their images."""
    present = [entry for entry in ENTRIES if (bundled / f"{entry.name}.npz").is_file()]
    found = []
    for entry in present:
        summary = read_summary(bundled / f"{entry.name}.npz")
        found.append(
            BundledSet(
                entry.name,
                entry.title,
                entry.description,
                summary.shape,
                summary.classes,
                summary.training_images,
                summary.test_images,
            )
        )
    return tuple(found)


def open_dataset(
    name_or_path: str | Path,
    *,
    bundled: Path | None = None,
    split: SplitOptions | None = None,
    reading: ReadOptions | None = None,
) -> Dataset:
    """Open a data set of the program's folder `bundled` by its name, or any other by its path.

    Paths: a folder of IDX files, of CIFAR-10 batches, of CSV tables or of class folders with PNG or JPEG
    images; an .npz, CSV or CIFAR file. A bundled name wins over a file of the same name. `split` replaces
    the data set's own default split. Raises DataError for everything that is missing, broken or unclear.
    """
    name = str(name_or_path)
    reading = reading or ReadOptions()
    entry = next((entry for entry in ENTRIES if bundled is not None and entry.name == name), None)
    if entry is not None and bundled is not None:
        published = dataclasses.replace(
            read_npz(bundled / f"{name}.npz"),
            title=entry.title,
            value_range=entry.value_range,
            source=entry.source,
            licence=entry.licence,
        )
        return assemble(published, name, split or entry.split, reading)
    path = _path(name, bundled)
    return assemble(_read(path, reading), str(path), split, reading)


def _path(name: str, bundled: Path | None) -> Path:
    """The absolute path that was meant; raises DataError naming the bundled sets when it can be no path."""
    path = Path(os.path.abspath(os.path.expanduser(name)))
    is_word = not name or (os.path.basename(name) == name and not os.path.splitext(name)[1])
    if not is_word or (name and os.path.lexists(path)):
        return path
    names = [entry.name for entry in ENTRIES if bundled is not None]
    near = difflib.get_close_matches(name.lower(), names, 1)
    raise DataError(
        "There is no data set {name}: no file or folder of that name, and none that comes with the program ({names}).",
        code="data.unknown_name",
        name=repr(name),
        names=", ".join(names) or "none",
        fixes=(Fix("advice", "use {near}", {"near": near[0]}),) if near else (),
    )


def _read(path: Path, reading: ReadOptions) -> Published:
    """Whatever format lies at this path."""
    if is_folder(path):
        return _read_folder(path, reading)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return read_npz(path)
    if suffix == ".bin":
        return read_cifar_file(path)
    if suffix in TABLE_SUFFIXES:
        return read_table_file(path, reading)
    if is_idx_name(path.name):
        return read_idx_folder(path.parent, list_folder(path.parent))
    raise DataError(
        "{path}: this is no known format. Known are .npz, .csv, .tsv and CIFAR's .bin files, and "
        "folders: of IDX files "
        "(train-images-idx3-ubyte.gz …), of CIFAR-10 batches, or of one folder a class with PNG or JPEG "
        "images.",
        code="data.format",
        path=str(path),
    )


def _read_folder(folder: Path, reading: ReadOptions) -> Published:
    entries = list_folder(folder)
    files = [entry for entry in entries if not is_folder(entry)]
    suffixes = {file.suffix.lower() for file in files}
    if any(is_idx_name(file.name) for file in files):
        return read_idx_folder(folder, files)
    if ".bin" in suffixes:
        return read_cifar_folder(folder, files)
    if suffixes & set(TABLE_SUFFIXES):
        return read_table_folder(folder, files, reading)
    if any(file.name == "data_batch_1" for file in files):
        raise DataError(
            "{path}: this is the Python version of CIFAR-10, which is pickled; pickles are never loaded.",
            code="data.objects",
            path=str(folder),
            fixes=(Fix("advice", "get the binary version, data_batch_1.bin …"),),
        )
    archives = [file for file in files if file.suffix.lower() == ".npz"]
    if archives and len(files) == len(entries):
        raise DataError(
            "{path}: this folder holds {count} .npz files.",
            code="data.which_file",
            path=str(folder),
            count=len(archives),
            fixes=(Fix("advice", "open one of them: {file}", {"file": str(archives[0])}),),
        )
    return read_class_folders(folder, reading)
