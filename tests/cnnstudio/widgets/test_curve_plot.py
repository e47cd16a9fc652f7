"""Training curves: what is drawn, read off, exported, and when."""

import csv
import io
import re

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontInfo, QGuiApplication, QIcon, QImage, QMouseEvent, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QGraphicsItem, QToolButton

from cnnstudio.theme import apply_theme, current_theme, ui_font
from cnnstudio.widgets import curve_plot
from cnnstudio.widgets.picture_menu import save_picture
from cnnstudio.widgets.training_plot import TrainingPlot
from tests.cnnstudio.set_clock import SetClock


@pytest.fixture
def plot(qtbot) -> TrainingPlot:
    widget = TrainingPlot()
    qtbot.addWidget(widget)
    widget.resize(500, 300)
    widget.show()
    return widget


def drawn(plot: TrainingPlot, series: str) -> tuple[np.ndarray, np.ndarray]:
    """The points of the line as handed to the drawing surface, in axis coordinates."""
    plot._redraw()
    return plot.chart._lines[series].line.getData()


def test_losses_are_drawn_as_they_are_and_accuracies_in_percent(plot):
    plot.append("train_loss", [1, 2, 3], [2.0, 1.0, 0.5])
    plot.append("val_accuracy", 3, 0.9)
    assert drawn(plot, "train_loss")[1].tolist() == [2.0, 1.0, 0.5]
    assert drawn(plot, "val_accuracy")[1].tolist() == [90.0]


def test_a_logarithmic_axis_leaves_gaps_where_there_is_no_logarithm(plot):
    plot.set_series("train_loss", [0, 1, 2], [10.0, 0.0, 0.01])
    plot.options.set_logarithmic(True)
    assert plot.options.logarithmic
    y = drawn(plot, "train_loss")[1]
    assert y[[0, 2]].tolist() == [1.0, -2.0] and np.isnan(y[1])


def test_smoothing_draws_the_mean_over_the_exact_line(plot):
    plot.options.set_smoothing(4)
    assert plot.options.smoothing == 3
    plot.set_series("train_loss", np.arange(4), [1.0, 2.0, 3.0, 7.0])
    assert drawn(plot, "train_loss")[1].tolist() == [1.0, 1.5, 2.0, 4.0]
    assert plot.chart._lines["train_loss"].faint.getData()[1].tolist() == [1.0, 2.0, 3.0, 7.0]


def test_validation_is_told_apart_by_dashes_and_markers(plot):
    for series in ("train_loss", "val_loss"):
        plot.set_series(series, [1, 2], [1.0, 0.5])
    plot._redraw()
    train, validation = (plot.chart._lines[name] for name in ("train_loss", "val_loss"))
    assert train.line.opts["pen"].style() == Qt.PenStyle.SolidLine
    assert validation.line.opts["pen"].style() != Qt.PenStyle.SolidLine
    assert len(validation.markers.getData()[0]) == 2 and len(train.markers.getData()[0]) == 0


@pytest.mark.parametrize(("count", "style"), [(20, Qt.PenStyle.CustomDashLine), (4000, Qt.PenStyle.SolidLine)])
def test_a_long_line_of_dashes_is_drawn_as_pieces_which_is_fast(plot, count, style):
    plot.define("dashed", "dashed", color="run1", dashes=(6, 2))
    plot.set_series("dashed", np.arange(count), np.random.default_rng(0).random(count))
    line = plot.chart._lines["dashed"].line
    shown = np.isfinite(drawn(plot, "dashed")[1]).mean()
    assert line.opts["pen"].style() == style
    assert shown == (1 if count == 20 else pytest.approx(6 / 8, abs=0.03))


def test_all_steps_are_in_view_until_the_user_zooms(plot):
    plot.set_series("train_loss", np.arange(1001), np.ones(1001))
    plot._redraw()
    low, high = plot.chart.x_range
    assert low <= 0 and high >= 1000
    plot.chart.keyPressEvent(key_event(Qt.Key.Key_Plus))
    zoomed = plot.chart.x_range
    plot.append("train_loss", 5000, 1.0)
    plot._redraw()
    assert plot.chart.x_range == zoomed
    plot.fit()
    plot._redraw()
    assert plot.chart.x_range[1] >= 5000


def key_event(key: Qt.Key):
    from PySide6.QtGui import QKeyEvent

    return QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)


def drag(plot: TrainingPlot, start: QPointF, end: QPointF) -> None:
    """Press on the chart, move in steps, let go."""
    ground, left = plot.chart.viewport(), Qt.MouseButton.LeftButton
    QTest.mousePress(ground, left, pos=start.toPoint())
    for i in range(1, 6):
        at = start + (end - start) * i / 5
        plot.chart.scene()._lastMoveEventTime = 0  # pyqtgraph leaves out moves that follow each other too fast
        move = QMouseEvent(QEvent.Type.MouseMove, at, ground.mapToGlobal(at), left, left, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(ground, move)
    QTest.mouseRelease(ground, left, pos=end.toPoint())
    plot._redraw()


def across(plot: TrainingPlot, low: float, high: float) -> tuple[QPointF, QPointF]:
    """Two points of the chart at fractions of the width of the lines."""
    area = plot.chart.plot_rect
    return tuple(QPointF(area.left() + part * area.width(), area.center().y()) for part in (low, high))


@pytest.mark.parametrize("parts", [(0.25, 0.75), (0.75, 0.25)])
def test_a_drag_shows_the_part_of_the_steps_that_it_marks(plot, parts):
    plot.set_series("train_loss", np.arange(1001), np.ones(1001))
    plot.set_length(1000)
    plot._redraw()
    drag(plot, *across(plot, *parts))
    assert plot.chart.x_range == pytest.approx((252.5, 757.5), abs=5)
    plot.append("train_loss", 1001, 1.0)
    plot._redraw()
    assert plot.chart.x_range == pytest.approx((252.5, 757.5), abs=5)
    QTest.mouseDClick(plot.chart.viewport(), Qt.MouseButton.LeftButton, pos=across(plot, 0.5, 0.5)[0].toPoint())
    plot._redraw()
    assert plot.chart.x_range[0] == 0.0 and plot.chart.x_range[1] > 1000


def test_accuracies_that_are_apart_can_be_dragged_over_as_well(plot):
    plot.set_length(1000)
    plot.set_series("train_accuracy", np.arange(1001), np.ones(1001))
    plot.chart.set_axes({"left", "right"}, log=False, bottom_scale=1.0, apart=True)
    plot._apart = True
    plot._redraw()
    area = QRectF(plot.chart.mapFromScene(plot.chart._right.sceneBoundingRect()).boundingRect())
    drag(plot, *(QPointF(area.left() + part * area.width(), area.center().y()) for part in (0.5, 0.9)))
    assert plot.chart.x_range == pytest.approx((505, 909), abs=12)


def test_an_unsteady_click_shows_no_part(plot):
    plot.set_series("train_loss", np.arange(1001), np.ones(1001))
    plot._redraw()
    before, (start, _) = plot.chart.x_range, across(plot, 0.5, 0.5)
    drag(plot, start, start + QPointF(5, 0))
    assert plot.chart.x_range == before


def test_the_values_of_a_part_fill_the_height_and_return_to_all(plot):
    plot.set_series("train_loss", np.arange(1001), np.where(np.arange(1001) < 100, 8.0, 0.09))
    plot.set_series("val_accuracy", [0, 500, 1000], [0.1, 0.93, 0.97])
    plot._redraw()
    assert plot.chart.y_range("left") == pytest.approx((0, 8), abs=0.2)
    assert plot.chart.y_range("right") == pytest.approx((0, 100), abs=3)
    plot.chart.set_x_range(600, 900)
    plot.chart.zoomed.emit()
    plot._redraw()
    assert plot.chart.y_range("left") == pytest.approx((0, 0.1), abs=0.01)
    assert plot.chart.y_range("right") == pytest.approx((90, 100), abs=0.5)
    plot.options.set_logarithmic(True)
    plot._redraw()
    assert plot.chart.y_range("left")[1] == pytest.approx(-1, abs=0.1)
    plot.options.set_logarithmic(False)
    plot.fit()
    plot._redraw()
    assert plot.chart.y_range("left") == pytest.approx((0, 8), abs=0.2)
    assert plot.chart.y_range("right") == pytest.approx((0, 100), abs=3)


def test_the_expected_length_holds_the_axis_still(plot):
    plot.set_length(785)
    plot.append("train_loss", 1, 2.0)
    plot._redraw()
    first = plot.chart.x_range
    plot.append("train_loss", 700, 1.0)
    plot._redraw()
    assert plot.chart.x_range == first


def test_the_crosshair_reads_all_curves_at_the_nearest_step(plot, qtbot):
    plot.set_series("train_loss", [10, 20, 30], [1.0, 0.5, 0.25])
    plot.set_series("val_accuracy", [20], [0.975])
    plot.mark_epoch(20, steps_per_epoch=20)
    with qtbot.waitSignal(plot.crosshair.moved) as told:
        plot.chart.pointed.emit(21.3)
    assert told.args == [20.0]
    assert plot.crosshair.text.splitlines() == ["step 20 · epoch 1.00", "loss  0.5000", "val. accuracy  97.50 %"]
    assert plot.chart.accessibleDescription() == plot.crosshair.text.replace("\n", ", ")
    plot.chart.pointed.emit(None)
    assert plot.crosshair.text == ""


def test_the_arrow_keys_move_the_crosshair(plot, qtbot):
    plot.set_series("train_loss", [10, 20, 30], [1.0, 0.5, 0.25])
    seen = []
    plot.crosshair.moved.connect(seen.append)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Escape):
        qtbot.keyClick(plot.chart, key)
    assert seen == [30.0, 20.0, 10.0, 20.0, None]


def test_the_legend_hides_and_shows_a_curve(plot, qtbot):
    plot.set_series("train_loss", [1, 2], [1.0, 0.5])
    (button,) = [b for b in plot.findChildren(QToolButton) if b.text() == "loss"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    plot._redraw()
    assert not plot.chart._lines["train_loss"].line.isVisible()
    assert plot.chart._lines["val_loss"].line.isVisible()


def test_more_series_come_and_go(plot):
    plot.define("run2", "run 2", color="run2")
    plot.set_series("run2", [1], [3.0])
    assert drawn(plot, "run2")[1].tolist() == [3.0]
    plot.remove("run2")
    with pytest.raises(KeyError):
        plot.append("run2", 2, 1.0)


def test_epochs_are_counted_when_their_length_is_known(plot):
    plot.options.set_in_epochs(True)
    plot._redraw()
    bottom = plot.chart.axes["bottom"]
    assert bottom.scale == 1.0 and not plot.options.in_epochs
    plot.mark_epoch(157)
    plot.mark_epoch(314)
    plot._redraw()
    assert bottom.scale == pytest.approx(1 / 157)
    assert plot.chart._epochs.getData()[0].tolist() == [157, 157, 314, 314]


def test_the_marks_of_many_epochs_leave_room_between_them(plot):
    def marks():
        plot._redraw()
        return np.unique(plot.chart._epochs.getData()[0])

    plot.set_length(10_000)
    for epoch in range(1, 1001):
        plot.mark_epoch(10.0 * epoch)
    every = marks()[0] / 10
    assert every in (20, 50) and marks().tolist() == [10 * every * i for i in range(1, int(1000 / every) + 1)]
    plot.chart.set_x_range(500, 600)
    plot.chart.zoomed.emit()
    assert len(marks()) == 1000  # ten of them are in view
    plot.clear()
    assert not len(marks())


def test_a_hidden_plot_draws_nothing_until_it_is_shown(qtbot, monkeypatch):
    plot = TrainingPlot()
    qtbot.addWidget(plot)
    draws = []
    monkeypatch.setattr(plot.chart, "draw", lambda *args: draws.append(args[0]))
    plot.append("train_loss", 1, 1.0)
    qtbot.wait(1)
    assert not draws
    plot.show()
    assert "train_loss" in draws


def test_many_points_at_once_are_drawn_in_one_pass(plot, qtbot, monkeypatch):
    passes = []
    plot._timer.timeout.connect(lambda: passes.append(1))
    for step in range(200):
        plot.append("train_loss", step, 1.0)
    qtbot.waitUntil(lambda: bool(passes))
    assert len(passes) == 1


def test_curves_whose_end_has_hardly_moved_are_drawn_anew_less_often(plot, monkeypatch):
    clock = SetClock(monkeypatch, curve_plot.time)
    plot.set_length(100_000)
    plot.append("train_loss", 1, 1.0)
    plot._redraw()
    plot._timer.stop()
    plot.append("train_loss", 2, 1.0)
    assert plot._timer.interval() == 800
    plot.append("train_loss", 5000, 1.0)
    assert plot._timer.interval() == 100  # does not wait for what was to be drawn later
    plot._redraw()
    plot._timer.stop()
    clock.now += 10.0
    plot.append("train_loss", 5001, 1.0)
    assert plot._timer.interval() == 100  # a single point, after a while, is drawn at once


def test_a_line_without_markers_and_smoothing_has_no_empty_items_painted_with_it(plot):
    plot.append("train_loss", [1, 2], [1.0, 0.5])
    plot._redraw()
    line = plot.chart._lines["train_loss"]
    assert [item.isVisible() for item in (line.faint, line.line, line.markers)] == [False, True, False]
    plot.options.set_smoothing(4)
    plot._redraw()
    assert line.faint.isVisible()
    plot._button("train_loss").setChecked(False)
    plot._redraw()
    assert not any(item.isVisible() for item in line.items)


def test_a_hundred_thousand_points_are_thinned_to_the_screen(plot):
    count = 100_000
    plot.set_series("train_loss", np.arange(count), np.random.default_rng(0).random(count))
    x, y = drawn(plot, "train_loss")
    assert len(x) < 4 * plot.width()
    assert y.max() > 0.999


def test_what_is_not_finite_is_left_out(plot):
    plot.set_series("train_loss", [0, 1, 2], [1.0, np.nan, np.inf])
    plot._redraw()
    assert np.isfinite(plot.chart._view.viewRange()).all()
    plot.grab()


def test_the_points_are_exported_unsmoothed(plot):
    plot.options.set_smoothing(10)
    plot.set_series("train_loss", [0, 1234567], [1.5, 0.1])
    rows = list(csv.DictReader(io.StringIO(plot.values_csv())))
    assert [(r["series"], float(r["step"]), float(r["value"])) for r in rows] == [
        ("train_loss", 0, 1.5),
        ("train_loss", 1234567, 0.1),
    ]


def test_pictures_are_exported(plot, tmp_path):
    plot.set_series("train_loss", [0, 1, 2], [2.0, 1.0, 0.5])
    plot._redraw()
    save_picture(plot, tmp_path / "curves.png")
    picture = QImage(str(tmp_path / "curves.png"))
    assert picture.width() > 2 * plot.chart.width()
    edges = {picture.pixelColor(x, y).name() for y in range(picture.height()) for x in (0, 12, picture.width() - 12)}
    assert edges == {current_theme().surface}  # a margin
    save_picture(plot, tmp_path / "curves.svg")
    assert "<path" in (tmp_path / "curves.svg").read_text(encoding="utf-8")
    with pytest.raises(OSError):
        save_picture(plot, tmp_path / "no" / "folder.svg")


def test_an_svg_has_letters_and_shapes_and_no_pixels(plot, tmp_path):
    plot.set_series("train_loss", [0, 1, 2], [2.0, 1.0, 0.5])
    plot.set_series("val_loss", [1, 2], [1.5, 1.0])
    plot._redraw()
    plot.grab()  # what a screen keeps
    before = {item: item.cacheMode() for item in plot.chart.scene().items()}
    save_picture(plot, tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert "<image" not in text
    assert ">val. loss</text>" in text and ">80 %</text>" in text
    # Letters are as large as on the screen.
    sizes = {float(size) for size in re.findall(r'font-size="([\d.]+)"[^>]*>\s*<text[^>]*>val. loss', text)}
    assert [*sizes] == pytest.approx([QFontInfo(ui_font(0.85)).pixelSize()], abs=1.5)
    assert {item: item.cacheMode() for item in plot.chart.scene().items()} == before


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.csv", b"run,series,")])
def test_the_suffix_says_how_a_chart_is_saved(plot, tmp_path, name, start):
    plot.set_series("train_loss", [0, 1], [1.5, 0.1])
    save_picture(plot, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_without_a_suffix_the_chosen_kind_decides(plot, tmp_path, monkeypatch):
    plot.set_series("train_loss", [0, 1], [1.5, 0.1])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "a"), "Values (*.csv)"))
    _picture, _values, save = plot.context_menu().actions()
    save.trigger()
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == plot.values_csv()


def test_without_points_there_is_nothing_to_copy_or_save(plot):
    assert not any(action.isEnabled() for action in plot.context_menu().actions())


def test_the_menu_copies_picture_and_values(plot):
    plot.set_series("train_loss", [0, 1], [1.5, 0.1])
    picture, values, _save = plot.context_menu().actions()
    values.trigger()
    assert QGuiApplication.clipboard().text() == plot.values_csv()
    picture.trigger()
    assert QGuiApplication.clipboard().image().width() == 2 * plot.picture_size().width()


def test_clearing_forgets_points_and_epochs(plot):
    plot.set_series("train_loss", [0, 1], [2.0, 1.0])
    plot.mark_epoch(1)
    plot.clear()
    assert not len(plot.points("train_loss")[0])
    assert not len(drawn(plot, "train_loss")[0])
    assert not len(plot.chart._epochs.getData()[0])


def test_the_theme_changes_ground_and_lines(plot, qapp: QApplication):
    plot.set_series("train_loss", [0, 1], [2.0, 1.0])
    try:
        plot._redraw()
        light = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        apply_theme(qapp, "dark")
        plot._redraw()
        dark = plot.grab().toImage()
        assert light.pixelColor(250, 150).lightness() > 200 > 80 > dark.pixelColor(250, 150).lightness()
    finally:
        apply_theme(qapp, "light")


def contrast(one: QColor, two: QColor) -> float:
    """As WCAG has it, but for the darkest colours."""

    def luminance(color: QColor) -> float:
        red, green, blue = (((c + 0.055) / 1.055) ** 2.4 for c in (color.redF(), color.greenF(), color.blueF()))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def scene_pixel(plot: TrainingPlot, view, x: float, y: float) -> QPointF:
    """Where a step and a value are drawn, in the pixels of the chart."""
    return QPointF(plot.chart.mapFromScene(view.mapViewToScene(QPointF(x, y))))


def numbers_on(axis) -> list[str]:
    """The numbers that are drawn on an axis, in their order."""
    canvas = QPixmap(10, 10)  # outlives its painter
    painter = QPainter(canvas)
    _, _, texts = axis.generateDrawSpecs(painter)
    painter.end()
    upright = axis.orientation in ("left", "right")
    return [text for _, text in sorted((-rect.y() if upright else rect.x(), text) for rect, _, text in texts)]


def test_axes_have_numbers_at_their_ends_and_say_what_is_counted(plot):
    plot.set_series("train_loss", np.arange(0, 801), np.linspace(5, 0, 801))
    plot.set_series("train_accuracy", np.arange(0, 801), np.linspace(0, 1, 801))
    plot._redraw()
    plot.grab()
    axes = plot.chart.axes
    assert [numbers_on(axes["right"])[end] for end in (0, -1)] == ["0 %", "100 %"]
    assert [numbers_on(axes["left"])[end] for end in (0, -1)] == ["0", "5"]
    assert [numbers_on(axes["bottom"])[end] for end in (0, -1)] == ["0", "800"]
    assert plot.chart._unit.text == "step"
    plot.set_epoch_length(100)
    plot.options.set_in_epochs(True)
    plot._redraw()
    assert plot.chart._unit.text == "epoch" and numbers_on(axes["bottom"])[-1] == "8"


def test_without_numbers_at_the_right_the_plot_reaches_the_edge_and_the_unit_stands_on_its_axis(plot):
    chart = plot.chart
    chart.set_axes({"left"}, log=False, bottom_scale=1.0, unit="step")
    chart.set_x_range(0, 800)
    chart.grab()
    assert chart.plot_rect.right() >= chart.width() - 2
    numbers = numbers_on(chart.axes["bottom"])
    assert numbers[0] == "0" and numbers[-1] == "step" and "800" not in numbers
    chart.set_axes({"left", "right"}, log=False, bottom_scale=1.0, unit="step")
    chart.grab()
    assert numbers_on(chart.axes["bottom"])[-1] == "800" and chart.plot_rect.right() < chart.width() - 20


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_lines_of_the_numbers_are_seen_and_lie_under_the_curves(plot, qapp: QApplication, theme):
    try:
        apply_theme(qapp, theme)
        plot.set_length(100)
        plot.set_series("train_loss", [20, 20], [5.0, 0.0])
        plot._redraw()
        picture, ground = plot.chart.grab().toImage(), current_theme().color("surface")

        def strongest(view, x: float, y: float) -> float:
            at = scene_pixel(plot, view, x, y).toPoint()
            return max(contrast(picture.pixelColor(at.x(), at.y() + dy), ground) for dy in (-1, 0, 1))

        assert 1.15 < strongest(plot.chart._view, 75, 4.0) < 1.5
        assert strongest(plot.chart._view, 75, 4.5) == 1.0
        at = scene_pixel(plot, plot.chart._view, 20, 4.0).toPoint()

        def across(dy: int) -> float:
            return max(contrast(picture.pixelColor(at.x() + dx, at.y() + dy), ground) for dx in (-1, 0, 1))

        # The curve looks the same where it crosses the line of a number as between two of them.
        assert [across(dy) for dy in (-1, 0, 1)] == pytest.approx(3 * [across(-10)], rel=0.05)
    finally:
        apply_theme(qapp, "light")


def test_a_validation_point_is_seen_in_a_noisy_curve(plot):
    plot.set_series("train_loss", np.arange(400), np.tile([0.2, 3.0], 200))
    plot.set_series("val_loss", [200], [1.5])
    plot._redraw()
    picture = plot.chart.grab().toImage()
    centre = scene_pixel(plot, plot.chart._view, 200, 1.5).toPoint()
    row = [picture.pixelColor(centre.x() + dx, centre.y()) for dx in range(-5, 6)]
    ground = [contrast(color, current_theme().color("surface")) < 1.6 for color in row]
    assert picture.pixelColor(centre) == current_theme().color("loss")
    assert any(ground[:4]) and any(ground[-4:])


def test_what_is_not_shown_is_pale_in_the_legend(plot):
    (button,) = [b for b in plot.findChildren(QToolButton) if b.text() == "loss"]
    on, off = (
        button.icon().pixmap(button.iconSize(), QIcon.Mode.Normal, state).toImage().pixelColor(10, 6)
        for state in (QIcon.State.On, QIcon.State.Off)
    )
    ground = current_theme().color("surface")
    assert on == current_theme().color("loss") and contrast(off, ground) < 0.6 * contrast(on, ground)


@pytest.mark.parametrize("sizes", [((420, 180), (420, 260)), ((420, 300), (380, 220)), ((300, 200), (520, 200))])
def test_nothing_of_the_old_axes_is_left_after_a_change_of_size(plot, sizes):
    plot.set_series("train_loss", np.arange(700), np.linspace(5, 0, 700))
    plot.set_series("train_accuracy", np.arange(700), np.linspace(0, 1, 700))
    plot.options.hide()
    for size in sizes:
        plot.resize(*size)
        plot._redraw()
        QApplication.processEvents()
        cached = plot.chart.grab().toImage()
    for axis in plot.chart.axes.values():
        axis.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
    fresh = plot.chart.grab().toImage()
    differing = [(x, y) for y in range(fresh.height()) for x in range(fresh.width()) if fresh.pixel(x, y) != cached.pixel(x, y)]
    assert differing == []


@pytest.mark.parametrize("width", [560, 405, 300])
def test_the_name_of_what_is_counted_takes_no_room_beside_the_axes(plot, width):
    plot.set_series("train_loss", np.arange(700), np.linspace(5, 0, 700))
    plot.set_series("train_accuracy", np.arange(700), np.linspace(0, 1, 700))
    for each in (560, width):
        plot.resize(each, 220)
        plot._redraw()
        plot.grab()
    right = plot.chart.axes["right"]
    # The name stands below that axis, and may be a little wider.
    assert right.mapRectToScene(right.boundingRect()).right() >= plot.chart.width() - 16
