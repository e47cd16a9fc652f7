"""Says in the banner when a run goes wrong although nothing is broken, and offers the cure."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from cnnstudio.banner import Banner, Choice
from cnnstudio.document.words import error_sentence, fix_label, fix_sentence
from cnnstudio.setting_change import Change
from cnnstudio.studio import Studio
from engine.diagnose import Diagnosis, diagnose_epochs
from engine.errors import EngineError, Fix
from engine.events import EpochDone
from engine.layer import LAYERS

DIAGNOSIS = "diagnosis"
"""What its banner is about."""


class Doctor(QObject):
    """Listens to the session's diagnoses; each is told once until it is gone or the weights are drawn anew.

    A message about something else stays in the banner: a run that goes badly is less urgent than one that cannot go on.
    """

    def __init__(self, studio: Studio, banner: Banner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio, self._banner = studio, banner
        self._told: set[tuple[str, str | None]] = set()
        studio.controller.diagnosed.connect(self._consider)
        studio.controller.epoch_done.connect(self._consider_epochs)
        studio.controller.history_replaced.connect(self._forget)

    @Slot(object)
    def _consider(self, findings: tuple[Diagnosis, ...]) -> None:
        present = {(finding.code, finding.layer) for finding in findings}
        gone = {told for told in self._told if told not in present and told[0] != "diagnosis.overfitting"}
        self._told -= gone
        if gone:
            self._banner.clear_about(DIAGNOSIS)
        self._tell(findings)

    @Slot(object)
    def _consider_epochs(self, _done: EpochDone) -> None:
        finding = diagnose_epochs(self._studio.controller.history.epochs)
        if finding is not None:
            self._tell((finding,))

    def _tell(self, findings: tuple[Diagnosis, ...]) -> None:
        """Show the first finding that is news; the cause comes before its consequences."""
        news = next((f for f in findings if (f.code, f.layer) not in self._told), None)
        if news is None or (self._banner.text and self._banner.about != DIAGNOSIS):
            return
        self._told.add((news.code, news.layer))
        place = next((self._studio.document.name_of(b.id) for b in self._studio.document.graph if b.node.title == news.layer), "")
        sentences = [f"{place}: {error_sentence(news)}" if place else error_sentence(news)]
        sentences += [fix_sentence(fix) for fix in news.fixes if fix.action == "advice"]
        choices = [self._choice(news, fix) for fix in news.fixes if fix.action != "advice"]
        self._banner.show_message("warning", " ".join(sentences), choices, about=DIAGNOSIS)

    def _choice(self, finding: Diagnosis, fix: Fix) -> Choice:
        return fix_label(fix), lambda: self._apply(finding, fix)

    def _apply(self, finding: Diagnosis, fix: Fix) -> None:
        studio = self._studio
        try:
            if fix.action == "setting" and fix.field is not None:
                studio.change(Change(fix.field, fix.value))
                if finding.code == "diagnosis.exploding":
                    studio.reset_weights()
            elif fix.action == "replace" and fix.layer is not None:
                studio.document.set_layer(fix.layer, LAYERS[str(fix.value)]())
            else:
                studio.apply_fix(fix)
        except EngineError as error:
            self._banner.show_message("error", error_sentence(error), about=DIAGNOSIS)

    @Slot()
    def _forget(self) -> None:
        self._told.clear()
        self._banner.clear_about(DIAGNOSIS)
