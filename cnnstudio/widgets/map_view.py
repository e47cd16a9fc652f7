"""The one widget for every picture of arrays: kernels, feature maps, deltas, masks, images."""

from typing import Any

from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QShowEvent,
)
from PySide6.QtWidgets import QMenu, QWidget

from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.map_area import MapArea, Place
from cnnstudio.widgets.map_export import maps_csv, maps_image
from cnnstudio.widgets.picture_menu import picture_menu, pop_up


class MapView(MapArea):
    """A mosaic of N maps with scale bar, readout, cell cursor and marks.

    The array given is kept by reference and shown as it is: never change it afterwards. A view that is not
    visible only remembers it; colours are made when it is shown.
    """

    hovered = Signal(object)
    """`Cell` under the pointer or the keyboard's, or None; sent again when its value changes."""
    cell_clicked = Signal(object)
    """`Cell` clicked, or chosen with Space."""
    cell_activated = Signal(object)
    """`Cell` double-clicked, or chosen with Enter."""
    menu_opening = Signal(object)
    """The context `QMenu` about to open, so that a panel can add its own actions."""

    def __init__(self, parent: QWidget | None = None, **options: Any) -> None:
        super().__init__(parent, **options)
        self._told: Cell | None = None
        self._opened = False
        """Whether the button that is down has just opened a cell: letting go of it is no click of its own."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().installEventFilter(self)
        self.maps_changed.connect(self._tell)

    @Slot()
    def _tell(self) -> None:
        place = self._place() if self.isVisible() else None
        cell = None if place is None else self._cell(place)
        if cell != self._told:
            self._told = cell
            self.hovered.emit(cell)

    # --- pointer ----------------------------------------------------------------------------------------

    def _point_at(self, place: Place | None) -> None:
        if place != self._pointer:
            self._pointer = place
            self._moved()

    def _moved(self) -> None:
        if len(self._low) > 1:
            self._show_range()
        self._tell()
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        self._point_at(self._hit(event.position()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Forget the pointer when it leaves: that event reaches the viewport, not the scroll area."""
        if watched is not self.viewport():
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.Leave:
            self._point_at(None)
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the keyboard cursor where the mouse is pressed."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._cursor = self._hit(event.position())
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click, if press and release were on the same cell."""
        place, opened, self._opened = self._hit(event.position()), self._opened, False
        if event.button() == Qt.MouseButton.LeftButton and place is not None and place == self._cursor and not opened:
            self.cell_clicked.emit(self._cell(place))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open a cell."""
        place = self._hit(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self._opened = True
            self.cell_activated.emit(self._cell(place))

    # --- keyboard ---------------------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Coming with the Tab key, the cursor starts at the first cell."""
        super().focusInEvent(event)
        by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if self.maps is not None and self._cursor is None and by_keys:
            self._cursor = (0, 0, 0)
        self._moved()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The keyboard's cell is shown only while the view has the keyboard."""
        super().focusOutEvent(event)
        self._moved()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move by a cell and on into the next map, Page keys by a map, Home and End to the ends."""
        if self.maps is None:
            super().keyPressEvent(event)
            return
        place = self._cursor or (0, 0, 0)
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.cell_activated.emit(self._cell(place))
        elif key == Qt.Key.Key_Space:
            self.cell_clicked.emit(self._cell(place))
        elif (target := self._target(key, place)) is not None:
            # The first movement only brings the cursor up, unless it names a place of its own.
            arrow = key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
            target = place if arrow and self._cursor is None else target
            self._cursor, self._pointer = target, None
            self._scroll_to(target)
            self._moved()
        else:
            super().keyPressEvent(event)

    def _target(self, key: int, place: Place) -> Place | None:
        """Where a key leads from a cell; None if it is no movement."""
        layout = self._arranged()
        index, row, col = place
        last_row, last_col, last = layout.height - 1, layout.width - 1, layout.count - 1
        match key:
            case Qt.Key.Key_Left:
                jump = (index - 1, row, last_col) if index % layout.columns else place
                return (index, row, col - 1) if col else jump
            case Qt.Key.Key_Right:
                jump = (index + 1, row, 0) if index < last and (index + 1) % layout.columns else place
                return (index, row, col + 1) if col < last_col else jump
            case Qt.Key.Key_Up:
                jump = (index - layout.columns, last_row, col) if index >= layout.columns else place
                return (index, row - 1, col) if row else jump
            case Qt.Key.Key_Down:
                jump = (index + layout.columns, 0, col) if index + layout.columns <= last else place
                return (index, row + 1, col) if row < last_row else jump
            case Qt.Key.Key_PageUp:
                return max(index - 1, 0), row, col
            case Qt.Key.Key_PageDown:
                return min(index + 1, last), row, col
            case Qt.Key.Key_Home:
                return 0, 0, 0
            case Qt.Key.Key_End:
                return last, last_row, last_col
        return None

    def _scroll_to(self, place: Place) -> None:
        box, view = self.cell_rect(*place), self.viewport().rect()
        for bar, low, high, size in (
            (self.verticalScrollBar(), box.top(), box.bottom(), view.height()),
            (self.horizontalScrollBar(), box.left(), box.right(), view.width()),
        ):
            if low < 0:
                bar.setValue(bar.value() + int(low) - 4)
            elif high > size:
                bar.setValue(bar.value() + int(high - size) + 4)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the colours of what was set while hidden."""
        super().showEvent(event)
        self._refresh()

    # --- copying ----------------------------------------------------------------------------------------

    def picture(self) -> QImage:
        """The whole mosaic as an image at the size it has on screen; null while there are no maps."""
        if self.maps is None:
            return QImage()
        self._refresh()
        assert self._picture is not None
        return maps_image(self._picture, self._arranged(), self._labels, self._names, self.devicePixelRatioF())

    def picture_size(self) -> QSize:
        """The size of the whole mosaic; empty while there are no maps."""
        return QSize() if self.maps is None else self._arranged().size / self.devicePixelRatioF()

    def paint_picture(self, painter: QPainter) -> None:
        """Draw the whole mosaic with sharp cells, also where a file is enlarged."""
        painter.drawImage(QPointF(0, 0), self.picture())

    def values_csv(self) -> str:
        """All values as CSV; "" while there are no maps."""
        return "" if self.maps is None else maps_csv(self.maps, self._labels)

    def context_menu(self) -> QMenu:
        """The context menu with the copy and save actions."""
        menu = picture_menu(self, self, "maps")
        self.menu_opening.emit(menu)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the context menu."""
        pop_up(self.context_menu(), event.globalPos())
