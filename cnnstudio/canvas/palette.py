"""The palette: all kinds of blocks by role, and the templates; drag, double-click or Enter."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QDrag, QKeyEvent, QMouseEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from cnnstudio.canvas.icons import layer_pixmap
from cnnstudio.canvas.search_menu import ROLES
from cnnstudio.document.words import layer_title, say
from cnnstudio.theme import current_theme, layer_stroke, theme_changed, ui_font
from engine.layer import LAYERS
from engine.templates import Template

MIME_KIND = "application/x-cnnstudio-kind"
"""What is dragged out of the palette: the kind of a layer, as UTF-8."""
FORMULA = "formula"

_ENTRY = Qt.ItemDataRole.UserRole
_ROW, _HEADING = 30, 26


class Palette(QWidget):
    """Lists what can be put on the canvas; the layer registry alone says which blocks there are."""

    kind_activated = Signal(str)
    """A block is wanted at the sensible place."""
    template_activated = Signal(str)
    """The template of this name is wanted."""
    formula_activated = Signal()
    """A network is to be built from its formula."""

    def __init__(self, templates: Sequence[Template] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._templates = tuple(templates)
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(self.tr("Search"))
        self.field.setAccessibleName(self.tr("Search for a block or a template"))
        self.field.setClearButtonEnabled(True)
        self.list = PaletteList(self)
        self.list.setAccessibleName(self.tr("Blocks and templates"))
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 4)
        box.setSpacing(4)
        box.addWidget(self.field)
        box.addWidget(self.list)
        self.setMinimumWidth(148)
        self._fill("")
        self.field.textChanged.connect(self._fill)
        self.field.returnPressed.connect(self._activate_current)
        self.list.itemDoubleClicked.connect(self.activate)
        self.list.enter_pressed.connect(self._activate_current)
        theme_changed.connect(self._apply_theme)

    def sizeHint(self) -> QSize:
        """Wide enough for the longest name."""
        return QSize(176, 480)

    @Slot(str)
    def _fill(self, text: str) -> None:
        words = text.casefold().split()
        self.list.clear()
        for heading, roles in self._groups():
            rows = [
                (kind, layer_title(layer), say(layer.summary))
                for role in roles
                for kind, layer in LAYERS.items()
                if layer.role == role
            ]
            self._add_group(heading, [r for r in rows if _found(words, *r)], "kind")
        rows = [(t.name, self.tr(t.title), self.tr(t.description)) for t in self._templates if not t.defect]
        rows.append((FORMULA, self.tr("Build from formula…"), self.tr("A canonical network from the numbers N, M and K.")))
        self._add_group(self.tr("Templates"), [r for r in rows if _found(words, *r)], "template")
        defects = [(t.name, self.tr(t.title), self.tr(t.description)) for t in self._templates if t.defect]
        self._add_group(self.tr("Learn from failures"), [r for r in defects if _found(words, *r)], "template")
        self._select_first()

    def _groups(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return (
            (self.tr("Input"), ROLES[:1]),
            (self.tr("Features"), ROLES[1:5]),
            (self.tr("Classifier"), ROLES[5:]),
        )

    def _add_group(self, heading: str, rows: list[tuple[str, str, str]], sort: str) -> None:
        if not rows:
            return
        head = QListWidgetItem(heading)
        head.setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.addItem(head)
        for name, title, summary in rows:
            item = QListWidgetItem(title)
            item.setData(_ENTRY, (sort, name))
            item.setToolTip(summary)
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            item.setFlags(flags | Qt.ItemFlag.ItemIsDragEnabled if sort == "kind" else flags)
            self.list.addItem(item)

    def _select_first(self) -> None:
        for i in range(self.list.count()):
            if self.list.item(i).data(_ENTRY):
                self.list.setCurrentRow(i)
                return

    @Slot()
    def _activate_current(self) -> None:
        if self.list.currentItem() is not None:
            self.activate(self.list.currentItem())

    @Slot(QListWidgetItem)
    def activate(self, item: QListWidgetItem) -> None:
        """Ask for what an entry stands for."""
        entry = item.data(_ENTRY)
        if not entry:
            return
        sort, name = entry
        if sort == "kind":
            self.kind_activated.emit(name)
        elif name == FORMULA:
            self.formula_activated.emit()
        else:
            self.template_activated.emit(name)

    def item_of(self, name: str) -> QListWidgetItem:
        """The entry of a layer kind or template; KeyError when it is not listed."""
        for i in range(self.list.count()):
            if self.list.item(i).data(_ENTRY) and self.list.item(i).data(_ENTRY)[1] == name:
                return self.list.item(i)
        raise KeyError(name)

    @Slot(object)
    def _apply_theme(self, _theme: object) -> None:
        self.list.viewport().update()


def _found(words: list[str], *texts: str) -> bool:
    haystack = " ".join(texts).casefold()
    return all(word in haystack for word in words)


class PaletteList(QListWidget):
    """The list of the palette; a row can be dragged out as a layer kind."""

    enter_pressed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("QListWidget { background: transparent; border: none; }")
        self.setItemDelegate(_EntryDelegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self._pressed_at: QPoint | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where a drag may begin."""
        super().mousePressEvent(event)
        left = event.button() == Qt.MouseButton.LeftButton
        self._pressed_at = event.position().toPoint() if left else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Begin to drag."""
        if self._pressed_at is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        way = event.position().toPoint() - self._pressed_at
        item = self.itemAt(self._pressed_at)
        if way.manhattanLength() < QApplication.startDragDistance() or item is None:
            return
        self._pressed_at = None
        entry = item.data(_ENTRY)
        if entry and entry[0] == "kind":
            self._drag(str(entry[1]))

    def _drag(self, kind: str) -> None:
        drag = QDrag(self)
        data = QMimeData()
        data.setData(MIME_KIND, kind.encode())
        drag.setMimeData(data)
        drag.setPixmap(_drag_picture(kind, self.devicePixelRatioF()))
        drag.setHotSpot(QPoint(14, 14))
        drag.exec(Qt.DropAction.CopyAction)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter asks for the current entry."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.enter_pressed.emit()
            return
        super().keyPressEvent(event)


def _drag_picture(kind: str, ratio: float) -> QPixmap:
    """What hangs at the pointer during a drag: the name on the colour of the layer."""
    layer = LAYERS[kind]
    pixmap = QPixmap(QSize(round(120 * ratio), round(28 * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(0.9)
    painter.setPen(QPen(QColor(layer_stroke(layer.role, current_theme())), 2))
    painter.setBrush(current_theme().color("surface"))
    painter.drawRoundedRect(1, 1, 118, 26, 6, 6)
    painter.drawPixmap(QPoint(6, 4), layer_pixmap(kind, ratio))
    painter.setPen(current_theme().color("text"))
    painter.setFont(ui_font())
    painter.drawText(QRect(32, 0, 84, 28), Qt.AlignmentFlag.AlignVCenter, layer_title(layer))
    painter.end()
    return pixmap


class _EntryDelegate(QStyledItemDelegate):
    """Paints headings in small capitals, and entries as cards with a bar in the layer's colour."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # type: ignore[override]
        return QSize(100, _ROW if index.data(_ENTRY) else _HEADING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:  # type: ignore[override]
        theme = current_theme()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        entry = index.data(_ENTRY)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not entry:
            font = ui_font(0.85, bold=True)
            font.setLetterSpacing(font.SpacingType.AbsoluteSpacing, 0.8)
            painter.setFont(font)
            painter.setPen(theme.color("muted"))
            place = rect.adjusted(4, 0, 0, -5)
            painter.drawText(place, Qt.AlignmentFlag.AlignBottom, str(index.data()).upper())
            painter.restore()
            return
        card = rect.adjusted(2, 2, -3, -2)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        focused = selected and bool(state & QStyle.StateFlag.State_HasFocus)
        ground = "hover" if state & QStyle.StateFlag.State_MouseOver else "surface"
        painter.setBrush(theme.color(ground))
        painter.setPen(QPen(theme.color("accent" if focused else "control_border"), 2 if focused else 1))
        painter.drawRoundedRect(card, 6, 6)
        sort, name = entry
        is_kind = sort == "kind"
        bar = QColor(layer_stroke(LAYERS[name].role, theme)) if is_kind else theme.color("muted")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(bar)
        painter.setClipRect(QRect(card.left(), card.top(), 4, card.height()))
        painter.drawRoundedRect(card, 5, 5)
        painter.setClipping(False)
        left = 12
        if is_kind:
            side = QPoint(card.left() + 10, card.center().y() - 9)
            painter.drawPixmap(side, layer_pixmap(name, painter.device().devicePixelRatioF()))
            left = 38
        painter.setFont(ui_font())
        painter.setPen(theme.color("text"))
        room = card.adjusted(left, 0, -6, 0)
        text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()
