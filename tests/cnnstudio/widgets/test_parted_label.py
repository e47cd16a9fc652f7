"""Lines of a text in parts."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.widgets.parted_label import PartedLabel

WHOLE = "Conv 1 · filter 1 · row 9 · column 9"


@pytest.fixture
def label(qtbot: QtBot) -> PartedLabel:
    label = PartedLabel()
    qtbot.addWidget(label)
    label.set_whole(WHOLE)
    label.show()
    return label


def lines_at(label: PartedLabel, width: int) -> list[str]:
    label.resize(width, 100)
    return label.text().replace("\N{NO-BREAK SPACE}", " ").split("\n")


def test_lines_are_few_and_about_as_long_and_end_between_parts(label: PartedLabel) -> None:
    whole, most = (label.fontMetrics().horizontalAdvance(text) for text in (WHOLE, "Conv 1 · filter 1 · row 9"))
    assert lines_at(label, whole + 2) == [WHOLE]
    assert lines_at(label, whole - 2) == lines_at(label, most + 2) == ["Conv 1 · filter 1", "row 9 · column 9"]
    assert lines_at(label, whole + 2) == [WHOLE] and label.whole == WHOLE


def test_other_type_and_other_text_are_folded_anew(label: PartedLabel) -> None:
    assert len(lines_at(label, label.fontMetrics().horizontalAdvance(WHOLE) + 2)) == 1
    font = label.font()
    font.setPointSizeF(1.5 * font.pointSizeF())
    label.setFont(font)
    assert label.text().count("\n") == 1
    label.set_whole("Loss")
    assert label.text() == label.whole == "Loss"
