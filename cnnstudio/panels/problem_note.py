"""What is wrong with a block, in the form beside the canvas, with the fixes as buttons."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from cnnstudio.document.document import Document
from cnnstudio.document.words import error_sentence, fix_label
from engine.errors import EngineError, Fix


class ProblemNote(QFrame):
    """What is wrong with a block, with a button for every fix that the program can apply."""

    def __init__(self, document: Document, parent: QWidget) -> None:
        super().__init__(parent)
        self._document = document
        self._fixes: list[Fix] = []
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.buttons: list[QPushButton] = []
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(10, 8, 10, 8)
        self._box.addWidget(self.text)
        self.hide()

    def show_problem(self, block_id: str, problem: EngineError | None) -> None:
        """Show a problem, or nothing."""
        for button in self.buttons:
            self._box.removeWidget(button)
            button.deleteLater()
        self.buttons = []
        self.setVisible(problem is not None)
        if problem is None:
            return
        is_error = block_id in self._document.derived.errors
        self.setProperty("role", "alert" if is_error else "note")
        self.style().unpolish(self)
        self.style().polish(self)
        self.text.setText(self._sentence(problem))
        for fix in problem.fixes:
            if fix.action != "advice":
                button = QPushButton(fix_label(fix), self)
                button.clicked.connect(lambda _checked=False, fix=fix: self._document.apply_fix(fix))
                self._box.addWidget(button)
                self.buttons.append(button)

    def _sentence(self, problem: EngineError) -> str:
        if problem.code == "graph.waits":
            name = self._document.name_of(str(problem.args_by_name["block"]))
            return self.tr("Waits for {block}.").format(block=name)
        advice = [fix_label(fix) + "." for fix in problem.fixes if fix.action == "advice"]
        return " ".join([error_sentence(problem), *advice])
