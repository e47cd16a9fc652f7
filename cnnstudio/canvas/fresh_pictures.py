"""New pictures on the blocks, painted over the old ones alone: blocks and wires around them take many times as long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Slot
from PySide6.QtGui import QPainter, QRegion

from cnnstudio.canvas.block_item import BlockItem
from cnnstudio.theme import current_theme

if TYPE_CHECKING:
    from cnnstudio.canvas.view import CanvasView


class FreshPictures(QObject):
    """Knows which pictures of a view are new, and paints them if nothing else is to be painted."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view = view
        self._fresh: set[BlockItem] = set()
        view.canvas.pictures_replaced.connect(self._note)

    @Slot(object)
    def _note(self, blocks: Iterable[BlockItem]) -> None:
        self._fresh.update(blocks)
        self._view.viewport().update(_region(map(self._area, blocks)))

    def paint(self, region: QRegion) -> bool:
        """Paint the new pictures; False, and nothing is painted, if a region of the view has more to show than them, or if
        anything could lie over one: at the edge that is the outline of the focus.
        """
        fresh, self._fresh = self._fresh, set()
        viewport = self._view.viewport().rect()
        areas = {block: area for block in fresh if (area := self._area(block)).intersects(viewport)}
        inner = viewport.adjusted(1, 1, -1, -1)
        if (
            not region.subtracted(_region(areas.values())).isEmpty()
            or not all(inner.contains(area) for area in areas.values())
            or self._view.gesture is not None
            or not self._view.canvas.pictures_lie_open
        ):
            return False
        self._paint(areas)
        return True

    def _paint(self, areas: Mapping[BlockItem, QRect]) -> None:
        painter, to_view = QPainter(self._view.viewport()), self._view.viewportTransform()
        painter.setRenderHints(self._view.renderHints())
        ground = current_theme().color("surface")
        for block, area in areas.items():
            painter.resetTransform()
            painter.fillRect(area, ground)
            painter.setTransform(block.deviceTransform(to_view))
            block.paint_picture(painter)

    def _area(self, block: BlockItem) -> QRect:
        """The pixels of the view that a block's picture touches."""
        return self._view.viewportTransform().mapRect(block.mapRectToScene(block.picture_rect())).toAlignedRect()


def _region(areas: Iterable[QRect]) -> QRegion:
    region = QRegion()
    for area in areas:
        region += area
    return region
