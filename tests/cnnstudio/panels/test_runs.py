"""The panel of training runs, and the curves that its boxes lay over each other."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from cnnstudio.mainwindow import MainWindow
from cnnstudio.panels.run_table import ACCURACY, NAME, OTHERWISE, STEPS
from cnnstudio.panels.runs import RunsPanel
from cnnstudio.session.messages import RunPhase
from cnnstudio.session.run_list import MOST_SHOWN
from cnnstudio.setting_change import Change
from tests.cnnstudio.driven import reset, train, two_runs

Role = Qt.ItemDataRole


@pytest.fixture
def two(qtbot: QtBot, window: MainWindow) -> MainWindow:
    """A window with two runs, the second one present."""
    window.docks.bring_up("runs")
    two_runs(qtbot, window.studio)
    return window


def text(panel: RunsPanel, row: int, column: int) -> object:
    return panel.model.index(row, column).data()


def tick(panel: RunsPanel, row: int, on: bool) -> bool:
    state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
    return panel.model.setData(panel.model.index(row, NAME), state, Role.CheckStateRole)


def test_without_runs_the_panel_says_what_to_do(window: MainWindow) -> None:
    window.docks.bring_up("runs")
    assert window.runs.table.isHidden() or not window.runs.table.isVisible()
    assert "Press Train" in window.runs._stack.currentWidget().text()  # type: ignore[attr-defined]


def test_the_table_says_what_each_run_did(two: MainWindow) -> None:
    panel, studio = two.runs, two.studio
    before = studio.runs[1].settings["learning_rate"]
    assert [text(panel, row, NAME) for row in range(2)] == ["Run 1", "Run 2"]
    assert text(panel, 1, OTHERWISE) == f"lr {before:g} → 0.05" and text(panel, 0, OTHERWISE) == ""
    assert text(panel, 0, STEPS) == "3 / 0" and text(panel, 0, ACCURACY) == "–"
    assert [run.name for run in panel.chosen] == ["Run 2"]


def test_the_best_accuracy_is_that_of_the_best_epoch(qtbot: QtBot, window: MainWindow) -> None:
    studio = window.studio
    studio.change(Change("epochs", 2))
    studio.controller.run()
    qtbot.waitUntil(lambda: studio.controller.state.phase == RunPhase.FINISHED, timeout=30_000)
    best = max(epoch.val_accuracy for epoch in studio.controller.history.epochs)
    assert text(window.runs, 0, ACCURACY) == f"{100 * best:.2f} %"


def test_epochs_that_follow_quickly_are_shown_together(qtbot: QtBot, two: MainWindow) -> None:
    panel, shown = two.runs, []
    panel.model.dataChanged.connect(lambda first, last: shown.append((first.row(), first.column(), last.column())))
    with qtbot.waitSignal(panel.model.dataChanged):
        for _ in range(5):
            two.studio.runs.grew.emit()
        assert not shown
    assert shown == [(1, ACCURACY, STEPS)]


def test_a_ticked_run_is_drawn_over_the_present_one(two: MainWindow) -> None:
    panel, plot, studio = two.runs, two.curves.plot, two.studio
    assert tick(panel, 0, True)
    _, losses = plot.points("1/train_loss")
    np.testing.assert_array_equal(losses, studio.runs[1].history.loss)
    np.testing.assert_array_equal(plot.points("train_loss")[1], studio.runs[2].history.loss)
    rows = list(csv.DictReader(io.StringIO(plot.values_csv())))
    assert [float(row["value"]) for row in rows if (row["run"], row["series"]) == ("Run 1", "train_loss")] == losses.tolist()
    panel.model.setData(panel.model.index(0, NAME), "slow")
    assert {row["run"] for row in csv.DictReader(io.StringIO(plot.values_csv()))} == {"slow", "Run 2"}
    assert tick(panel, 0, False)
    with pytest.raises(KeyError):
        plot.points("1/train_loss")


def test_a_run_that_is_left_while_others_are_compared_stays_on_display(qtbot: QtBot, two: MainWindow) -> None:
    tick(two.runs, 0, True)
    reset(qtbot, two.studio)
    assert set(two.studio.runs.colors) == {1, 2}
    train(qtbot, two.studio, 1)
    assert set(two.studio.runs.colors) == {1, 2, 3} and len(set(two.studio.runs.colors.values())) == 3
    assert len(two.curves.plot.points("2/train_loss")[0]) == 2


def test_no_more_runs_are_shown_than_can_be_told_apart(qtbot: QtBot, two: MainWindow) -> None:
    for _ in range(MOST_SHOWN - 1):
        reset(qtbot, two.studio)
        train(qtbot, two.studio, 1)
    said: list[str] = []
    two.runs.message.connect(said.append)
    done = [tick(two.runs, row, True) for row in range(MOST_SHOWN)]
    assert done == [True] * (MOST_SHOWN - 1) + [False] and "6 runs" in said[0]
    reset(qtbot, two.studio)
    train(qtbot, two.studio, 1)
    assert len(two.studio.runs.colors) == MOST_SHOWN == len(set(two.studio.runs.colors.values()))


def test_the_present_run_can_be_neither_unticked_nor_deleted(two: MainWindow) -> None:
    panel = two.runs
    assert not panel.model.flags(panel.model.index(1, NAME)) & Qt.ItemFlag.ItemIsUserCheckable
    assert not panel._delete.isEnabled() and "Reset the weights" in panel._delete.toolTip() and not panel._reopen.isEnabled()
    panel.choose(1)
    assert panel._delete.isEnabled() and panel._reopen.isEnabled()


def test_runs_are_renamed_noted_and_deleted_by_the_keyboard(qtbot: QtBot, two: MainWindow) -> None:
    panel, runs = two.runs, two.studio.runs
    two.activateWindow()
    qtbot.waitUntil(two.isActiveWindow)  # else the keyboard may come to it, and leave the editor, in the middle of typing
    panel.choose(1)
    panel._rename.trigger()
    editor = panel.table.findChild(QLineEdit)
    assert editor is not None
    qtbot.keyClicks(editor, "first")
    runs.changed.emit()  # as a setting does that is changed while training runs
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: runs[1].name == "first")
    panel._note.setFocus()
    qtbot.keyClicks(panel._note, "too slow")
    qtbot.keyClick(panel._note, Qt.Key.Key_Return)
    assert runs[1].note == "too slow"
    panel.choose(2)
    assert panel._note.text() == ""
    panel.choose(1)
    assert panel._note.text() == "too slow"
    panel._delete.trigger()
    assert [run.id for run in runs.all] == [2] and [run.id for run in panel.chosen] == [2]
    two.studio.document.undo_stack.undo()
    assert [text(panel, row, NAME) for row in range(2)] == ["first", "Run 2"]


def test_a_run_that_begins_or_goes_while_a_name_is_typed_loses_nothing(qtbot: QtBot, two: MainWindow) -> None:
    panel, studio = two.runs, two.studio
    two.activateWindow()
    qtbot.waitUntil(two.isActiveWindow)
    panel.choose(1)
    panel._rename.trigger()
    editor = panel.table.findChild(QLineEdit)
    assert editor is not None
    qtbot.keyClicks(editor, "first")
    reset(qtbot, studio)
    train(qtbot, studio, 1)
    assert [run.id for run in studio.runs.all] == [1, 2, 3] and [run.id for run in panel.chosen] == [3]
    assert [text(panel, row, NAME) for row in range(3)] == ["first", "Run 2", "Run 3"]
    panel._rename.trigger()
    studio.document.undo_stack.undo()
    assert len(panel.model.rows) == panel.model.rowCount() == len(studio.runs.all)


def test_reopening_says_that_undo_brings_back_the_rest(qtbot: QtBot, two: MainWindow) -> None:
    panel, studio = two.runs, two.studio
    panel.choose(1)
    panel._reopen.trigger()
    qtbot.waitUntil(lambda: studio.runs.present == 1)
    assert "Run 1 is the present run again" in two.statusBar().currentMessage()
    np.testing.assert_array_equal(two.curves.plot.points("train_loss")[1], studio.runs[1].history.loss)


def test_two_runs_side_by_side(qtbot: QtBot, two: MainWindow) -> None:
    panel = two.runs
    panel.choose(1, 2)
    panel._compare.trigger()
    dialog = panel.comparison
    assert dialog is not None

    def rows() -> list[tuple[str, ...]]:
        table = dialog.table
        return [tuple(table.item(row, column).text() for column in range(4)) for row in range(table.rowCount())]  # type: ignore[union-attr]

    before = two.studio.runs[1].settings["learning_rate"]
    assert ("≠", "Learning rate", f"{before:g}", "0.05") in rows() and not any(row[1] == "Batch size" for row in rows())
    dialog.only.setChecked(False)
    assert any(row[:2] == ("", "Batch size") for row in rows()) and any(row[1] == "Layers" for row in rows())
    dialog.close()


def test_comparing_one_run_takes_the_present_one(two: MainWindow) -> None:
    two.runs.choose(1)
    pair = two.runs._pair()
    assert pair is not None and [run.id for run in pair] == [1, 2]


def test_the_table_does_not_scroll_sideways_in_a_usual_panel(qtbot: QtBot, window: MainWindow) -> None:
    table = window.runs.table
    window.docks.bring_up("runs")
    window.docks["runs"].setFloating(True)
    window.docks["runs"].resize(560, 300)
    train(qtbot, window.studio, 1)
    qtbot.waitUntil(lambda: table.horizontalHeader().length() == table.viewport().width())


def test_the_column_of_changes_leaves_its_room_to_the_data_until_there_are_some(qtbot: QtBot, window: MainWindow) -> None:
    table = window.runs.table
    window.docks.bring_up("runs")
    train(qtbot, window.studio, 1)
    assert table.isColumnHidden(OTHERWISE)
    window.studio.change(Change("learning_rate", 0.0123))
    reset(qtbot, window.studio)
    train(qtbot, window.studio, 1)
    assert not table.isColumnHidden(OTHERWISE) and 100 < table.columnWidth(OTHERWISE) <= 190
