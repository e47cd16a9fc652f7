"""Every training setting in one form: the run, the loss, the optimizer, the schedule, the augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from cnnstudio.document.words import say
from cnnstudio.panels.option_row import OptionRow
from cnnstudio.setting_change import Change, part_title
from cnnstudio.theme import SPACE_L, SPACE_M, SPACE_S
from cnnstudio.widgets.form_area import FormArea
from engine.losses import LOSSES
from engine.optimizers import OPTIMIZERS
from engine.options import Configurable
from engine.schedules import SCHEDULES
from engine.settings import TrainSettings

KINDS: Mapping[str, Mapping[str, type[Any]]] = {
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "augmentation": {},
}


class TrainingSettingsPanel(FormArea):
    """Tells what the user wants changed; a running training takes it over between two batches."""

    changed = Signal(object)
    """A `Change`."""
    finished = Signal()
    """The user has left a field: the next change is an undo step of its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = TrainSettings()
        self._kinds: dict[str, type[Configurable]] = {}
        self.setAccessibleName(self.tr("Training settings"))
        self._run: OptionRows | None = None
        self._parts: dict[str, Part] = {}

    def sizeHint(self) -> QSize:
        """As wide as the properties."""
        return QSize(300, 480)

    def show_settings(self, settings: TrainSettings) -> None:
        """Show the settings in force."""
        self._settings = settings
        # The form has dozens of widgets: it is made when somebody looks at it.
        if self.isVisible():
            self._refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Show what has changed while hidden."""
        super().showEvent(event)
        self._refresh()

    def _refresh(self) -> None:
        settings = self._settings
        kinds = {name: type(getattr(settings, name)) for name in KINDS}
        if kinds != self._kinds:
            self._kinds = kinds
            self._build()
        assert self._run is not None
        self._run.show_values(settings)
        for name, part in self._parts.items():
            part.show_part(getattr(settings, name))

    def _build(self) -> None:
        chosen = next((name for name, part in self._parts.items() if part.choice.hasFocus()), None)
        form = QWidget()
        box = QVBoxLayout(form)
        box.setContentsMargins(SPACE_L, SPACE_M, SPACE_M, SPACE_L)
        box.setSpacing(SPACE_M)
        self._run = OptionRows(TrainSettings, form)
        self._run.changed.connect(self._change_run)
        self._run.finished.connect(self.finished)
        box.addWidget(self._run)
        self._parts = {}
        for name, kinds in KINDS.items():
            part = Part(name, kinds, type(getattr(self._settings, name)), form)
            part.changed.connect(self.changed)
            part.finished.connect(self.finished)
            self._parts[name] = part
            box.addWidget(part)
        box.addStretch(1)
        self.show_form(form)
        if chosen is not None:  # the arrow keys go on choosing
            self._parts[chosen].choice.setFocus()

    @Slot(str, object)
    def _change_run(self, name: str, value: Any) -> None:
        if getattr(self._settings, name) != value:
            self.changed.emit(Change(name, value))


class OptionRows(QWidget):
    """One row for each option of something that can be configured."""

    changed = Signal(str, object)
    finished = Signal()

    def __init__(self, kind: type[Configurable], parent: QWidget) -> None:
        super().__init__(parent)
        self.rows = {option.name: OptionRow(option, self) for option in kind.options()}
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE_M)
        for row in self.rows.values():
            row.changed.connect(self.changed)
            row.finished.connect(self.finished)
            box.addWidget(row)

    def show_values(self, values: Configurable) -> None:
        """Show the values of all options."""
        for name, row in self.rows.items():
            row.show_value(getattr(values, name))


class Part(QWidget):
    """A part of the settings: which kind of it, where there is a choice, and its options."""

    changed = Signal(object)
    finished = Signal()

    def __init__(
        self, name: str, kinds: Mapping[str, type[Any]], kind: type[Configurable], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._name, self._kinds = name, kinds
        self._value: Configurable | None = None
        box = QVBoxLayout(self)
        box.setContentsMargins(0, SPACE_S, 0, 0)
        box.setSpacing(SPACE_S)
        title = QLabel(part_title(name), self)
        title.setProperty("role", "section")
        box.addWidget(title)
        self.choice = QComboBox(self)
        self.choice.setAccessibleName(part_title(name))
        for key, other in kinds.items():
            self.choice.addItem(say(other.title), key)
        self.choice.activated.connect(self._choose)
        self.choice.setVisible(bool(kinds))
        box.addWidget(self.choice)
        self._rows = OptionRows(kind, self)
        self._rows.changed.connect(self._change)
        self._rows.finished.connect(self.finished)
        box.addWidget(self._rows)

    def show_part(self, value: Configurable) -> None:
        """Show the part as it is in force."""
        self._value = value
        self.choice.setCurrentIndex(self.choice.findData(value.kind))
        self._rows.show_values(value)

    @Slot(int)
    def _choose(self, index: int) -> None:
        kind = self.choice.itemData(index)
        if self._value is not None and kind != self._value.kind:
            self.changed.emit(Change(self._name, self._kinds[kind]()))

    @Slot(str, object)
    def _change(self, option: str, value: Any) -> None:
        if self._value is not None and getattr(self._value, option) != value:
            self.changed.emit(Change(self._name, self._value.replace(**{option: value})))
