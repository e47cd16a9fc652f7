"""SVG files: drawings with lines and letters, which look the same wherever they are opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSizeF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtSvg import QSvgGenerator

_MEASURED = 100
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
    return _TEXT.sub(_for_any_fonts, bytes(data.data()).decode()).encode()


_TEXT = re.compile(
    r'font-family="(?P<family>[^"]*)" font-size="(?P<size>[^"]*)" font-weight="(?P<weight>[^"]*)"(?P<more>[^>]*)>(?P<text>[^<]*)<'
)


def _for_any_fonts(found: re.Match[str]) -> str:
    """A kind of font behind the named ones, which another computer may lack, where letters with serifs would stand; and the
    width of the line, so that those of wider letters do not run into what stands beside it.
    """
    family, size, weight, more, text = found.group("family", "size", "weight", "more", "text")
    kind = "monospace" if "Mono" in family else "sans-serif"
    width = _width(family, float(size), int(weight), unescape(text.strip("\n")))
    length = f' textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs"' if width else ""
    return f'font-family="{family},{kind}" font-size="{size}" font-weight="{weight}"{length}{more}>{text}<'


def _width(family: str, size: float, weight: int, text: str) -> float:
    """The width of a line in the fonts of this computer, measured large: fonts have whole sizes in pixels."""
    font = QFont()
    font.setFamilies(family.split(","))
    font.setPixelSize(_MEASURED)
    font.setBold(weight >= QFont.Weight.DemiBold.value)
    font.setFeature(QFont.Tag("tnum"), 1)
    return QFontMetricsF(font).horizontalAdvance(text) * size / _MEASURED
