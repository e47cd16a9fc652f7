"""The gestures of the mouse on the canvas: each is an object that starts, moves, and finishes or is
cancelled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainterPath, QPen
from PySide6.QtWidgets import QApplication, QGraphicsPathItem, QGraphicsRectItem

from cnnstudio.canvas.scene import corner_for
from cnnstudio.canvas.wire_item import rounded, route
from cnnstudio.document.graph import Place
from cnnstudio.theme import current_theme

if TYPE_CHECKING:
    from cnnstudio.canvas.view import CanvasView

GRID = 8.0


class Gesture(ABC):
    """One press, drag and release; points are in scene coordinates."""

    def __init__(self, view: CanvasView, start: QPointF) -> None:
        self.view = view
        self.scene = view.canvas
        self.start = start
        self.moved = False

    def drag(self, point: QPointF) -> None:
        """The pointer moves; small movements of the hand do not count."""
        if not self.moved:
            travelled = self.view.mapFromScene(point) - self.view.mapFromScene(self.start)
            self.moved = travelled.manhattanLength() >= QApplication.startDragDistance()
        if self.moved:
            self.move(point)

    @abstractmethod
    def move(self, point: QPointF) -> None:
        """Show what would happen if the button were let go here."""

    @abstractmethod
    def finish(self, point: QPointF) -> None:
        """The button is let go: do it."""

    @abstractmethod
    def cancel(self) -> None:
        """Esc: leave everything as it was."""


class MoveBlocks(Gesture):
    """Drags some blocks; a whole loose chain may land on a wire or at an end.

    With `take_out`, the blocks are first taken out of their chain, which closes over the gap.
    """

    def __init__(self, view: CanvasView, start: QPointF, pressed: str, ids: tuple[str, ...], *, take_out: bool = False) -> None:
        super().__init__(view, start)
        self.pressed = pressed
        self.ids = ids
        self.origins = {i: self.scene.blocks[i].pos() for i in self.ids}
        self.take_out = take_out
        self.place = Place()

    def move(self, point: QPointF) -> None:
        """The blocks follow the pointer, on a fine grid."""
        offset = self._offset(point)
        if self.take_out or self._is_loose_chain():
            centre = self._centre(offset)
            self.place = self.scene.place_at(centre, point, moving=self.ids, is_input=self._has_input())
            self._preview(offset)
        self.scene.move_items({block_id: origin + offset for block_id, origin in self.origins.items()})

    def _preview(self, offset: QPointF) -> None:
        document = self.view.document
        positions = self._positions(offset)
        if self.place.loose and not self.take_out:
            self.scene.clear_preview()
            self.scene.restore_others(self.ids)
            return
        candidate = document.relocating(self.ids, self.place, positions)
        shown = {} if self.place.loose else {i: (document.name_of(i), document.graph[i].node.layer.role) for i in self.ids}
        self.scene.show_preview(candidate, shown, but=self.ids)

    def finish(self, point: QPointF) -> None:
        """One undo step, whatever the way was."""
        if not self.moved:
            return
        positions = self._positions(self._offset(point))
        place = self.place
        self.scene.restore()
        document = self.view.document
        if not place.loose or self.take_out:
            self.view.editor.attempt(lambda: document.relocate(self.ids, place, positions))
        else:
            document.move(positions)

    def cancel(self) -> None:
        """The blocks go back."""
        self.scene.restore()

    def _offset(self, point: QPointF) -> QPointF:
        """How far the blocks go: the pressed one to the fine grid, the others with it."""
        wanted = self.origins[self.pressed] + point - self.start
        snapped = QPointF(round(wanted.x() / GRID) * GRID, round(wanted.y() / GRID) * GRID)
        return snapped - self.origins[self.pressed]

    def _positions(self, offset: QPointF) -> dict[str, tuple[float, float]]:
        return {i: ((o + offset).x(), (o + offset).y()) for i, o in self.origins.items()}

    def _centre(self, offset: QPointF) -> QPointF:
        x, y = corner_for(QPointF(0, 0))
        return self.origins[self.pressed] + offset - QPointF(x, y)

    def _is_loose_chain(self) -> bool:
        graph = self.view.document.graph
        chain = graph.chain_of(self.pressed)
        return chain is not graph.main and {b.id for b in chain} == set(self.ids)

    def _has_input(self) -> bool:
        graph = self.view.document.graph
        return any(graph[i].is_input for i in self.ids)


class DrawWire(Gesture):
    """Draws a wire from a port: dropped on a block it joins, dropped on empty canvas it asks what to put
    there.
    """

    def __init__(self, view: CanvasView, start: QPointF, block: str, *, forward: bool) -> None:
        super().__init__(view, start)
        self.block = block
        self.forward = forward
        item = self.scene.blocks[block]
        self.anchor = item.out_port if forward else item.in_port
        self.line = QGraphicsPathItem()
        self.line.setPen(QPen(current_theme().color("accent"), 2.4, Qt.PenStyle.DashLine))
        self.line.setZValue(5)
        self.scene.addItem(self.line)

    def move(self, point: QPointF) -> None:
        """The loose end follows the pointer and jumps to the port of a block under it."""
        target = self._target(point)
        end = point
        if target is not None:
            item = self.scene.blocks[target]
            end = item.in_port if self.forward else item.out_port
        self.scene.highlight([target] if target else [])
        first, last = (self.anchor, end) if self.forward else (end, self.anchor)
        self.line.setPath(rounded(route(first, last, first.y() + 60, last.y() - 60)))

    def finish(self, point: QPointF) -> None:
        """Join, or ask what to put at the loose end."""
        self.cancel()
        if not self.moved:
            return
        target = self._target(point)
        document = self.view.document
        if target is not None:
            first, second = (self.block, target) if self.forward else (target, self.block)
            self.view.editor.attempt(lambda: document.connect_blocks(first, second))
        elif self.scene.hit(point).block is None:
            graph = document.graph
            place = Place(self.block, graph.next(self.block)) if self.forward else Place(graph.previous(self.block), self.block)
            self.view.open_search(place, point)

    def cancel(self) -> None:
        """Take the loose wire away."""
        self.scene.highlight([])
        self.scene.removeItem(self.line)
        self.line.setPath(QPainterPath())

    def _target(self, point: QPointF) -> str | None:
        """The block that the wire may join at this point."""
        hit = self.scene.hit(point)
        if hit.block is None or hit.block == self.block:
            return None
        return hit.block


class RubberBand(Gesture):
    """Selects all blocks that a rectangle touches; with Shift in addition to those selected before."""

    def __init__(self, view: CanvasView, start: QPointF, *, extend: bool) -> None:
        super().__init__(view, start)
        self.before = self.scene.selected if extend else ()
        self.extend = extend
        self.band = QGraphicsRectItem()
        theme = current_theme()
        ground = theme.color("accent")
        ground.setAlphaF(0.12)
        self.band.setBrush(ground)
        pen = QPen(theme.color("accent"), 1)
        pen.setCosmetic(True)
        self.band.setPen(pen)
        self.band.setZValue(6)
        self.scene.addItem(self.band)

    def move(self, point: QPointF) -> None:
        """The selection follows the rectangle."""
        rect = QRectF(self.start, point).normalized()
        self.band.setRect(rect)
        touched = [i for i, item in self.scene.blocks.items() if item.card.intersects(rect)]
        self.scene.select((*self.before, *touched))

    def finish(self, point: QPointF) -> None:
        """A click on empty canvas selects nothing."""
        self.scene.removeItem(self.band)
        if not self.moved and not self.extend:
            self.scene.select_wire(None)
            self.scene.select(())

    def cancel(self) -> None:
        """The selection of before."""
        self.scene.removeItem(self.band)
        self.scene.select(self.before)


class PressFix(Gesture):
    """A click on a button that mends an error."""

    def __init__(self, view: CanvasView, start: QPointF, block: str, index: int) -> None:
        super().__init__(view, start)
        self.block = block
        self.index = index

    def move(self, point: QPointF) -> None:
        """A button does not move."""

    def finish(self, point: QPointF) -> None:
        """Apply the fix if the pointer is still on the button."""
        hit = self.scene.hit(point)
        if hit.block == self.block and hit.part is not None and (hit.part.name, hit.part.index) == ("fix", self.index):
            self.view.editor.apply_fix(self.block, self.index)

    def cancel(self) -> None:
        """Nothing was done yet."""


class Pan(Gesture):
    """Pushes the canvas about, with the middle button or with Space held; its points are in view coordinates."""

    def __init__(self, view: CanvasView, start: QPointF) -> None:
        super().__init__(view, start)
        self.last = start
        view.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def drag(self, point: QPointF) -> None:
        """The canvas sticks to the pointer from the first pixel on."""
        self.moved = True
        self.move(point)

    def move(self, point: QPointF) -> None:
        """Scroll by the way of the pointer."""
        self.view.pan_by(point - self.last)
        self.last = point

    def finish(self, point: QPointF) -> None:
        """Let go of the canvas."""
        self.view.viewport().unsetCursor()

    def cancel(self) -> None:
        """Go back to where the gesture began."""
        self.view.pan_by(self.start - self.last)
        self.view.viewport().unsetCursor()
