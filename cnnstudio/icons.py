"""The program's icons: drawings under resources/icons in the text colour of the theme, sharp at every scale."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from cnnstudio.resources import resource_path
from cnnstudio.theme import current_theme

SIZE = 20
"""The side of a drawing, in logical pixels."""

_SCALES = (1, 1.5, 2, 3)


def icon(name: str, token: str = "text") -> QIcon:
    """The drawing NAME.svg in a colour of the theme in force; to be made anew when the theme changes."""
    theme = current_theme()
    return _drawn(name, getattr(theme, token), theme.disabled)


def app_icon() -> QIcon:
    """The icon of the program itself."""
    return QIcon(str(resource_path("icons", "cnnstudio.svg")))


@lru_cache
def _drawn(name: str, color: str, disabled: str) -> QIcon:
    drawing = resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")
    drawn = QIcon()
    for mode, ink in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, disabled)):
        renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", ink).encode()))
        for scale in _SCALES:
            side = round(SIZE * scale)
            pixmap = QPixmap(side, side)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            renderer.render(painter, QRectF(0, 0, side, side))
            painter.end()
            drawn.addPixmap(pixmap, mode)
    return drawn
