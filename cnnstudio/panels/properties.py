"""The properties panel: a form for the selected block made from its options, and the facts about it or the
network.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.document.words import departure_sentence, layer_title, say
from cnnstudio.panels.facts import FactsTable, block_facts, network_facts
from cnnstudio.panels.option_row import LABEL_GAP, LABEL_WIDTH, OptionRow
from cnnstudio.panels.problem_note import ProblemNote
from cnnstudio.theme import SPACE_L, SPACE_M, current_theme, layer_stroke, theme_changed
from cnnstudio.widgets.form_area import FormArea
from engine.errors import EngineError
from engine.layer import Layer
from engine.pattern import Departure


class PropertiesPanel(FormArea):
    """Shows one selected block, otherwise the whole network."""

    message = Signal(str)

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._block: str | None = None
        self._many = 0
        self._form: BlockForm | NetworkSummary | None = None
        self.setAccessibleName(self.tr("Properties"))
        document.graph_changed.connect(self._follow_change)
        self._rebuild()

    def sizeHint(self) -> QSize:
        """Wide enough for the padding picture."""
        return QSize(300, 480)

    @property
    def block(self) -> str | None:
        """The id of the block on show."""
        return self._block

    @Slot(object)
    def show_blocks(self, ids: Sequence[str]) -> None:
        """Show the one selected block, or the network when none or several are selected."""
        self._block = ids[0] if len(ids) == 1 and ids[0] in self._document.graph else None
        self._many = len(ids)
        self._rebuild()

    @Slot(object, object)
    def _follow_change(self, before: Graph, after: Graph) -> None:
        if self._block is not None and self._block not in after:
            self._block = None
            self._rebuild()
        elif isinstance(self._form, BlockForm) and type(after[str(self._block)].node.layer) is not self._form.layer_type:
            self._rebuild()
        elif self._form is not None:
            self._form.refresh()

    def _rebuild(self) -> None:
        block, document = self._block, self._document
        form = NetworkSummary(document, self._many) if block is None else BlockForm(document, block)
        self._form = form
        self.show_form(form)
        form.refresh()


class BlockForm(QWidget):
    """Name, problem, options and facts of one block."""

    def __init__(self, document: Document, block_id: str) -> None:
        super().__init__()
        self._document = document
        self._id = block_id
        layer = document.graph[block_id].node.layer
        self.layer_type: type[Layer] = type(layer)
        box = _column(self)
        box.addWidget(_heading(layer, self))
        summary = QLabel(say(layer.summary), self)
        summary.setWordWrap(True)
        summary.setProperty("role", "muted")
        box.addWidget(summary)
        self.name = QLineEdit(self)
        self.name.setAccessibleName(self.tr("Name of the block"))
        self.name.setMaxLength(40)
        self.name.editingFinished.connect(self._rename)
        label = QLabel(self.tr("Name"), self)
        label.setBuddy(self.name)
        label.setFixedWidth(LABEL_WIDTH)
        name_row = QHBoxLayout()
        name_row.setSpacing(LABEL_GAP)
        name_row.addWidget(label)
        name_row.addWidget(self.name, 1)
        box.addLayout(name_row)
        self.problem = ProblemNote(document, self)
        box.addWidget(self.problem)
        self.rows = {o.name: OptionRow(o, self) for o in layer.options()}
        for row in self.rows.values():
            row.changed.connect(self._set_option)
            row.finished.connect(document.finish_editing)
            box.addWidget(row)
        self.facts = FactsTable(self)
        box.addWidget(self.facts)
        box.addStretch(1)

    def refresh(self) -> None:
        """Show the block as it is now."""
        block = self._document.graph[self._id]
        problem = self._document.derived.problem(self._id)
        self.name.setPlaceholderText(layer_title(block.node.layer) if block.node.name else self._document.name_of(self._id))
        if not self.name.hasFocus():
            self.name.setText(block.node.name)
        self.problem.show_problem(self._id, problem)
        window = None
        if (placed := self._document.derived.placed.get(self._id)) is not None:
            window = placed.node.layer.window(placed.x)
        for name, row in self.rows.items():
            row.show_value(getattr(block.node.layer, name))
            row.show_resolved(window.padding if window else None)
            row.mark(problem is not None and problem.field == name)
        self.facts.show_facts(block_facts(self._document, self._id))

    @Slot(str, object)
    def _set_option(self, name: str, value: Any) -> None:
        try:
            self._document.set_option(self._id, name, value)
        except EngineError as error:
            self.rows[name].explain(error)

    @Slot()
    def _rename(self) -> None:
        if self._id in self._document.graph:
            self._document.rename(self._id, self.name.text())


class NetworkSummary(QWidget):
    """The whole network in numbers, shown while no single block is selected."""

    def __init__(self, document: Document, selected: int) -> None:
        super().__init__()
        self._document = document
        box = _column(self)
        self.title = QLabel(self)
        self.title.setProperty("role", "title")
        self.title.setWordWrap(True)
        box.addWidget(self.title)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setProperty("role", "muted")
        box.addWidget(self.note)
        self.facts = FactsTable(self)
        box.addWidget(self.facts)
        self.hint = QLabel(self)
        self.hint.setWordWrap(True)
        self.hint.setProperty("role", "muted")
        self.hint.setText(
            self.tr("{n} blocks are selected.").format(n=selected)
            if selected > 1
            else self.tr("Select a block to see and change its options.")
        )
        box.addWidget(self.hint)
        box.addStretch(1)

    def refresh(self) -> None:
        """Show the network as it is now."""
        derived = self._document.derived
        self.title.setText(self._document.title or self.tr("New network"))
        pattern = derived.pattern
        sentence = departure_sentence(self._named(pattern)) if isinstance(pattern, Departure) else str(pattern)
        self.note.setText(sentence if len(self._document.graph) else self.tr("There are no blocks yet."))
        self.facts.show_facts(network_facts(self._document))

    def _named(self, departure: Departure) -> Departure:
        if departure.block is None:
            return departure
        name = self._document.name_of(departure.block)
        return dataclasses.replace(departure, args=dict(departure.args) | {"block": name})


def _column(parent: QWidget) -> QVBoxLayout:
    box = QVBoxLayout(parent)
    box.setContentsMargins(SPACE_L, 14, SPACE_M, 14)
    box.setSpacing(10)
    return box


def _heading(layer: Layer, parent: QWidget) -> QWidget:
    """The kind of the layer beside a bar in its colour."""
    heading = QWidget(parent)
    label = QLabel(layer_title(layer), heading)
    label.setProperty("role", "title")
    row = QHBoxLayout(heading)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    row.addWidget(_Stripe(layer.role))
    row.addWidget(label, 1)
    return heading


class _Stripe(QFrame):
    """A bar in the colour of a kind of layer, as it is in the theme."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role
        self.setFixedSize(4, 22)
        theme_changed.connect(self._dress)
        self._dress()

    @Slot(object)
    def _dress(self, *_: object) -> None:
        self.setStyleSheet(f"background: {layer_stroke(self._role, current_theme())}; border-radius: 2px;")
