"""The label that never asks for room leaves out whole parts of its text before it cuts off a word."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.widgets.elided_label import ElidedLabel


@pytest.mark.parametrize("shown", ["Conv 2 · 12 × 6×3×3 · step 141", "Conv 2 · 12 × 6×3×3", "Conv 2"])
def test_the_last_parts_are_left_out_where_there_is_no_room(qtbot: QtBot, shown: str) -> None:
    label = ElidedLabel("Conv 2 · 12 × 6×3×3 · step 141")
    qtbot.addWidget(label)
    room = label.fontMetrics().horizontalAdvance(shown)
    assert label.fitting(room) == label.fitting(room + 5) == shown
    assert label.text() == "Conv 2 · 12 × 6×3×3 · step 141"


def test_the_first_part_ends_in_dots_where_even_that_has_no_room(qtbot: QtBot) -> None:
    label = ElidedLabel("Conv 2 · 12 × 6×3×3")
    qtbot.addWidget(label)
    cut = label.fitting(label.fontMetrics().horizontalAdvance("Conv 2") - 2)
    assert cut.endswith("…") and cut[0] == "C" and "·" not in cut
