"""The small field over a cell of a `NumberGrid` in which a number is typed."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolTip, QWidget

from cnnstudio.theme import current_theme, number_font
from cnnstudio.widgets.numbers import parse_number

_NARROWEST = 64


class CellEditor(QLineEdit):
    """A line in which only a number that `allowed` accepts can be finished."""

    finished = Signal(object, int)
    """The number, or None if typing was given up; and by how many cells to move on: 1, −1 or 0."""

    def __init__(self, grid: QWidget, cell: QRect, allowed: Callable[[float], bool]) -> None:
        super().__init__(grid)
        self._allowed = allowed
        self._done = False
        self.setFont(number_font(0.95))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        box = QRect(cell)
        box.setWidth(max(_NARROWEST, cell.width()))
        box.moveRight(min(box.right(), grid.width() - 1))
        box.moveLeft(max(box.left(), 0))
        self.setGeometry(box)
        self.setAccessibleName(self.tr("New value"))
        self.textEdited.connect(self._check)
        self.installEventFilter(self)
        self._check()

    def _number(self) -> float | None:
        try:
            value = parse_number(self.text())
        except ValueError:
            return None
        return value if self._allowed(value) else None

    @Slot()
    def _check(self) -> None:
        theme = current_theme()
        good = self._number() is not None or not self.text()
        color = theme.accent if good else theme.danger
        self.setStyleSheet(f"QLineEdit {{ border: 2px solid {color}; border-radius: 3px; padding: 0; min-height: 0; }}")

    def _finish(self, step: int) -> None:
        value = self._number()
        if value is None:
            message = self.tr("Type a number, for example 0.5 or -2.")
            QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), message, self)
            return
        self._leave(value, step)

    def dismiss(self) -> None:
        """Go away without another word."""
        self._done = True
        self.hide()
        self.deleteLater()

    def _leave(self, value: float | None, step: int) -> None:
        if not self._done:
            self._done = True
            self.finished.emit(value, step)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tab is taken before it moves the focus."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Tab:
                self._finish(1)
                return True
            if event.key() == Qt.Key.Key_Backtab:
                self._finish(-1)
                return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter accepts, Escape gives up."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finish(0)
        elif event.key() == Qt.Key.Key_Escape:
            self._leave(None, 0)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Clicking elsewhere accepts a number and drops anything else."""
        super().focusOutEvent(event)
        passing = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)
        if event.reason() not in passing:
            self._leave(self._number(), 0)
