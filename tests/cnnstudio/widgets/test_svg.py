"""SVG files name the width of each line, which keeps lines in their places where other fonts write them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QPointF, QSizeF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QApplication

from cnnstudio.theme import number_font, ui_font
from cnnstudio.widgets.svg import svg_of


@pytest.mark.parametrize(
    ("make", "text"), [(ui_font, "2,416 params"), (ui_font, "卷积 1"), (ui_font, "a < b & c"), (number_font, "-0.75 100 %")]
)
@pytest.mark.parametrize("bold", [False, True])
def test_a_line_has_the_width_that_it_has_in_the_fonts_of_this_computer(qapp: QApplication, make, text: str, bold: bool) -> None:
    font: QFont = make(bold=bold)
    font.setPixelSize(13)

    def paint(painter: QPainter) -> None:
        painter.setFont(font)
        painter.drawText(QPointF(5, 20), text)

    [line] = ElementTree.fromstring(svg_of(QSizeF(200, 40), paint)).iter("{http://www.w3.org/2000/svg}text")
    assert "".join(line.itertext()).strip() == text and line.get("lengthAdjust") == "spacingAndGlyphs"
    assert float(line.get("textLength", "0")) == pytest.approx(QFontMetricsF(font).horizontalAdvance(text), rel=0.03)
