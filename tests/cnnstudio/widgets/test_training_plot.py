"""Several runs over one axis: colours, legend, values under the crosshair, epochs of different length, export."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QToolButton, QWidget
from pytestqt.qtbot import QtBot

from cnnstudio.theme import current_theme
from cnnstudio.widgets.picture_menu import save_picture
from cnnstudio.widgets.training_plot import QUANTITIES, RunCurves, TrainingPlot


@pytest.fixture
def plot(qtbot: QtBot) -> TrainingPlot:
    """A plot whose own run has 40 steps of loss 1 and accuracy 0.25."""
    widget = TrainingPlot()
    qtbot.addWidget(widget)
    widget.resize(700, 320)
    widget.show()
    widget.set_epoch_length(20)
    steps = np.arange(1, 41)
    for series, value in {"train_loss": 1.0, "train_accuracy": 0.25, "learning_rate": 0.001}.items():
        widget.append(series, steps, np.full(40, value))
    return widget


def run(name: str = "Run 1", color: str = "run2", length: int = 30, loss: float = 3.0, detail: str = "lr 0.1",
        steps_per_epoch: float | None = 10) -> RunCurves:  # fmt: skip
    """A run whose values do not change."""
    steps = np.arange(1.0, length + 1)
    values = {"train_loss": loss, "val_loss": loss + 1, "train_accuracy": 0.5, "val_accuracy": 0.75, "learning_rate": 0.1}
    points = {series: (steps, np.full(length, values[series])) for series in QUANTITIES}
    return RunCurves(name, detail, color, points, steps_per_epoch)


OWN = RunCurves("Run 2", "lr 0.001", "run1")
INKED = 115
"""Distance from a colour within which a pixel is three quarters ink: as much as a line 1.5 pixels thick gives one of its rows."""


def legend(plot: TrainingPlot, text: str) -> QToolButton:
    """The button in the legend that begins with a text."""
    (button,) = [b for b in plot.findChildren(QToolButton) if b.text().startswith(text) and not b.isHidden()]
    return button


def line(plot: TrainingPlot, series: str) -> tuple[np.ndarray, np.ndarray]:
    """The points handed to the drawing surface."""
    plot._redraw()
    return plot.chart._lines[series].line.getData()


def test_the_numbers_of_an_axis_wear_the_colour_of_its_curves_where_these_have_one(plot: TrainingPlot) -> None:
    def inks() -> list[QColor]:
        return [plot.chart.axes[side].textPen().color() for side in ("left", "right", "rate", "bottom")]

    alone = [current_theme().color(token) for token in ("loss", "accuracy", "rate", "muted")]
    assert inks() == alone
    plot.show_runs(OWN, {"1": run()})
    assert inks() == [current_theme().color("muted")] * 4
    plot.show_runs(OWN, {})
    assert inks() == alone


def test_another_run_is_drawn_with_its_own_values_in_its_own_colour(plot: TrainingPlot) -> None:
    plot.show_runs(OWN, {"1": run()})
    assert line(plot, "1/train_loss")[1].tolist() == [3.0] * 30 and line(plot, "train_loss")[1].tolist() == [1.0] * 40
    assert line(plot, "1/val_accuracy")[1].tolist() == [75.0] * 30
    lines = plot.chart._lines
    for series in QUANTITIES:
        assert lines[f"1/{series}"].line.opts["pen"].color() == current_theme().color("run2")
        assert lines[series].line.opts["pen"].color() == current_theme().color("run1")
    assert lines["1/val_loss"].line.opts["pen"].style() != Qt.PenStyle.SolidLine
    assert legend(plot, "Run 1").text() == "Run 1 (lr 0.1)" and legend(plot, "Run 2").text() == "Run 2 (lr 0.001)"


def test_the_pixels_of_each_run_are_where_its_values_are(plot: TrainingPlot) -> None:
    plot.show_runs(OWN, {"1": run(loss=3.0)})
    plot._redraw()
    picture = plot.chart.grab().toImage()
    for token, value, at in (("run1", 1.0, 35.0), ("run2", 3.0, 20.0)):
        view = plot.chart._view
        point = plot.chart.mapFromScene(view.mapViewToScene(view_point(at, value)))
        colors = [picture.pixelColor(point.x(), point.y() + dy) for dy in (-1, 0, 1)]
        assert min(distance(color, current_theme().color(token)) for color in colors) < INKED, (token, [c.name() for c in colors])


def test_where_runs_agree_the_own_one_is_seen(plot: TrainingPlot) -> None:
    plot.show_runs(OWN, {"1": run(loss=1.0)})
    plot._redraw()
    picture = plot.chart.grab().toImage()
    point = plot.chart.mapFromScene(plot.chart._view.mapViewToScene(view_point(20.0, 1.0)))
    colors = [picture.pixelColor(point.x(), point.y() + dy) for dy in (-1, 0, 1)]
    far = {token: min(distance(color, current_theme().color(token)) for color in colors) for token in ("run1", "run2")}
    assert far["run1"] < INKED < far["run2"]


def view_point(x: float, y: float):
    from PySide6.QtCore import QPointF

    return QPointF(x, y)


def distance(one: QColor, two: QColor) -> int:
    """The sum of the differences of the channels."""
    return sum(abs(a - b) for a, b in zip(one.getRgb()[:3], two.getRgb()[:3], strict=True))


def test_losses_and_accuracies_lie_apart_only_while_there_are_several_runs(plot: TrainingPlot) -> None:
    def left_edges() -> tuple[float, float]:
        plot._redraw()
        plot.grab()
        return plot.chart._view.sceneBoundingRect().right(), plot.chart._right.sceneBoundingRect().left()

    losses, accuracies = left_edges()
    assert accuracies < losses
    plot.show_runs(OWN, {"1": run()})
    losses, accuracies = left_edges()
    assert accuracies > losses
    plot.show_runs(OWN, {})
    losses, accuracies = left_edges()
    assert accuracies < losses
    assert plot.chart._lines["train_loss"].line.opts["pen"].color() == current_theme().color("loss")


def test_the_crosshair_reads_every_run_and_nothing_where_one_has_ended(plot: TrainingPlot) -> None:
    plot.show_runs(OWN, {"1": run()})
    plot.chart.pointed.emit(25.2)
    head, own, other = plot.crosshair.text.splitlines()
    assert head == "step 25 · loss · val. loss · accuracy · val. accuracy"  # epochs differ: those of one run are not all's
    assert own.split("  ") == ["Run 2", "1.000", "–", "25.00 %", "–"]
    assert other.split("  ") == ["Run 1", "3.000", "4.000", "50.00 %", "75.00 %"]
    plot.chart.pointed.emit(39.0)
    assert plot.crosshair.text.splitlines()[2].split("  ") == ["Run 1", "–", "–", "–", "–"]


def test_the_values_of_many_runs_stand_above_a_low_chart_and_go_with_it(plot: TrainingPlot) -> None:
    window = QWidget()
    window.resize(700, 600)
    plot.setParent(window)
    plot.setGeometry(0, 400, 700, 200)
    window.show()
    plot.show()
    plot.show_runs(OWN, {str(k): run(f"Run {k}") for k in (1, 3, 4, 5, 6)})
    plot._redraw()
    plot.chart.pointed.emit(20.0)
    label, chart = plot.crosshair._label, plot.chart
    picture = chart.plot_rect.toRect().translated(chart.mapTo(window, QPoint(0, 0)))
    assert label.isVisible() and not label.geometry().intersects(picture) and window.rect().contains(label.geometry())
    plot.hide()
    assert not label.isVisible()
    plot.show()
    plot.setGeometry(0, 0, 700, 600)
    plot._redraw()
    plot.chart.pointed.emit(20.0)
    assert label.isVisible() and plot.rect().contains(label.geometry())
    label.setParent(plot)
    plot.setParent(None)  # it outlives the window


def test_counting_epochs_lays_runs_of_other_batch_sizes_over_each_other(plot: TrainingPlot) -> None:
    plot.show_runs(OWN, {"1": run(length=20, steps_per_epoch=10)})
    assert line(plot, "1/train_loss")[0][-1] == 20
    plot.options.set_in_epochs(True)
    assert line(plot, "1/train_loss")[0][-1] == 40  # two epochs, as the own run's 40 steps
    plot.chart.pointed.emit(20.0)
    assert plot.crosshair.text.startswith("epoch 1.00 · loss") and plot.crosshair.text.splitlines()[2].startswith("Run 1  3.000")


def test_the_legend_hides_a_run_or_a_quantity_of_all_runs(plot: TrainingPlot, qtbot: QtBot) -> None:
    plot.show_runs(OWN, {"1": run(), "3": run("Run 3", "run3")})

    def shown() -> set[str]:
        plot._redraw()
        return {name for name, each in plot.chart._lines.items() if each.line.isVisible()}

    assert "1/learning_rate" not in shown() and {"1/val_loss", "3/val_loss", "val_loss"} <= shown()
    qtbot.mouseClick(legend(plot, "val. loss"), Qt.MouseButton.LeftButton)
    assert not {"1/val_loss", "3/val_loss", "val_loss"} & shown()
    qtbot.mouseClick(legend(plot, "Run 3"), Qt.MouseButton.LeftButton)
    assert {name.split("/")[0] for name in shown() if "/" in name} == {"1"}
    qtbot.mouseClick(legend(plot, "learning rate"), Qt.MouseButton.LeftButton)
    assert {"learning_rate", "1/learning_rate"} <= shown() and plot.chart.axes["rate"].isVisible()
    assert line(plot, "1/learning_rate")[1][0] == pytest.approx(0.1)


def test_step_and_epoch_are_both_told_where_all_epochs_are_as_long(plot: TrainingPlot) -> None:
    plot.show_runs(OWN, {"1": run(steps_per_epoch=20), "3": run("Run 3", "run3", steps_per_epoch=None)})
    plot.chart.pointed.emit(25.0)
    assert plot.crosshair.text.startswith("step 25 · epoch 1.25 · loss")


def test_a_run_that_goes_takes_its_lines_and_its_place_in_the_legend_along(plot: TrainingPlot) -> None:
    plot.show_runs(OWN, {"1": run(), "3": run("Run 3", "run3")})
    plot.show_runs(OWN, {"3": run("Run 3", "run3")})
    assert not [name for name in plot.chart._lines if name.startswith("1/")]
    plot.show_runs(OWN, {})
    assert set(plot.chart._lines) == set(QUANTITIES)
    assert [b.text() for b in plot.findChildren(QToolButton) if b.text().startswith("Run") and not b.isHidden()] == []


def test_another_run_is_not_drawn_again_while_the_own_one_grows(plot: TrainingPlot, monkeypatch: pytest.MonkeyPatch) -> None:
    plot.set_length(100)
    plot.show_runs(OWN, {"1": run()})
    plot._redraw()
    plot._redraw()
    drawn: list[str] = []
    monkeypatch.setattr(plot.chart, "draw", lambda name, *_: drawn.append(name))
    plot.append("train_loss", [41], [1.0])
    plot._redraw()
    assert drawn == ["train_loss"]


def test_the_values_of_all_runs_are_exported_with_their_names(plot: TrainingPlot) -> None:
    plot.show_runs(OWN, {"1": run("with, comma", length=2)})
    rows = list(csv.DictReader(io.StringIO(plot.values_csv())))
    assert {(row["run"], row["series"]) for row in rows} >= {("Run 2", "train_loss"), ("with, comma", "val_accuracy")}
    other = [(row["step"], float(row["value"])) for row in rows if row["run"] == "with, comma" and row["series"] == "train_loss"]
    assert other == [("1", 3.0), ("2", 3.0)]


def test_pictures_have_a_legend_with_the_names_of_the_runs(plot: TrainingPlot, tmp_path: Path) -> None:
    plot.show_runs(OWN, {"1": run()})
    plot._redraw()
    save_picture(plot, tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert "Run 1 (lr 0.1)" in text and "Run 2 (lr 0.001)" in text and current_theme().run2 in text
    save_picture(plot, tmp_path / "curves.png")
    picture = QImage(str(tmp_path / "curves.png"))
    assert picture.width() > 2 * plot.chart.width() and picture.height() > 2 * plot.chart.height()
    # The chart fills the picture: something of its axes is in the right quarter and at the bottom.
    ground = current_theme().color("surface")
    right = [(x, y) for x in range(picture.width() - 60, picture.width()) for y in range(picture.height() // 2, picture.height())]
    assert any(picture.pixelColor(x, y) != ground for x, y in right)


def test_a_hundred_thousand_steps_of_three_runs_stay_thinned(plot: TrainingPlot) -> None:
    long = RunCurves("long", "", "run2", {s: (np.arange(1.0, 100_001), np.random.default_rng(0).random(100_000))
                                          for s in QUANTITIES})  # fmt: skip
    plot.show_runs(OWN, {"1": long, "3": RunCurves("too", "", "run3", long.points)})
    assert len(line(plot, "1/train_loss")[0]) < 4 * plot.width()


def test_without_options_several_runs_have_a_legend_of_runs_alone(plot: TrainingPlot) -> None:
    def shown() -> list[str]:
        return [button.text().split(" (")[0] for button in plot.findChildren(QToolButton)
                if button.property("role") == "legend" and button.isVisible()]  # fmt: skip

    quantities = ["loss", "val. loss", "accuracy", "val. accuracy", "learning rate"]
    plot.show_options(False)
    assert shown() == quantities and not plot.options.isVisible()
    plot.show_runs(OWN, {"1": run()})
    assert shown() == ["Run 2", "Run 1"]
    plot.show_options(True)
    assert shown() == [*quantities, "Run 2", "Run 1"] and plot.options.isVisible()
    plot.show_options(False)
    plot.show_runs(OWN, {})
    assert shown() == quantities
