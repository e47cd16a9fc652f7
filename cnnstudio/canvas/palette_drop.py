"""A block on its way from the palette to the canvas: where it would land, and how it is put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from cnnstudio.canvas.palette import MIME_KIND
from cnnstudio.canvas.scene import corner_for
from cnnstudio.document.graph import Place, Point
from cnnstudio.document.words import layer_title
from engine.layer import LAYERS

if TYPE_CHECKING:
    from cnnstudio.canvas.view import CanvasView


class PaletteDrop:
    """Answers the drag events of a view."""

    def __init__(self, view: CanvasView) -> None:
        self._view = view

    def enter(self, event: QDragEnterEvent) -> None:
        """Accept layer kinds."""
        if event.mimeData().hasFormat(MIME_KIND):
            event.acceptProposedAction()
        else:
            event.ignore()

    def move(self, event: QDragMoveEvent) -> None:
        """Show where the block would land."""
        kind = _kind(event)
        if kind is None:
            event.ignore()
            return
        place, corner = self._landing(kind, self._view.to_scene(event.position()))
        candidate, new_id = self._view.document.placing(kind, place, corner)
        self._view.canvas.show_preview(candidate, {new_id: (layer_title(LAYERS[kind]), LAYERS[kind].role)})
        event.acceptProposedAction()

    def drop(self, event: QDropEvent) -> None:
        """Put the block where the preview showed it."""
        view = self._view
        view.canvas.restore()
        kind = _kind(event)
        if kind is None:
            event.ignore()
            return
        place, corner = self._landing(kind, view.to_scene(event.position()))
        view.editor.attempt(lambda: view.document.place(kind, place, corner))
        view.setFocus(Qt.FocusReason.OtherFocusReason)
        event.acceptProposedAction()

    def _landing(self, kind: str, point: QPointF) -> tuple[Place, Point | None]:
        """Loose blocks stay where they were dropped; others go where the chain has room."""
        place = self._view.canvas.place_at(point, is_input=LAYERS[kind].role == "input")
        stays = place.loose and len(self._view.document.graph)
        return place, corner_for(point) if stays else None


def _kind(event: QDropEvent) -> str | None:
    kind = bytes(event.mimeData().data(MIME_KIND).data()).decode(errors="replace")
    return kind if kind in LAYERS else None
