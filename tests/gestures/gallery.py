"""Photographs the real window in every look: `python -m tests.gestures.gallery --out DIR` leaves pictures and contact sheets.

Each layout at three sizes, light and dark, English and Chinese; and each panel as a window of its own in the same four looks.
`--only NAME` takes the pictures whose name contains NAME, `--scale 2` all as on a screen at 200 %.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from cnnstudio.app import Program

SIZES = ((1280, 720), (1440, 900), (1920, 1080))
LOOKS = tuple((theme, language) for theme in ("light", "dark") for language in ("en", "zh_CN"))
PANELS = ("training", "kernels", "feature_maps", "dense", "gradients", "confusion", "prediction", "samples", "settings",
          "properties", "typed", "history", "outline", "analyzer", "runs", "explain", "palette")  # fmt: skip
PANEL_SIZE = (560, 380)
EXPLAINED = (("conv", "conv1.y", (1, 9, 9)), ("dense", "dense1.y", (3,)), ("delta", "conv1.dy", (1, 9, 9)),
             ("weight", "conv2.W", (1, 2, 1, 1)), ("pool", "max_pool1.y", (1, 4, 4)))  # fmt: skip
"""Cells to explain, each with a name: those that all templates with two convolutions have."""
SHEET = 1800
"""Width of a contact sheet in pixels."""


class Gallery:
    """One program in one look, with a network that was trained for a moment."""

    def __init__(self, out: Path, theme: str, language: str, template: str, only: str) -> None:
        self._out, self._look, self._template, self._only = out, f"{theme}-{language}", template, only
        self._folder = tempfile.TemporaryDirectory(prefix="cnnstudio-gallery-")
        for name in ("CONFIG", "DATA", "STATE", "CACHE"):
            os.environ[f"XDG_{name}_HOME"] = f"{self._folder.name}/{name.lower()}"
        from PySide6.QtCore import QSettings

        for form in (QSettings.Format.IniFormat, QSettings.Format.NativeFormat):
            QSettings.setPath(form, QSettings.Scope.UserScope, self._folder.name)
        from cnnstudio.app import Program, make_application
        from cnnstudio.settings import Settings

        settings = Settings()
        settings.theme = theme  # type: ignore[assignment]
        settings.language = language
        settings.flush()
        self.program: Program = Program(make_application(sys.argv[:1]))

    def take(self, *, layouts: bool, panels: bool) -> None:
        """Train, then photograph layouts and panels."""
        try:
            self._train()
            if layouts:
                self._layouts()
            if panels:
                self._panels()
        finally:
            self.program.window.discard()
            self.program.close()
            self._folder.cleanup()

    def _train(self) -> None:
        """A few hundred batches and a rest, so that every panel has something to show."""
        studio, window = self.program.studio, self.program.window
        studio.begin(next(t for t in self.program.templates if t.name == self._template))
        window.resize(1440, 900)
        window.show()
        self._wait(lambda: studio.controller.snapshot is not None and studio.obstacle is None)
        window.actions_.train.trigger()
        self._wait(lambda: len(studio.controller.history.epochs) >= 1 and studio.controller.state.step > 250)
        window.actions_.train.trigger()
        self._wait(lambda: studio.controller.state.phase.name in ("PAUSED", "FINISHED"))

    def _layouts(self) -> None:
        from cnnstudio.layouts import LAYOUTS

        window = self.program.window
        for width, height in SIZES:
            window.resize(width, height)
            window.docks.arrange()
            self._settle()
            self._keep(f"window-{width}x{height}", window.grab().toImage())
            for layout in LAYOUTS:
                window.layouts.apply(layout)
                self._settle()
                if layout.title == "Inspect":
                    self._explain("conv1.y", (1, 9, 9))
                    self._settle(600)
                self._keep(f"{layout.title.lower()}-{width}x{height}", window.grab().toImage())
            window.layouts.apply(LAYOUTS[0])

    def _explain(self, array: str, index: tuple[int, ...]) -> None:
        from cnnstudio.selection import CellRef

        studio = self.program.studio
        snapshot = studio.controller.snapshot
        assert snapshot is not None
        studio.selection.select_cell(CellRef(array, index, snapshot.step, snapshot.probe))

    def _panels(self) -> None:
        window = self.program.window
        window.resize(1600, 1000)
        window.docks.arrange()
        for name in PANELS:
            dock = window.docks[name]
            window.docks.bring_up(name)
            dock.setFloating(True)
            dock.resize(*PANEL_SIZE)
            for state, prepare in self._states(name):
                prepare()
                self._settle(400)
                self._keep(f"panel-{name}{state}", dock.grab().toImage())
            dock.close()

    def _states(self, name: str) -> list[tuple[str, Callable[[], object]]]:
        """What of a panel is photographed: (ending of the name, what brings it about)."""
        window = self.program.window
        view, maps, kernels, gradients = window.view, window.feature_maps, window.kernels, window.gradients
        first, last = self._block("conv", 0), self._block("conv", -1)
        pool = self._block("pool", 0)
        match name:
            case "kernels":
                return [("", lambda: view.show_block(first)), ("-deep", lambda: view.show_block(last)),
                        ("-matrix", lambda: view.show_block(self._block("dense", -1))),
                        *((f"-spread-{what}", lambda what=what: (view.show_block(last), kernels.show_spread(what)))
                          for what in ("W", "dW", "W_update", "W_change"))]  # fmt: skip
            case "explain":
                return [("-empty", lambda: self.program.studio.selection.select_cell(None)),
                        *((f"-{name}", lambda array=array, index=index: self._explain(array, index))
                          for name, array, index in EXPLAINED)]  # fmt: skip
            case "dense":
                return [("", lambda: view.show_block(self._block("dense", -1))),
                        ("-flat", lambda: view.show_block(self._block("dense", 0)))]  # fmt: skip
            case "feature_maps":
                return [
                    ("", lambda: view.show_block(first)),
                    *((f"-{key}", lambda key=key: maps.compare.choose(key)) for key in ("over", "input", "sample", "class")),
                    ("-alone", lambda: maps.compare.choose("alone")),
                    *((f"-pool-{mode}", lambda mode=mode: (view.show_block(pool), maps.show_pooling(mode)))
                      for mode in ("mask", "windows", "back")),
                ]  # fmt: skip
            case "gradients":
                return [("", lambda: view.show_block(first)), ("-ratio", lambda: gradients.show_quantity("update_ratio"))]
        return [("", lambda: view.show_block(first))]

    def _block(self, role: str, which: int) -> str:
        return [b.id for b in self.program.studio.document.graph.main if b.node.layer.role == role][which]

    def _keep(self, name: str, image: QImage) -> None:
        if self._only in name:
            image.save(str(self._out / f"{name}-{self._look}.png"))

    def _wait(self, condition: Callable[[], bool]) -> None:
        for _ in range(4000):
            if condition():
                self._settle()
                return
            self._settle(15)
        raise SystemExit("the program did not get there; the window says: " + self.program.window.banner.text)

    def _settle(self, milliseconds: int = 250) -> None:
        """Let everything that has arrived be painted."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()


def contact_sheets(out: Path) -> None:
    """One picture of all pictures of the same look and kind, with their names."""
    from PySide6.QtCore import QRectF, Qt
    from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter

    app = QGuiApplication.instance() or QGuiApplication(["gallery", "-platform", "offscreen"])
    for theme, language in LOOKS:
        for kind, columns in (("panel-", 3), ("-1280x720-", 2), ("-1440x900-", 2), ("-1920x1080-", 2)):
            files = sorted(p for p in out.glob(f"*{theme}-{language}.png") if kind in p.name and not p.name.startswith("sheet"))
            if not files:
                continue
            images = [QImage(str(file)) for file in files]
            width = SHEET // columns
            height = 18 + max(round(image.height() * width / image.width()) for image in images)
            sheet = QImage(SHEET, height * math.ceil(len(images) / columns), QImage.Format.Format_RGB32)
            sheet.fill(QColor("#808080"))
            painter = QPainter(sheet)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            for at, (file, image) in enumerate(zip(files, images, strict=True)):
                y, x = (at // columns) * height, (at % columns) * width
                painter.drawText(x + 4, y + 13, file.stem)
                small = image.scaledToWidth(width - 4, Qt.TransformationMode.SmoothTransformation)
                painter.drawImage(QRectF(x, y + 17, small.width(), small.height()), small)
            painter.end()
            sheet.save(str(out / f"sheet-{kind.strip('-')}-{theme}-{language}.png"))
    del app


def main() -> None:
    """Take all pictures, each look in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--template", default="lenet5")
    parser.add_argument("--only", default="", help="only pictures whose name contains this")
    parser.add_argument("--scale", default="1", help="device pixels for a pixel")
    parser.add_argument("--no-layouts", action="store_true")
    parser.add_argument("--no-panels", action="store_true")
    parser.add_argument("--look", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = arguments.scale
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.look:
        theme, _, language = arguments.look.partition("-")
        gallery = Gallery(arguments.out, theme, language, arguments.template, arguments.only)
        gallery.take(layouts=not arguments.no_layouts, panels=not arguments.no_panels)
        return
    for theme, language in LOOKS:
        command = [sys.executable, "-m", "tests.gestures.gallery", *sys.argv[1:], "--look", f"{theme}-{language}"]
        subprocess.run(command, check=True)
    contact_sheets(arguments.out)


if __name__ == "__main__":
    main()
