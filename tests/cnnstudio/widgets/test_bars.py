"""Probability bars: lengths, marks, many classes."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from cnnstudio.theme import current_theme
from cnnstudio.widgets.bars import ProbabilityBars


@pytest.fixture
def bars(qtbot) -> ProbabilityBars:
    widget = ProbabilityBars()
    qtbot.addWidget(widget)
    widget.set_classes([str(i) for i in range(10)])
    widget.resize(300, 300)
    widget.show()
    return widget


def drawn_share(bars: ProbabilityBars, index: int) -> float:
    """Share of the track that has the bar's colour, read from the screen."""
    shown = bars.viewport().grab().toImage()
    track = bars._track(index)
    y, ground = int(track.center().y()), current_theme().pressed
    xs = range(int(track.left()) + 1, int(track.right()) - 1)
    return float(np.mean([shown.pixelColor(x, y).name() != ground for x in xs]))


def test_bars_are_as_long_as_the_probabilities(bars):
    values = np.array([0.5, 0.25, 0.125, 0.125, 0, 0, 0, 0, 0, 0], np.float32)
    bars.set_probabilities(values)
    for index, value in enumerate(values):
        assert drawn_share(bars, index) == pytest.approx(value, abs=0.02)


def test_name_and_percentage_stand_on_one_line_in_the_middle_of_the_bar(bars):
    bars.set_probabilities(np.full(10, 0.1))
    image = bars.viewport().grab().toImage()
    row, track, ground = bars.row_rect(8), bars._track(8), image.pixel(1, bars.row_rect(8).top())

    def ink(left: int, right: int) -> tuple[int, int]:
        """The first and the last line of pixels with letters."""
        lines = [y for y in range(row.top(), row.bottom() + 1) if any(image.pixel(x, y) != ground for x in range(left, right))]
        return lines[0], lines[-1]

    name, percent = ink(16, int(track.left()) - 2), ink(int(track.right()) + 4, row.right())
    assert abs(name[1] - percent[1]) <= 1
    assert abs(sum(name) / 2 - (track.center().y() - 0.5)) <= 1.5


def test_the_most_probable_class_has_the_colour_of_winners(bars):
    bars.set_probabilities(np.array([0.9, 0.1, 0, 0, 0, 0, 0, 0, 0, 0]))
    image = bars.viewport().grab().toImage()
    assert image.pixelColor(bars.bar_rect(0).center().toPoint()) == current_theme().color("winner")


def test_rows_that_look_as_before_are_not_painted_again(bars, qtbot, monkeypatch):
    bars.set_probabilities(np.array([0.4, 0.3, 0.2, 0.1, 0, 0, 0, 0, 0, 0]))
    qtbot.waitExposed(bars)
    qtbot.wait(50)
    drawn = []
    draw_row = ProbabilityBars._draw_row

    def counted(self, painter, index, top):
        drawn.append(index)
        draw_row(self, painter, index, top)

    monkeypatch.setattr(ProbabilityBars, "_draw_row", counted)
    bars.set_probabilities(np.array([0.4, 0.3, 0.2, 0.0, 0, 0, 0, 0, 0, 0.1]))
    qtbot.waitUntil(lambda: bool(drawn))
    qtbot.wait(50)
    assert drawn == [3, 9]


def test_the_first_of_equals_is_the_top_class(bars):
    bars.set_probabilities(np.full(10, 0.1))
    assert bars.top == 0


def test_unknown_probabilities_have_no_top_class(bars):
    bars.set_probabilities(None)
    assert bars.top is None
    bars.set_probabilities(np.full(10, np.nan))
    assert bars.top is None
    bars.grab()


def test_truth_and_top_differ_by_shape_not_only_by_colour(bars):
    values = np.full(10, 0.1)
    bars.set_probabilities(values)
    image = bars.viewport().grab(bars.row_rect(4)).toImage()
    bars.set_probabilities(values, truth=4)
    assert bars.viewport().grab(bars.row_rect(4)).toImage() != image
    assert bars.accessibleDescription() == "Most probable: 0, 10.0 %. True class: 4."


def test_another_number_of_classes_is_refused(bars):
    with pytest.raises(ValueError, match="10 classes"):
        bars.set_probabilities(np.zeros(3))


@pytest.mark.parametrize("count", [2, 10, 100])
def test_any_number_of_classes_can_be_reached(bars, qtbot, count):
    bars.set_classes([f"class {i}" for i in range(count)])
    bars.set_probabilities(np.full(count, 1 / count))
    qtbot.keyClick(bars, Qt.Key.Key_End)
    assert bars.viewport().rect().contains(bars.row_rect(count - 1).center())
    with qtbot.waitSignal(bars.class_clicked) as clicked:
        qtbot.keyClick(bars, Qt.Key.Key_Return)
    assert clicked.args == [count - 1]
    qtbot.keyClick(bars, Qt.Key.Key_Home)
    assert bars.viewport().rect().contains(bars.row_rect(0).center())


def test_a_click_chooses_and_hovering_tells_the_class(bars, qtbot):
    with qtbot.waitSignal(bars.class_hovered) as hovered:
        qtbot.mouseMove(bars.viewport(), bars.row_rect(6).center())
    with qtbot.waitSignal(bars.class_clicked) as clicked:
        qtbot.mouseClick(bars.viewport(), Qt.MouseButton.LeftButton, pos=bars.row_rect(3).center())
    assert (hovered.args, clicked.args) == ([6], [3])
    assert bars._hit(QPoint(5, 299)) is None


def test_where_names_leave_no_room_the_bars_lie_below_the_texts(bars):
    values = np.array([0.25, 0.75])
    bars.set_classes(["crescent", "hexagon"])
    for width, below in ((130, True), (300, False), (130, True)):
        bars.resize(width, 300)
        bars.set_probabilities(values)
        row, track = bars.row_rect(1), bars._track(1)
        assert (track.top() > row.center().y()) == below and track.width() > 60 and row.contains(track.toRect())
        assert [drawn_share(bars, k) for k in (0, 1)] == pytest.approx(values, abs=0.03)
    assert bars._name_width() - 8 >= bars.fontMetrics().horizontalAdvance("crescent")


def test_long_names_leave_room_for_the_bars(bars):
    bars.set_classes(["a class with a very long name indeed " * 3, "红色三角形"])
    bars.set_probabilities(np.array([0.3, 0.7]))
    assert bars._track(0).width() > 80
    bars.grab()
