"""What an explanation says in words and digits beside its pictures."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cnnstudio.panels.explain.latex import number
from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.subject import subject_of
from cnnstudio.panels.explain.summary import summary
from cnnstudio.panels.explain.symbols import meanings
from cnnstudio.widgets.formula import FormulaView
from cnnstudio.widgets.numbers import parse_number
from engine.snapshot import Snapshot
from engine.term import CellRef
from tests.cnnstudio.panels.explain.test_code import EVERYTHING, probes


@pytest.fixture(scope="module")
def snapshots() -> list[Snapshot]:
    """Both probes."""
    return list(probes(EVERYTHING).values())


@pytest.mark.parametrize(("value", "text"), [
    (1.40999, "1.4100"), (-0.2850004, "{-}0.28500"), (12345.6, "12346"), (4.100004e-8, r"4.1000\cdot 10^{-8}"),
    (0.0, "0"), (1.0, "1"), (float(np.float32(0.9)), "0.9"), (1e-5, r"1\cdot 10^{-5}")])  # fmt: skip
def test_numbers_of_a_formula_have_as_many_digits_as_the_others_of_a_sum(value: float, text: str) -> None:
    assert number(value) == text


def test_the_sentence_on_a_gate_says_what_the_delta_does(snapshots: list[Snapshot]) -> None:
    snapshot = snapshots[0]
    relu = next(p for p in snapshot.spec.placed() if p.node.layer.kind == "relu")
    below = snapshot.spec.nodes[relu.index - 1].id
    x, arriving = snapshot[f"{below}.y"], snapshot[f"{relu.node.id}.dy"].copy()
    opened = tuple(int(i) for i in np.argwhere((x > 0) & (arriving != 0))[0])
    shut = tuple(int(i) for i in np.argwhere(x <= 0)[0])

    def said(array: str, cell: tuple[int, ...], arrays: dict[str, np.ndarray] | None = None) -> str:
        shown = Snapshot(**{**vars(snapshot), "arrays": {**snapshot.arrays, **(arrays or {})}}) if arrays else snapshot
        return summary(subject_of(shown, CellRef(array, cell)))

    assert said(f"{below}.dy", opened).endswith("is above 0: the δ passes unchanged.")
    assert said(f"{below}.dy", shut).endswith("no δ passes.")
    arriving[opened] = 0
    assert said(f"{below}.dy", opened, {f"{relu.node.id}.dy": arriving}).endswith("but the δ that arrives is 0.")
    assert "δ" not in said(f"{relu.node.id}.y", opened)


def test_a_unit_says_its_two_terms_as_a_cell_of_a_map_does(snapshots: list[Snapshot]) -> None:
    snapshot = snapshots[0]
    dense = next(p for p in snapshot.spec.placed() if p.node.layer.kind == "dense")
    text = summary(subject_of(snapshot, CellRef(f"{dense.node.id}.y", (1,))))
    words = text.split()
    assert (words[:3], words[4:6]) == (["=", "Σ", "inputs"], ["+", "bias"])
    value = float(snapshot[f"{dense.node.id}.y"][1])
    assert parse_number(words[3]) + parse_number(words[6]) == pytest.approx(value, rel=1e-3)


def test_a_letter_with_a_hat_is_explained(snapshots: list[Snapshot]) -> None:
    snapshot = snapshots[0]
    conv = [p for p in snapshot.spec.placed() if p.node.layer.kind == "conv"][1]
    assert "padded input" in meanings(subject_of(snapshot, CellRef(f"{conv.node.id}.y", (0, 0, 0))))
    assert "spread by the stride" in meanings(subject_of(snapshot, CellRef(
        f"{snapshot.spec.nodes[conv.index - 1].id}.dy", (0,) * len(conv.x))))
    assert not meanings(subject_of(snapshot, CellRef(f"{conv.node.id}.W", (0, 0, 0, 0))))


def test_what_the_input_block_puts_out_is_the_input_image(snapshots: list[Snapshot]) -> None:
    names = Names(snapshots[0], lambda block: block.title())
    assert names.caption(f"{snapshots[0].spec.nodes[0].id}.y") == "input image"


def test_a_sum_is_set_in_one_size_in_all_its_lines(qtbot: QtBot) -> None:
    view = FormulaView()
    qtbot.addWidget(view)
    view.resize(170, 40)
    view.set_lines(["1 = 2", "3 = 1.2345", r"\quad + " + " + ".join(["1.2345"] * 4)])
    qtbot.waitUntil(lambda: view.finished and bool(view._shown))
    lines = view._scaled()
    scale = (view.width() - 2) / lines[2][0].viewBoxF().width()
    assert 0.62 < scale < 0.9
    assert [each for _, each in lines] == [1.0, scale, scale]
    assert view.height() == pytest.approx(sum(line.viewBoxF().height() * each + 6 for line, each in lines) + 2, abs=1)
