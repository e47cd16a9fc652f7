"""Tables of text (CSV): an image a row, one column with the label, all others pixels; header optional."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from engine.datasets.dataset import Array, ReadOptions
from engine.datasets.files import check_size, read_bytes
from engine.datasets.published import Part, Published
from engine.errors import DataError, Fix

SUFFIXES = (".csv", ".tsv")
_LABEL_NAMES = ("label", "labels", "class", "target", "y", "digit", "species")
_DELIMITERS = ",;\t"


def read_table_folder(folder: Path, files: list[Path], options: ReadOptions) -> Published:
    """A folder with one table to train with (or the only one) and perhaps one with "test" in its name."""
    tables = [file for file in files if file.suffix.lower() in SUFFIXES]
    test = [file for file in tables if "test" in file.name.lower()]
    train = [file for file in tables if file not in test]
    if len(train) != 1 or len(test) > 1:
        raise DataError(
            "{path}: it is unclear which table to train with: {found}.",
            code="data.which_file",
            path=str(folder),
            found=", ".join(file.name for file in tables),
            fixes=(Fix("advice", "open one of the files by its name"),),
        )
    return _published(folder, train[0], test[0] if test else None, options)


def read_table_file(file: Path, options: ReadOptions) -> Published:
    """One table by itself, as training images."""
    return _published(file, file, None, options)


def _published(path: Path, train: Path, test: Path | None, options: ReadOptions) -> Published:
    return Published(
        path.stem,
        _read_part(train, options),
        test=_read_part(test, options) if test else None,
        source=str(path),
    )


def _read_part(file: Path, options: ReadOptions) -> Part:
    lines = _lines(file)
    delimiter = max(_DELIMITERS, key=lines[0][1].count)
    first, second = (_cells(line, delimiter) for _, line in lines[:2])
    has_header = _is_header(first, second)
    if has_header:
        del lines[0]
    label = _label_column(file, first if has_header else None, second, options)
    _check_columns(file, lines, delimiter, len(first))
    check_size(file, len(lines) * len(first) * 4)
    pixels = [column for column in range(len(first)) if column != label]
    try:
        # Generators rather than lists: between two rows they let other threads have their turn.
        rows, again = (line for _, line in lines), (line for _, line in lines)
        images = np.loadtxt(rows, np.float32, delimiter=delimiter, usecols=pixels, comments=None, quotechar='"', ndmin=2)
        labels = np.loadtxt(again, str, delimiter=delimiter, usecols=label, comments=None, quotechar='"', ndmin=1)
    except ValueError as error:
        raise _bad_cell(file, lines, delimiter, label, str(error)) from error
    return Part(str(file), _bytes_if_they_are(images), _label_values(file, lines, labels), str(file))


def _lines(file: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not empty, each with its number from 1; at least two."""
    try:
        text = read_bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            "{path}: this is no text in UTF-8: byte {number} is wrong.",
            code="data.encoding",
            path=str(file),
            number=error.start,
            fixes=(Fix("advice", "save the table as CSV UTF-8"),),
        ) from error
    # Only line ends separate rows; splitlines() would also cut at form feeds and the like.
    lines = [(number, line) for number, line in enumerate(io.StringIO(text, newline=None), 1) if line.strip()]
    if len(lines) < 2:
        raise DataError("{path}: the table has fewer than two rows.", code="data.empty", path=str(file))
    return lines


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_header(first: list[str], second: list[str]) -> bool:
    """True when the first row names the columns: words where the second has numbers, or "label"."""
    words = any(not _is_number(a) and _is_number(b) for a, b in zip(first, second, strict=False))
    return words or any(cell.lower() in _LABEL_NAMES for cell in first)


def _label_column(file: Path, header: list[str] | None, row: list[str], options: ReadOptions) -> int:
    """Where the labels are: as asked for, by name, in the only column of words, else in the first."""
    if options.label_column != "auto":
        return 0 if options.label_column == "first" else len(row) - 1
    named = [column for column, cell in enumerate(header or ()) if cell.lower() in _LABEL_NAMES]
    of_words = [column for column, cell in enumerate(row) if not _is_number(cell)]
    if len(named) == 1:
        return named[0]
    if len(of_words) == 1:
        return of_words[0]
    if header is None and not of_words:
        return 0
    raise DataError(
        "{path}: it is unclear which column holds the labels.",
        code="data.label_column",
        path=str(file),
        fixes=(
            Fix("advice", 'name it "label"'),
            Fix("set", "read the first with label_column = first", field="label_column", value="first"),
            Fix("set", "read the last with label_column = last", field="label_column", value="last"),
        ),
    )


def _check_columns(file: Path, lines: list[tuple[int, str]], delimiter: str, expected: int) -> None:
    for number, line in lines:
        if line.count(delimiter) != expected - 1:
            raise DataError(
                "{path}: line {number} has {found} values, the first line {expected}.",
                code="data.columns",
                path=str(file),
                number=number,
                found=line.count(delimiter) + 1,
                expected=expected,
            )


def _bad_cell(file: Path, lines: list[tuple[int, str]], delimiter: str, label: int, reason: str) -> DataError:
    """The error that names the first cell that is not a number."""
    for number, line in lines:
        for column, cell in enumerate(_cells(line, delimiter)):
            if column != label and not _is_number(cell):
                return DataError(
                    "{path}: line {number}, column {column}: {cell} is not a number.",
                    code="data.cell",
                    path=str(file),
                    number=number,
                    column=column + 1,
                    cell=repr(cell),
                )
    return DataError("{path}: the table cannot be read ({reason}).", code="data.table", path=str(file), reason=reason)


def _bytes_if_they_are(pixels: Array) -> Array:
    """Text does not say its type: whole numbers 0..255 take a quarter of the memory as uint8."""
    whole = pixels.min() >= 0 and pixels.max() <= 255 and bool((pixels == np.rint(pixels)).all())
    return pixels.astype(np.uint8) if whole else pixels


def _label_values(file: Path, lines: list[tuple[int, str]], labels: Array) -> Array:
    """The labels as numbers if all of them are numbers, as names if none is."""
    labels = np.char.strip(labels)
    try:
        return labels.astype(np.float64)
    except ValueError:
        are_numbers = np.array([_is_number(label) for label in labels.tolist()])
    odd = np.flatnonzero((labels == "") | (~are_numbers if are_numbers.any() else False))
    if odd.size:
        raise DataError(
            "{path}: line {number} has the label {label}.",
            code="data.label_value",
            path=str(file),
            number=lines[odd[0]][0],
            label=repr(str(labels[odd[0]])),
            fixes=(Fix("advice", "make all labels numbers, or all of them names"),),
        )
    return labels
