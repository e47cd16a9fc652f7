"""Edits that act on what is selected on the canvas; menus, keys and gestures all come here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication

from cnnstudio.canvas.scene import CanvasScene
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Place, Point
from cnnstudio.document.layout import PITCH_X, PITCH_Y
from cnnstudio.document.words import error_sentence, fix_label
from cnnstudio.widgets.clipboard import on_clipboard
from engine.errors import EngineError
from engine.layer import LAYERS

MIME_BLOCKS = "application/x-cnnstudio-blocks+json"
"""Blocks on the clipboard: the rows that `Document.copy` gives."""


class Editor(QObject):
    """Turns wishes about the selection into edits of the document, and says why when one is impossible."""

    message = Signal(str)
    """A sentence for the user: what happened, or why nothing did."""

    def __init__(self, document: Document, scene: CanvasScene, parent: QObject) -> None:
        super().__init__(parent)
        self.document = document
        self.scene = scene

    def attempt(self, edit: Callable[[], object]) -> bool:
        """Do an edit; when it is impossible, say why and leave everything as it was."""
        try:
            edit()
        except EngineError as error:
            self.message.emit(error_sentence(error))
            return False
        return True

    def insert(self, kind: str) -> None:
        """Put a block of a kind where it makes sense."""
        self.put(kind, self.sensible_place(kind))

    def put(self, kind: str, place: Place, position: Point | None = None, options: Mapping[str, Any] | None = None) -> None:
        """Put a block of a kind at a place, with some options set; an Input block always begins the network."""
        if LAYERS[kind].role == "input" and not place.loose:
            place, position = self.document.end_place(kind), None
        self.attempt(lambda: self.document.place(kind, place, position, options))

    def sensible_place(self, kind: str | None = None) -> Place:
        """On the selected wire, behind the one selected block, or where `Document.append` puts the kind."""
        wire, selected, graph = self.scene.selected_wire, self.scene.selected, self.document.graph
        if kind is None or LAYERS[kind].role != "input":
            if wire is not None:
                return Place(*wire)
            if len(selected) == 1:
                return Place(selected[0], graph.next(selected[0]))
        return self.document.end_place(kind or "relu")

    def delete(self) -> None:
        """Remove the selected blocks and close the chain, or cut the selected wire."""
        wire, gone, graph = self.scene.selected_wire, self.scene.selected, self.document.graph
        if wire is not None:
            self.attempt(lambda: self.document.detach(wire))
        elif gone:
            neighbour = graph.previous(gone[0]) or graph.next(gone[-1])
            self.attempt(lambda: self.document.remove(gone))
            self.scene.select([neighbour] if neighbour else [])

    def take_out(self) -> None:
        """Take the selected blocks out of their chain, which closes, and leave them loose below everything."""
        ids, graph = self.scene.selected, self.document.graph
        if ids:
            below = max(block.position[1] for block in graph) + PITCH_Y
            left = min(graph[i].position[0] for i in ids)
            positions = {block_id: (left + i * PITCH_X, below) for i, block_id in enumerate(ids)}
            self.attempt(lambda: self.document.relocate(ids, Place(), positions))

    def move_along(self, *, forward: bool) -> None:
        """Exchange the one selected block with its neighbour in the chain."""
        graph, selected = self.document.graph, self.scene.selected
        if len(selected) != 1:
            return
        block = selected[0]
        neighbour = graph.next(block) if forward else graph.previous(block)
        if neighbour is None or graph[neighbour].is_input:
            return
        place = Place(neighbour, graph.next(neighbour)) if forward else Place(graph.previous(neighbour), neighbour)
        self.attempt(lambda: self.document.relocate((block,), place))

    def copy(self) -> None:
        """Put the selected blocks on the clipboard, as JSON."""
        if self.scene.selected:
            text = json.dumps(self.document.copy(self.scene.selected), ensure_ascii=False, indent=1)
            data = QMimeData()
            data.setData(MIME_BLOCKS, text.encode())
            data.setText(text)
            QGuiApplication.clipboard().setMimeData(data)

    def cut(self) -> None:
        """Copy, then remove."""
        self.copy()
        self.delete()

    def paste(self) -> None:
        """Put in the blocks of the clipboard: on the selected wire, otherwise loose."""
        data = on_clipboard()
        raw = bytes(data.data(MIME_BLOCKS).data()) if data.hasFormat(MIME_BLOCKS) else data.text().encode()
        try:
            rows = json.loads(raw)
        except ValueError:
            self.message.emit(self.tr("The clipboard holds no blocks."))
            return
        place = Place(*self.scene.selected_wire) if self.scene.selected_wire else None
        self.attempt(lambda: self.document.paste(rows, place=place))

    def duplicate(self) -> None:
        """Put copies of the selected blocks beside them."""
        if self.scene.selected:
            self.attempt(lambda: self.document.duplicate(self.scene.selected))

    def select_all(self) -> None:
        """Select every block."""
        self.scene.select(self.document.graph.ids)

    def apply_fix(self, block_id: str, index: int) -> None:
        """Apply a fix that a block offers, by its place among the buttons."""
        problem = self.document.derived.problem(block_id)
        if problem is not None:
            fix = [fix for fix in problem.fixes if fix.action != "advice"][index]
            if self.attempt(lambda: self.document.apply_fix(fix)):
                self.message.emit(fix_label(fix))

    def step(self, forward: bool) -> str | None:
        """Select the next or the previous block of the chain, or the first of all; gives its id."""
        graph, selected = self.document.graph, self.scene.selected
        if not len(graph):
            return None
        target = graph.ids[0]
        if selected:
            target = (graph.next(selected[-1]) if forward else graph.previous(selected[0])) or selected[0]
        self.scene.select([target])
        return target

    def cycle(self, forward: bool) -> bool:
        """Select the next block of all, loose ones too; False at the end, so that the focus can go on."""
        ids, selected = self.document.graph.ids, self.scene.selected
        at = ids.index(selected[-1]) if selected else (-1 if forward else len(ids))
        at += 1 if forward else -1
        if not 0 <= at < len(ids):
            return False
        self.scene.select([ids[at]])
        return True
