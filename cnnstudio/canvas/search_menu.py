"""The type-to-search menu: all kinds of blocks, those first that may stand at the place in question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from cnnstudio.canvas.icons import layer_icon
from cnnstudio.canvas.typed_options import options_from, split
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Place
from cnnstudio.document.words import layer_phrases, layer_title, say
from engine.errors import OptionError
from engine.layer import LAYERS

_KIND, _OPTIONS = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
WIDTH, ROWS = 340, 9
_SHORT = 2


class SearchMenu(QFrame):
    """A popup with a search field; emits the kind that was chosen, and closes by Esc or a click elsewhere."""

    chosen = Signal(str, object)
    """(kind, options typed behind its name)."""

    def __init__(self, document: Document, place: Place, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "card")
        self.setFixedWidth(WIDTH)
        self._document = document
        self._place = place
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(self.tr("Search, or type conv 6 5x5 same"))
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
        words, typed = split(text)
        name = " ".join(words)
        self.list.clear()
        rows = []
        for kind, layer in LAYERS.items():
            title, options = layer_title(layer), options_from(typed, layer)
            # A letter or two occur in every sentence; only longer words are looked for in the summary too.
            more = say(layer.summary) if len(name) > _SHORT else ""
            haystack = f"{title} {layer.title} {kind} {more}".casefold()
            if options is None or not all(word in haystack for word in words):
                continue
            try:
                illegal = not self._document.accepts(kind, self._place, options)
            except OptionError:
                continue
            rank = 0 if title.casefold().startswith(name) else 1
            rows.append((illegal, rank, ROLES.index(layer.role), title, kind, options))
        for illegal, *_, title, kind, options in sorted(rows, key=lambda row: row[:-1]):
            self._add(kind, title, options, legal=not illegal)
        self.list.setCurrentRow(0)
        rows_shown = min(max(self.list.count(), 1), ROWS)
        self.list.setFixedHeight(rows_shown * max(self.list.sizeHintForRow(0), 28) + 4)
        self.adjustSize()

    def _add(self, kind: str, title: str, options: Mapping[str, Any], *, legal: bool) -> None:
        text = title
        if options:
            text += "   " + " · ".join(layer_phrases(LAYERS[kind].from_options(options)))
        item = QListWidgetItem(QIcon(layer_icon(kind)), text)
        item.setData(_KIND, kind)
        item.setData(_OPTIONS, options)
        item.setToolTip(say(LAYERS[kind].summary))
        if not legal:
            item.setText(self.tr("{block} · does not fit here yet").format(block=text))
            item.setForeground(self.palette().placeholderText())
        self.list.addItem(item)

    def kinds(self) -> list[str]:
        """The kinds that are listed, in order."""
        return [self.list.item(i).data(_KIND) for i in range(self.list.count())]

    @Slot(QListWidgetItem)
    def _choose(self, item: QListWidgetItem) -> None:
        kind, options = str(item.data(_KIND)), item.data(_OPTIONS)
        self.close()
        self.chosen.emit(kind, options)

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
