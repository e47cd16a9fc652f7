"""The menu of every picture: copy it or its values, save it as PNG, SVG or CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QBuffer, QCoreApplication, QIODevice, QPoint, QRect, QSize, QSizeF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from cnnstudio.theme import current_theme
from cnnstudio.widgets.svg import svg_of

SCALE = 2.0
"""Pixels of a copied or saved picture for a logical one."""


class Picture(Protocol):
    """What can be copied and saved."""

    def picture_size(self) -> QSize:
        """Width and height in logical pixels; empty while there is nothing to see."""
        ...

    def paint_picture(self, painter: QPainter) -> None:
        """Draw everything, in logical pixels from the top left corner."""
        ...

    def values_csv(self) -> str:
        """The values behind it."""
        ...


def picture_menu(parent: QWidget, picture: Picture, name: str) -> QMenu:
    """The menu; `name` is that of the file offered for saving, without an ending."""
    menu, clipboard, some = QMenu(parent), QGuiApplication.clipboard(), not picture.picture_size().isEmpty()
    for text, action in (
        (_tr("Copy picture"), lambda: clipboard.setImage(image_of(picture, SCALE))),
        (_tr("Copy values (CSV)"), lambda: clipboard.setText(picture.values_csv())),
        (_tr("Save PNG, SVG or CSV…"), lambda: _ask(parent, picture, name)),
    ):
        menu.addAction(text, action).setEnabled(some)
    return menu


def pop_up(menu: QMenu, at: QPoint) -> None:
    """Open a menu at a point of the screen; it is gone when it closes."""
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(at)


def image_of(picture: Picture, scale: float) -> QImage:
    """The picture on the ground of the theme, with `scale` pixels for a logical one; null while there is nothing to see."""
    size = picture.picture_size()
    if size.isEmpty():
        return QImage()
    image = QImage(size * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(current_theme().color("surface"))
    painter = QPainter(image)
    picture.paint_picture(painter)
    painter.end()
    return image


def save_picture(picture: Picture, path: Path, scale: float = SCALE) -> None:
    """Write a picture as the ending of the path says; OSError when that fails."""
    match path.suffix.lower():
        case ".csv":
            data = picture.values_csv().encode()
        case ".svg":
            data = _svg(picture)
        case _:
            buffer = QBuffer()
            buffer.open(QIODevice.OpenModeFlag.WriteOnly)
            image_of(picture, scale).save(buffer, "PNG")  # type: ignore[call-overload]  # a device, as Qt says
            data = bytes(buffer.data().data())
    path.write_bytes(data)


def _svg(picture: Picture) -> bytes:
    size = picture.picture_size()

    def paint(painter: QPainter) -> None:
        painter.fillRect(QRect(QPoint(), size), current_theme().color("surface"))
        picture.paint_picture(painter)

    return svg_of(QSizeF(size), paint)


def _ask(parent: QWidget, picture: Picture, name: str) -> None:
    title = _tr("Save picture")
    kinds = ";;".join((_tr("PNG picture (*.png)"), _tr("SVG picture (*.svg)"), _tr("Values (*.csv)")))
    chosen, kind = QFileDialog.getSaveFileName(parent, title, f"{name}.png", kinds)
    if not chosen:
        return
    path = Path(chosen)
    if not path.suffix:
        path = path.with_suffix(next((s for s in (".svg", ".csv") if s in kind), ".png"))
    try:
        save_picture(picture, path)
    except OSError as error:
        QMessageBox.warning(parent, title, str(error))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Charts", text)
