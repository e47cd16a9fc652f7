"""The network analyzer: its numbers, its order, its copies, and the block it shares with the canvas."""

from __future__ import annotations

import csv
import io
import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.panels.analyzer import AnalyzerModel, AnalyzerPanel, as_markdown
from cnnstudio.resources import resource_path
from cnnstudio.selection import Selection
from cnnstudio.translation import use_language
from engine.templates import load_template

# LeNet-5 by hand: layer -> (output, parameters, MACs, bytes of output and parameters, receptive field).
BY_HAND = {
    "Conv 1": ("28×28×6", 6 * 25 + 6, 28 * 28 * 6 * 25, 4 * (28 * 28 * 6 + 156), "5×5"),
    "Max pool 1": ("14×14×6", 0, 0, 4 * 14 * 14 * 6, "6×6"),
    "Conv 2": ("10×10×16", 16 * 6 * 25 + 16, 10 * 10 * 16 * 6 * 25, 4 * (1600 + 2416), "14×14"),
    "FC 1": ("120", 400 * 120 + 120, 400 * 120, 4 * (120 + 48120), None),
}


@pytest.fixture
def panel(qtbot: QtBot) -> AnalyzerPanel:
    template = load_template(resource_path("templates"), "lenet5")
    return shown(qtbot, Document(Graph.of(template.network)))


def shown(qtbot: QtBot, document: Document, selection: Selection | None = None) -> AnalyzerPanel:
    selection = selection or Selection()
    panel = AnalyzerPanel(document, selection)
    for owned in (document, selection):
        owned.setParent(panel)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def copied(panel: AnalyzerPanel) -> list[list[str]]:
    panel.copy_csv()
    return list(csv.reader(io.StringIO(QGuiApplication.clipboard().text())))


def test_the_numbers_are_those_made_by_hand(panel: AnalyzerPanel) -> None:
    rows = {row[0]: row for row in copied(panel)}
    for name, (output, parameters, macs, memory, field) in BY_HAND.items():
        assert rows[name][1:5] == [output, str(parameters), str(macs), str(memory)]
        assert field is None or rows[name][5] == field


def test_every_column_is_in_sight_in_a_window_of_its_own(panel: AnalyzerPanel) -> None:
    panel.resize(560, 380)
    QApplication.processEvents()
    assert panel.table.horizontalScrollBar().maximum() == 0
    assert copied(panel)[0][2] == "Parameters" and copied(panel)[0][5] == "Receptive field"


def test_copies_keep_the_order_shown(panel: AnalyzerPanel) -> None:
    panel.table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    numbers = [int(row[2]) for row in copied(panel)[1:]]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] == 48120


def test_the_copy_in_markdown_is_a_table(panel: AnalyzerPanel) -> None:
    panel.copy_markdown()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].startswith("| Layer | Output |") and lines[1] == "| :-- | --: | --: | --: | --: | --: |"
    assert len(lines) == 2 + len(panel.model.layers) and all(line.count("|") == 7 for line in lines)
    assert as_markdown([["a|b"], ["c"]]).splitlines()[0] == "| a\\|b |"


def test_a_row_chosen_is_the_block_chosen_and_the_other_way_round(qtbot: QtBot) -> None:
    document, selection = Document(), Selection()
    for kind in ("input", "conv", "relu"):
        document.append(kind)
    panel = shown(qtbot, document, selection)
    panel.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    panel.table.selectRow(0)
    assert selection.block == "relu1"
    selection.select_block("conv1")
    assert [index.row() for index in panel.table.selectionModel().selectedRows()] == [1]


def test_the_table_follows_the_network(qtbot: QtBot) -> None:
    document = Document()
    document.append("input")
    panel = shown(qtbot, document)
    document.append("conv")
    assert panel.model.rowCount() == 2 and "80 parameters" in panel.model.totals()


def test_in_the_totals_no_number_is_parted_from_its_unit(panel: AnalyzerPanel) -> None:
    text = panel._totals.text()
    assert "KiB" in text and not re.search(r"\d \w", text)


def test_the_heading_of_the_layers_is_not_the_word_of_the_button(qapp: QApplication, panel: AnalyzerPanel) -> None:
    use_language(qapp, "zh_CN")
    try:
        assert AnalyzerModel(panel.model._document).headerData(0, Qt.Orientation.Horizontal) == "层"
    finally:
        use_language(qapp, "en")
