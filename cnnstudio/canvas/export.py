"""The drawing of the network as SVG, PDF or PNG."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QPageSize, QPainter, QPdfWriter

from cnnstudio.canvas.scene import CanvasScene
from cnnstudio.theme import current_theme
from cnnstudio.widgets.svg import svg_of
from engine.errors import StorageError

FORMATS = ("svg", "pdf", "png")
_MARGIN = 16.0
_LARGEST_SIDE = 16_000
"""Pixels of the longer side of a PNG at most."""


def export_drawing(scene: CanvasScene, path: Path, *, scale: float = 2.0) -> None:
    """Write the drawing in the format that the file's ending names; raises StorageError when that fails.

    `scale` is the number of PNG pixels for a pixel of the scene; SVG and PDF are drawn with lines and letters.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise StorageError("A drawing is written as {formats}, not as {found}.", code="export.format",
                           formats=", ".join(FORMATS), found=repr(path.suffix))  # fmt: skip
    area = scene.content_rect().adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN)
    data = {"svg": _svg, "pdf": _pdf, "png": _png}[suffix](scene, area, scale)
    try:
        written = path.write_bytes(data)
    except OSError as error:
        raise _unwritten(path, error.strerror or str(error)) from None
    if written != len(data):
        raise _unwritten(path, "the disk is full")


def _unwritten(path: Path, reason: str) -> StorageError:
    return StorageError("{path} cannot be written: {reason}.", code="export.write", path=str(path), reason=reason)


def _draw(scene: CanvasScene, painter: QPainter, target: QRectF, area: QRectF) -> None:
    """Everything as it stands, without selection and without the grid."""
    selected, wire = scene.selected, scene.selected_wire
    scene.exporting = True
    scene.select(())
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(target, current_theme().color("surface"))
        scene.render(painter, target, area)
    finally:
        scene.exporting = False
        scene.select(selected)
        if wire is not None:
            scene.select_wire(wire)


def _png(scene: CanvasScene, area: QRectF, scale: float) -> bytes:
    scale = min(scale, _LARGEST_SIDE / max(area.width(), area.height()))
    size = (area.size() * scale).toSize()
    image = QImage(size.expandedTo(QSize(1, 1)), QImage.Format.Format_ARGB32_Premultiplied)
    painter = QPainter(image)
    _draw(scene, painter, QRectF(image.rect()), area)
    painter.end()
    data, buffer = _buffer()
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # it takes str alone, whatever its stub says
    return _taken(data, buffer)


def _pdf(scene: CanvasScene, area: QRectF, _scale: float) -> bytes:
    data, buffer = _buffer()
    writer = QPdfWriter(buffer)
    writer.setTitle(scene.document.title)
    points = QSizeF(area.width(), area.height()) * 0.75
    writer.setPageSize(QPageSize(points, QPageSize.Unit.Point))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    painter = QPainter(writer)
    _draw(scene, painter, QRectF(0, 0, writer.width(), writer.height()), area)
    painter.end()
    return _taken(data, buffer)


def _svg(scene: CanvasScene, area: QRectF, _scale: float) -> bytes:
    target = QRectF(0, 0, area.width(), area.height())
    return svg_of(area.size(), lambda painter: _draw(scene, painter, target, area), scene.document.title)


def _buffer() -> tuple[QByteArray, QBuffer]:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return data, buffer


def _taken(data: QByteArray, buffer: QBuffer) -> bytes:
    buffer.close()
    return bytes(data.data())
