"""Real mouse events for a canvas: press, drag in steps, release, and drags from the palette."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from cnnstudio.canvas.palette import MIME_KIND
from cnnstudio.canvas.view import CanvasView

LEFT, MIDDLE, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
STEPS = 6


def send(
    view: CanvasView, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton, held: Qt.MouseButton, keys: Qt.KeyboardModifier
) -> None:
    """One mouse event at a point of the viewport."""
    event = QMouseEvent(kind, QPointF(at), QPointF(view.viewport().mapToGlobal(at)), button, held, keys)
    QApplication.sendEvent(view.viewport(), event)


def press(view: CanvasView, at: QPoint, button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = PLAIN) -> None:
    """Press a button."""
    send(view, QEvent.Type.MouseButtonPress, at, button, button, keys)


def move(view: CanvasView, start: QPoint, end: QPoint, button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = PLAIN) -> None:
    """Move in several steps with a button held."""
    for i in range(1, STEPS + 1):
        at = start + (end - start) * (i / STEPS)
        send(view, QEvent.Type.MouseMove, at, NONE, button, keys)


def release(view: CanvasView, at: QPoint, button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = PLAIN) -> None:
    """Release a button."""
    send(view, QEvent.Type.MouseButtonRelease, at, button, NONE, keys)


def click(view: CanvasView, at: QPoint, keys: Qt.KeyboardModifier = PLAIN) -> None:
    """Press and release."""
    press(view, at, keys=keys)
    release(view, at, keys=keys)


def double_click(view: CanvasView, at: QPoint) -> None:
    """Two clicks, as the window system sends them."""
    click(view, at)
    send(view, QEvent.Type.MouseButtonDblClick, at, LEFT, LEFT, PLAIN)
    release(view, at)


def drag(view: CanvasView, start: QPoint, end: QPoint, button: Qt.MouseButton = LEFT, keys: Qt.KeyboardModifier = PLAIN) -> None:
    """Press, move, release."""
    press(view, start, button, keys)
    move(view, start, end, button, keys)
    release(view, end, button, keys)


class PaletteDrag:
    """A drag from the palette, as the window system reports it to the view."""

    def __init__(self, view: CanvasView, kind: str) -> None:
        self.view = view
        self.data = QMimeData()
        self.data.setData(MIME_KIND, kind.encode())

    def over(self, at: QPoint) -> bool:
        """Come in and move to a point; tells whether the view would take it there."""
        copy = Qt.DropAction.CopyAction
        QApplication.sendEvent(self.view.viewport(), QDragEnterEvent(at, copy, self.data, LEFT, PLAIN))
        event = QDragMoveEvent(at, copy, self.data, LEFT, PLAIN)
        QApplication.sendEvent(self.view.viewport(), event)
        return event.isAccepted()

    def drop(self, at: QPoint) -> None:
        """Move to a point and let go."""
        self.over(at)
        QApplication.sendEvent(self.view.viewport(), QDropEvent(QPointF(at), Qt.DropAction.CopyAction, self.data, LEFT, PLAIN))

    def leave(self) -> None:
        """Leave the view without letting go."""
        QApplication.sendEvent(self.view.viewport(), QDragLeaveEvent())
