"""Fields change on purpose only; the flow layout wraps."""

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QFontMetrics, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QStyle, QStyleOptionComboBox, QWidget

from cnnstudio.training_bar import TrainingBar
from cnnstudio.widgets.fields import Choice, IntField
from cnnstudio.widgets.flow_layout import FlowLayout


def wheel(widget: QWidget) -> None:
    nothing, some = QPoint(0, 0), QPoint(0, 120)
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        nothing,
        some,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


@pytest.mark.parametrize("make", [IntField, Choice])
def test_the_wheel_counts_only_with_the_keyboard(qtbot, make):
    window = QWidget()
    qtbot.addWidget(window)
    field, other = make(window), QLabel(window)
    other.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if isinstance(field, Choice):
        field.addItems(["a", "b", "c"])
        field.setCurrentIndex(1)
    state = field.currentIndex if isinstance(field, Choice) else field.value
    window.show()
    window.activateWindow()
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    before = state()
    wheel(field)
    assert state() == before
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    wheel(field)
    assert state() != before


def test_the_wheel_over_the_tool_bar_chooses_neither_data_nor_optimizer(qtbot):
    bar, told = TrainingBar(), []
    qtbot.addWidget(bar)
    bar.show_data("own", "My own images")
    bar.data_chosen.connect(told.append)
    bar.changed.connect(told.append)
    fields = bar.findChildren(QComboBox)
    assert len(fields) == 2
    for field in fields:
        field.setCurrentIndex(field.count() - 1)
        wheel(field)
        assert field.currentIndex() == field.count() - 1
    assert told == []


def test_what_there_is_no_room_for_ends_in_dots(qtbot):
    def painted(text: str) -> tuple[QImage, int]:
        field, option = Choice(), QStyleOptionComboBox()
        qtbot.addWidget(field)
        field.addItem(text)
        field.resize(112, 30)
        field.initStyleOption(option)
        room = field.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, field)  # fmt: skip
        return field.grab().toImage(), room.width()

    long = "Gradient of this image, and of this one"
    whole, room = painted(long)
    cut = QFontMetrics(Choice().font()).elidedText(long, Qt.TextElideMode.ElideRight, room)
    assert cut.endswith("…") and painted(cut)[0] == whole


def test_typing_is_told_when_finished(qtbot):
    field = IntField(low=0, high=500, value=1)
    qtbot.addWidget(field)
    field.show()
    told = []
    field.valueChanged.connect(told.append)
    field.selectAll()
    qtbot.keyClicks(field, "128")
    assert told == []
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert told == [128]


def test_a_flow_wraps_like_words_and_skips_what_is_hidden(qtbot):
    holder = QWidget()
    qtbot.addWidget(holder)
    flow = FlowLayout(holder, gap=10, line_gap=4)
    labels = [QLabel("x") for _ in range(4)]
    for label in labels:
        label.setFixedSize(50, 20)
        flow.addWidget(label)
    assert flow.heightForWidth(1000) == 20
    assert flow.heightForWidth(110) == 20 + 4 + 20
    assert flow.heightForWidth(50) == 4 * 20 + 3 * 4
    holder.resize(110, 100)
    holder.show()
    flow.setGeometry(QRect(0, 0, 110, 100))
    assert [label.pos().toTuple() for label in labels] == [(0, 0), (60, 0), (0, 24), (60, 24)]
    labels[2].setFixedSize(50, 30)
    flow.setGeometry(QRect(0, 0, 110, 100))
    assert [label.pos().toTuple() for label in labels[2:]] == [(0, 24), (60, 29)]  # the lower one in the middle of its line
    labels[2].setFixedSize(50, 20)
    labels[0].hide()
    flow.setGeometry(QRect(0, 0, 110, 100))
    assert [label.pos().toTuple() for label in labels[1:]] == [(0, 0), (60, 0), (0, 24)]
