"""The narrow number field: what is typed, stepped and refused."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cnnstudio.number_field import NumberField, by_ladder, by_one, by_two, written


@pytest.fixture
def rate(qtbot: QtBot) -> NumberField:
    field = NumberField(by_ladder, low=1e-9, high=1000.0, whole=False, digits=6)
    qtbot.addWidget(field)
    field.set_value(0.001)
    return field


def type_in(field: NumberField, text: str) -> list[object]:
    """Type a text and Enter; gives what the field then tells."""
    told: list[object] = []
    field.value_changed.connect(told.append)
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    return told


@pytest.mark.parametrize(("text", "value"), [("0.02", 0.02), ("1e-3", 0.001), ("5E-5", 5e-5), ("0,5", 0.5)])
def test_any_way_of_writing_a_number_is_taken(rate: NumberField, text: str, value: float) -> None:
    rate.set_value(7.0)
    assert type_in(rate, text) == [value]


@pytest.mark.parametrize("text", ["", "abc", "-1", "0", "1e9", "nan", "inf"])
def test_what_is_no_legal_rate_gives_way_to_the_last_one(rate: NumberField, text: str) -> None:
    assert type_in(rate, text) == []
    assert rate.text() == "0.001"


def test_whole_numbers_stay_whole(qtbot: QtBot) -> None:
    field = NumberField(by_one, low=1, high=100, whole=True, digits=3)
    qtbot.addWidget(field)
    field.set_value(4)
    assert type_in(field, "12") == [12]
    assert isinstance(type_in(field, "15")[0], int)


def test_arrow_keys_step(rate: NumberField) -> None:
    QTest.keyClick(rate, Qt.Key.Key_Up)
    assert rate.value == 0.002
    QTest.keyClick(rate, Qt.Key.Key_Down)
    QTest.keyClick(rate, Qt.Key.Key_Down)
    assert rate.value == pytest.approx(0.0005)


def test_steps() -> None:
    assert [by_two(64, True), by_two(64, False), by_two(48, True), by_two(48, False)] == [128, 32, 64, 32]
    assert written(0.001) == "0.001" and written(1e-5) == "1e-05" and written(12.0) == "12"
