"""The properties form: a widget for every option of every layer, explanations while typing, resets, fixes and facts."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from cnnstudio.document import layout
from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph, Place
from cnnstudio.document.words import choice_words
from cnnstudio.panels.properties import BlockForm, NetworkSummary, PropertiesPanel
from cnnstudio.resources import resource_path
from engine.layer import LAYERS
from engine.templates import load_template


@pytest.fixture
def panel(qtbot: QtBot) -> PropertiesPanel:
    graph = Graph.of(load_template(resource_path("templates"), "lenet5").network, title="LeNet-5")
    document = Document(graph.moved(layout.tidy(graph)))
    panel = PropertiesPanel(document)
    document.setParent(panel)
    qtbot.addWidget(panel)
    panel.resize(300, 800)
    panel.show()
    return panel


def form(panel: PropertiesPanel, block: str) -> BlockForm:
    panel.show_blocks((block,))
    shown = panel.widget()
    assert isinstance(shown, BlockForm)
    return shown


def document(panel: PropertiesPanel) -> Document:
    return panel._document


def depth_spin(shown: BlockForm) -> QSpinBox:
    return shown.rows["depth"].editor.findChild(QSpinBox)


@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_every_option_of_every_layer_has_a_named_widget_with_help(panel: PropertiesPanel, kind: str) -> None:
    block = document(panel).place(kind, Place(), (0, 2000))
    shown = form(panel, block)
    options = LAYERS[kind].options()
    assert list(shown.rows) == [o.name for o in options]
    for option in options:
        row = shown.rows[option.name]
        assert row.editor.toolTip() == option.help and row.help.text() == option.help
        assert not row.reset.isVisible() and row.reset.accessibleName()
        assert row.label.text() == ("" if option.kind == "bool" else option.label)


def test_a_number_typed_reaches_the_document_at_once(panel: PropertiesPanel) -> None:
    spin = depth_spin(form(panel, "conv1"))
    spin.selectAll()
    QTest.keyClicks(spin, "12")
    assert document(panel).graph["conv1"].node.layer.depth == 12  # type: ignore[attr-defined]
    assert document(panel).undo_stack.count() == 1


def test_what_cannot_be_is_explained_beside_the_field_while_typing(panel: PropertiesPanel) -> None:
    shown = form(panel, "conv1")
    spin, row = depth_spin(shown), shown.rows["depth"]
    spin.selectAll()
    QTest.keyClicks(spin, "0")
    assert row.error.isVisible() and row.error.text() == "Depth must be at least 1; it is 0. Use 1."
    assert document(panel).graph["conv1"].node.layer.depth == 6  # type: ignore[attr-defined]
    spin.selectAll()
    QTest.keyClicks(spin, "5")
    assert not row.error.isVisible()


def test_steps_do_not_leave_the_limits(panel: PropertiesPanel) -> None:
    spin = depth_spin(form(panel, "conv1"))
    spin.stepBy(-100)
    assert spin.value() == 1


def test_a_number_that_is_none_is_explained(panel: PropertiesPanel) -> None:
    block = document(panel).place("dropout", Place(), (0, 2000))
    row = form(panel, block).rows["rate"]
    field = row.editor.findChild(QLineEdit)
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "0.x")
    assert row.error.text().startswith("Rate must be a number")
    field.selectAll()
    QTest.keyClicks(field, "0.25")
    assert document(panel).graph[block].node.layer.rate == 0.25  # type: ignore[attr-defined]


def test_spinning_is_one_step_and_leaving_the_field_ends_it(panel: PropertiesPanel) -> None:
    spin = depth_spin(form(panel, "conv1"))
    for _ in range(5):
        spin.stepUp()
    assert document(panel).undo_stack.count() == 1
    spin.editingFinished.emit()
    spin.stepUp()
    assert document(panel).undo_stack.count() == 2


def test_undo_shows_the_old_value(panel: PropertiesPanel) -> None:
    spin = depth_spin(form(panel, "conv1"))
    spin.setValue(9)
    document(panel).undo_stack.undo()
    assert spin.value() == 6


def test_reset_brings_the_default_back(panel: PropertiesPanel) -> None:
    row = form(panel, "conv1").rows["depth"]
    assert row.reset.isVisible()
    QTest.mouseClick(row.reset, Qt.MouseButton.LeftButton)
    assert document(panel).graph["conv1"].node.layer.depth == LAYERS["conv"]().depth  # type: ignore[attr-defined]
    assert not row.reset.isVisible()


@pytest.mark.parametrize("name", ["depth", "kernel_size"])
def test_the_reset_button_stands_beside_the_editor_in_the_narrowest_panel(panel: PropertiesPanel, name: str) -> None:
    panel.resize(290, 600)
    row = form(panel, "conv1").rows[name]
    QApplication.processEvents()
    assert 0 < row.reset.x() - row.editor.geometry().right() < 10
    assert row.reset.geometry().right() < row.width() and row.width() < panel.viewport().width()
    assert not row.reset.icon().isNull()


def test_a_linked_pair_changes_both_numbers_and_an_open_one_only_its_own(panel: PropertiesPanel) -> None:
    editor = form(panel, "conv1").rows["kernel_size"].editor
    editor.height_spin.setValue(3)  # type: ignore[attr-defined]
    assert document(panel).graph["conv1"].node.layer.kernel_size == (3, 3)  # type: ignore[attr-defined]
    editor.link.setChecked(False)  # type: ignore[attr-defined]
    editor.width_spin.setValue(5)  # type: ignore[attr-defined]
    assert document(panel).graph["conv1"].node.layer.kernel_size == (3, 5)  # type: ignore[attr-defined]


def test_padding_by_rule_shows_its_numbers_and_by_hand_each_side(panel: PropertiesPanel) -> None:
    padding = form(panel, "conv2").rows["padding"].editor.editor  # type: ignore[attr-defined]
    padding.rule.setCurrentIndex(padding.rule.findData("same"))
    padding.rule.activated.emit(padding.rule.currentIndex())
    layer = document(panel).graph["conv2"].node.layer
    assert layer.padding == "same"  # type: ignore[attr-defined]
    assert [spin.value() for spin in padding.spins] == [2, 2, 2, 2] and not padding.spins[0].isEnabled()
    padding.rule.setCurrentIndex(0)
    padding.rule.activated.emit(0)
    padding.alike.setChecked(False)
    padding.spins[3].setValue(0)
    assert document(panel).graph["conv2"].node.layer.padding == (2, 2, 2, 0)  # type: ignore[attr-defined]


def test_the_error_of_a_block_is_shown_with_its_fixes(panel: PropertiesPanel) -> None:
    document(panel).remove(["flatten1"])
    note = form(panel, "dense1").problem
    assert note.isVisible() and "needs a vector" in note.text.text()
    QTest.mouseClick(note.buttons[0], Qt.MouseButton.LeftButton)
    assert document(panel).derived.blocking is None and not note.isVisible()


def test_the_name_is_edited_and_given_back(panel: PropertiesPanel) -> None:
    shown = form(panel, "conv1")
    assert shown.name.placeholderText() == "Conv 1"
    QTest.keyClicks(shown.name, "edges")
    QTest.keyClick(shown.name, Qt.Key.Key_Return)
    assert document(panel).name_of("conv1") == "edges"


def test_facts_show_their_arithmetic(panel: PropertiesPanel) -> None:
    facts = dict(form(panel, "conv2").facts.facts())
    assert facts["Parameters"] == "16·6·5·5 + 16 = 2,416"
    assert facts["Input"] == "14×14×6" and facts["Output"] == "10×10×16"
    assert facts["Receptive field"] == "14×14" and facts["Step on the input"] == "2×2"
    assert facts["Multiplications"] == "240,000 per image"


def test_without_a_selection_the_network_is_summed_up(panel: PropertiesPanel) -> None:
    panel.show_blocks(())
    shown = panel.widget()
    assert isinstance(shown, NetworkSummary)
    assert dict(shown.facts.facts())["Parameters"] == "61,706"
    assert any("Select a block" in label.text() for label in shown.findChildren(QLabel))


def test_a_removed_block_leaves_the_panel(panel: PropertiesPanel) -> None:
    form(panel, "conv1")
    document(panel).remove(["conv1"])
    assert panel.block is None and isinstance(panel.widget(), NetworkSummary)


def test_choices_are_written_with_the_names_of_people_and_abbreviations_in_capitals() -> None:
    assert [choice_words(c) for c in ("he_normal", "lecun_uniform", "zca_whitening", "none")] == [
        "He normal", "LeCun uniform", "ZCA whitening", "none"]  # fmt: skip
