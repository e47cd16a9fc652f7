"""The view of the canvas: turns mouse, wheel, keys and drops into gestures and edits, and zooms and pans."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from cnnstudio.canvas.editing import Editor
from cnnstudio.canvas.face import HEADER
from cnnstudio.canvas.fresh_pictures import FreshPictures
from cnnstudio.canvas.gestures import DrawWire, Gesture, MoveBlocks, Pan, PressFix, RubberBand
from cnnstudio.canvas.keys import press_key
from cnnstudio.canvas.name_editor import NameEditor
from cnnstudio.canvas.palette_drop import PaletteDrop
from cnnstudio.canvas.scene import CanvasScene, Hit, corner_for
from cnnstudio.canvas.search_menu import SearchMenu
from cnnstudio.canvas.zoom_view import ZoomView
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph, Place, Point
from cnnstudio.document.layout import GAP_X, GAP_Y, PITCH_X, PITCH_Y
from cnnstudio.theme import current_theme, theme_changed, ui_font

LARGEST_FIT = 1.45
"""The scale of a small network on a large screen."""


class CanvasView(ZoomView):
    """Shows the scene of a document; `canvas` is the scene, `editor` edits what is selected."""

    block_activated = Signal(str)
    """A block was double-clicked, or Enter was pressed on it."""
    cell_activated = Signal(str, QPointF)
    """(block id, pixel of its thumbnail image) where a picture was double-clicked."""
    message = Signal(str)
    """A sentence for the status bar: why an edit was impossible, or what happened."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        self.canvas = CanvasScene(document)
        super().__init__(self.canvas, parent)
        self.zooming_changed.connect(self._keep_faces)
        self.canvas.setParent(self)
        self.document = document
        self.editor = Editor(document, self.canvas, self)
        self._pictures = FreshPictures(self)
        self.gesture: Gesture | None = None
        self.space_held = False
        self._drop = PaletteDrop(self)
        self.setAcceptDrops(True)
        self.setMouseTracking(True)
        self.installEventFilter(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Network canvas"))
        self.setStyleSheet("QGraphicsView { border: none; }")
        self.editor.message.connect(self._say)
        document.graph_changed.connect(self._follow_change)
        document.blocks_added.connect(self.canvas.select)
        theme_changed.connect(self._apply_theme)

    # --- what others ask for ---

    def tidy(self) -> None:
        """Lay everything out in as many columns as suit the window, and show it all."""
        self.document.tidy(self.preferred_columns(len(self.document.graph)))
        self.fit()

    def preferred_columns(self, blocks: int) -> int:
        """The number of columns that shows that many blocks largest in this window."""
        width, height = self.viewport().width(), self.viewport().height()

        def scale(columns: int) -> float:
            rows = -(-blocks // columns)
            return min(width / (columns * PITCH_X + GAP_X), height / (rows * PITCH_Y + GAP_Y), LARGEST_FIT)

        return max(range(1, max(blocks, 1) + 1), key=lambda columns: (round(scale(columns), 2), -abs(columns - 5)))

    def edit_name(self, block_id: str) -> NameEditor:
        """Let the user type another name into the block's header."""
        header = QRectF(self.canvas.blocks[block_id].card)
        header.setHeight(HEADER)
        editor = NameEditor(self.document, block_id, self.viewport())
        editor.open_over(self.mapFromScene(header).boundingRect())
        return editor

    def open_search(self, place: Place, point: QPointF, text: str = "", corner: Point | None = None) -> SearchMenu:
        """Open the type-to-search menu at a point of the scene; the block that is chosen goes to a place."""
        menu = SearchMenu(self.document, place, self)
        menu.chosen.connect(lambda kind, options: self.editor.put(kind, place, corner, options))
        menu.open_at(self.viewport().mapToGlobal(self.mapFromScene(point)), text)
        return menu

    def open_search_here(self, text: str = "") -> SearchMenu:
        """Open the type-to-search menu beside what is selected, for the sensible place."""
        place = self.editor.sensible_place()
        anchor = place.after or place.before
        if anchor is None:
            middle = self.mapToScene(self.viewport().rect().center())
            return self.open_search(place, middle, text, corner_for(middle) if len(self.document.graph) else None)
        card = self.canvas.blocks[anchor].card
        return self.open_search(place, QPointF(card.right() + 8, card.top()), text)

    # --- zoom and pan ---

    def fit(self) -> None:
        """Show the whole network, only a little larger than life; it stays fitted until the user zooms or pans."""
        self.show_rect(self.canvas.content_rect(), LARGEST_FIT)
        self.fitted = True

    def fit_selection(self) -> None:
        """Show the selected blocks as large as they fit."""
        if self.canvas.selected:
            self.show_rect(self.canvas.content_rect(self.canvas.selected), 2.0)
            self.fitted = False

    def reset_zoom(self) -> None:
        """Show everything in its natural size."""
        self.zoom(1.0 / self.scale_factor)

    def show_block(self, block_id: str) -> None:
        """Select a block and bring it into view."""
        self.canvas.select([block_id])
        self.bring_into_view(self.canvas.blocks[block_id].card)

    @Slot(bool)
    def _keep_faces(self, zooming: bool) -> None:
        """While the scale changes all the time, faces are only scaled; then they are painted sharply."""
        self.canvas.zooming = zooming

    # --- following the document ---

    @Slot(object, object)
    def _follow_change(self, before: Graph, after: Graph) -> None:
        """Keep everything in view while the user has not chosen another view; another network is shown as a whole."""
        # A press alone stays, since it may have ended the typing that changed the network, but not on a block that is gone.
        if self.gesture is not None and (self.gesture.moved or set(before.ids) - set(after.ids)):
            self.cancel_gesture()
        is_another = not set(before.ids) & set(after.ids)
        if is_another or (self.fitted and (len(before) != len(after) or before.columns != after.columns)):
            self.fit()
        self.viewport().update()

    @Slot(str)
    def _say(self, sentence: str) -> None:
        QToolTip.showText(self.cursor().pos(), sentence, self.viewport())
        self.message.emit(sentence)

    @Slot(object)
    def _apply_theme(self, _theme: object) -> None:
        self.viewport().update()

    # --- mouse ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin the gesture that fits what was pressed."""
        if self.gesture is not None:
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        point, keys = self.to_scene(event.position()), event.modifiers()
        if event.button() == Qt.MouseButton.MiddleButton or (event.button() == Qt.MouseButton.LeftButton and self.space_held):
            self.gesture = Pan(self, event.position())
            self.space_held = False
        elif event.button() == Qt.MouseButton.LeftButton:
            self.gesture = self._gesture_for(self.canvas.hit(point), point, keys)

    def _gesture_for(self, hit: Hit, point: QPointF, keys: Qt.KeyboardModifier) -> Gesture | None:
        shift = bool(keys & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier))
        if hit.block is None or hit.part is None:
            if hit.wire is not None:
                self.canvas.select_wire(hit.wire)
                return None
            return RubberBand(self, point, extend=shift)
        if hit.part.name == "fix":
            return PressFix(self, point, hit.block, hit.part.index)
        if hit.part.name in ("in", "out"):
            return DrawWire(self, point, hit.block, forward=hit.part.name == "out")
        selected = self.canvas.selected
        if shift:
            self.canvas.select([i for i in selected if i != hit.block] if hit.block in selected else [*selected, hit.block])
        elif hit.block not in selected:
            self.canvas.select([hit.block])
        # Some window managers keep Alt-drag for themselves, so Ctrl does it, too.
        takes_out = bool(keys & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier))
        chosen = selected if takes_out else self.canvas.selected
        ids = chosen if hit.block in chosen else (hit.block,)
        return MoveBlocks(self, point, hit.block, ids, take_out=takes_out)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the gesture, or show what is under the pointer."""
        if isinstance(self.gesture, Pan):
            self.gesture.drag(event.position())
        elif self.gesture is not None:
            self.gesture.drag(self.to_scene(event.position()))
        elif event.buttons() == Qt.MouseButton.NoButton:
            self._hover(self.canvas.hit(self.to_scene(event.position())))

    def _hover(self, hit: Hit) -> None:
        self.canvas.hover(hit)
        part = hit.part.name if hit.part else ""
        shape = {
            "fix": Qt.CursorShape.PointingHandCursor,
            "in": Qt.CursorShape.CrossCursor,
            "out": Qt.CursorShape.CrossCursor,
        }.get(part, Qt.CursorShape.PointingHandCursor if hit.wire else Qt.CursorShape.ArrowCursor)
        self.viewport().setCursor(Qt.CursorShape.OpenHandCursor if self.space_held else shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Finish the gesture."""
        gesture, self.gesture = self.gesture, None
        if gesture is not None:
            gesture.finish(event.position() if isinstance(gesture, Pan) else self.to_scene(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """On a header: edit the name; on a picture: the cell; elsewhere on a block: open it; on empty canvas:
        search.
        """
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = self.to_scene(event.position())
        hit = self.canvas.hit(point)
        if hit.block is not None and hit.part is not None:
            if hit.part.name == "header":
                self.edit_name(hit.block)
            elif hit.part.name == "thumbnail":
                self.cell_activated.emit(hit.block, self.canvas.blocks[hit.block].image_point(point))
            elif hit.part.name == "body":
                self.block_activated.emit(hit.block)
        elif hit.wire is not None:
            self.open_search(Place(*hit.wire), point)
        else:
            self.open_search(Place(), point, corner=corner_for(point))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; a touch pad without Ctrl pans."""
        if not event.pixelDelta().isNull() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.pan_by(QPointF(event.pixelDelta()))
        else:
            self.zoom(1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer any more."""
        self.canvas.hover(Hit())
        super().leaveEvent(event)

    def cancel_gesture(self) -> None:
        """Esc, or a change of the network from elsewhere: everything goes back."""
        gesture, self.gesture = self.gesture, None
        if gesture is not None:
            gesture.cancel()

    # --- keys ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tab goes from block to block before it leaves the canvas."""
        if watched is not self:
            return super().eventFilter(watched, event)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            forward = {Qt.Key.Key_Tab: True, Qt.Key.Key_Backtab: False}.get(Qt.Key(event.key()))
            if forward is not None and self.editor.cycle(forward):
                self.bring_into_view(self.canvas.content_rect(self.canvas.selected))
                return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that act on the selection; letters open the search menu."""
        if not press_key(self, event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Space let go without having panned opens the search menu."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.viewport().unsetCursor()
            if self.space_held:
                self.space_held = False
                self.open_search_here()
            return
        super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the canvas has the focus."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A key that is held elsewhere is not held here."""
        self.space_held = False
        super().focusOutEvent(event)
        self.viewport().update()

    # --- drops from the palette ---

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept layer kinds."""
        self._drop.enter(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Show where the block would land."""
        self._drop.move(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Everything goes back."""
        self.canvas.restore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Put the block where the preview showed it."""
        self._drop.drop(event)

    # --- painting ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stay fitted."""
        super().resizeEvent(event)
        if self.fitted:
            self.fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint one frame."""
        if not self._pictures.paint(event.region()):
            self.canvas.begin_frame()
            super().paintEvent(event)

    def drawForeground(self, painter: QPainter, _rect: QRectF | QRect) -> None:
        """The hint, and the outline of the focus."""
        theme = current_theme()
        world = painter.worldTransform()
        painter.setWorldTransform(QTransform())
        area = self.viewport().rect()
        text = self._hint()
        if text:
            painter.setFont(ui_font())
            painter.setPen(theme.color("muted"))
            empty = not len(self.document.graph)
            low = area.adjusted(16, 0, -16, -12)
            side = Qt.AlignmentFlag.AlignCenter if empty else Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
            painter.drawText(low, int(side | Qt.TextFlag.TextWordWrap), text)
        if self.hasFocus() and not self.canvas.selected and not self.canvas.selected_wire:
            painter.setPen(theme.color("accent"))
            painter.drawRect(area.adjusted(0, 0, -1, -1))
        painter.setWorldTransform(world)

    def _hint(self) -> str:
        if not len(self.document.graph):
            return self.tr("Drag an Input block here to begin, or double-click a template on the left")
        if not self.document.graph.main:
            return self.tr("A network begins with an Input block")
        return ""
