"""Pictures from outside: files that are dropped or opened, and what lies on the clipboard."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage, QImageReader


def read_picture(path: str) -> QImage:
    """The picture in a file, upright as its camera noted; null when it cannot be read."""
    reader = QImageReader(path)
    reader.setAutoTransform(True)
    return reader.read()


def offers_picture(data: QMimeData) -> bool:
    """Whether what is dragged or copied looks like a picture; a file may still turn out to be damaged."""
    return data.hasImage() or any(True for _ in picture_files(data))


def picture_files(data: QMimeData) -> Iterator[str]:
    """The files of a picture format among what is dragged or copied."""
    for url in data.urls():
        if _is_picture_file(url):
            yield url.toLocalFile()


def _is_picture_file(url: QUrl) -> bool:
    return url.isLocalFile() and bool(QImageReader.imageFormat(url.toLocalFile()))
