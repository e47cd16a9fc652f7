"""The program on an empty canvas, with what is on the screen written to a file ten times a second.

    python -m tests.gestures.observed_program REPORT.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from cnnstudio.app import Program, make_application
from cnnstudio.canvas.search_menu import SearchMenu

INTERVAL = 100
"""Milliseconds between two reports."""


class Reporter(QObject):
    """Writes the report whenever its timer rings."""

    def __init__(self, program: Program, path: Path) -> None:
        super().__init__()
        self._program, self._path = program, path
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._write)
        self._timer.start(INTERVAL)

    @Slot()
    def _write(self) -> None:
        partial = self._path.with_suffix(".part")
        partial.write_text(json.dumps(self._report()), encoding="utf-8")
        partial.replace(self._path)

    def _report(self) -> dict[str, Any]:
        window, studio = self._program.window, self._program.studio
        state, history = studio.controller.state, studio.controller.history
        palette = window.palette_panel.list
        rows = {palette.item(i).text(): palette.visualItemRect(palette.item(i)).center() for i in range(palette.count())}
        train = next(b for b in window.main_bar.findChildren(QToolButton) if b.defaultAction() is window.actions_.train)
        view = window.view
        blocks = {i: view.mapFromScene(item.card.center()) for i, item in view.canvas.blocks.items()}
        last = studio.document.graph.main[-1].id if studio.document.graph.main else None
        end = view.mapFromScene(view.canvas.blocks[last].out_port) if last else view.viewport().rect().center()
        return {
            "network": [
                {"id": b.id, "layer": b.node.layer.to_json()} for b in studio.document.graph.main
            ],
            "trainable": studio.obstacle is None and state.batches > 0,
            "phase": state.phase.name,
            "step": state.step,
            "loss": [float(loss) for loss in history.loss],
            "palette": {name: _on_screen(palette.viewport(), at) for name, at in rows.items()},
            "blocks": {name: _on_screen(view.viewport(), at) for name, at in blocks.items()},
            "end": _on_screen(view.viewport(), end),
            "train": _on_screen(train, train.rect().center()),
            "menu": any(isinstance(w, SearchMenu) and w.isVisible() for w in QApplication.topLevelWidgets()),
            "focus": bool(QApplication.focusWidget()),
        }


def _on_screen(widget: QWidget, point: Any) -> tuple[int, int]:
    place = widget.mapToGlobal(point)
    return place.x(), place.y()


def main(arguments: list[str]) -> int:
    """Run the program until its window is closed. It begins as after New, Empty canvas; then this only looks."""
    app = make_application(sys.argv[:1])
    program = Program(app)
    program.log.install()
    program.studio.begin_empty()
    program.show()
    program.window.showMaximized()
    reporter = Reporter(program, Path(arguments[0]))
    code = app.exec()
    reporter.deleteLater()
    program.close()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
