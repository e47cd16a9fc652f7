"""The canvas at 100 and 300 blocks: how long a frame takes while zooming and while dragging, at 1280×720.

    python3 run.py bench --canvas [--frames 120] [--blocks 100 300]

A frame is one event (a turn of the wheel, a move of the mouse) with all the painting that it causes, drawn by Qt's raster
engine. Beside it stand the same movements of a bare QGraphicsView with as many plain rectangles.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGraphicsItem, QGraphicsScene, QGraphicsView

from cnnstudio.canvas.view import CanvasView
from cnnstudio.document import layout
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.theme import apply_theme
from engine.layer import LAYERS
from engine.spec import NetworkSpec

WIDTH, HEIGHT = 1280, 720
LIMITS = {100: 16.0, 300: 33.0}
"""Milliseconds that the 99th percentile of the frames may take."""
COLUMNS = 20
WARM = 10
"""Frames before the measurement begins."""
LEFT, NONE, PLAIN = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier

Move = Callable[[int], None]


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="bench --canvas", description=__doc__)
    parser.add_argument("--frames", type=int, default=120, help="frames a measurement (120)")
    parser.add_argument("--blocks", type=int, nargs="+", default=list(LIMITS), help="numbers of blocks (100 300)")
    options = parser.parse_args(arguments)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    apply_theme(app, "light")
    print(f"{'':26}{'median':>9}{'p99':>9}{'limit':>9}   bare rectangles: {'median':>6}{'p99':>9}   (ms)")
    missed = False
    for blocks in options.blocks:
        canvas, bare = canvas_of(app, blocks), rectangles(app, blocks)
        limit = LIMITS.get(blocks)
        for name, make, make_bare in (
            ("zoom", zooming, zooming),
            ("drag one block", dragging_one, dragging_one_rectangle),
            ("drag all blocks", dragging_all, dragging_all_rectangles),
        ):
            ours = timed(app, canvas, make(canvas), options.frames)
            theirs = timed(app, bare, make_bare(bare), options.frames)
            missed |= limit is not None and ours[1] > limit
            shown = f"{limit:9.0f}" if limit is not None else " " * 9
            print(f"{blocks:4d} blocks, {name:14}{ours[0]:9.1f}{ours[1]:9.1f}{shown}{'':20}{theirs[0]:6.1f}{theirs[1]:9.1f}")
        canvas.close()
        bare.close()
    return int(missed)


def timed(app: QApplication, view: QGraphicsView, move: Move, frames: int) -> tuple[float, float]:
    """Median and 99th percentile of the milliseconds of a movement with its painting."""
    times = []
    for frame in range(WARM + frames):
        began = perf_counter()
        move(frame)
        app.processEvents()
        times.append(1e3 * (perf_counter() - began))
    return float(np.median(times[WARM:])), float(np.percentile(times[WARM:], 99))


# --- what is drawn ---


def canvas_of(app: QApplication, blocks: int) -> CanvasView:
    """A canvas with a long network in rows, with a picture on every block, all in view."""
    options: dict[str, dict[str, Any]] = {"conv": {"padding": "same"}}
    kinds = ["input", *(("conv", "relu") * blocks)[: blocks - 1]]
    layers = [LAYERS[kind].from_options(options.get(kind, {})) for kind in kinds]
    graph = Graph.of(NetworkSpec.of(layers), columns=COLUMNS)
    document = Document(graph.moved(layout.tidy(graph)))
    view = CanvasView(document)
    document.setParent(view)
    pixels = np.random.default_rng(1).integers(0, 255, (60, 90, 4), np.uint8).tobytes()
    picture = QImage(pixels, 90, 60, QImage.Format.Format_RGB32)
    for block in document.graph.ids:
        view.canvas.set_thumbnails({block: picture})
    _show(app, view)
    view.fit()
    return view


class _Rectangle(QGraphicsItem):
    """A rectangle that is painted by Python, as every item of this program is."""

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, layout.BLOCK_WIDTH, layout.BLOCK_HEIGHT)

    def paint(self, painter, _option, _widget=None) -> None:  # type: ignore[no-untyped-def]
        painter.fillRect(self.boundingRect(), QColor("#2b8fd8"))


def rectangles(app: QApplication, count: int) -> QGraphicsView:
    """A bare view with as many rectangles at the same places."""
    scene = QGraphicsScene()
    for i in range(count):
        item = _Rectangle()
        item.setPos(i % COLUMNS * layout.PITCH_X, i // COLUMNS * layout.PITCH_Y)
        scene.addItem(item)
    view = QGraphicsView(scene)
    scene.setParent(view)
    view.setSceneRect(scene.itemsBoundingRect().adjusted(-3000, -3000, 3000, 3000))
    for bar in (view.setHorizontalScrollBarPolicy, view.setVerticalScrollBarPolicy):
        bar(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
    _show(app, view)
    view.fitInView(scene.itemsBoundingRect(), Qt.AspectRatioMode.KeepAspectRatio)
    return view


def _show(app: QApplication, view: QGraphicsView) -> None:
    view.resize(WIDTH, HEIGHT)
    view.show()
    app.processEvents()


# --- how it is moved ---


def zooming(view: QGraphicsView) -> Move:
    """Turns of the wheel in the middle of the view, in and out again."""
    middle = QPointF(view.viewport().rect().center())

    def turn(frame: int) -> None:
        notch = 120 if frame // 10 % 2 == 0 else -120
        if not isinstance(view, CanvasView):
            view.scale(1.0015**notch, 1.0015**notch)
            return
        event = QWheelEvent(middle, middle, QPoint(), QPoint(0, notch), NONE, PLAIN, Qt.ScrollPhase.NoScrollPhase, False)
        QApplication.sendEvent(view.viewport(), event)

    return turn


def dragging_one(view: CanvasView) -> Move:
    """One block held by its body, round in a circle."""
    return _held(view, ())


def dragging_all(view: CanvasView) -> Move:
    """All blocks held by one of them."""
    return _held(view, view.document.graph.ids)


def _held(view: CanvasView, selected: Sequence[str]) -> Move:
    QTest.keyClick(view, Qt.Key.Key_Escape)  # lets go of what the measurement before holds
    view.canvas.select(selected)
    view.fit()
    block = view.document.graph.ids[len(view.document.graph) // 2]
    start = view.mapFromScene(view.canvas.blocks[block].card.topLeft() + QPointF(30, 60))
    _mouse(view, QEvent.Type.MouseButtonPress, start, LEFT)
    return lambda frame: _mouse(view, QEvent.Type.MouseMove, start + _circle(frame), NONE)


def _mouse(view: CanvasView, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton) -> None:
    event = QMouseEvent(kind, QPointF(at), QPointF(at), button, LEFT, PLAIN)
    QApplication.sendEvent(view.viewport(), event)


def dragging_one_rectangle(view: QGraphicsView) -> Move:
    """One rectangle, round in the same circle."""
    items = view.scene().items()
    return _moved(items[len(items) // 2 :][:1])


def dragging_all_rectangles(view: QGraphicsView) -> Move:
    """All rectangles together."""
    return _moved(view.scene().items())


def _moved(items: Sequence[QGraphicsItem]) -> Move:
    places = [item.pos() for item in items]

    def move(frame: int) -> None:
        way = QPointF(_circle(frame)) * 4
        for item, place in zip(items, places, strict=True):
            item.setPos(place + way)

    return move


def _circle(frame: int) -> QPoint:
    """A way that is another one in every frame."""
    angle = frame * 0.35
    return QPoint(round(60 * np.cos(angle)), round(60 * np.sin(angle)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
