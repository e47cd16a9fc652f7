"""The type-to-search menu: all kinds of blocks, those first that may stand at the place in question."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from cnnstudio.canvas.icons import layer_icon
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Place
from cnnstudio.document.words import layer_title, say
from engine.layer import LAYERS

_KIND = Qt.ItemDataRole.UserRole
WIDTH, ROWS = 280, 9
_SHORT = 2


class SearchMenu(QFrame):
    """A popup with a search field; emits the kind that was chosen, and closes by Esc or a click elsewhere."""

    chosen = Signal(str)

    def __init__(self, document: Document, place: Place, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "card")
        self.setFixedWidth(WIDTH)
        self._document = document
        self._place = place
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(self.tr("Search for a block"))
        self.field.setAccessibleName(self.tr("Search for a block"))
        self.field.setClearButtonEnabled(True)
        self.list = QListWidget(self)
        self.list.setIconSize(QSize(20, 20))
        self.list.setAccessibleName(self.tr("Blocks"))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.setSpacing(6)
        box.addWidget(self.field)
        box.addWidget(self.list)
        self.setFocusProxy(self.field)
        self._fill("")
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._choose)

    def open_at(self, point: QPoint, text: str = "") -> None:
        """Show the menu with its corner near a point of the screen, inside the screen."""
        self.field.setText(text)
        self.adjustSize()
        area = self.screen().availableGeometry()
        x = min(point.x(), area.right() - self.width() - 8)
        y = min(point.y(), area.bottom() - self.height() - 8)
        self.move(max(x, area.left() + 8), max(y, area.top() + 8))
        self.show()
        self.field.setFocus()

    @Slot(str)
    def _fill(self, text: str) -> None:
        words = text.casefold().split()
        self.list.clear()
        fits: list[tuple[int, int, str, str]] = []
        others: list[tuple[int, int, str, str]] = []
        for kind, layer in LAYERS.items():
            title = layer_title(layer)
            # A letter or two occur in every sentence; only longer words are looked for in the summary too.
            more = say(layer.summary) if len(text) > _SHORT else ""
            haystack = f"{title} {layer.title} {kind} {more}".casefold()
            if all(word in haystack for word in words):
                rank = 0 if title.casefold().startswith(text.casefold()) else 1
                row = (rank, ROLES.index(layer.role), title, kind)
                (fits if self._document.accepts(kind, self._place) else others).append(row)
        for rows, legal in ((fits, True), (others, False)):
            for *_, title, kind in sorted(rows):
                self._add(kind, title, legal)
        self.list.setCurrentRow(0)
        rows_shown = min(max(self.list.count(), 1), ROWS)
        self.list.setFixedHeight(rows_shown * max(self.list.sizeHintForRow(0), 28) + 4)
        self.adjustSize()

    def _add(self, kind: str, title: str, legal: bool) -> None:
        item = QListWidgetItem(QIcon(layer_icon(kind)), title)
        item.setData(_KIND, kind)
        item.setToolTip(say(LAYERS[kind].summary))
        if not legal:
            item.setText(self.tr("{block} · does not fit here yet").format(block=title))
            item.setForeground(self.palette().placeholderText())
        self.list.addItem(item)

    def kinds(self) -> list[str]:
        """The kinds that are listed, in order."""
        return [self.list.item(i).data(_KIND) for i in range(self.list.count())]

    @Slot(QListWidgetItem)
    def _choose(self, item: QListWidgetItem) -> None:
        kind = str(item.data(_KIND))
        self.close()
        self.chosen.emit(kind)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrow keys move in the list while the field has the focus; Enter chooses."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None and self.list.count():
                self.list.setCurrentRow((self.list.currentRow() + step) % self.list.count())
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if self.list.count():
                    self._choose(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)


ROLES = ("input", "conv", "activation", "pool", "norm", "flatten", "dense", "dropout", "output")
"""The roles in the order in which blocks are listed."""
