"""The Explain panel: how a chosen number was computed, forward, backward and in the update, in three zooms."""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.document.words import error_sentence
from cnnstudio.panels.explain.body import Body
from cnnstudio.panels.explain.check import CheckRow
from cnnstudio.panels.explain.code_zoom import CodeZoom
from cnnstudio.panels.explain.head import BATCH, SAMPLE, Head
from cnnstudio.panels.explain.layer_zoom import LayerZoom
from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.part_zoom import PartZoom
from cnnstudio.panels.explain.subject import Subject, counterparts, is_parameter_like, subject_of
from cnnstudio.panels.explain.term_tree import TermTree
from cnnstudio.panels.explain.trail import Trail
from cnnstudio.panels.explain.words import probe_line
from cnnstudio.panels.live_panel import LivePanel, Needs
from cnnstudio.panels.panel_tools import PanelTools
from cnnstudio.selection import CellRef, Selection
from cnnstudio.session.controller import Controller
from cnnstudio.session.messages import RunPhase, RunState
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.formula import FormulaView
from engine import term as terms
from engine.errors import EngineError, ExplainError
from engine.snapshot import Snapshot

LIVE_INTERVAL = 0.25
"""Seconds between two explanations of the same number while training runs."""


class ExplainPanel(LivePanel):
    """Explains `Selection.cell` from a snapshot of its own probe: the chosen sample, or the last training batch.

    All numbers on display come from one snapshot, whose probe and step are named above them.
    """

    interval = LIVE_INTERVAL
    explained = Signal(object)
    """The `Subject` on display, after everything but the typeset formula has been drawn; None when there is none."""

    def __init__(self, document: Document, selection: Selection, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._selection, self._controller = document, selection, controller
        self._snapshots: dict[str, Snapshot | None] = {SAMPLE: None, BATCH: None}
        self._subject: Subject | None = None
        self._part = 0
        self._revealed = False
        self._trail = Trail()
        self._last = 0.0
        self._asked = Needs()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._explain)
        self._make_head()
        self._make_body()
        tools = PanelTools(
            self, None, self.tr("Click any number in here to see how it was computed in turn."),
            self.tr("The chosen number with the window that it was read from, the formula, and every product of it. “Backward” "
                    "shows how the loss changes with it, “Update” what training makes of it. The arrows lead back to the "
                    "numbers before."),
        )  # fmt: skip
        tools.set_views(*self._body.pictures)
        self._head.add_tools(tools)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_XS, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self._head)
        layout.addWidget(self._body, 1)
        layout.addWidget(self._hint, 1)
        selection.cell_changed.connect(self._follow)
        controller.batch_probed.connect(self._take_batch)
        controller.history_replaced.connect(self._forget_batch)
        controller.state_changed.connect(self._follow_state)
        self._invite()

    # --- layout ---

    def _make_head(self) -> None:
        self._head = Head()
        self._head.way_chosen.connect(self._choose_way)
        self._head.probe_chosen.connect(self._choose_probe)
        self._head.image_chosen.connect(self._choose_image)
        self._head.trail.back.connect(lambda: self._go_along(self._trail.before()))
        self._head.trail.ahead.connect(lambda: self._go_along(self._trail.ahead()))
        self._head.trail.stop_chosen.connect(self._go_along)

    def _make_body(self) -> None:
        self._hint = QLabel()
        self._hint.setProperty("role", "muted")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._body = Body(self._document.name_of)
        self._body.cell_wanted.connect(self.go)
        self._body.part_wanted.connect(self.show_part)
        self._body.formula.all_set.connect(self._reveal_again)

    # --- looking at it, for tests and for the step mode ---

    @property
    def subject(self) -> Subject | None:
        """The number on display with its explanation."""
        return self._subject

    @property
    def value_text(self) -> str:
        """The number as it is written."""
        return self._body.value.text()

    @property
    def layer_zoom(self) -> LayerZoom:
        """The two pictures."""
        return self._body.layer

    @property
    def part_zoom(self) -> PartZoom:
        """The matrices of one partial sum."""
        return self._body.parts

    @property
    def tree(self) -> TermTree:
        """Every term."""
        return self._body.tree

    @property
    def formula(self) -> FormulaView:
        """The typeset formula."""
        return self._body.formula

    @property
    def check(self) -> CheckRow:
        """The finite-difference check."""
        return self._body.check

    @property
    def code(self) -> CodeZoom:
        """The source."""
        return self._body.code

    @property
    def head(self) -> Head:
        """Title, direction and probe."""
        return self._head

    @property
    def hint_text(self) -> str:
        """What is said in place of an explanation."""
        return self._hint.text()

    @property
    def title_text(self) -> str:
        """The title."""
        return self._head.title.whole

    @property
    def probe_text(self) -> str:
        """Whose numbers are shown, and of which step; empty while none are."""
        return probe_line(self._subject.snapshot) if self._subject is not None else ""

    # --- what is needed, and what comes ---

    def needs(self) -> Needs:
        """Everything of the sample, so that one can walk anywhere; nothing for a batch, which is asked for by itself."""
        cell = self._selection.cell
        if cell is None or cell.probe == BATCH:
            return Needs()
        layers = frozenset(node.id for node in self._document.spec)
        return Needs(layers, layers, layers, gradients=True)

    def show_snapshot(self, snapshot: Snapshot | None) -> None:
        """Explain the same number at another step; while training runs a few times a second."""
        self._snapshots[SAMPLE] = snapshot
        cell = self._selection.cell
        if snapshot is None:
            self._snapshots[BATCH] = None
            self._explain()
        elif cell is not None and cell.probe == SAMPLE and not self._later.isActive():
            running = self._controller.state.phase == RunPhase.RUNNING
            wait = LIVE_INTERVAL - (time.monotonic() - self._last) if running else 0.0
            if wait > 0:
                self._later.start(int(wait * 1000))
            else:
                self._explain()

    @Slot(object)
    def _take_batch(self, snapshot: Snapshot | None) -> None:
        self._snapshots[BATCH] = snapshot
        cell = self._selection.cell
        if cell is not None and cell.probe == BATCH:
            self._explain()

    @Slot()
    def _forget_batch(self) -> None:
        """The last batch was one of another network, or of weights that have been drawn anew since."""
        self._snapshots[BATCH] = None
        cell = self._selection.cell
        if cell is not None and cell.probe == BATCH:
            self._explain()

    @Slot(object)
    def _follow_state(self, state: RunState) -> None:
        """At rest, ask for the batch that has been trained meanwhile."""
        cell, batch = self._selection.cell, self._snapshots[BATCH]
        wanted = cell is not None and cell.probe == BATCH and state.phase not in (RunPhase.RUNNING, RunPhase.EMPTY)
        if wanted and (batch is None or batch.step != state.step) and state.step and self.can_be_seen():
            self._controller.probe_batch()

    # --- going from number to number ---

    def go(self, ref: terms.CellRef) -> None:
        """Explain another cell of the same probe."""
        probe = self._selection.cell.probe if self._selection.cell is not None else SAMPLE
        self._select(ref, probe)

    def _select(self, ref: terms.CellRef, probe: str) -> None:
        snapshot = self._snapshots[probe]
        self._selection.select_cell(CellRef(ref.array, ref.index, snapshot.step if snapshot is not None else 0, probe))

    def _go_along(self, stop: object) -> None:
        if stop is not None:
            self._trail.jump(stop)  # type: ignore[arg-type]  # signals carry objects
            self._selection.select_cell(stop.cell)  # type: ignore[attr-defined]

    @Slot(object)
    def _follow(self, cell: CellRef | None) -> None:
        self._part = 0
        self._revealed = False
        self._last = 0.0
        if (needs := self.needs()) != self._asked:
            self._asked = needs
            self.needs_changed.emit()
            if self._controller.state.phase == RunPhase.RUNNING:
                self._snapshots[SAMPLE] = None  # what came so far holds what other panels needed; the next frame is near
        if cell is not None and cell.probe == BATCH and self._snapshots[BATCH] is None:
            self._controller.probe_batch()
        array = self._subject.ref.array if self._subject is not None else ""
        self._explain()
        if cell is not None and cell.array != array:
            self._body.verticalScrollBar().setValue(0)

    @Slot(str)
    def _choose_way(self, way: str) -> None:
        subject = self._subject
        if subject is None:
            return
        found = counterparts(subject.snapshot, subject.ref).get(way)
        if found is not None:
            self.go(found)
        elif way == "update" and subject.owner is not None:
            # Only a batch has been used for an update.
            self._snapshots[BATCH] = None
            self._select(terms.CellRef(f"{subject.owner.node.id}.{subject.target}_after", subject.cell), BATCH)

    @Slot(str)
    def _choose_probe(self, probe: str) -> None:
        subject = self._subject
        cell = self._selection.cell
        if cell is None or cell.probe == probe:
            return
        index = cell.index
        if subject is not None and not is_parameter_like(subject.snapshot, subject.ref.array):
            index = (0, *index) if probe == BATCH else index[1:]
        array = cell.array.removesuffix("_after") if probe == SAMPLE else cell.array
        if array == "losses":
            array = "loss"
        self._snapshots[BATCH] = None
        self._select(terms.CellRef(array, index), probe)

    @Slot(int)
    def _choose_image(self, image: int) -> None:
        subject = self._subject
        if subject is not None and subject.image is not None and subject.image != image:
            self.go(terms.CellRef(subject.ref.array, (image, *subject.cell)))

    @property
    def idea(self) -> str:
        """What the number teaches about its layer."""
        return self._body.idea.text()

    def reveal_part(self) -> None:
        """Scroll so far that the matrices can be seen, from their beginning if they do not fit, and again when the formula above
        them stands."""
        self._revealed = True
        inside = self._body.widget()
        if inside is not None and (layout := inside.layout()) is not None:
            layout.activate()  # another number has just come: what is above the matrices has another height
        self._body.verticalScrollBar().setValue(self._body.parts.y() - SPACE_XS)

    @Slot()
    def _reveal_again(self) -> None:
        if self._revealed:
            self.reveal_part()
            self._revealed = False

    @Slot(int)
    def show_part(self, part: int) -> None:
        """Show the pictures and matrices of another partial sum."""
        if self._subject is not None and self._subject.parts:
            self._part = min(part, len(self._subject.parts) - 1)
            self._body.show_part(self._subject, self._part)

    # --- explaining ---

    @Slot()
    def _explain(self) -> None:
        self._later.stop()
        cell = self._selection.cell
        snapshot = self._snapshots[cell.probe] if cell is not None else None
        if not self.isVisible():
            return
        if cell is None:
            self._invite()
            return
        self._head.show_probe(cell.probe)
        if snapshot is None:
            waits = cell.probe == SAMPLE or self._controller.state.step > 0
            self._show_hint(self.tr("One moment …") if waits else self.tr(
                "No batch has been trained yet. Train at least one batch, then its numbers are here."))
            return
        # Thousands of small terms are made, none of which is garbage yet: a collection in the middle takes longer than all else.
        collects = gc.isenabled()
        gc.disable()
        try:
            subject = subject_of(snapshot, terms.CellRef(cell.array, cell.index))
            self._show_subject(subject)
        except ExplainError as error:
            self._show_hint(self._missing(error, cell))
            return
        finally:
            if collects:
                gc.enable()
        self._last = time.monotonic()
        self.explained.emit(subject)

    def _missing(self, error: EngineError, cell: CellRef) -> str:
        sample = self._selection.sample
        if cell.probe == SAMPLE and sample is not None and sample.label is None:
            return self.tr("Nobody knows the class of this image, so there is no loss and no delta.")
        if cell.array.endswith("_after"):
            return self.tr("Only the last training batch shows an update.")
        block = cell.array.rpartition(".")[0]
        if block in self._document.graph and error.code in ("explain.no_cell", "explain.no_array"):
            return self.tr("{block} has no cell {index} any more.").format(
                block=self._document.name_of(block), index=list(cell.index))
        return error_sentence(error)

    def _invite(self) -> None:
        self._show_hint(self.tr("Click any number to see how it was computed: in maps, kernels, deltas, probabilities."))

    def _show_hint(self, text: str) -> None:
        self._subject = None
        self._hint.setText(text)
        self._hint.show()
        self._body.hide()
        self._head.setVisible(self._selection.cell is not None)
        self._head.clear()

    def _show_subject(self, subject: Subject) -> None:
        subject.term  # noqa: B018  raises what cannot be explained before anything is drawn
        self._subject = subject
        name_of = self._document.name_of
        cell = self._selection.cell
        assert cell is not None
        self._trail.visit(cell, Names(subject.snapshot, name_of).crumb(subject))
        self._head.show_subject(subject, self._trail, name_of)
        self._hint.hide()
        self._head.show()
        self._body.show()
        self._part = min(self._part, max(len(subject.parts) - 1, 0))
        self._body.show_subject(subject, self._part, f"{self.title_text}\n{self.probe_text}")
