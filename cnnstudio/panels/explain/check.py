"""The finite-difference check of one gradient, computed beside the window."""

from __future__ import annotations

import contextlib
import threading

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from cnnstudio.panels.explain.subject import Subject
from cnnstudio.theme import SPACE_XS
from cnnstudio.widgets.numbers import format_value
from engine.errors import ExplainError
from engine.finite_difference import Difference, can_differ, finite_difference


class Checker(QObject):
    """Computes in a thread of its own; only the answer to the latest question is delivered."""

    done = Signal(object)
    """A `Difference`, or None where it could not be computed."""

    _finished = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ticket = 0
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def forget(self) -> None:
        """Deliver nothing of what is under way."""
        self._ticket += 1

    def start(self, subject: Subject) -> None:
        """Begin to compute."""
        self._ticket += 1
        threading.Thread(target=self._work, args=(self._ticket, subject), name="finite difference", daemon=True).start()

    def _work(self, ticket: int, subject: Subject) -> None:
        try:
            found: Difference | None = finite_difference(subject.snapshot, subject.ref)
        except ExplainError:
            found = None
        with contextlib.suppress(RuntimeError):  # the window was closed meanwhile: nobody waits for the answer
            self._finished.emit(ticket, found)

    @Slot(int, object)
    def _deliver(self, ticket: int, found: Difference | None) -> None:
        if ticket == self._ticket:
            self.done.emit(found)


def _same_question(a: Subject, b: Subject) -> bool:
    of = [(s.ref, s.snapshot.probe, s.snapshot.step, s.snapshot.loss, s.value) for s in (a, b)]
    return of[0] == of[1]


class CheckRow(QWidget):
    """A button, and the central difference with its relative error once it was pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._subject: Subject | None = None
        self._checker = Checker(self)
        self._checker.done.connect(self._show)
        self.button = QPushButton(self.tr("Check by finite difference"))
        self.button.setToolTip(self.tr("Nudges the number up and down by a little and computes the loss anew each time."))
        self.button.clicked.connect(self._check)
        self.answer = QLabel()
        self.answer.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.answer)

    def show_subject(self, subject: Subject) -> None:
        """Offer the check where the subject is a gradient; an answer for another number goes away."""
        known, self._subject = self._subject, subject
        if known is not None and _same_question(known, subject):
            return  # another frame of the same step: an answer on its way, or here already, is still right
        self._checker.forget()
        self.setVisible(can_differ(subject.snapshot, subject.ref))
        self.answer.hide()
        self.button.setEnabled(True)

    @Slot()
    def _check(self) -> None:
        if self._subject is not None:
            self.button.setEnabled(False)
            self._checker.start(self._subject)

    @Slot(object)
    def _show(self, found: Difference | None) -> None:
        self.button.setEnabled(True)
        self.answer.show()
        if found is None:
            text, role = self.tr("It cannot be computed from this snapshot."), "muted"
        elif not found.smooth:
            text, role = self.tr("{value}, but ReLU or max pooling has a kink within the step: there is no one slope."), "muted"
        else:
            text, role = self.tr("Finite difference {value} · relative error {error}"), "ok"
        if found is not None:
            text = text.format(value=format_value(found.difference, 5), error=format_value(found.relative_error, 2))
        self.answer.setText(text)
        self.answer.setProperty("role", role)
        self.answer.style().polish(self.answer)
