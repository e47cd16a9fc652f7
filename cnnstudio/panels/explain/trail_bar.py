"""The bar above an explanation: back, forward, and the last numbers that were looked at."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from cnnstudio.icon_button import IconButton
from cnnstudio.panels.explain.trail import Stop, Trail
from cnnstudio.theme import SPACE_XS

MOST = 6


class TrailBar(QWidget):
    """Shows a trail; clicks on it are signals."""

    back = Signal()
    ahead = Signal()
    stop_chosen = Signal(object)
    """A `Stop`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stops: list[Stop] = []
        self._back = self._button("previous", self.tr("Back to the number before"), "Alt+Left")
        self._ahead = self._button("next", self.tr("Forward again"), "Alt+Right")
        self._back.clicked.connect(self.back)
        self._ahead.clicked.connect(self.ahead)
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse
                                           | Qt.TextInteractionFlag.LinksAccessibleByKeyboard)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._text.setAccessibleName(self.tr("The way here"))
        self._text.linkActivated.connect(self._choose)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self._back)
        layout.addWidget(self._ahead)
        layout.addWidget(self._text, 1)

    def show_trail(self, trail: Trail) -> None:
        """Show where one is."""
        self._back.setEnabled(trail.before() is not None)
        self._ahead.setEnabled(trail.ahead() is not None)
        self._stops = trail.last(MOST)
        self._write()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many of the last stops as there is room for."""
        super().resizeEvent(event)
        self._write()

    def _write(self) -> None:
        names = [stop.name for stop in self._stops]
        metrics, first = self._text.fontMetrics(), 0
        while first < len(names) - 1 and metrics.horizontalAdvance(" › ".join(names[first:])) > self._text.width():
            first += 1
        links = [f'<a href="{i}" style="text-decoration: none">{names[i]}</a>' for i in range(first, len(names) - 1)]
        self._text.setText(" › ".join([*links, *names[-1:]]))
        self._text.setToolTip(" › ".join(names))

    def _button(self, name: str, text: str, keys: str) -> IconButton:
        button = IconButton(name, text)
        button.setShortcut(keys)
        button.setToolTip(f"{text} ({keys})")
        button.setEnabled(False)
        return button

    @Slot(str)
    def _choose(self, link: str) -> None:
        self.stop_chosen.emit(self._stops[int(link)])
