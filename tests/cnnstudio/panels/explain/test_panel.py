"""The Explain panel in the window: what it shows are the engine's numbers, and every number leads on."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.explain.body import Body
from cnnstudio.panels.explain.layer_zoom import HEIGHT
from cnnstudio.panels.explain.panel import ExplainPanel
from cnnstudio.panels.explain.term_tree import TermTree
from cnnstudio.selection import CellRef
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.theme import apply_theme
from cnnstudio.widgets.cell import Cell
from engine import term as terms
from engine.explain import explain


@pytest.fixture
def panel(qtbot: QtBot, window: MainWindow) -> ExplainPanel:
    """The panel, in front, with gradients at hand."""
    show(qtbot, window, "conv1.y", (0, 0, 0))
    qtbot.waitUntil(lambda: subject(window.explain).snapshot.loss is not None)
    return window.explain


def show(qtbot: QtBot, window: MainWindow, array: str, index: tuple[int, ...], probe: str = "sample") -> None:
    """Choose a cell and wait for its explanation."""
    window.studio.selection.select_cell(CellRef(array, index, window.studio.controller.state.step, probe))
    wanted = terms.CellRef(array, index)
    qtbot.waitUntil(lambda: window.explain.subject is not None and window.explain.subject.ref == wanted
                    and window.explain.subject.snapshot.probe == probe)  # fmt: skip


def subject(panel: ExplainPanel) -> Any:
    """What is explained."""
    assert panel.subject is not None
    return panel.subject


def train(qtbot: QtBot, window: MainWindow, steps: int) -> None:
    """Train some batches, then rest."""
    for _ in range(steps):
        step = window.studio.controller.state.step
        qtbot.waitUntil(lambda: window.actions_.batch.isEnabled())
        window.actions_.batch.trigger()
        qtbot.waitUntil(lambda step=step: window.studio.controller.state.step == step + 1)  # type: ignore[misc]


def test_double_click_on_a_feature_map_explains_that_cell(qtbot: QtBot, window: MainWindow) -> None:
    window.view.show_block("conv2")
    view = window.feature_maps.view
    qtbot.waitUntil(lambda: view.maps is not None and window.studio.controller.snapshot is not None)
    maps = view.maps
    assert maps is not None
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.cell_rect(3, 2, 5).center().toPoint())
    qtbot.waitUntil(lambda: window.explain.subject is not None)
    panel = window.explain
    assert panel.isVisible() and not panel.visibleRegion().isEmpty()
    assert panel.title_text == "Conv 2 · filter 3 · row 2 · column 5"
    assert panel.probe_text == "this sample, step 0"
    assert subject(panel).value == maps[3, 2, 5]
    assert float(panel.value_text.replace("−", "-")) == pytest.approx(float(maps[3, 2, 5]), rel=1e-4)


def test_matrices_multiply_and_add_up_to_the_cell(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "conv2.y", (3, 2, 5))
    snapshot, zoom = subject(panel).snapshot, panel.part_zoom
    total = snapshot["conv2.b"][3].astype(float)
    for channel in range(8):
        panel.show_part(channel)
        np.testing.assert_array_equal(zoom.kernel.values, snapshot["conv2.W"][3, channel])
        np.testing.assert_array_equal(zoom.window_.values, np.pad(snapshot["relu1.y"][channel], 1)[2:5, 5:8])
        np.testing.assert_allclose(zoom.products.values, zoom.kernel.values * zoom.window_.values)
        total += zoom.products.values.sum()
    assert total == pytest.approx(subject(panel).value, rel=1e-5)


def test_pointing_at_either_picture_moves_the_window_on_both(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "conv2.y", (3, 2, 5))
    source, result = panel.layer_zoom.views
    result.hovered.emit(Cell(0, 6, 1, 0.0))
    assert (source._highlights[0].rows, source._highlights[0].cols) == (range(5, 8), range(0, 3))
    assert (result._highlights[0].rows, result._highlights[0].cols) == (range(6, 7), range(1, 2))
    source.hovered.emit(Cell(0, 3, 4, 0.0))
    assert (result._highlights[0].rows, result._highlights[0].cols) == (range(3, 4), range(4, 5))
    assert (source._highlights[0].rows, source._highlights[0].cols) == (range(2, 5), range(3, 6))
    source.hovered.emit(None)
    assert result._highlights[0].rows == range(2, 3)


def test_a_click_on_the_window_leads_to_that_cell_and_back(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "conv2.y", (3, 2, 5))
    grid = panel.part_zoom.window_.grid
    QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.cell_rect(0, 1).center())
    assert subject(panel).ref == terms.CellRef("relu1.y", (0, 1, 5))
    panel.head.trail.back.emit()
    assert subject(panel).ref == terms.CellRef("conv2.y", (3, 2, 5))
    panel.head.trail.ahead.emit()
    assert subject(panel).ref == terms.CellRef("relu1.y", (0, 1, 5))


def first_ref(tree: TermTree) -> tuple[QPoint, terms.CellRef]:
    """The first number in the tree that can be clicked, unfolding what hides it."""
    row = 0
    index = tree.terms.index(row, 0)
    while True:
        found = tree.terms.row(index)
        assert found is not None
        box = tree.visualRect(index).adjusted(3, 0, -4, 0)
        for segment, place in tree._delegate.places(found, box):
            if segment.ref is not None and not segment.ref.array.startswith("target"):
                return place.center(), segment.ref
        if found.may_unfold:
            tree.expand(index)
            index = tree.terms.index(0, 0, index)
        else:
            row += 1
            index = tree.terms.index(row, 0)


def test_one_can_walk_from_the_loss_to_a_pixel(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "loss", ())
    visited = []
    while subject(panel).ref.array != "image":
        place, ref = first_ref(panel.tree)
        if ref.array.endswith((".W", ".b")):  # the weight stands before the number that it meets
            row = panel.tree.indexAt(place)
            found = panel.tree.terms.row(row)
            assert found is not None
            box = panel.tree.visualRect(row).adjusted(3, 0, -4, 0)
            place, ref = next((p.center(), s.ref) for s, p in panel.tree._delegate.places(found, box)
                              if s.ref is not None and s.ref.array.endswith(".y"))  # fmt: skip
        QTest.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert subject(panel).ref == ref
        visited.append(ref.array)
        assert len(visited) < 40
    assert visited[0].startswith("softmax") and visited[-2:] == ["input.y", "image"]
    assert {"conv1.y", "relu1.y", "max_pool1.y", "flatten1.y"} <= set(visited)


def test_every_array_of_the_sample_is_explained_with_its_number(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    snapshot, rng = subject(panel).snapshot, np.random.default_rng(1)
    for array in snapshot.arrays:
        index = tuple(int(i) for i in rng.integers(0, snapshot[array].shape))
        panel.go(terms.CellRef(array, index))
        shown = subject(panel)
        assert shown.ref == terms.CellRef(array, index)
        assert float(panel.value_text.replace("−", "-")) == pytest.approx(float(snapshot[array][index]), rel=1e-4)
        rows = panel.tree.terms.rowCount()
        expected = explain(snapshot, shown.ref).children
        assert rows == (len(expected) if len(expected) <= 26 else 13)


def test_sample_and_batch_are_named_and_never_mixed(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    train(qtbot, window, 2)
    show(qtbot, window, "conv1.y", (1, 3, 3))
    panel.head.probe.setCurrentIndex(1)
    qtbot.waitUntil(lambda: panel.subject is not None and panel.subject.snapshot.probe == "batch")
    assert panel.probe_text == "the last training batch, step 2, weights before the update"
    assert subject(panel).ref == terms.CellRef("conv1.y", (0, 1, 3, 3))
    batch = subject(panel).snapshot
    _, result = panel.layer_zoom.views
    np.testing.assert_array_equal(result.maps[0], batch["conv1.y"][0, 1])  # type: ignore[index]
    panel.head.image.setValue(4)
    assert subject(panel).ref == terms.CellRef("conv1.y", (4, 1, 3, 3))
    panel.head.probe.setCurrentIndex(0)
    assert panel.probe_text == "this sample, step 2"
    assert subject(panel).ref == terms.CellRef("conv1.y", (1, 3, 3))
    assert subject(panel).snapshot is window.studio.controller.snapshot


def test_forward_backward_and_update_of_a_weight(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    train(qtbot, window, 1)
    show(qtbot, window, "conv2.W", (3, 1, 0, 2))
    panel.head.ways.setCurrentIndex(1)
    assert subject(panel).ref == terms.CellRef("conv2.dW", (3, 1, 0, 2))
    panel.head.ways.setCurrentIndex(2)
    qtbot.waitUntil(lambda: panel.subject is not None and panel.subject.ref.array == "conv2.W_after")
    checkpoint = window.studio.controller.checkpoint_now(5)
    assert checkpoint is not None
    assert subject(panel).value == checkpoint.weights()["conv2.W"][3, 1, 0, 2]
    assert subject(panel).term.fold() == pytest.approx(subject(panel).value, rel=1e-5)


def test_a_batch_of_the_weights_before_is_never_shown_as_the_last_one(
        qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    train(qtbot, window, 1)
    show(qtbot, window, "conv1.W_after", (0, 0, 1, 1), "batch")
    before = subject(panel).value
    show(qtbot, window, "conv1.y", (0, 0, 0))
    window.studio.change(Change("seed", 77))
    window.studio.reset_weights()
    qtbot.waitUntil(lambda: window.studio.controller.state.step == 0)
    train(qtbot, window, 1)
    show(qtbot, window, "conv1.W_after", (0, 0, 1, 1), "batch")
    checkpoint = window.studio.controller.checkpoint_now(5)
    assert checkpoint is not None
    assert subject(panel).value == checkpoint.weights()["conv1.W"][0, 0, 1, 1] != before


def test_without_a_trained_batch_the_panel_says_so(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    window.studio.selection.select_cell(CellRef("conv1.W_after", (0, 0, 0, 0), 0, "batch"))
    qtbot.waitUntil(lambda: "No batch has been trained yet" in panel.hint_text)
    assert panel.subject is None


def test_without_a_cell_the_panel_invites_to_choose_one(window: MainWindow, panel: ExplainPanel) -> None:
    window.studio.selection.select_cell(None)
    assert panel.subject is None and panel.hint_text.startswith("Click any number") and not panel.head.isVisible()


def test_the_number_follows_training_and_names_its_step(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "conv1.y", (0, 4, 4))
    train(qtbot, window, 3)
    qtbot.waitUntil(lambda: panel.probe_text == "this sample, step 3")
    snapshot = window.studio.controller.snapshot
    assert snapshot is not None and subject(panel).value == snapshot["conv1.y"][0, 4, 4]
    assert window.studio.controller.state.phase != RunPhase.RUNNING


def test_a_gradient_is_checked_on_request(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "conv1.y", (0, 4, 4))
    assert panel.check.isHidden()
    show(qtbot, window, "dense1.dW", (2, 7))
    assert not panel.check.isHidden() and panel.check.answer.isHidden()
    panel.check.button.click()
    qtbot.waitUntil(lambda: not panel.check.answer.isHidden())
    assert "relative error" in panel.check.answer.text() or "kink" in panel.check.answer.text()


def test_formula_is_typeset_and_copied(qtbot: QtBot, window: MainWindow, panel: ExplainPanel, qapp: QApplication) -> None:
    show(qtbot, window, "conv2.y", (3, 2, 5))
    formula = panel.formula
    qtbot.waitUntil(lambda: formula.finished)
    assert r"\sum" in formula.lines[0] and "W_{f,c,u,v}" in formula.lines[0]
    assert len(formula.lines) >= 3
    formula.copy_latex()
    assert formula.lines[0] in QGuiApplication.clipboard().text()
    for look in ("light", "dark"):
        apply_theme(qapp, look)  # type: ignore[arg-type]
        qtbot.waitUntil(lambda: formula.finished)
        image = formula.picture()
        ground = image.pixelColor(0, 0)
        inks = {image.pixelColor(x, y).lightness() for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}
        assert max(abs(ink - ground.lightness()) for ink in inks) > 120
    apply_theme(qapp, "light")


def test_source_is_copied_whole(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "dense1.y", (2,))
    qtbot.waitUntil(lambda: panel.code.snippet is not None and "x @ W.T" in panel.code.snippet.text)
    panel.code.copy()
    copied = QGuiApplication.clipboard().text()
    names: dict[str, Any] = {}
    exec(copied.replace("print(", "shown = ("), names)
    assert names["shown"] == pytest.approx(subject(panel).value, rel=1e-4)


def test_a_class_of_the_prediction_is_explained(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.prediction.bars.top is not None)
    window.prediction.bars.class_clicked.emit(4)
    qtbot.waitUntil(lambda: window.explain.subject is not None)
    assert subject(window.explain).ref.index == (4,) and window.explain.title_text.endswith("class 4")


def test_what_no_longer_exists_is_said_and_not_shown(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "conv2.y", (3, 2, 5))
    window.studio.document.set_option("conv2", "depth", 2)
    qtbot.waitUntil(lambda: panel.subject is None and panel.hint_text == "Conv 2 has no cell [3, 2, 5] any more.")


def texts(panel: ExplainPanel, qtbot: QtBot) -> list[str]:
    """Everything that is written in the panel, every term unfolded two levels deep, the whole source."""
    qtbot.waitUntil(lambda: panel.code.isHidden() or panel.code.snippet is not None)
    model = panel.tree.terms
    rows = [model.index(row, 0) for row in range(model.rowCount())]
    rows += [model.index(row, 0, above) for above in rows for row in range(min(model.rowCount(above), 30))]
    found = [label.text() for label in panel.findChildren(QLabel)]
    found += [str(model.data(row, role)) for row in rows for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)]
    return [*found, *(panel.code.snippet.lines if panel.code.snippet is not None else ())]


def test_blocks_go_by_the_names_on_them(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    train(qtbot, window, 1)
    window.studio.document.rename("conv2", "Edges")
    ids = re.compile(r"\b(" + "|".join(p.id for p in window.studio.document.spec) + r")\.\w")
    for probe, arrays in (("sample", ("conv2.y", "relu2.y", "relu1.dy", "conv2.W", "conv2.dW", "dense1.y", "loss", "dense1.dy")),
                          ("batch", ("conv2.W_after", "gradient_norm", "conv2.db", "max_pool1.y"))):  # fmt: skip
        for array in arrays:
            show(qtbot, window, "loss", (), probe)
            show(qtbot, window, array, (0,) * subject(panel).snapshot[array].ndim, probe)
            written = texts(panel, qtbot)
            assert not [text for text in written if ids.search(text)]
            assert array[:5] != "conv2" or any("Edges" in text for text in written)
    window.actions_.walk.trigger()
    qtbot.waitUntil(lambda: window.walker.stop is not None)
    stage = next(k for k, s in enumerate(window.walker.walk.stages) if s.array == "conv2.y")  # type: ignore[union-attr]
    window.walk_bar.choose_grain("layer")
    window.walker.go(stage)
    assert window.walk_bar.text == "Forward → · Edges · Edges [0, 0, 0, 0]"


def test_a_delta_at_the_end_is_explained_in_one_step_and_in_two(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    steps = panel.findChild(Body).steps  # type: ignore[union-attr]
    show(qtbot, window, "softmax1.dy", (3,))
    assert steps.isHidden() and panel.formula.lines[-1] != "0 = "
    show(qtbot, window, f"{window.studio.document.spec.nodes[-2].id}.dy", (3,))
    assert not steps.isHidden()
    short = panel.formula.lines
    assert short[0] == r"\delta_k = y_k - t_k" and panel.tree.terms.rowCount() == 2
    steps.setCurrentIndex(1)
    assert panel.formula.lines[0].startswith(r"\frac{\partial E}{\partial x_k} = y_k\,(\delta_k - \sum")
    assert panel.layer_zoom.views[0].maps.size == subject(panel).snapshot["softmax1.dy"].size  # type: ignore[union-attr]
    text = "".join(str(panel.tree.terms.data(panel.tree.terms.index(row, 0))) for row in range(2))
    assert "Softmax" in text
    steps.setCurrentIndex(0)
    assert panel.formula.lines == short


def test_the_pictures_of_a_convolution_show_what_slides_over_what(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    snapshot, zoom = subject(panel).snapshot, panel.layer_zoom
    show(qtbot, window, "conv2.y", (3, 2, 5))
    panel.show_part(4)
    np.testing.assert_array_equal(zoom.kernel.maps[0], snapshot["conv2.W"][3, 4])  # type: ignore[index]
    show(qtbot, window, "relu1.dy", (1, 2, 5))
    panel.show_part(6)
    kernel = snapshot["conv2.W"][6, 1][::-1, ::-1]
    np.testing.assert_array_equal(zoom.kernel.maps[0], kernel)  # type: ignore[index]
    padded = np.pad(snapshot["conv2.dy"][6], 1)
    np.testing.assert_array_equal(zoom.views[0].maps[0], padded)  # type: ignore[index]
    at = panel.subject.parts[6].value  # type: ignore[union-attr]
    assert at == pytest.approx(float((padded[2:5, 5:8] * kernel).sum()), rel=1e-5)
    zoom.kernel.cell_clicked.emit(Cell(0, 0, 2, 0.0))
    assert subject(panel).ref == terms.CellRef("conv2.W", (6, 1, 2, 0))
    show(qtbot, window, "max_pool1.y", (0, 0, 0))
    assert zoom.kernel.isHidden()


def test_a_number_that_only_padding_feeds_says_so(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    window.studio.document.set_option("conv1", "padding", (6, 6, 6, 6))
    show(qtbot, window, "relu1.y", (0, 8, 8))
    assert "fed by the pixels of rows" in panel._body.layer._image_caption.text()
    show(qtbot, window, "relu1.y", (0, 0, 0))
    assert panel._body.layer._image_caption.text() == "fed by no pixel: the window lies in the padding"


def test_a_unit_shows_its_inputs_and_weights_beside_each_other(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    snapshot, zoom = subject(panel).snapshot, panel.part_zoom
    show(qtbot, window, "dense1.y", (3,))
    np.testing.assert_array_equal(zoom.window_.values.ravel(), snapshot["flatten1.y"])
    np.testing.assert_array_equal(zoom.kernel.values.ravel(), snapshot["dense1.W"][3])
    assert zoom.products.values.sum() + snapshot["dense1.b"][3] == pytest.approx(snapshot["dense1.y"][3], rel=1e-5)
    assert any(r"\cdot" in line for line in panel.formula.lines)


def test_no_line_of_a_title_or_caption_begins_with_a_number(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "conv2.y", (3, 2, 5))
    shown = panel.head.title.text(), panel.part_zoom.window_._caption.text()
    assert shown[0].replace("\N{NO-BREAK SPACE}", " ").replace("\n", " · ") == panel.title_text
    for text in shown:
        assert re.search(r"\d", text) and not re.search(r" \d", text)


def test_narrow_pictures_leave_no_empty_room_above_their_scale_bar(qtbot: QtBot, window: MainWindow, panel: ExplainPanel) -> None:
    show(qtbot, window, "conv2.y", (3, 2, 5))
    zoom = panel.layer_zoom
    for width in (300, 700):
        zoom.resize(width, zoom.sizeHint().height())
        heights = [view.picture_size().height() for view in (*zoom.views, zoom.kernel)]
        assert max(heights) == zoom.views[0].maximumViewportSize().height() or zoom.views[0].height() == HEIGHT
    zoom.resize(300, zoom.sizeHint().height())
    assert zoom.views[0].height() < HEIGHT
