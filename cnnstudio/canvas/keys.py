"""The keys of the canvas: they act on what is selected, and letters open the search menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from cnnstudio.canvas.view import CanvasView

_STEPS = {
    Qt.Key.Key_Right: True,
    Qt.Key.Key_Down: True,
    Qt.Key.Key_Left: False,
    Qt.Key.Key_Up: False,
}
"""Whether an arrow key goes forward along the chain."""


def press_key(view: CanvasView, event: QKeyEvent) -> bool:
    """Do what a key means; False when it means nothing here."""
    key, keys = Qt.Key(event.key()), event.modifiers()
    alt, command = bool(keys & Qt.KeyboardModifier.AltModifier), bool(keys & Qt.KeyboardModifier.ControlModifier)
    selected = view.canvas.selected
    if key == Qt.Key.Key_Escape:
        _escape(view)
    elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
        view.editor.delete()
    elif key in _STEPS and alt:
        view.editor.move_along(forward=_STEPS[key])
    elif key in _STEPS and not command:
        target = view.editor.step(_STEPS[key])
        if target is not None:
            view.bring_into_view(view.canvas.blocks[target].card)
    elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and len(selected) == 1:
        view.block_activated.emit(selected[0])
    elif key == Qt.Key.Key_F2 and len(selected) == 1:
        view.edit_name(selected[0])
    elif key == Qt.Key.Key_Space and not event.isAutoRepeat():
        view.space_held = True
        view.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
    elif event.text().isalpha() and not command and not alt:
        view.open_search_here(event.text())
    else:
        return False
    return True


def _escape(view: CanvasView) -> None:
    """Cancel the gesture under way, or select nothing."""
    if view.gesture is not None:
        view.cancel_gesture()
    else:
        view.canvas.select_wire(None)
        view.canvas.select(())
