"""The selection: what is chosen is told once, and only when it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.selection import CellRef, SampleRef, Selection

IMAGE = np.zeros((1, 2, 2), np.uint8)
SAMPLE = SampleRef("validation", 3, IMAGE, 1)
CELL = CellRef("conv1.y", (0, 1, 1), 7, "sample")


def heard(signal: Any) -> list[object]:
    said: list[object] = []
    signal.connect(said.append)
    return said


@pytest.mark.parametrize(("name", "first", "second"), [("block", "conv1", "relu1")])
def test_a_choice_is_told_when_it_changes_and_not_when_it_is_made_again(
    qtbot: QtBot, name: str, first: object, second: object
) -> None:
    selection = Selection()
    said = heard(getattr(selection, f"{name}_changed"))
    select: Callable[[object], None] = getattr(selection, f"select_{name}")
    for choice in (None, first, first, second, None, None):
        select(choice)
    assert said == [first, second, None] and getattr(selection, name) is None


def test_every_new_reference_to_an_image_counts_as_another_image(qtbot: QtBot) -> None:
    selection = Selection()
    said = heard(selection.sample_changed)
    stroke = SampleRef("drawn", 0, IMAGE, None)
    for sample in (SAMPLE, SAMPLE, stroke, SampleRef("drawn", 0, IMAGE, None)):
        selection.select_sample(sample)
    assert len(said) == 3 and said[0] is SAMPLE and said[1] is stroke
    assert selection.sample is said[2]


def test_a_cell_can_be_chosen_again_and_is_taken_back_once(qtbot: QtBot) -> None:
    selection = Selection()
    said = heard(selection.cell_changed)
    for cell in (None, CELL, CELL, None, None):
        selection.select_cell(cell)
    assert said == [CELL, CELL, None] and selection.cell is None
