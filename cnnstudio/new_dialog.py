"""The dialog behind New: the templates with a drawing of each network, and the empty canvas."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QWidget

from cnnstudio.document.words import say
from cnnstudio.network_list import NetworkList
from cnnstudio.widgets.dialog_column import dialog_column
from engine.templates import Template


class NewDialog(QDialog):
    """Choose what to begin with; `chosen` is the template, or None for an empty canvas."""

    def __init__(self, templates: Sequence[Template], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("New network"))
        self.resize(620, 560)
        title = QLabel(self.tr("Begin with"))
        title.setProperty("role", "title")
        self._choices: list[Template | None] = [*templates, None]
        self._list = NetworkList()
        self._list.setAccessibleName(self.tr("Templates"))
        for template in templates:
            self._list.add(say(template.title), say(template.description), template.network)
        self._list.add(self.tr("Empty canvas"), self.tr("An Input block; everything else is up to you."), None)
        self._list.setCurrentRow(0)
        self._list.itemActivated.connect(self.accept)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(self.tr("Begin"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        dialog_column(self, title, self._list, buttons, grows=self._list)
        self._list.setFocus()

    @property
    def chosen(self) -> Template | None:
        """The template chosen, None for the empty canvas."""
        return self._choices[self._list.currentRow()]
