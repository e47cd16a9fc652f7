"""How random events reach the program: which window and place they hit, and mouse, keys and drops on it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from shiboken6 import isValid

from tests.faults.watched_program import WatchedProgram

Button, Key, Modifier = Qt.MouseButton, Qt.Key, Qt.KeyboardModifier

MODIFIERS = {
    Modifier.ShiftModifier: Key.Key_Shift, Modifier.ControlModifier: Key.Key_Control, Modifier.AltModifier: Key.Key_Alt,
}  # fmt: skip


class Hands:
    """Every choice comes from `rng`, which is another one for each event, so that an event can be repeated from its number."""

    def __init__(self, program: WatchedProgram) -> None:
        self._program = program
        self.rng = Random()

    def window(self) -> QWidget:
        """The window that gets the next event: a popup, a dialog, or one of the visible ones."""
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if popup is not None or modal is not None:
            return popup or modal
        if not self._program.window.isVisible():
            if self._program.window.isMinimized():
                self._program.window.showNormal()
            else:
                self._program.restart()
        others = [w for w in QApplication.topLevelWidgets()
                  if w.isVisible() and w.windowHandle() is not None and not isinstance(w, QMenu)]  # fmt: skip
        floating = sorted((w for w in others if w is not self._program.window), key=lambda w: (type(w).__name__, w.objectName()))
        return self.rng.choice(floating) if floating and self.rng.random() < 0.15 else self._program.window

    def place(self) -> tuple[QWidget, QPoint, str]:
        """A window, a place in it, and the place in words."""
        window = self.window()
        visible = [w for w in window.findChildren(QWidget)
                   if w.isVisible() and w.window() is window and not w.visibleRegion().isEmpty()]  # fmt: skip
        if visible and self.rng.random() < 0.5:  # small things are hit as often as large ones
            target = self.rng.choice(visible)
            at = target.mapTo(window, self.point(target, target.visibleRegion().boundingRect()))
        else:
            target, at = window, self.point(window)
        return window, at, f"{type(target).__name__} {target.objectName()} at {at.x()},{at.y()} of {type(window).__name__}"

    def point(self, widget: QWidget, inside: QRect | None = None) -> QPoint:
        """A place in a widget."""
        room = widget.rect() if inside is None else inside
        return room.topLeft() + QPoint(int(self.rng.random() * room.width()), int(self.rng.random() * room.height()))

    def modifier(self) -> Qt.KeyboardModifier:
        """The keys that are held, mostly none."""
        keys = [Modifier.NoModifier, Modifier.ShiftModifier, Modifier.ControlModifier, Modifier.AltModifier]
        return self.rng.choices(keys, [12, 1, 1, 1])[0]

    def press(self, window: QWidget, button: Qt.MouseButton, at: QPoint) -> None:
        """Press a button of the mouse and let it go."""
        keys = self.modifier()
        self.do(QTest.mousePress, window, button, keys, at)
        self.do(QTest.mouseRelease, window, button, keys, at)

    def do(self, act: Callable[..., None], window: QWidget, *details: object) -> None:
        """One event through the window system; the window may be gone by now, as a menu is after a press."""
        # A QWindow's wrapper lives no longer than that of its widget, so it is asked for here.
        if isValid(window) and window.windowHandle() is not None and self._inside(window, details):
            act(window.windowHandle(), *details)

    def _inside(self, window: QWidget, details: tuple[object, ...]) -> bool:
        """Whether the event happens inside the window, which may be larger than its part on the screen."""
        size = window.windowHandle().size()
        return all(QRect(QPoint(), size).contains(at) for at in details if isinstance(at, QPoint))

    def strike(self, window: QWidget, key: Qt.Key, keys: Qt.KeyboardModifier) -> None:
        """Strike a key while others are held."""
        # One by one: QTest.keyPress would go on to the key in a window that is gone by then, as Alt closes a menu.
        held = [name for modifier, name in MODIFIERS.items() if keys & modifier]
        for name in held:
            self.do(QTest.simulateEvent, window, True, name.value, Modifier.NoModifier, "", False)
        text = QTest.keyToAscii(key).strip("\0")
        for press in (True, False):
            self.do(QTest.simulateEvent, window, press, key.value, keys, text, False)
        for name in held:
            self.do(QTest.simulateEvent, window, False, name.value, Modifier.NoModifier, "", False)

    def drop(self, target: QWidget, at: QPoint, data: QMimeData) -> None:
        """Drag something in from elsewhere and drop it."""
        action = Qt.DropAction.CopyAction
        for event in (QDragEnterEvent(at, action, data, Button.LeftButton, Modifier.NoModifier),
                      QDragMoveEvent(at, action, data, Button.LeftButton, Modifier.NoModifier),
                      QDropEvent(QPointF(at), action, data, Button.LeftButton, Modifier.NoModifier)):  # fmt: skip
            QApplication.sendEvent(target, event)
