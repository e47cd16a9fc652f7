"""New pictures on the blocks are painted alone where nothing else has changed, and look as if all had been painted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtGui import QImage, QRegion
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from cnnstudio.canvas.block_item import BlockItem
from cnnstudio.canvas.view import CanvasView
from cnnstudio.document import layout
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.theme import current_theme
from engine.layer import LAYERS
from engine.spec import NetworkSpec
from tests.cnnstudio.canvas.mouse import move, press

KINDS = ("input", "conv", "relu", "flatten", "dense", "softmax")
SOON = 50


@pytest.fixture
def view(qtbot: QtBot) -> CanvasView:
    graph = Graph.of(NetworkSpec.of(LAYERS[kind]() for kind in KINDS))
    document = Document(graph.moved(layout.tidy(graph)))
    view = CanvasView(document)
    document.setParent(view)
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    view.fit()
    show_pictures(view, view.canvas.blocks)
    qtbot.wait(SOON)
    return view


@pytest.fixture
def whole(view: CanvasView, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows with every frame in which blocks and wires are painted."""
    frames: list[None] = []
    monkeypatch.setattr(view.canvas, "begin_frame", lambda: frames.append(None))
    return frames


def show_pictures(view: CanvasView, blocks: Iterable[str], seed: int = 0) -> None:
    """Give blocks pictures with cells of random colours and a gap between them."""
    rng, pictures = np.random.default_rng(seed), {}
    for block in blocks:
        pictures[block] = QImage(128, 50, QImage.Format.Format_ARGB32_Premultiplied)
        pixels = np.frombuffer(pictures[block].bits(), np.uint32).reshape(50, 128)
        pixels[:] = 0xFF000000 | rng.integers(0, 1 << 24, pixels.shape, dtype=np.uint32)
        pixels[:, 60:64] = 0
    view.canvas.set_thumbnails(pictures)


def picture_area(view: CanvasView, item: BlockItem) -> QRegion:
    """The pixels that a picture touches."""
    return QRegion(view.viewportTransform().mapRect(item.mapRectToScene(item.picture_rect())).toAlignedRect())


@pytest.mark.parametrize("zoom", [0.63, 1.0, 1.3])
def test_pictures_alone_look_as_if_all_had_been_painted(view: CanvasView, whole: list[None], zoom: float) -> None:
    view.zoom(zoom / view.scale_factor)
    view.centerOn(view.canvas.blocks["conv1"])
    view.canvas.zooming = False
    viewport = view.viewport()
    seen = [item for item in view.canvas.blocks.values()
            if viewport.rect().contains(view.mapFromScene(item.sceneBoundingRect()).boundingRect())]  # fmt: skip
    assert len(seen) > 1  # a clip of several rectangles
    picture = viewport.grab().toImage()
    show_pictures(view, [item.id for item in seen], seed=1)
    whole.clear()
    region = QRegion()
    for item in seen:
        region += picture_area(view, item)
    viewport.render(picture, region.boundingRect().topLeft(), region, QWidget.RenderFlag.DrawWindowBackground)
    assert not whole
    assert picture == viewport.grab().toImage()
    assert whole


def test_a_picture_ends_at_whole_pixels(view: CanvasView) -> None:
    view.zoom(0.63 / view.scale_factor)
    view.centerOn(view.canvas.blocks["conv1"])
    view.canvas.zooming = False
    image = QImage(128, 50, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0xFF204060)
    view.canvas.set_thumbnails({"conv1": image})
    shown = view.viewport().grab().toImage()
    rect = picture_area(view, view.canvas.blocks["conv1"]).boundingRect()
    colors = {shown.pixel(x, y) for x in range(rect.left(), rect.right() + 1) for y in range(rect.top(), rect.bottom() + 1)}
    assert colors <= {0xFF204060, current_theme().color("surface").rgb()}


def test_the_window_paints_new_pictures_without_blocks_and_wires(view: CanvasView, whole: list[None], qtbot: QtBot) -> None:
    show_pictures(view, view.canvas.blocks, seed=1)
    qtbot.wait(SOON)
    assert not whole
    show_pictures(view, view.canvas.blocks, seed=2)
    view.canvas.select(["conv1"])
    qtbot.wait(SOON)
    assert whole


def lay_one_over_another(view: CanvasView) -> None:
    first, second = list(view.canvas.blocks.values())[:2]
    view.canvas.move_items({second.id: first.pos() + QPointF(20, 20)})


def begin_to_drag(view: CanvasView) -> None:
    start = view.mapFromScene(view.canvas.blocks["conv1"].card.topLeft() + QPointF(40, 10))
    press(view, start)
    move(view, start, start + QPoint(40, 10))


@pytest.mark.parametrize(
    "prepare",
    [
        lay_one_over_another,
        begin_to_drag,
        lambda view: view.canvas.show_flow("conv1", forward=True),
        lambda view: view.pan_by(QPointF(-view.mapFromScene(view.canvas.blocks["conv1"].card.center()).x(), 0)),
        lambda view: setattr(view.canvas, "zooming", True),
        lambda view: setattr(view.canvas.blocks["conv1"], "field", QRectF(0, 0, 0.5, 0.5)),
    ],
    ids=["cards overlap", "a hand moves a block", "walking", "partly out of sight", "zooming", "a receptive field is shown"],
)
def test_all_is_painted_where_something_can_lie_over_a_picture(
    view: CanvasView, whole: list[None], qtbot: QtBot, prepare: Callable[[CanvasView], object]
) -> None:
    prepare(view)
    qtbot.wait(SOON)
    whole.clear()
    show_pictures(view, view.canvas.blocks, seed=1)
    qtbot.wait(SOON)
    assert whole
