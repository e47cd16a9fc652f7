"""The scroll area whose form is replaced while in use."""

from __future__ import annotations

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from cnnstudio.widgets.form_area import FormArea


def test_what_is_half_typed_goes_with_the_form_and_counts_as_nothing(qtbot: QtBot) -> None:
    area, form = FormArea(), QWidget()
    field = QLineEdit(form)
    qtbot.addWidget(area)
    finished: list[str] = []
    field.editingFinished.connect(lambda: finished.append("finished"))
    area.show_form(form)
    area.show()
    qtbot.waitExposed(area)
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "0.2")
    area.show_form(QLineEdit())
    assert finished == []
