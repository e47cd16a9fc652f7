"""One option in the form of a block: label, editor, help, reset, and what is wrong with the input."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cnnstudio.document.words import error_sentence, fix_label, say
from cnnstudio.icon_button import IconButton
from cnnstudio.panels.option_editors import OptionEditor, editor_for
from cnnstudio.theme import ui_font
from engine.errors import EngineError
from engine.options import Option

LABEL_WIDTH = 76
LABEL_GAP = 8


class OptionRow(QWidget):
    """An option: label, the editor with a reset button beside it, help, and what is wrong with the input."""

    changed = Signal(str, object)
    finished = Signal()

    def __init__(self, option: Option, parent: QWidget) -> None:
        super().__init__(parent)
        self.option = option
        self.editor: OptionEditor = editor_for(option, self)
        self.editor.setToolTip(say(option.help))
        self.label = QLabel("" if option.kind == "bool" else say(option.label), self)
        self.label.setBuddy(self.editor)
        self.label.setToolTip(say(option.help))
        tip = self.tr("Back to the default, {value}").format(value=shown(option.default))
        self.reset = IconButton("reset", tip, self, token="muted")
        self.reset.make_small(14, 20, 24)
        self.reset.clicked.connect(self._reset)
        self.help = QLabel(say(option.help), self)
        self.help.setWordWrap(True)
        self.help.setProperty("role", "muted")
        self.error = QLabel(self)
        self.error.setWordWrap(True)
        self.error.setProperty("role", "error")
        self.error.hide()
        self.help.setFont(ui_font(0.88))
        wide = option.kind in ("padding", "bool")
        first = QHBoxLayout()
        first.setSpacing(4)
        if option.kind != "bool":
            self.label.setWordWrap(not wide)
            first.addWidget(self.label)
        if option.kind != "padding":
            first.addWidget(self.editor)
        if not wide:
            self.label.setFixedWidth(LABEL_WIDTH + LABEL_GAP - first.spacing())
        first.addWidget(self.reset)
        first.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(first)
        if option.kind == "padding":
            box.addWidget(self.editor)
        box.addWidget(self.error)
        box.addWidget(self.help)
        self.editor.edited.connect(self._edited)
        self.editor.finished.connect(self.finished)

    def show_value(self, value: Any) -> None:
        """Show the value of the document; what was wrong with the input is over."""
        self.editor.set_value(value)
        self.error.hide()
        self.reset.setVisible(value != self.option.default)

    def show_resolved(self, sides: tuple[int, int, int, int] | None) -> None:
        """What a padding rule comes to."""
        if self.option.kind == "padding":
            self.editor.set_resolved(sides)  # type: ignore[attr-defined]

    def mark(self, concerned: bool) -> None:
        """Point to this option as the place of the block's error."""
        self.label.setProperty("role", "error" if concerned else "")
        self.label.style().unpolish(self.label)
        self.label.style().polish(self.label)

    def explain(self, error: EngineError) -> None:
        """Say what is wrong with what was typed, and what would be right."""
        fixes = "".join(f" {fix_label(fix)}." for fix in error.fixes[:1])
        self.error.setText(error_sentence(error) + fixes)
        self.error.show()

    @Slot(object)
    def _edited(self, value: Any) -> None:
        try:
            legal = self.option.check(value)
        except EngineError as error:
            self.explain(error)
            return
        self.error.hide()
        self.changed.emit(self.option.name, legal)

    @Slot()
    def _reset(self) -> None:
        self.finished.emit()
        self.changed.emit(self.option.name, self.option.default)
        self.finished.emit()


def shown(value: Any) -> str:
    """A value of an option as text."""
    if isinstance(value, bool):
        return "✓" if value else "–"
    if isinstance(value, tuple):
        return " × ".join(map(str, value)) if len(value) == 2 else ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
