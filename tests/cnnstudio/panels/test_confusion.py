"""The confusion matrix counts the answers of an independent forward pass, and its cells show their images."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.session.messages import RunPhase
from cnnstudio.setting_change import Change
from cnnstudio.theme import current_theme
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.numbers import format_count, format_percent
from cnnstudio.widgets.scale_bar import ScaleBar
from tests.cnnstudio.panels.pixels import assert_shows, color_in, enlarge, network_of, pixels_of


def test_cells_count_the_answers_and_show_their_images(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.confusion
    enlarge(window, "confusion")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    network, data = network_of(studio), studio.data
    assert data is not None
    predicted = network.predict(data.validation.images).argmax(axis=1)
    expected = np.zeros((10, 10))
    for truth, answer in zip(data.validation.labels, predicted, strict=True):
        expected[truth, answer] += 1
    np.testing.assert_array_equal(panel.view.maps[0], expected)
    assert_shows(panel.view, expected[None], 0, float(expected.max()))
    row, column = (int(i) for i in np.unravel_index(expected.argmax(), expected.shape))
    panel.view.cell_clicked.emit(Cell(0, row, column, float(expected.max())))
    shown = np.flatnonzero((data.validation.labels == row) & (predicted == column))
    assert_shows(panel.images, data.validation.images[shown[:60], 0], *data.value_range)
    panel.images.cell_clicked.emit(Cell(1, 0, 0, 0.0))
    sample = studio.selection.sample
    assert sample is not None and (sample.source, sample.index) == ("validation", int(shown[1]))


def test_it_follows_the_weights_and_is_not_asked_for_while_hidden(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.confusion
    asked: list[str] = []
    evaluate = studio.controller.evaluate
    studio.controller.evaluate = lambda split="test": (asked.append(split), evaluate(split))  # type: ignore[method-assign, assignment]
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: studio.controller.state.step == 1)
    assert asked == []
    window.docks.bring_up("confusion")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    before = len(asked)
    window.actions_.batch.trigger()
    qtbot.waitUntil(lambda: len(asked) > before and not studio.controller._worker._questions)


def test_the_end_of_an_epoch_is_shown_without_asking_the_network_again(qtbot: QtBot, window: MainWindow) -> None:
    studio, panel = window.studio, window.confusion
    enlarge(window, "confusion")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    headings: list[str] = []
    panel.heading_changed.connect(lambda _, detail: headings.append(detail))
    studio.controller.evaluate = lambda split="test": None  # type: ignore[method-assign, assignment]
    studio.change(Change("epochs", 1))
    studio.controller.run()
    qtbot.waitUntil(lambda: studio.controller.state.phase == RunPhase.FINISHED and bool(headings), timeout=30_000)
    last = studio.controller.history.epochs[-1]
    assert headings[-1] == f"validation {format_percent(last.val_accuracy)} · step {format_count(last.step)}"


def test_a_single_mistake_is_seen_and_zeros_are_pale(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.confusion
    enlarge(window, "confusion")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    counts = np.diag(np.full(10, 100))
    counts[3, 5] = 1
    panel.view.set_maps(counts[None], kind="counts", low=0.0, high=100.0)
    assert_shows(panel.view, counts[None], 0, 100)
    pixels, scale = pixels_of(panel.view.viewport())
    seen = {place: color_in(pixels, panel.view.cell_rect(0, *place), scale).astype(int) for place in ((3, 5), (3, 6))}
    assert np.abs(seen[3, 5] - seen[3, 6]).sum() > 60

    def darkest(row: int, column: int) -> int:
        box = panel.view.cell_rect(0, row, column)
        left, top, right, bottom = (int(edge * scale) for edge in (box.left(), box.top(), box.right(), box.bottom()))
        return int(pixels[top + 3 : bottom - 3, left + 3 : right - 3].sum(axis=-1, dtype=int).min())

    assert darkest(3, 6) > 300 > 150 > darkest(3, 5)


def test_classes_are_named_beside_rows_and_columns_where_cells_are_large_enough(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.confusion
    for height, named in ((500, True), (220, False)):
        enlarge(window, "confusion", height=height)
        qtbot.waitUntil(lambda: panel.view.maps is not None)
        cell = panel.view.cell_rect(0, 0, 0)
        assert (cell.left() > 12 and cell.top() > 12) == named
        assert panel.view.maps is not None
        counts = panel.view.maps.astype(float)
        if named:
            assert_shows(panel.view, counts, 0, float(counts.max()))
            ground = QColor(current_theme().surface).getRgb()[:3]
            pixels, scale = pixels_of(panel.view.viewport())
            for row in range(10):
                box = panel.view.cell_rect(0, row, 0)
                beside = pixels[int(box.top() * scale) : int(box.bottom() * scale), : int((box.left() - 2) * scale)]
                assert (beside != ground).any()
                box = panel.view.cell_rect(0, 0, row)
                above = pixels[: int((box.top() - 2) * scale), int(box.left() * scale) : int(box.right() * scale)]
                assert (above != ground).any()


def test_counts_are_whole_numbers(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.confusion
    enlarge(window, "confusion")
    qtbot.waitUntil(lambda: panel.view.maps is not None)
    assert panel.view.maps is not None
    (bar,) = panel.view.findChildren(ScaleBar)
    assert bar.numbers_for(400) == ("0", str(panel.view.maps.max()))
    assert panel.view._readout(Cell(0, 1, 2, 7.0)) == "1 → 2: 7"
