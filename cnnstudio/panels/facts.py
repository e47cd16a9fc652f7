"""Facts about a block or the whole network, with their arithmetic, and the table that shows them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from cnnstudio.document.document import Document
from cnnstudio.panels.option_row import LABEL_GAP, LABEL_WIDTH
from cnnstudio.widgets.numbers import format_bytes, format_count
from engine.layer import Layer, Shape

translate = QCoreApplication.translate

Fact = tuple[str, str]


def block_facts(document: Document, block_id: str) -> list[Fact]:
    """Shapes, parameters, multiplications, memory and receptive field of one block."""
    facts = document.derived.analysis.get(block_id)
    placed = document.derived.placed.get(block_id)
    if facts is None or placed is None:
        return []
    rows = [(translate("Facts", "Input"), str(facts.x))] if facts.x else []
    rows += [
        (translate("Facts", "Output"), str(facts.y)),
        (translate("Facts", "Parameters"), _parameters(placed.node.layer, facts.x, facts.parameters)),
        (translate("Facts", "Multiplications"), translate("Facts", "{n} per image").format(n=format_count(facts.macs))),
        (
            translate("Facts", "Activations"),
            translate("Facts", "{size} per image").format(size=format_bytes(facts.activation_bytes)),
        ),
    ]
    if facts.receptive_field is not None:
        field = facts.receptive_field
        rows.append((translate("Facts", "Receptive field"), f"{field}"))
        if any(field.step):
            rows.append((translate("Facts", "Step on the input"), f"{field.step[0]}×{field.step[1]}"))
    return rows


def _parameters(layer: Layer, x: Shape, total: int) -> str:
    """The count with its arithmetic: "6·1·5·5 + 6 = 156"."""
    shapes = [param.shape for param in layer.params(x).values()]
    terms = ["·".join(map(str, shape)) for shape in shapes]
    if not terms or terms == [str(total)]:
        return format_count(total)
    return f"{' + '.join(terms)} = {format_count(total)}"


def network_facts(document: Document) -> list[Fact]:
    """The totals of the network."""
    analysis = document.derived.analysis
    rows = [
        (translate("Facts", "Blocks"), format_count(len(document.graph.main))),
        (translate("Facts", "Parameters"), format_count(analysis.parameters)),
        (translate("Facts", "Multiplications"), translate("Facts", "{n} per image").format(n=format_count(analysis.macs))),
        (
            translate("Facts", "Activations"),
            translate("Facts", "{size} per image").format(size=format_bytes(analysis.activation_bytes)),
        ),
        (translate("Facts", "Weights"), format_bytes(analysis.parameter_bytes)),
    ]
    if analysis.receptive_field is not None:
        rows.append((translate("Facts", "Receptive field"), str(analysis.receptive_field)))
    return rows


class FactsTable(QWidget):
    """Two columns: what, and how much."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 4, 0, 0)
        self._form.setHorizontalSpacing(LABEL_GAP)
        self._form.setVerticalSpacing(4)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._facts: list[Fact] = []

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Show other facts."""
        if list(facts) == self._facts:
            return
        self._facts = list(facts)
        while self._form.rowCount():
            self._form.removeRow(0)
        for what, how_much in facts:
            label, value = QLabel(what, self), QLabel(how_much, self)
            label.setProperty("role", "muted")
            label.setMinimumWidth(LABEL_WIDTH)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setWordWrap(True)
            self._form.addRow(label, value)

    def facts(self) -> list[Fact]:
        """What is shown."""
        return list(self._facts)
