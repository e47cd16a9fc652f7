"""SVG files: drawings with lines and letters, which look the same wherever they are opened."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSizeF
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgGenerator

DOTS_PER_INCH = 96
"""A pixel of SVG is 1/96 inch."""


def svg_of(size: QSizeF, paint: Callable[[QPainter], None], title: str = "") -> bytes:
    """What `paint` draws from the top left corner on, as a file of a size in logical pixels.

    Clipping is no part of it: Qt writes down what a clip would hide.
    """
    data = QByteArray()
    buffer, generator = QBuffer(data), QSvgGenerator()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator.setOutputDevice(buffer)
    generator.setResolution(DOTS_PER_INCH)
    generator.setSize(size.toSize())
    generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
    generator.setTitle(title)
    painter = QPainter(generator)
    paint(painter)
    painter.end()
    buffer.close()
    return re.sub(rb'font-family="([^"]*)"', _with_fallback, bytes(data.data()))


def _with_fallback(family: re.Match[bytes]) -> bytes:
    """A kind of font behind the named ones, which another computer may lack: letters with serifs would stand there."""
    kind = b"monospace" if b"Mono" in family[1] else b"sans-serif"
    return b'font-family="%s,%s"' % (family[1], kind)
