"""The scene: blocks and wires that mirror the document's graph, what is selected, and previews of edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from time import perf_counter

from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QGraphicsScene, QGraphicsSceneHelpEvent, QToolTip

from cnnstudio.canvas.block_item import BlockItem, Part
from cnnstudio.canvas.captions import face_of, tooltip_of
from cnnstudio.canvas.drop_places import place_at
from cnnstudio.canvas.face import forget_fonts
from cnnstudio.canvas.flow_mark import FlowMark
from cnnstudio.canvas.input_field import field_on_input
from cnnstudio.canvas.preview import Preview
from cnnstudio.canvas.wire_item import WireItem, distance_to
from cnnstudio.document.diff import difference
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph, Place, Wire
from cnnstudio.document.layout import BLOCK_HEIGHT, BLOCK_WIDTH
from cnnstudio.theme import theme_changed

_WIRE_REACH = 8.0
_SECONDS_OF_FACES = 0.016
"""Time that one frame may spend on painting faces anew; the rest follows in the next frames."""


@dataclass(frozen=True)
class Hit:
    """What lies under a point: a part of a block, a wire, or nothing."""

    block: str | None = None
    part: Part | None = None
    wire: Wire | None = None


class CanvasScene(QGraphicsScene):
    """Draws one document; the only creator of its items."""

    selection_changed = Signal(object)
    """The ids of the selected blocks, as a tuple."""
    wire_selected = Signal(object)
    """The selected wire, or None."""
    hovered_changed = Signal(object)
    """The id of the block under the pointer, or None."""
    pictures_replaced = Signal(object)
    """A tuple of `BlockItem`s whose pictures others of the same size have replaced: those are all that is to be painted anew."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.document = document
        self.blocks: dict[str, BlockItem] = {}
        self.wires: dict[Wire, WireItem] = {}
        self.selected: tuple[str, ...] = ()
        self.selected_wire: Wire | None = None
        self.hovered: str | None = None
        self.exporting = False
        self.zooming = False
        self._highlighted: frozenset[str] = frozenset()
        self._hovered_wire: Wire | None = None
        self.preview = Preview(self)
        self._flow: FlowMark | None = None
        self._wires_of: dict[str, list[WireItem]] = {}
        self._frame_began = 0.0
        self._more_faces = QTimer(self)
        self._more_faces.setSingleShot(True)
        self._more_faces.timeout.connect(self._repaint_views)
        document.graph_changed.connect(self._show_change)
        theme_changed.connect(self._apply_theme)
        self._show_change(Graph(), document.graph)

    # --- mirroring the graph ---

    @Slot(object, object)
    def _show_change(self, before: Graph, after: Graph) -> None:
        self.clear_preview()
        diff = difference(before, after)
        for wire in diff.wires_removed:
            self._drop_wire(wire)
        for block_id in diff.removed:
            self._drop_wire((block_id, ""))
            self.removeItem(self.blocks.pop(block_id))
            self._wires_of.pop(block_id, None)
        for block in after:
            if block.id not in self.blocks:
                item = BlockItem(block.id, face_of(self.document, block))
                self.blocks[block.id] = item
                self._wires_of[block.id] = []
                item.setPos(*block.position)
                self.addItem(item)
        for wire in after.wires:
            if wire not in self.wires:
                self._add_wire(wire)
        self._show_stub(after)
        self.follow(after)
        if diff.structural or diff.changed or before.chains == ():
            self._refresh_faces(after)
            self._forget_what_is_gone(after)
        self._refresh_marks()
        self._grow_to_fit()

    def _add_wire(self, wire: Wire) -> None:
        item = WireItem(wire, self.blocks[wire[0]], self.blocks[wire[1]] if wire[1] else None)
        self.wires[wire] = item
        for block_id in wire:
            if block_id:
                self._wires_of[block_id].append(item)
        self.addItem(item)

    def _drop_wire(self, wire: Wire) -> None:
        item = self.wires.pop(wire, None)
        if item is None:
            return
        for block_id in wire:
            if block_id:
                self._wires_of[block_id].remove(item)
        self.removeItem(item)

    def _show_stub(self, graph: Graph) -> None:
        """The arrow behind the last block of the network."""
        last = (graph.main[-1].id, "") if graph.main else None
        for wire in [w for w in self.wires if not w[1] and w != last]:
            self._drop_wire(wire)
        if last and last not in self.wires:
            self._add_wire(last)

    def _refresh_faces(self, graph: Graph) -> None:
        derived = self.document.derived
        for block in graph:
            item = self.blocks[block.id]
            item.set_face(face_of(self.document, block))
        for (first, _), line in self.wires.items():
            placed = derived.placed.get(first)
            line.set_label(str(placed.y) if placed else "", faint=placed is None)

    def _forget_what_is_gone(self, graph: Graph) -> None:
        kept = tuple(i for i in self.selected if i in graph)
        if kept != self.selected:
            self.select(kept)
        if self.selected_wire is not None and self.selected_wire not in self.wires:
            self.select_wire(None)
        if self.hovered is not None and self.hovered not in graph:
            self.hover(Hit())
        self._highlighted &= frozenset(self.blocks)

    def follow(self, graph: Graph, but: frozenset[str] = frozenset()) -> None:
        """Put all items but some at the places that a graph gives them."""
        self.move_items({b.id: QPointF(*b.position) for b in graph if b.id not in but and b.id in self.blocks})

    def move_items(self, positions: Mapping[str, QPointF]) -> None:
        """Show blocks at other places, with their wires, without touching the document."""
        ways = {}
        for block_id, position in positions.items():
            item = self.blocks[block_id]
            way = position - item.pos()
            if not way.isNull():
                item.setPos(position)
                ways[block_id] = way
        for wire in {wire for block_id in ways for wire in self._wires_of[block_id]}:
            first, second = wire.wire
            way = ways.get(first, QPointF())
            if first in ways and (not second or ways.get(second) == way):
                wire.shift(way)
            else:
                wire.reroute()

    def _grow_to_fit(self) -> None:
        """Leave room around everything, so that any part can be moved to the middle of the view."""
        self.setSceneRect(self.content_rect().adjusted(-3000, -3000, 3000, 3000))

    def content_rect(self, ids: Iterable[str] = ()) -> QRectF:
        """The rectangle around some blocks, or around all blocks and arrows."""
        chosen = tuple(ids)
        rect = QRectF()
        for block_id in chosen or self.blocks:
            rect = rect.united(self.blocks[block_id].card)
        if not chosen:
            for wire in self.wires.values():
                rect = rect.united(wire.shape().boundingRect())
        return rect

    # --- what others show on the blocks ---

    def set_thumbnails(self, images: Mapping[str, QImage]) -> None:
        """Show pictures of blocks' maps, by the ids of the blocks; ids that are gone are ignored, as pictures arrive late."""
        shown = [(self.blocks[block_id], image) for block_id, image in images.items() if block_id in self.blocks]
        replaced = tuple(item for item, image in shown if item.set_thumbnail(image))
        if replaced:
            self.pictures_replaced.emit(replaced)

    @property
    def pictures_lie_open(self) -> bool:
        """Whether every picture is painted as it is, with nothing over it: neither another card nor anything that passes."""
        if self.exporting or self.zooming or self._flow is not None or self.preview.shown:
            return False
        cards = [item.card for item in self.blocks.values()]
        return not any(first.intersects(second) for first, second in combinations(cards, 2))

    def clear_thumbnails(self) -> None:
        """Take all pictures away, for example when the network has changed."""
        for item in self.blocks.values():
            item.set_thumbnail(None)

    def highlight(self, ids: Iterable[str]) -> None:
        """Outline some blocks, as the formula bar does for what is under the pointer."""
        self._highlighted = frozenset(ids) & frozenset(self.blocks)
        self._refresh_marks()

    def show_flow(self, block: str | None, *, forward: bool | None = None) -> None:
        """Outline the block at work and mark, on the wire in front of it, which way the numbers go: None marks no way.

        Without a block everything is as before.
        """
        self.highlight([] if block is None else [block])
        if self._flow is not None:
            self.removeItem(self._flow)
            self._flow = None
        wire = next((w for (_, second), w in self.wires.items() if second and second == block), None)
        if wire is not None and forward is not None:
            self._flow = FlowMark()
            self._flow.place(wire, forward=forward)
            self.addItem(self._flow)

    # --- selection and hovering ---

    def select(self, ids: Iterable[str]) -> None:
        """Select blocks; a selected wire is let go."""
        chosen = tuple(i for i in dict.fromkeys(ids) if i in self.blocks)
        if self.selected_wire is not None:
            self.selected_wire = None
            self.wire_selected.emit(None)
        if chosen != self.selected:
            self.selected = chosen
            self.selection_changed.emit(chosen)
        self._refresh_marks()

    def select_wire(self, wire: Wire | None) -> None:
        """Select one wire; selected blocks are let go."""
        if wire is not None:
            self.select(())
        self.selected_wire = wire
        self.wire_selected.emit(wire)
        self._refresh_marks()

    def hover(self, hit: Hit) -> None:
        """Show what is under the pointer, and for a block its receptive field on the input's picture."""
        self._hovered_wire = hit.wire
        if hit.block != self.hovered:
            self.hovered = hit.block
            self._show_field()
            self.hovered_changed.emit(hit.block)
        self._refresh_marks()

    def _show_field(self) -> None:
        main = self.document.graph.main
        if main and main[0].id in self.blocks:
            item = self.blocks[main[0].id]
            item.field = field_on_input(self.document, self.hovered) if self.hovered else None
            item.update()

    def _refresh_marks(self) -> None:
        for block_id, item in self.blocks.items():
            item.mark(
                selected=block_id in self.selected,
                highlighted=block_id in self._highlighted,
                hovered=block_id == self.hovered,
            )
        for wire, line in self.wires.items():
            line.mark(
                selected=wire == self.selected_wire,
                highlighted=False,
                hovered=wire == self._hovered_wire,
            )

    def hit(self, point: QPointF) -> Hit:
        """What lies under a point: the uppermost block, otherwise a wire."""
        near = [item for item in self.blocks.values() if item.sceneBoundingRect().adjusted(-4, -4, 4, 4).contains(point)]
        for item in sorted(near, key=lambda i: i.zValue(), reverse=True):
            part = item.part_at(point)
            if part is not None:
                return Hit(block=item.id, part=part)
        for wire, line in self.wires.items():
            if not line.is_stub and line.boundingRect().contains(point) and distance_to(line.points, point) < _WIRE_REACH:
                return Hit(wire=wire)
        return Hit()

    def helpEvent(self, event: QGraphicsSceneHelpEvent) -> None:
        """Say what the block under the pointer does and costs."""
        hit = self.hit(event.scenePos())
        text = tooltip_of(self.document, self.document.graph[hit.block]) if hit.block else ""
        QToolTip.showText(event.screenPos(), text, event.widget())

    # --- previews ---

    def place_at(self, *points: QPointF, moving: Iterable[str] = (), is_input: bool = False) -> Place:
        """Where a block lands that is let go with its middle or the pointer at the points, `moving` blocks taken out first."""
        graph = self.document.graph.without(moving)
        return place_at(graph, points, lambda i: self.blocks[i].card.height(), is_input=is_input)

    def show_preview(self, candidate: Graph, shown: dict[str, tuple[str, str]], but: Iterable[str] = ()) -> None:
        """Show how everything would stand in a candidate graph.

        `shown` gives title and role of the blocks that appear as outlines; `but` are blocks that a hand
        holds.
        """
        held = frozenset(but)
        self.clear_preview()
        self.follow(candidate, held)
        self.preview.show(candidate, shown)

    def clear_preview(self) -> None:
        """Show the graph as it is again."""
        self.preview.clear()

    def restore_others(self, held: Iterable[str]) -> None:
        """Put every item but those that a hand holds back to where the document has it."""
        self.follow(self.document.graph, frozenset(held))

    def restore(self) -> None:
        """Put every item back to where the document has it."""
        self.clear_preview()
        self.follow(self.document.graph)

    # --- painting ---

    def begin_frame(self) -> None:
        """Called by the view before it paints."""
        self._frame_began = perf_counter()

    def may_render_face(self) -> bool:
        """Whether there is time in this frame to paint a face anew instead of scaling the old picture of it."""
        if not self.zooming and perf_counter() - self._frame_began < _SECONDS_OF_FACES:
            return True
        if not self.zooming and not self._more_faces.isActive():
            self._more_faces.start(0)
        return False

    @Slot()
    def _repaint_views(self) -> None:
        self.update()

    @Slot(object)
    def _apply_theme(self, _theme: object) -> None:
        forget_fonts()
        for item in self.blocks.values():
            item.repaint_face()
        for line in self.wires.values():
            line.reroute()
        self.update()


def corner_for(centre: QPointF) -> tuple[float, float]:
    """The position of a block whose middle is at a point."""
    return centre.x() - BLOCK_WIDTH / 2, centre.y() - BLOCK_HEIGHT / 2
