"""Palette, formula bar, outline, faces and export: what stands around the gestures."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QMouseEvent, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from cnnstudio.canvas.export import export_drawing
from cnnstudio.canvas.face import HEADER, THUMBNAIL, Face, paint_face, pixel_font
from cnnstudio.canvas.formula_bar import FormulaBar
from cnnstudio.canvas.icons import layer_pixmap
from cnnstudio.canvas.outline import OutlineModel, OutlinePanel, _Row
from cnnstudio.canvas.palette import Palette
from cnnstudio.canvas.view import CanvasView
from cnnstudio.canvas.wire_item import rounded
from cnnstudio.canvas.wire_label import place_label
from cnnstudio.document import layout
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.resources import resource_path
from cnnstudio.theme import LAYER_COLORS, current_theme, layer_color
from engine.errors import StorageError
from engine.layer import LAYERS
from engine.templates import load_template, load_templates

TEMPLATES = resource_path("templates")


@pytest.fixture
def document(qapp: QApplication) -> Document:
    graph = Graph.of(load_template(TEMPLATES, "lenet5").network, title="LeNet-5")
    return Document(graph.moved(layout.tidy(graph)))


def shown(qtbot: QtBot, widget: QWidget, width: int = 1000, height: int = 600) -> None:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()


# --- palette ---


def test_the_palette_offers_every_layer_and_every_template(qtbot: QtBot) -> None:
    palette = Palette(load_templates(TEMPLATES))
    shown(qtbot, palette, 180)
    for name in (*LAYERS, *(t.name for t in load_templates(TEMPLATES)), "formula"):
        item = palette.item_of(name)
        assert item.text() and item.toolTip().strip() and "\n" not in item.toolTip()


def test_the_palette_finds_what_is_typed_and_enter_asks_for_it(qtbot: QtBot) -> None:
    palette = Palette(load_templates(TEMPLATES))
    shown(qtbot, palette, 180)
    QTest.keyClicks(palette.field, "max p")
    with pytest.raises(KeyError):
        palette.item_of("conv")
    with qtbot.waitSignal(palette.kind_activated) as asked:
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert asked.args == ["max_pool"]


@pytest.mark.parametrize(("name", "signal"), [("lenet5", "template_activated"), ("formula", "formula_activated")])
def test_a_double_click_asks_for_a_template(qtbot: QtBot, name: str, signal: str) -> None:
    palette = Palette(load_templates(TEMPLATES))
    shown(qtbot, palette, 180, 900)
    place = palette.list.visualItemRect(palette.item_of(name)).center()
    QTest.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    with qtbot.waitSignal(getattr(palette, signal)):
        QTest.mouseDClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_every_layer_has_an_icon_in_its_colour(qapp: QApplication) -> None:
    for kind, layer in LAYERS.items():
        image = layer_pixmap(kind, 4.0).toImage()
        colors = {image.pixelColor(x, y).name() for x in range(0, 80) for y in range(0, 80)}
        assert LAYER_COLORS[layer.role] in colors, kind


# --- formula bar ---


def test_hovering_a_chip_highlights_its_blocks(qtbot: QtBot, document: Document) -> None:
    bar, view = FormulaBar(document), CanvasView(document)
    shown(qtbot, bar, 1200, 38)
    shown(qtbot, view)
    bar.blocks_hovered.connect(view.canvas.highlight)
    bar.grab()
    at = bar.place_of("POOL")
    event = QMouseEvent(QEvent.Type.MouseMove, at, QPointF(bar.mapToGlobal(at.toPoint())), Qt.MouseButton.NoButton,
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)  # fmt: skip
    QApplication.sendEvent(bar, event)
    assert [i for i, item in view.canvas.blocks.items() if item.highlighted] == ["max_pool1", "max_pool2"]
    QApplication.sendEvent(bar, QEvent(QEvent.Type.Leave))
    assert not any(item.highlighted for item in view.canvas.blocks.values())


def test_the_bar_says_which_block_departs_and_a_click_goes_there(qtbot: QtBot, document: Document) -> None:
    bar = FormulaBar(document)
    shown(qtbot, bar, 1200, 38)
    assert "INPUT → [[CONV → ReLU]×1 → POOL]×2" in bar.formula_text() and "61,706" in bar.totals_text()
    document.remove(["relu2"])
    assert bar.formula_text().startswith("Max pool 2: Max pool is out of place")
    with qtbot.waitSignal(bar.blocks_clicked) as asked:
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.rect().center())
    assert asked.args == [("max_pool2",)]


# --- outline ---


def test_the_outline_can_be_asked_before_it_knows_that_a_block_is_gone(qtbot: QtBot, document: Document) -> None:
    model = OutlineModel(document, document)
    document.graph_changed.disconnect(model._follow_change)
    document.remove(document.graph.ids[-1:])
    last = model.index(len(model.ids) - 1, 0)
    assert [model.data(last, role) for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.DecorationRole)] == [None, None]


def test_the_outline_follows_an_option_and_a_name(document: Document) -> None:
    model = OutlineModel(document, document)
    assert "Conv 1   6 @ 5×5 · pad 2   → 28×28×6" in model.data(model.index(1, 0))
    document.set_option("conv1", "depth", 7)
    assert "7 @ 5×5 · pad 2   → 28×28×7" in model.data(model.index(1, 0))
    document.rename("conv1", "Edges")
    assert model.data(model.index(1, 0)).startswith("Edges   7 @")


def test_the_outline_lists_blocks_and_shares_the_selection(qtbot: QtBot, document: Document) -> None:
    view = CanvasView(document)
    outline = OutlinePanel(view)
    shown(qtbot, view)
    shown(qtbot, outline, 300)
    model = outline.model()
    assert model.rowCount() == 14
    assert "Conv 1   6 @ 5×5 · pad 2   → 28×28×6   156 params" in model.data(model.index(1, 0))
    assert model.data(model.index(0, 0)) == "Input   → 28×28×1"  # said once: its options are its output
    view.canvas.select(["conv2"])
    assert [i.row() for i in outline.selectedIndexes()] == [4]
    QTest.mouseClick(outline.viewport(), Qt.MouseButton.LeftButton, pos=outline.visualRect(model.index(2, 0)).center())
    assert view.canvas.selected == ("relu1",)
    QTest.keyClick(outline, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert document.graph.next("max_pool1") == "relu1"
    QTest.keyClick(outline, Qt.Key.Key_Delete)
    assert "relu1" not in document.graph and model.rowCount() == 13


@pytest.mark.parametrize(("width", "columns"), [(500, 2), (230, 1), (150, 0)])
def test_the_outline_has_columns_as_far_as_there_is_room(
    qtbot: QtBot, document: Document, monkeypatch: pytest.MonkeyPatch, width: int, columns: int
) -> None:
    view = CanvasView(document)
    outline = OutlinePanel(view)
    shown(qtbot, view)
    ends: dict[str, int] = {}
    draw = _Row._draw

    def note(painter: Any, room: Any, left: int, right: int, text: str, *more: Any) -> None:
        ends[text] = right
        draw(painter, room, left, right, text, *more)

    monkeypatch.setattr(_Row, "_draw", staticmethod(note))
    shown(qtbot, outline, width)
    outline.grab()
    outputs = [ends.get(text) for text in ("28×28×6", "10×10×16", "400")]
    counts = [ends.get(text) for text in ("156 params", "48,120 params")]
    assert (outputs[0] is not None) + (counts[0] is not None) == columns
    assert len(set(outputs)) == len(set(counts)) == 1


# --- faces and wires ---


def test_faces_say_options_shape_and_parameters(qtbot: QtBot, document: Document) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    face = view.canvas.blocks["conv1"].face
    assert (face.title, face.main, face.detail, face.shape, face.parameters) == (
        "Conv 1", "6 @ 5×5", "pad 2", "28×28×6", "156 params")  # fmt: skip
    assert view.canvas.blocks["relu1"].face.main == "max(0, x)"
    document.set_option("conv1", "depth", 8)
    assert view.canvas.blocks["conv1"].face.main == "8 @ 5×5"
    assert view.canvas.wires["conv1", "relu1"].label == "28×28×8"


def test_labels_of_wires_never_lie_on_blocks(qtbot: QtBot, document: Document) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    document.move({"relu1": (layout.PITCH_X + layout.BLOCK_WIDTH + 46, 0.0)})
    assert all(item.zValue() > wire.zValue() for item in view.canvas.blocks.values() for wire in view.canvas.wires.values())
    cards = [item.card for item in view.canvas.blocks.values()]
    for wire in view.canvas.wires.values():
        for at, text in wire._text.lines:
            spot = QPointF(at.x() + 3 * len(text), at.y() - 3)
            assert not any(card.contains(at) or card.contains(spot) for card in cards), (wire.wire, text)


@pytest.mark.parametrize(
    ("shape", "least", "lines", "letters"),
    [
        ("400", 7, ["400"], 9),  # as small as its neighbours
        ("28×28×6", 7, ["28×28×6"], 9),
        ("10×10×16", 7, ["10×10×16"], 9),
        ("10×10×16", 10, ["10×10", "×16"], 10),  # nine pixels would be too small to read
        ("28×28×6", 13, ["28×28", "×6"], 13),
        ("28×28×6", 17, [], 17),
        ("400", 17, [], 17),
    ],
)
def test_a_shape_stands_above_its_arrow_in_one_line_if_it_can_be_read_so(
    qapp: QApplication, shape: str, least: int, lines: list[str], letters: int
) -> None:
    start, end = QPointF(0, 50), QPointF(layout.GAP_X, 50)
    label = place_label(shape, [start, end], least=least)
    assert [line for _, line in label.lines] == lines and label.letters == letters
    ink = [QFontMetricsF(pixel_font(letters)).tightBoundingRect(line).translated(at) for at, line in label.lines]
    assert all(start.x() < box.left() and box.right() < end.x() and box.bottom() < start.y() - 4 for box in ink)
    assert all(above.bottom() < below.top() for above, below in pairwise(ink))


def test_small_blocks_leave_out_what_could_not_be_read_and_their_arrows_have_larger_letters(
    qtbot: QtBot, document: Document
) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    wire = view.canvas.wires["conv1", "relu1"]

    def letters_at(scale: float) -> int:
        view.zoom(scale / view.scale_factor)
        view.viewport().grab()
        return wire._text.letters

    assert (letters_at(1.0), letters_at(0.7)) == (9, 13)


def test_small_letters_are_left_out_where_they_could_not_be_read(qapp: QApplication) -> None:
    whole = Face("conv", "Conv 1", parameters="156 params", main="6 @ 5×5", shape="28×28×6", detail="pad 2")
    bare = Face("conv", "Conv 1", main="6 @ 5×5")

    def painted(face: Face, scale: float) -> QImage:
        image = QImage(round(layout.BLOCK_WIDTH), round(layout.BLOCK_HEIGHT), QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        painter.scale(scale, scale)
        paint_face(painter, face, current_theme())
        painter.end()
        return image

    assert painted(whole, 0.8) == painted(bare, 0.8)
    assert painted(whole, 0.9) != painted(bare, 0.9)


@pytest.mark.parametrize(("scale", "same"), [(0.8, True), (0.9, False)])
def test_a_finer_screen_makes_no_letters_larger_to_the_eye(
    qtbot: QtBot, document: Document, scale: float, same: bool
) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    item = view.canvas.blocks["conv1"]
    whole = item._rendered(scale, 2.0).toImage()
    item.face = replace(item.face, parameters="", shape="", detail="")
    assert (item._rendered(scale, 2.0).toImage() == whole) is same


def test_ports_lie_over_the_frame_of_a_selected_block(qtbot: QtBot, document: Document) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    view.reset_zoom()
    view.canvas.select(["conv1"])
    item = view.canvas.blocks["conv1"]
    view.centerOn(item)
    at = view.mapFromScene(item.out_port)
    assert view.viewport().grab().toImage().pixelColor(at) == current_theme().color("surface")


def test_a_wire_between_two_rows_is_interrupted_by_its_label(qtbot: QtBot, document: Document) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    back = [wire for wire in view.canvas.wires.values() if len(wire.points) == 6]
    assert back
    for wire in back:
        [(at, text)] = wire._text.lines
        ink = QFontMetricsF(pixel_font(wire._text.letters)).tightBoundingRect(text).translated(at)
        assert abs(ink.center().y() - wire.points[2].y()) <= 1
        first, second = wire.shape().toSubpathPolygons()
        assert first[-1].x() > ink.right() + 2 and second[0].x() < ink.left() - 2
        assert wire.shape().boundingRect() == rounded(wire.points).boundingRect()


def test_a_line_of_options_keeps_away_from_the_picture_below(qapp: QApplication) -> None:
    image = QImage(round(layout.BLOCK_WIDTH), round(layout.BLOCK_HEIGHT), QImage.Format.Format_RGB32)
    paint = QPainter(image)
    paint_face(paint, Face("conv", "Conv 1", main="6 @ 5×5", shape="28×28×6", detail="pad 2, dilation 2"), current_theme())
    paint.end()
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    above = pixels[round(THUMBNAIL.top()) - 4 : round(THUMBNAIL.top()), 12:-12]
    assert (above == pixels[-8, 20]).all()


def test_hovering_a_block_paints_its_receptive_field_on_the_input(qtbot: QtBot, document: Document) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    centre = view.canvas.blocks["conv1"].card.center()
    view.canvas.hover(view.canvas.hit(centre))
    field = view.canvas.blocks["input"].field
    assert field is not None and round(field.width() * 28) == round(field.height() * 28) == 5
    view.canvas.hover(view.canvas.hit(QPointF(-500, -500)))
    assert view.canvas.blocks["input"].field is None


def test_pictures_for_blocks_that_are_gone_are_ignored(qtbot: QtBot, document: Document) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    view.canvas.set_thumbnails({"nobody": QImage(4, 4, QImage.Format.Format_RGB32)})
    view.canvas.clear_thumbnails()


# --- export ---


@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_the_drawing_is_exported(qtbot: QtBot, document: Document, tmp_path: Path, suffix: str, begins: bytes) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    view.canvas.select(["conv1"])
    path = tmp_path / f"net.{suffix}"
    export_drawing(view.canvas, path)
    data = path.read_bytes()
    assert data.startswith(begins) and len(data) > 5000
    assert view.canvas.selected == ("conv1",) and not view.canvas.exporting
    if suffix == "svg":
        assert b"Conv 1" in data and b"<text" in data
        assert b'sans-serif"' in data and data.count(b"font-family") == data.count(b"serif") + data.count(b"monospace")


def test_in_an_svg_file_only_the_head_of_a_block_has_the_colour_of_its_kind(
    qtbot: QtBot, document: Document, tmp_path: Path
) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    export_drawing(view.canvas, tmp_path / "net.svg")
    area = view.canvas.content_rect().adjusted(-16, -16, 16, 16)
    picture = QImage(area.size().toSize(), QImage.Format.Format_RGB32)
    painter = QPainter(picture)
    QSvgRenderer(str(tmp_path / "net.svg")).render(painter)
    painter.end()
    card = view.canvas.blocks["conv1"].card.translated(-area.topLeft())
    color, surface = QColor(layer_color("conv")), current_theme().color("surface")
    assert picture.pixelColor((card.topRight() + QPointF(-4, HEADER - 3)).toPoint()) == color
    assert picture.pixelColor((card.bottomRight() + QPointF(-4, -8)).toPoint()) == surface


@pytest.mark.parametrize("name", ["net.gif", "no folder/net.png"])
def test_an_export_that_is_impossible_says_why(qtbot: QtBot, document: Document, tmp_path: Path, name: str) -> None:
    view = CanvasView(document)
    shown(qtbot, view)
    with pytest.raises(StorageError, match=r"not as '.gif'|cannot be written"):
        export_drawing(view.canvas, tmp_path / name)
