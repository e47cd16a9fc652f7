"""A block on the canvas: paints its face from a cache, and knows which part of it lies under a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter, QPen, QPixmap, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from cnnstudio.canvas.card_item import CardItem
from cnnstudio.canvas.face import (
    HEADER,
    MARGIN,
    PORT_Y,
    RADIUS,
    THUMBNAIL,
    Face,
    face_height,
    fix_rects,
    paint_face,
    paint_ports,
)
from cnnstudio.document.layout import BLOCK_WIDTH
from cnnstudio.theme import current_theme

if TYPE_CHECKING:
    from cnnstudio.canvas.scene import CanvasScene

_PORT_REACH = 11.0


@dataclass(frozen=True)
class Part:
    """A part of a block under a point: "in", "out" (ports), "fix", "header", "thumbnail" or "body"."""

    name: str
    index: int = 0


class BlockItem(CardItem):
    """Shows one block; the scene alone creates it and tells it what to show."""

    def __init__(self, block_id: str, face: Face) -> None:
        super().__init__()
        self.id = block_id
        self.face = face
        self.thumbnail: QImage | None = None
        self._picture_rect = QRectF()
        self.field: QRectF | None = None
        """The receptive field painted on the picture, in fractions of its width and height."""
        self.selected = False
        self.highlighted = False
        self.hovered = False
        self._height = face_height(face)
        self._pixmap: QPixmap | None = None
        self._pixmap_scale = 0.0
        self.setZValue(1)

    # --- what it shows ---

    def set_face(self, face: Face) -> None:
        """Show another face."""
        if face == self.face:
            return
        height = face_height(face)
        if height != self._height:
            self.prepareGeometryChange()
            self._height = height
        self.face = face
        self.repaint_face()

    def repaint_face(self) -> None:
        """Paint the face anew, for example in another theme."""
        self._pixmap = None
        self.update()

    def set_thumbnail(self, image: QImage | None) -> bool:
        """Show a picture of the block's maps; True if it only replaces the pixels of another one, which views paint alone."""
        before, self.thumbnail = self.thumbnail, image
        if before is not None and image is not None and before.size() == image.size() and self.field is None:
            return not self.face.problem
        self._picture_rect = _fitting(image)
        self.update(THUMBNAIL)
        return False

    def mark(self, *, selected: bool, highlighted: bool, hovered: bool) -> None:
        """Show whether the block is selected, named by the formula bar under the pointer, or itself under the
        pointer.
        """
        if (selected, highlighted, hovered) != (self.selected, self.highlighted, self.hovered):
            self.selected, self.highlighted, self.hovered = selected, highlighted, hovered
            self.setZValue(3 if selected else 2 if self.face.is_error else 1)
            self.update()

    # --- geometry ---

    def boundingRect(self) -> QRectF:
        """The card with its shadow and ports."""
        return QRectF(-MARGIN, -MARGIN, BLOCK_WIDTH + 2 * MARGIN, self._height + 2 * MARGIN)

    def picture_rect(self) -> QRectF:
        """Where the thumbnail is painted, in item coordinates."""
        return self._picture_rect

    def part_at(self, point: QPointF) -> Part | None:
        """The part under a point in scene coordinates."""
        at = point - self.pos()
        for name, port in (("out", QPointF(BLOCK_WIDTH, PORT_Y)), ("in", QPointF(0, PORT_Y))):
            if name == "in" and self.face.role == "input":
                continue
            if (at - port).manhattanLength() <= _PORT_REACH:
                return Part(name)
        if not QRectF(0, 0, BLOCK_WIDTH, self._height).contains(at):
            return None
        for i, rect in enumerate(fix_rects(self.face)):
            if rect.contains(at):
                return Part("fix", i)
        if at.y() < HEADER:
            return Part("header")
        return Part("thumbnail") if self.picture_rect().contains(at) else Part("body")

    def image_point(self, point: QPointF) -> QPointF:
        """The pixel of the thumbnail image under a point in scene coordinates."""
        rect = self.picture_rect()
        if rect.isEmpty() or self.thumbnail is None:
            return QPointF()
        at = point - self.pos() - rect.topLeft()
        return QPointF(at.x() / rect.width() * self.thumbnail.width(), at.y() / rect.height() * self.thumbnail.height())

    # --- painting ---

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Paint the cached face, then what changes often: picture, outline and ports."""
        scene: CanvasScene = self.scene()  # type: ignore[assignment]
        theme = current_theme()
        if scene.exporting:
            paint_face(painter, self.face, theme)
        else:
            self._paint_cached(painter, scene)
        if self.thumbnail is not None and not self.face.problem:
            self.paint_picture(painter)
            if self.field is not None:
                rect = self.picture_rect()
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(theme.color("highlight"), 1.6))
                painter.drawRect(
                    QRectF(
                        rect.x() + self.field.x() * rect.width(),
                        rect.y() + self.field.y() * rect.height(),
                        self.field.width() * rect.width(),
                        self.field.height() * rect.height(),
                    )
                )
        self._paint_marks(painter)

    def paint_picture(self, painter: QPainter) -> None:
        """Paint the thumbnail alone, in item coordinates; on a screen on whole pixels, so that any clip leaves the same ones."""
        assert self.thumbnail is not None
        scene: CanvasScene = self.scene()  # type: ignore[assignment]
        world, ratio = painter.worldTransform(), painter.device().devicePixelRatioF()
        box = world.mapRect(self._picture_rect)
        left, top, right, bottom = (round(at * ratio) for at in (box.left(), box.top(), box.right(), box.bottom()))
        # Enlarged cells stay squares; what must shrink is averaged, not picked at random.
        shrunk = right - left < self.thumbnail.width() and not scene.zooming
        if scene.exporting:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrunk)
            painter.drawImage(self._picture_rect, self.thumbnail)
            return
        mode = Qt.TransformationMode.SmoothTransformation if shrunk else Qt.TransformationMode.FastTransformation
        size = QSize(max(1, right - left), max(1, bottom - top))
        scaled = self.thumbnail.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
        painter.setWorldTransform(QTransform())
        painter.drawImage(QRectF(left / ratio, top / ratio, size.width() / ratio, size.height() / ratio), scaled)
        painter.setWorldTransform(world)

    def _paint_marks(self, painter: QPainter) -> None:
        if not (self.selected or self.highlighted or self.hovered):
            return
        theme = current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = theme.color("highlight" if self.highlighted else "accent")
        width = 2.2 if self.selected or self.highlighted else 1.2
        painter.setPen(QPen(color, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        grow = width / 2
        painter.drawRoundedRect(
            QRectF(0, 0, BLOCK_WIDTH, self._height).adjusted(-grow, -grow, grow, grow),
            RADIUS + 1,
            RADIUS + 1,
        )
        paint_ports(painter, self.face, theme, filled=self.hovered)

    def _paint_cached(self, painter: QPainter, scene: CanvasScene) -> None:
        world = painter.worldTransform()
        ratio = painter.device().devicePixelRatioF()
        wanted = world.m11() * ratio
        if self._pixmap is None or (self._pixmap_scale != wanted and scene.may_render_face()):
            self._pixmap = self._rendered(world.m11(), ratio)
            self._pixmap_scale = wanted
        source = QRectF(self._pixmap.rect())
        if self._pixmap_scale != wanted:
            target = QRectF(QPointF(-MARGIN, -MARGIN), source.size() / self._pixmap_scale)
            # Only for the moment of the movement: smooth scaling of hundreds of faces would make it jerk.
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not scene.zooming)
            painter.drawPixmap(target, self._pixmap, source)
            return
        # One pixel of the cache is one pixel of the screen: drawn on whole pixels, it stays sharp.
        corner = world.map(QPointF(-MARGIN, -MARGIN))
        painter.setWorldTransform(QTransform())
        whole = QPointF(round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio)
        painter.drawPixmap(QRectF(whole, source.size() / ratio), self._pixmap, source)
        painter.setWorldTransform(world)

    def _rendered(self, scale: float, ratio: float) -> QPixmap:
        size = self.boundingRect().size() * scale * ratio
        pixmap = QPixmap(max(1, round(size.width())), max(1, round(size.height())))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.scale(scale, scale)
        painter.translate(MARGIN, MARGIN)
        paint_face(painter, self.face, current_theme())
        painter.end()
        return pixmap


def _fitting(image: QImage | None) -> QRectF:
    """The place of a picture in a block: as large as fits, at the left, in whole proportions."""
    if image is None or image.isNull():
        return QRectF()
    size = image.size()
    factor = min(THUMBNAIL.width() / size.width(), THUMBNAIL.height() / size.height())
    return QRectF(THUMBNAIL.topLeft(), QSizeF(size) * factor)
