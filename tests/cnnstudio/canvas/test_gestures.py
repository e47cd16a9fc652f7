"""Gestures with real mouse events: drag, insert, snap, wire, rubber band, take out, Esc, and undo of all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QClipboard, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cnnstudio.canvas.face import fix_rects
from cnnstudio.canvas.name_editor import NameEditor
from cnnstudio.canvas.search_menu import SearchMenu
from cnnstudio.canvas.view import CanvasView
from cnnstudio.document import layout
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from engine.layer import LAYERS
from engine.spec import NetworkSpec
from tests.cnnstudio.canvas.mouse import (
    ALT,
    CONTROL,
    MIDDLE,
    SHIFT,
    PaletteDrag,
    click,
    double_click,
    drag,
    move,
    press,
    release,
)

CHAIN = "input conv relu max_pool flatten dense softmax"


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[CanvasView]:
    view = canvas(qtbot, CHAIN)
    yield view
    for popup in view.findChildren(SearchMenu):
        popup.close()


def canvas(qtbot: QtBot, kinds: str) -> CanvasView:
    graph = Graph.of(NetworkSpec.of(LAYERS[kind]() for kind in kinds.split()))
    document = Document(graph.moved(layout.tidy(graph)))
    view = CanvasView(document)
    document.setParent(view)
    qtbot.addWidget(view)
    view.resize(1200, 700)
    view.show()
    view.fit()
    return view


def body(view: CanvasView, block: str) -> QPoint:
    """A point of the block's body, away from ports and buttons."""
    return view.mapFromScene(view.canvas.blocks[block].card.topLeft() + QPointF(72, 38))


def out_port(view: CanvasView, block: str) -> QPoint:
    return view.mapFromScene(view.canvas.blocks[block].out_port)


def in_port(view: CanvasView, block: str) -> QPoint:
    return view.mapFromScene(view.canvas.blocks[block].in_port)


def middle_of_wire(view: CanvasView, first: str, second: str) -> QPoint:
    points = view.canvas.wires[first, second].points
    return view.mapFromScene((points[len(points) // 2 - 1] + points[len(points) // 2]) / 2)


def chain(view: CanvasView) -> list[str]:
    return [block.id for block in view.document.graph.main]


def empty_spot(view: CanvasView) -> QPoint:
    return QPoint(view.viewport().width() - 80, view.viewport().height() - 40)


def place_of(view: CanvasView, block: str) -> tuple[float, float]:
    pos = view.canvas.blocks[block].pos()
    return pos.x(), pos.y()


# --- from the palette ---


def test_a_block_dropped_on_a_wire_is_inserted(view: CanvasView) -> None:
    PaletteDrag(view, "batch_norm").drop(middle_of_wire(view, "conv1", "relu1"))
    assert chain(view)[:4] == ["input", "conv1", "batch_norm1", "relu1"]
    assert view.document.undo_stack.undoText() == "Insert Batch norm"
    assert view.canvas.selected == ("batch_norm1",)


def test_a_block_dropped_on_a_wire_that_goes_back_to_the_next_row_is_inserted(view: CanvasView) -> None:
    first, second = view.document.graph.main[4].id, view.document.graph.main[5].id
    PaletteDrag(view, "dropout").drop(middle_of_wire(view, first, second))
    assert chain(view)[5] == "dropout1"


def test_the_preview_shows_where_the_block_will_stand(view: CanvasView) -> None:
    dragged = PaletteDrag(view, "batch_norm")
    at = middle_of_wire(view, "conv1", "relu1")
    before = place_of(view, "relu1")
    assert dragged.over(at)
    shown = {block: place_of(view, block) for block in chain(view)}
    ghost = next(iter(view.canvas.preview.ghosts.values())).pos()
    assert shown["relu1"] != before and not view.document.undo_stack.canUndo()
    dragged.drop(at)
    assert {b.id: b.position for b in view.document.graph if b.id in shown} == shown
    assert view.document.graph["batch_norm1"].position == (ghost.x(), ghost.y())


def test_a_drag_that_leaves_puts_everything_back(view: CanvasView) -> None:
    before = {block: place_of(view, block) for block in chain(view)}
    dragged = PaletteDrag(view, "batch_norm")
    dragged.over(middle_of_wire(view, "conv1", "relu1"))
    dragged.leave()
    assert {block: place_of(view, block) for block in chain(view)} == before
    assert not view.canvas.preview.ghosts and all(wire.isVisible() for wire in view.canvas.wires.values())


def test_a_block_dropped_near_the_end_snaps_on(view: CanvasView) -> None:
    x, y = layout.place_behind(view.document.graph.main, view.document.graph.columns)
    PaletteDrag(view, "dropout").drop(view.mapFromScene(QPointF(x + 90, y + 100)))
    assert chain(view)[-1] == "dropout1"


def test_a_block_dropped_on_the_arrow_behind_the_last_block_is_appended(view: CanvasView) -> None:
    last = view.document.graph.main[-1].id
    PaletteDrag(view, "dropout").drop(out_port(view, last) + QPoint(16, 0))
    assert chain(view)[-2:] == [last, "dropout1"]


def test_a_block_dropped_on_empty_canvas_is_loose_and_says_what_it_misses(view: CanvasView) -> None:
    PaletteDrag(view, "dropout").drop(empty_spot(view))
    face = view.canvas.blocks["dropout1"].face
    assert "dropout1" not in chain(view)
    assert face.pale and face.problem.startswith("Not connected") and face.fixes == ("Put it at the end",)


def test_an_input_block_dropped_near_a_loose_chain_begins_it(qtbot: QtBot) -> None:
    view = canvas(qtbot, "conv relu")
    x, y = view.document.graph["conv1"].position
    PaletteDrag(view, "input").drop(view.mapFromScene(QPointF(x - 80, y + 70)))
    assert chain(view) == ["input", "conv1", "relu1"]


def test_an_input_block_never_lands_inside_a_chain(view: CanvasView) -> None:
    PaletteDrag(view, "input").drop(middle_of_wire(view, "conv1", "relu1"))
    assert "input1" not in chain(view) and len(view.document.graph) == 8


def test_something_else_than_a_block_is_not_accepted(view: CanvasView) -> None:
    dragged = PaletteDrag(view, "no such kind")
    assert not dragged.over(empty_spot(view))
    dragged.drop(empty_spot(view))
    assert not view.document.undo_stack.canUndo()


# --- moving ---


def test_a_drag_moves_a_block_in_one_step_with_its_wires(view: CanvasView) -> None:
    start = body(view, "relu1")
    drag(view, start, start + QPoint(30, 120))
    wire = view.canvas.wires["conv1", "relu1"]
    assert view.document.undo_stack.count() == 1
    assert view.document.graph["relu1"].position == place_of(view, "relu1")
    assert wire.points[-1] == view.canvas.blocks["relu1"].in_port
    view.document.undo_stack.undo()
    assert view.document.graph["relu1"].position == place_of(view, "relu1") == (2 * layout.PITCH_X, 0)


def test_a_click_moves_nothing(view: CanvasView) -> None:
    click(view, body(view, "relu1"))
    assert view.canvas.selected == ("relu1",) and not view.document.undo_stack.canUndo()


def test_a_pressed_block_that_is_gone_before_the_pointer_moves_is_not_dragged(view: CanvasView) -> None:
    at = body(view, "relu1")
    press(view, at)
    view.document.remove(("relu1",))
    move(view, at, at + QPoint(0, 120))
    release(view, at + QPoint(0, 120))
    assert "relu1" not in view.canvas.blocks and view.gesture is None and view.document.undo_stack.count() == 1


def test_several_selected_blocks_move_together(view: CanvasView) -> None:
    click(view, body(view, "conv1"))
    click(view, body(view, "relu1"), keys=SHIFT)
    start = body(view, "conv1")
    drag(view, start, start + QPoint(0, 300))
    moved = [b.id for b in view.document.graph if b.position[1] not in (0, layout.PITCH_Y)]
    assert moved == ["conv1", "relu1"] and view.document.undo_stack.count() == 1


def test_esc_during_a_drag_puts_the_block_back(view: CanvasView) -> None:
    start, before = body(view, "relu1"), place_of(view, "relu1")
    press(view, start)
    move(view, start, start + QPoint(100, 200))
    assert place_of(view, "relu1") != before
    QTest.keyClick(view, Qt.Key.Key_Escape)
    release(view, start + QPoint(100, 200))
    assert place_of(view, "relu1") == before and not view.document.undo_stack.canUndo()


@pytest.mark.parametrize("key", [ALT, CONTROL])
@pytest.mark.parametrize("selected", [[], ["relu1"], ["conv1"]])
def test_alt_or_ctrl_drag_takes_a_block_out_and_closes_the_gap(
    view: CanvasView, key: Qt.KeyboardModifier, selected: list[str]
) -> None:
    view.canvas.select(selected)
    start = body(view, "relu1")
    drag(view, start, empty_spot(view), keys=key)
    assert chain(view)[:3] == ["input", "conv1", "max_pool1"]
    assert "relu1" in view.document.graph and view.document.undo_stack.count() == 1


def test_alt_drag_onto_another_wire_moves_the_block_there(view: CanvasView) -> None:
    drag(view, body(view, "relu1"), middle_of_wire(view, "input", "conv1"), keys=ALT)
    assert chain(view)[:4] == ["input", "relu1", "conv1", "max_pool1"]
    assert view.document.undo_stack.count() == 1


def test_esc_during_alt_drag_leaves_the_chain_whole(view: CanvasView) -> None:
    before, start = view.document.graph, body(view, "relu1")
    press(view, start, keys=ALT)
    move(view, start, empty_spot(view), keys=ALT)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    release(view, empty_spot(view))
    assert view.document.graph is before
    assert {b.id: b.position for b in before} == {i: place_of(view, i) for i in before.ids}


def test_a_loose_block_dragged_onto_a_wire_is_inserted(view: CanvasView) -> None:
    PaletteDrag(view, "dropout").drop(empty_spot(view))
    drag(view, body(view, "dropout1"), middle_of_wire(view, "flatten1", "dense1"))
    assert chain(view)[4:7] == ["flatten1", "dropout1", "dense1"]


# --- wires ---


def test_a_wire_drawn_from_port_to_port_joins_chains(view: CanvasView) -> None:
    PaletteDrag(view, "dropout").drop(empty_spot(view))
    drag(view, out_port(view, "softmax1"), in_port(view, "dropout1"))
    assert chain(view)[-2:] == ["softmax1", "dropout1"]
    assert view.document.undo_stack.undoText() == "Connect Softmax to Dropout"


def test_a_wire_drawn_backwards_from_an_input_port_joins_too(view: CanvasView) -> None:
    PaletteDrag(view, "dropout").drop(empty_spot(view))
    drag(view, in_port(view, "dropout1"), out_port(view, "softmax1"))
    assert chain(view)[-2:] == ["softmax1", "dropout1"]


def test_a_wire_that_would_close_a_circle_is_refused_with_a_sentence(view: CanvasView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.message) as message:
        drag(view, out_port(view, "max_pool1"), in_port(view, "conv1"))
    assert "circle" in message.args[0] and not view.document.undo_stack.canUndo()


def test_a_wire_dropped_on_empty_canvas_asks_what_to_put_there(view: CanvasView) -> None:
    drag(view, out_port(view, "softmax1"), empty_spot(view))
    menu = view.findChild(SearchMenu)
    assert menu is not None
    QTest.keyClicks(menu.field, "drop")
    QTest.keyClick(menu.field, Qt.Key.Key_Return)
    assert chain(view)[-1] == "dropout1"


def test_esc_takes_a_loose_wire_away(view: CanvasView) -> None:
    items = len(view.canvas.items())
    press(view, out_port(view, "softmax1"))
    move(view, out_port(view, "softmax1"), empty_spot(view))
    assert len(view.canvas.items()) == items + 1
    QTest.keyClick(view, Qt.Key.Key_Escape)
    release(view, empty_spot(view))
    assert len(view.canvas.items()) == items and view.findChild(SearchMenu) is None


def test_a_selected_wire_is_cut_by_delete(view: CanvasView) -> None:
    click(view, middle_of_wire(view, "relu1", "max_pool1"))
    assert view.canvas.selected_wire == ("relu1", "max_pool1")
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert chain(view) == ["input", "conv1", "relu1"]
    assert ("relu1", "max_pool1") not in view.canvas.wires


# --- selecting and deleting ---


def test_a_rubber_band_selects_what_it_touches(view: CanvasView) -> None:
    corner = view.mapFromScene(view.canvas.blocks["conv1"].card.topLeft()) - QPoint(12, 12)
    end = body(view, "relu1")
    drag(view, corner, end)
    assert set(view.canvas.selected) == {"conv1", "relu1"}
    start = view.mapFromScene(view.canvas.blocks["dense1"].card.bottomLeft()) + QPoint(-10, 20)
    drag(view, start, body(view, "dense1"), keys=SHIFT)
    assert set(view.canvas.selected) == {"conv1", "relu1", "dense1"}


def test_a_click_on_empty_canvas_selects_nothing(view: CanvasView) -> None:
    click(view, body(view, "relu1"))
    click(view, empty_spot(view))
    assert view.canvas.selected == ()


def test_shift_click_takes_a_block_out_of_the_selection(view: CanvasView) -> None:
    click(view, body(view, "relu1"))
    click(view, body(view, "conv1"), keys=SHIFT)
    click(view, body(view, "relu1"), keys=SHIFT)
    assert view.canvas.selected == ("conv1",)


def test_delete_removes_and_closes_the_chain(view: CanvasView) -> None:
    click(view, body(view, "relu1"))
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert chain(view)[:3] == ["input", "conv1", "max_pool1"]
    assert ("conv1", "max_pool1") in view.canvas.wires and "relu1" not in view.canvas.blocks
    assert view.canvas.selected == ("conv1",)


def test_a_click_on_a_fix_mends_the_error(view: CanvasView) -> None:
    view.document.remove(["flatten1"])
    item = view.canvas.blocks["dense1"]
    assert item.face.is_error and item.face.fixes == ("Insert Flatten",)
    click(view, view.mapFromScene(item.pos() + fix_rects(item.face)[0].center()))
    assert view.document.derived.blocking is None and not item.face.is_error


def test_a_fix_is_not_applied_when_the_pointer_leaves_its_button(view: CanvasView) -> None:
    view.document.remove(["flatten1"])
    item = view.canvas.blocks["dense1"]
    at = view.mapFromScene(item.pos() + fix_rects(item.face)[0].center())
    drag(view, at, empty_spot(view))
    assert "dense1" in view.document.derived.errors


# --- keys ---


def test_arrows_walk_along_the_chain_and_tab_through_all(view: CanvasView) -> None:
    view.setFocus()
    for key, block in ((Qt.Key.Key_Right, "input"), (Qt.Key.Key_Right, "conv1"), (Qt.Key.Key_Down, "relu1"),
                       (Qt.Key.Key_Left, "conv1"), (Qt.Key.Key_Tab, "relu1"), (Qt.Key.Key_Backtab, "conv1")):  # fmt: skip
        QTest.keyClick(view, key)
        assert view.canvas.selected == (block,)


def test_typing_opens_the_search_menu_with_legal_blocks_first(view: CanvasView) -> None:
    click(view, body(view, "conv1"))
    QTest.keyClick(view, Qt.Key.Key_R)
    menu = view.findChild(SearchMenu)
    assert menu is not None and menu.field.text() == "r"
    menu.field.clear()
    kinds = menu.kinds()
    assert set(kinds) == set(LAYERS)
    assert kinds.index("relu") < kinds.index("dense") < len(kinds) and kinds.index("relu") < kinds.index("input")
    QTest.keyClicks(menu.field, "tanh")
    QTest.keyClick(menu.field, Qt.Key.Key_Return)
    assert chain(view)[1:4] == ["conv1", "tanh1", "relu1"]


def test_space_opens_the_search_menu_when_it_is_let_go_without_panning(view: CanvasView) -> None:
    QTest.keyPress(view, Qt.Key.Key_Space)
    assert view.findChild(SearchMenu) is None
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.findChild(SearchMenu) is not None


def test_space_and_drag_pans(view: CanvasView) -> None:
    before = view.mapFromScene(QPointF(0, 0))
    QTest.keyPress(view, Qt.Key.Key_Space)
    drag(view, empty_spot(view), empty_spot(view) - QPoint(60, 50))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.mapFromScene(QPointF(0, 0)) == before - QPoint(60, 50)
    assert view.findChild(SearchMenu) is None


def test_the_middle_button_pans(view: CanvasView) -> None:
    before = view.mapFromScene(QPointF(0, 0))
    drag(view, body(view, "relu1"), body(view, "relu1") + QPoint(40, 30), button=MIDDLE)
    assert view.mapFromScene(QPointF(0, 0)) == before + QPoint(40, 30)
    assert not view.document.undo_stack.canUndo()


def test_zoom_keeps_the_place_under_the_pointer(view: CanvasView) -> None:
    at = QPointF(body(view, "relu1"))
    before = view.mapToScene(at.toPoint())
    view.zoom(1.7, at)
    after = view.mapToScene(at.toPoint())
    assert abs(before.x() - after.x()) < 1.5 and abs(before.y() - after.y()) < 1.5
    view.fit()
    assert view.viewport().rect().contains(view.mapFromScene(view.canvas.content_rect()).boundingRect())


def test_another_network_is_shown_as_a_whole_wherever_the_view_was(view: CanvasView) -> None:
    view.pan_by(QPointF(5000, 5000))
    view.document.replace_network(NetworkSpec.of([LAYERS["input"](), LAYERS["dense"]()]), "another")
    assert view.viewport().rect().contains(view.mapFromScene(view.canvas.content_rect()).boundingRect())


def test_copy_and_paste_between_two_windows(view: CanvasView, qtbot: QtBot) -> None:
    other = canvas(qtbot, "input dense")
    view.canvas.select(["conv1", "relu1"])
    view.editor.copy()
    other.editor.paste()
    assert [[b.node.layer.kind for b in chain] for chain in other.document.graph.loose] == [["conv", "relu"]]
    assert set(other.canvas.selected) == {"conv1", "relu1"}
    QApplication.clipboard().setText("nonsense")
    with qtbot.waitSignal(other.message):
        other.editor.paste()


def test_pasting_from_an_empty_clipboard_says_so(
    view: CanvasView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QClipboard, "mimeData", lambda _clipboard: None)
    with qtbot.waitSignal(view.message):
        view.editor.paste()


def test_a_name_is_edited_in_place(view: CanvasView) -> None:
    card = view.canvas.blocks["conv1"].card
    double_click(view, view.mapFromScene(card.topLeft() + QPointF(40, 12)))
    field = view.findChild(NameEditor)
    assert field is not None
    field.setText("edges")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert view.document.name_of("conv1") == "edges" and view.canvas.blocks["conv1"].face.title == "edges"


def test_a_double_click_on_a_picture_tells_the_pixel(view: CanvasView, qtbot: QtBot) -> None:
    image = QImage(60, 30, QImage.Format.Format_RGB32)
    view.canvas.set_thumbnails({"conv1": image})
    item = view.canvas.blocks["conv1"]
    corner = item.pos() + item.picture_rect().topLeft()
    with qtbot.waitSignal(view.cell_activated) as told:
        double_click(view, view.mapFromScene(corner + QPointF(item.picture_rect().width() / 2, 3)))
    assert told.args[0] == "conv1" and abs(told.args[1].x() - 30) < 1.5


def test_a_gallery_of_edits_is_undone_and_redone_to_the_same_picture(view: CanvasView) -> None:
    PaletteDrag(view, "batch_norm").drop(middle_of_wire(view, "conv1", "relu1"))
    PaletteDrag(view, "dropout").drop(empty_spot(view))
    drag(view, body(view, "relu1"), empty_spot(view) - QPoint(300, 0), keys=ALT)
    drag(view, body(view, "conv1"), body(view, "conv1") + QPoint(16, 200))
    view.canvas.select(["flatten1"])
    view.editor.delete()
    view.document.set_option("conv1", "depth", 3)
    view.tidy()
    last = view.document.graph
    stack = view.document.undo_stack
    while stack.canUndo():
        stack.undo()
    assert chain(view) == ["input", "conv1", "relu1", "max_pool1", "flatten1", "dense1", "softmax1"]
    while stack.canRedo():
        stack.redo()
    assert view.document.graph == last
    assert set(view.canvas.blocks) == set(last.ids)
    assert {w for w in view.canvas.wires if w[1]} == set(last.wires)
    assert {b.id: b.position for b in last} == {i: place_of(view, i) for i in last.ids}
