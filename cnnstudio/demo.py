"""Drives the real window without a person and leaves a picture of every stage, and the figures as JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnstudio.display import no_screen_message

if TYPE_CHECKING:
    from cnnstudio.app import Program

TIMEOUT = 180.0
"""Seconds that any one stage may take."""


class DemoError(Exception):
    """A stage did not come to its end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `demo` takes."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the pictures and demo.json")
    parser.add_argument("--size", default="1600x1000", metavar="WxH", help="size of the window in pixels")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--language", choices=("en", "zh_CN"), default="en")
    parser.add_argument("--template", default="lenet5", help="the network to begin with")


def main(arguments: argparse.Namespace) -> int:
    """Run the demonstration; 0 when every stage came to its end."""
    try:
        width, height = (int(n) for n in arguments.size.lower().split("x"))
    except ValueError:
        print(f"--size must be like 1600x1000; it is {arguments.size}.", file=sys.stderr)
        return 2
    if no_screen_message() is not None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        Demo(arguments.out, width, height, arguments.theme, arguments.language, arguments.template).play()
    except (DemoError, OSError) as error:
        print(f"The demonstration stopped: {error}", file=sys.stderr)
        return 1
    return 0


class Demo:
    """The play: every method is a stage that does what a person would do and waits for what follows."""

    def __init__(self, out: Path, width: int, height: int, theme: str, language: str, template: str) -> None:
        # Qt is imported here, after the platform has been chosen.
        from PySide6.QtCore import QSettings

        self._out, self._size, self._template = out, (width, height), template
        self._began = time.perf_counter()
        # A demonstration neither reads nor changes the settings of the user.
        self._settings_folder = tempfile.TemporaryDirectory(prefix="cnnstudio-demo-")
        folder = self._settings_folder.name
        for form in (QSettings.Format.IniFormat, QSettings.Format.NativeFormat):
            QSettings.setPath(form, QSettings.Scope.UserScope, folder)
        from cnnstudio.settings import Settings

        settings = Settings()
        settings.theme = theme  # type: ignore[assignment]
        settings.language = language
        settings.flush()
        self._stages: list[dict[str, Any]] = []
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """The running program."""
        assert self._program is not None
        return self._program

    def play(self) -> None:
        """Play all stages and write demo.json."""
        from cnnstudio.app import Program, make_application

        app = make_application(sys.argv[:1])
        self._program = Program(app)
        try:
            self._open()
            self._drop_blocks()
            self._edit_option()
            self._train_one_epoch()
            self._look_at_layers()
            self._explain()
            self._save()
        finally:
            self._program.window.discard()
            self._program.close()
            self._settings_folder.cleanup()
        report = {
            "template": self._template,
            "window": list(self._size),
            "seconds": round(time.perf_counter() - self._began, 2),
            "stages": self._stages,
        }
        (self._out / "demo.json").write_text(json.dumps(report, indent=2, ensure_ascii=False), encoding="utf-8")

    # --- stages ---

    def _open(self) -> None:
        program = self.program
        template = next((t for t in program.templates if t.name == self._template), None)
        if template is None:
            raise DemoError(f"there is no template {self._template}")
        program.studio.begin(template)
        program.window.resize(*self._size)
        program.window.docks.arrange()
        program.window.show()
        self._wait("the network and its first pictures", self._has_frame)
        self._picture("1-open")

    def _drop_blocks(self) -> None:
        """Drag Conv and ReLU from the palette onto the wire behind the first pooling (or activation)."""
        graph = self.program.studio.document.graph
        before = next((b.id for b in graph.main if b.node.layer.role == "pool"), graph.main[-2].id)
        for kind in ("relu", "conv"):
            behind = self.program.studio.document.graph.next(before)
            if behind is None:
                raise DemoError(f"there is no wire behind {before}")
            self._drag(kind, (before, behind))
        self._wait("the network with the new blocks", self._has_frame)
        self._picture("2-drop")

    def _edit_option(self) -> None:
        """Type another depth for the new convolution into its form."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QAbstractSpinBox

        from cnnstudio.panels.properties import BlockForm

        window = self.program.window
        block = self._newest_conv()
        window.view.show_block(block)
        form = window.properties.widget()
        if not isinstance(form, BlockForm):
            raise DemoError(f"the properties do not show {block}")
        spin = form.rows["depth"].editor.findChild(QAbstractSpinBox)
        assert spin is not None
        spin.selectAll()
        QTest.keyClicks(spin, "12")
        QTest.keyClick(spin, Qt.Key.Key_Return)
        self._wait(
            "the depth of 12",
            lambda: getattr(window.studio.document.graph[block].node.layer, "depth", 0) == 12 and self._has_frame(),
        )
        self._picture("3-edit")

    def _train_one_epoch(self) -> None:
        """Set one epoch, press Train, and look in the middle and at the end."""
        from cnnstudio.session.messages import RunPhase
        from cnnstudio.setting_change import Change

        studio, window = self.program.studio, self.program.window
        studio.change(Change("epochs", 1))
        self._wait("a network that can be trained", lambda: studio.obstacle is None and self._has_frame())
        window.actions_.train.trigger()
        controller = studio.controller
        self._wait(
            "the middle of the epoch",
            # A small network is through before anybody can look.
            lambda: controller.state.phase == RunPhase.FINISHED
            or controller.state.batch >= max(controller.state.batches // 2, 1),
        )
        self._picture("4-training")
        self._wait("the end of the epoch", lambda: controller.state.phase == RunPhase.FINISHED)
        self._picture("5-trained")

    def _look_at_layers(self) -> None:
        window = self.program.window
        for role, name in (("conv", "6-convolution"), ("pool", "7-pooling")):
            block = next((b.id for b in window.studio.document.graph.main if b.node.layer.role == role), None)
            if block is None:
                continue
            window.view.show_block(block)
            self._wait(f"the maps of {block}", partial(self._has_frame, block))
            self._picture(name)
        window.docks.bring_up("samples")
        window.samples.random()
        self._wait("the pictures of another sample", self._has_frame)
        self._picture("8-sample")

    def _explain(self) -> None:
        """Choose one number of the newest convolution, as a double click on its map does."""
        from cnnstudio.selection import CellRef

        window, block = self.program.window, self._newest_conv()
        window.view.show_block(block)
        self._wait(f"the maps of {block}", partial(self._has_frame, block))
        snapshot = self.program.studio.controller.snapshot
        assert snapshot is not None
        filters, height, width = snapshot.arrays[f"{block}.y"].shape
        cell = CellRef(f"{block}.y", (filters - 1, height // 2, width // 2), snapshot.step, snapshot.probe)
        self.program.studio.selection.select_cell(cell)
        self._wait("the explanation", lambda: window.explain.subject is not None)
        self._picture("9-explain")

    def _save(self) -> None:
        path = self._out / "demo.cnn"
        if not self.program.window.files.save_path(path):
            raise DemoError(f"{path} could not be saved")
        self._wait("the project's file", lambda: path.stat().st_size > 0 and not self.program.studio.document.modified)
        self._picture("10-saved")

    # --- hands and eyes ---

    def _newest_conv(self) -> str:
        convs = [i for i in self.program.studio.document.graph.ids if i.startswith("conv")]
        return max(convs, key=lambda i: int(i.removeprefix("conv")))

    def _drag(self, kind: str, wire: tuple[str, str]) -> None:
        """The events that a mouse would cause: enter, move, drop."""
        from PySide6.QtCore import QMimeData, QPointF, Qt
        from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
        from PySide6.QtWidgets import QApplication

        from cnnstudio.canvas.palette import MIME_KIND

        view = self.program.window.view
        points = view.canvas.wires[wire].points
        middle = (points[len(points) // 2 - 1] + points[len(points) // 2]) / 2
        point = QPointF(view.mapFromScene(middle))
        data = QMimeData()
        data.setData(MIME_KIND, kind.encode())
        action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        blocks = len(self.program.studio.document.graph)
        for event in (
            QDragEnterEvent(point.toPoint(), action, data, button, keys),
            QDragMoveEvent(point.toPoint(), action, data, button, keys),
            QDropEvent(point, action, data, button, keys),
        ):
            QApplication.sendEvent(view.viewport(), event)
        self._wait(f"the dropped {kind} block", lambda: len(self.program.studio.document.graph) == blocks + 1)

    def _has_frame(self, block: str | None = None) -> bool:
        """Whether the pictures on display belong to the present network, and to a block if one is named."""
        studio = self.program.studio
        snapshot = studio.controller.snapshot
        if snapshot is None:
            return False
        placed = studio.document.derived.placed
        shown = [placed[block]] if block else list(placed.values())
        return all(snapshot.arrays[f"{p.node.id}.y"].shape == tuple(p.y) for p in shown
                   if f"{p.node.id}.y" in snapshot) and all(f"{p.node.id}.y" in snapshot for p in shown)  # fmt: skip

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Let the program run until a condition holds; DemoError when it takes too long."""
        from PySide6.QtCore import QEventLoop, QTimer

        deadline = time.perf_counter() + TIMEOUT
        loop, look = QEventLoop(), QTimer()
        look.setInterval(15)
        look.timeout.connect(lambda: loop.quit() if condition() or time.perf_counter() > deadline else None)
        look.start()
        loop.exec()
        look.stop()
        if not condition():
            banner = self.program.window.banner.text
            raise DemoError(f"no sign of {what} after {TIMEOUT:.0f} s" + (f"; the window says: {banner}" if banner else ""))
        self._settle()

    def _settle(self) -> None:
        """A few turns of the event loop, so that everything that has arrived is also painted."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(150, loop.quit)
        loop.exec()

    def _picture(self, name: str) -> None:
        """Write the window as PNG and the figures of this moment."""
        window, studio = self.program.window, self.program.studio
        path = self._out / f"{name}.png"
        if not window.grab().save(str(path)):
            raise DemoError(f"{path} could not be written")
        state, history = studio.controller.state, studio.controller.history
        derived = studio.document.derived
        last = history.epochs[-1] if history.epochs else None
        self._stages.append(
            {
                "stage": name,
                "picture": path.name,
                "seconds": round(time.perf_counter() - self._began, 2),
                "formula": window.formula.formula_text(),
                "shapes": {block: derived.output_shape(block) for block in derived.placed},
                "parameters": derived.analysis.parameters,
                "phase": state.phase.name.lower(),
                "step": state.step,
                "pictures_of_step": studio.controller.snapshot.step if studio.controller.snapshot else None,
                "train_loss": round(float(history.loss[-1]), 4) if len(history) else None,
                "train_accuracy": round(float(history.accuracy[-1]), 4) if len(history) else None,
                "val_loss": round(last.val_loss, 4) if last else None,
                "val_accuracy": round(last.val_accuracy, 4) if last else None,
                "images_per_second": round(state.images_per_second),
            }
        )
        print(f"{name}: step {state.step}", file=sys.stderr)
