"""CSV tables: with and without header, labels anywhere, and errors that name the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.datasets.catalog import open_dataset
from engine.datasets.dataset import ReadOptions, SplitOptions

from .conftest import Refused

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 9))
LABELS = np.arange(12) % 3
NO_VALIDATION = SplitOptions(validation=0)
HEADER = "label,1x1,1x2,1x3,2x1,2x2,2x3,3x1,3x2,3x3"


def rows(labels: object = LABELS, delimiter: str = ",", last: bool = False) -> list[str]:
    lines = []
    for label, pixels in zip(labels, PIXELS.tolist(), strict=True):  # type: ignore[call-overload]
        cells = [*pixels, label] if last else [label, *pixels]
        lines.append(delimiter.join(str(cell) for cell in cells))
    return lines


def write(folder: Path, lines: list[str], name: str = "set.csv", end: str = "\n") -> Path:
    path = folder / name
    path.write_bytes((end.join(lines) + end).encode())
    return path


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (rows(), "\n"),
        ([HEADER, *rows()], "\n"),
        (["\ufeff" + HEADER, *rows()], "\r\n"),
        ([HEADER.replace(",", ";"), *rows(delimiter=";")], "\n"),
        ([HEADER.replace(",", "\t"), "", *rows(delimiter="\t"), ""], "\n"),
        ([",".join([f"pixel{i}" for i in range(9)] + ["Class"]), *rows(last=True)], "\n"),
        ([line.replace(",", " , ") for line in rows()], "\n"),
    ],
)
def test_every_usual_form_of_table(tmp_path: Path, lines: list[str], end: str) -> None:
    data = open_dataset(write(tmp_path, lines, end=end), split=NO_VALIDATION)
    assert data.shape == (1, 3, 3)
    assert np.array_equal(data.train.images.reshape(12, 9), PIXELS)
    assert data.train.images.dtype == np.uint8
    assert np.array_equal(data.train.labels, LABELS)


def test_the_label_column_can_be_stated(tmp_path: Path) -> None:
    path = write(tmp_path, rows(last=True))
    data = open_dataset(path, split=NO_VALIDATION, reading=ReadOptions(label_column="last"))
    assert np.array_equal(data.train.labels, LABELS)
    assert np.array_equal(data.train.images.reshape(12, 9), PIXELS)


@pytest.mark.parametrize("header", [[], [HEADER.replace("label", "animal")]])
def test_labels_that_are_names(tmp_path: Path, header: list[str]) -> None:
    names = ["owl", '"cat"', "dog"]
    data = open_dataset(write(tmp_path, [*header, *rows([names[i] for i in LABELS])]), split=NO_VALIDATION)
    assert data.classes == ("cat", "dog", "owl")
    assert np.array_equal(data.train.labels, np.array([2, 0, 1])[LABELS])


def test_fractions_stay_fractions(tmp_path: Path) -> None:
    lines = [",".join([str(label), *(f"{v / 255:.6f}" for v in pixels)]) for label, pixels in zip(LABELS, PIXELS, strict=True)]
    data = open_dataset(write(tmp_path, lines), split=NO_VALIDATION)
    assert (data.train.images.dtype, data.value_range) == (np.float32, (0.0, 1.0))
    assert np.allclose(data.train.images.reshape(12, 9), PIXELS / 255, atol=1e-6)


def test_rows_of_colour_planes_need_the_stated_size(tmp_path: Path, refused: Refused) -> None:
    lines = [",".join(map(str, [label, *range(12)])) for label in LABELS]
    error = refused(write(tmp_path, lines), "data.row_length", "12 numbers an image", "shape = 2 × 2")
    data = open_dataset(tmp_path / "set.csv", reading=ReadOptions(shape=error.fixes[0].value))
    assert data.shape == (3, 2, 2)


def test_a_folder_with_a_training_and_a_test_table(tmp_path: Path) -> None:
    write(tmp_path, rows(), "mnist_train.csv")
    write(tmp_path, rows()[:3], "mnist_test.csv")
    data = open_dataset(tmp_path)
    assert data.test is not None
    assert len(data.test) == 3


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("1,2,3", "data.columns", "line 5 has 3 values, the first line 10"),
        ("1,0,0,0,0,0,0,0,0,0,0", "data.columns", "line 5 has 11 values"),
        ("1,0,0,x7,0,0,0,0,0,0", "data.cell", "line 5, column 4: 'x7' is not a number"),
        ("1,0,0,,0,0,0,0,0,0", "data.cell", "line 5, column 4: '' is not a number"),
        ("cat,0,0,0,0,0,0,0,0,0", "data.label_value", "line 5 has the label 'cat'"),
        (",0,0,0,0,0,0,0,0,0", "data.label_value", "line 5 has the label ''"),
        ("1,0,nan,0,0,0,0,0,0,0", "data.not_finite", "1 of 13 images"),
        ("1.5,0,0,0,0,0,0,0,0,0", "data.label_value", "label of image 3 is 1.5"),
        ("1,0,0,1_0,0,0,0,0,0,0", "data.table", "1_0"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, refused: Refused, line: str, code: str, words: str) -> None:
    lines = [HEADER, *rows()]
    lines.insert(4, line)
    refused(write(tmp_path, lines), code, words)


def test_tables_without_a_recognisable_label_column(tmp_path: Path, refused: Refused) -> None:
    header = HEADER.replace("label", "number")
    error = refused(write(tmp_path, [header, *rows()]), "data.label_column", "unclear which column", 'Name it "label"')
    data = open_dataset(tmp_path / "set.csv", reading=ReadOptions(label_column=error.fixes[1].value), split=NO_VALIDATION)
    assert np.array_equal(data.train.labels, LABELS)


def test_files_that_are_no_tables(tmp_path: Path, refused: Refused) -> None:
    refused(write(tmp_path, []), "data.empty", "fewer than two rows")
    refused(write(tmp_path, [HEADER]), "data.empty")
    path = tmp_path / "set.csv"
    path.write_bytes(b"1,2\n\xff\xfe\n")
    refused(path, "data.encoding", "byte 4 is wrong", "Save the table as CSV UTF-8")


def test_several_tables_in_a_folder_are_not_guessed_among(tmp_path: Path, refused: Refused) -> None:
    write(tmp_path, rows(), "a.csv")
    write(tmp_path, rows(), "b.csv")
    refused(tmp_path, "data.which_file", "a.csv, b.csv")
