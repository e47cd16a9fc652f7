"""The explanation itself, from the number down to the source, in one column that scrolls."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QTabBar, QVBoxLayout, QWidget

from cnnstudio.panels.along_chain import as_picture
from cnnstudio.panels.explain import latex
from cnnstudio.panels.explain.check import CheckRow
from cnnstudio.panels.explain.code_zoom import CodeZoom
from cnnstudio.panels.explain.ideas import pixels, sentences
from cnnstudio.panels.explain.layer_zoom import LayerZoom
from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.part_zoom import PartZoom
from cnnstudio.panels.explain.pictures import pair_of
from cnnstudio.panels.explain.subject import Subject
from cnnstudio.panels.explain.summary import summary
from cnnstudio.panels.explain.symbols import meanings, symbols
from cnnstudio.panels.explain.term_tree import TermTree, sign_token
from cnnstudio.panels.explain.words import step_line
from cnnstudio.theme import SPACE_M, SPACE_S, SPACE_XS, Theme, current_theme, number_font, theme_changed
from cnnstudio.widgets.formula import FormulaView
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.number_grid import NumberGrid
from cnnstudio.widgets.numbers import format_value
from engine.term import LEAVES


class Body(QScrollArea):
    """Number, layer, formula, matrices, terms and source of one subject."""

    cell_wanted = Signal(object)
    """A `CellRef` of the engine."""
    part_wanted = Signal(int)

    def __init__(self, name_of: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._subject: Subject | None = None
        self._name_of = name_of
        self._heading = ""
        self.steps = QTabBar()
        """Whether a delta at the end is shown as y − t, or through the loss and the closing layer one after the other."""
        self.steps.setExpanding(False)
        self.steps.setDrawBase(False)
        self.steps.setAccessibleName(self.tr("How the delta is computed"))
        for text in (self.tr("In one step"), self.tr("In two steps")):
            self.steps.addTab(text)
        self.steps.setTabToolTip(0, self.tr("As training computes it: what comes out of the product of both steps."))
        self.steps.setTabToolTip(1, self.tr("The loss first, ∂E/∂y, then back through the closing layer by the chain rule."))
        self.steps.currentChanged.connect(self._choose_steps)
        self.value, self.step, self._sum, self.symbols, self.idea = (QLabel() for _ in range(5))
        self.value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.value.setAccessibleName(self.tr("The explained number"))
        for label in (self.step, self._sum, self.symbols, self.idea):
            label.setProperty("role", "muted")
            label.setWordWrap(True)
        self.step.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.check, self.code, self.formula = CheckRow(), CodeZoom(), FormulaView()
        self.layer, self.parts, self.tree = LayerZoom(), PartZoom(), TermTree()
        for zoom in (self.layer, self.parts, self.tree):
            zoom.cell_wanted.connect(self.cell_wanted)
        self.parts.part_wanted.connect(self.part_wanted)
        self.tree.part_chosen.connect(self.part_wanted)
        self._formula_title, self._tree_title, self._code_title = (
            self._section(text) for text in (self.tr("The formula"), self.tr("Every term"), self.tr("As source")))
        self._copies = self._copy_buttons()
        self._lay_out()
        theme_changed.connect(self._color_value)

    @property
    def pictures(self) -> tuple[MapView | NumberGrid, ...]:
        """Everything that can be copied and saved, in the order on screen."""
        matrices = (self.parts.window_, self.parts.kernel, self.parts.products)
        source, result = self.layer.views
        return (source, self.layer.kernel, result, self.layer.image, *(view for m in matrices for view in (m.grid, m.map)))

    def _lay_out(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # A bar that came and went with the height would change the width, by which captions and matrices are arranged.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, SPACE_XS, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_S)
        number, first = QVBoxLayout(), QHBoxLayout()
        number.setSpacing(0)
        first.addWidget(self.value)
        first.addWidget(self.step, 1)
        number.addLayout(first)
        number.addWidget(self._sum)
        column.addLayout(number)
        for widget in (self.check, self.steps, self.layer, self.idea, self._formula_title, self.formula, self.symbols,
                       self._copies, self.parts, self._tree_title, self.tree, self._code_title, self.code):  # fmt: skip
            column.addWidget(widget)
        column.addStretch()
        self.setWidget(inside)

    def _section(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", "section")
        return label

    def _copy_buttons(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        for text, copy in (
            (self.tr("Copy as LaTeX"), self.formula.copy_latex),
            (self.tr("Copy as picture"), self.formula.copy_picture),
        ):
            button = QPushButton(text)
            button.clicked.connect(copy)
            layout.addWidget(button)
        layout.addStretch()
        return row

    def show_subject(self, subject: Subject, part: int, heading: str) -> None:
        """Show a number with partial sum `part` in view; `heading` names it in the source."""
        self._subject, self._heading = subject, heading
        longer = subject.taken_apart()
        self.steps.setVisible(longer is not None)
        if longer is not None and self.steps.currentIndex():
            subject = longer
        names = Names(subject.snapshot, self._name_of)
        self.step.setText(step_line(subject.snapshot))
        self.value.setText(format_value(subject.value, 5))
        self._color_value()
        for label, text in ((self._sum, summary(subject)), (self.idea, sentences(subject))):
            label.setText(text)
            label.setVisible(bool(text))
        self.check.show_subject(subject)
        field = pixels(subject) if subject.owner is not None and subject.owner.index > 1 else None
        self.layer.show_pixels(as_picture(subject.at("image")) if field is not None else None, field)
        self.show_part(subject, part)
        computed = subject.term.op not in LEAVES
        self.tree.show_term(subject.term if computed else None, names, part if len(subject.parts) > 1 else -1)
        for widget in (self._tree_title, self._code_title, self.code):
            widget.setVisible(computed)
        self.code.show_subject(subject, names, heading)

    @Slot(int)
    def _choose_steps(self, _index: int) -> None:
        if self._subject is not None:
            self.show_subject(self._subject, 0, self._heading)

    def show_part(self, subject: Subject, part: int) -> None:
        """Bring another partial sum into view."""
        names = Names(subject.snapshot, self._name_of)
        self.layer.show_pair(pair_of(subject, part), names)
        self.parts.show_part(subject, part, names)
        lines = [*symbols(subject), *latex.numbers(subject, part)]
        self.formula.set_lines(lines)
        self.symbols.setText(meaning := meanings(subject))
        self.symbols.setVisible(bool(meaning))
        for widget in (self._formula_title, self.formula, self._copies):
            widget.setVisible(bool(lines))

    @Slot()
    def _color_value(self, _theme: Theme | None = None) -> None:
        if self._subject is not None:
            color, font = getattr(current_theme(), sign_token(self._subject.value)), number_font(1.9)
            families = ", ".join(f'"{family}"' for family in font.families())
            self.value.setStyleSheet(f"color: {color}; font: bold {font.pointSizeF():.1f}pt {families};")
