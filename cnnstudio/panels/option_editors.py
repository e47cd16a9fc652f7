"""The right widget for each kind of option: spin box, number field, tick, choice, pair, padding picture."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from cnnstudio.document.words import choice_words, say
from cnnstudio.panels.padding_editor import PaddingEditor, WholeSpin
from cnnstudio.widgets.numbers import parse_number
from engine.options import Option


class OptionEditor(QWidget):
    """Edits one option. Emits whatever the user enters, legal or not; the form checks it and says what is
    wrong.
    """

    edited = Signal(object)
    finished = Signal()
    """The user has left the field: the next change is a new step."""

    def set_value(self, value: Any) -> None:
        """Show a value without emitting anything."""
        raise NotImplementedError


def editor_for(option: Option, parent: QWidget) -> OptionEditor:
    """The editor for an option's kind."""
    return _EDITORS[option.kind](option, parent)


class _Int(OptionEditor):
    def __init__(self, option: Option, parent: QWidget) -> None:
        super().__init__(parent)
        self.spin = WholeSpin(option.ge, option.le, self)
        if option.unit:
            self.spin.setSuffix(f" {say(option.unit)}")
        _row(self, self.spin)
        self.setFocusProxy(self.spin)
        self.spin.setAccessibleName(say(option.label))
        self.spin.valueChanged.connect(self.edited.emit)
        self.spin.editingFinished.connect(self.finished)

    def set_value(self, value: Any) -> None:
        with QSignalBlocker(self.spin):
            self.spin.setValue(int(value))


class _Float(OptionEditor):
    """A text field: learning rates and the like span too many magnitudes for the steps of a spin box."""

    def __init__(self, option: Option, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = QLineEdit(self)
        self.field.setAccessibleName(say(option.label))
        _row(self, self.field, *([QLabel(say(option.unit), self)] if option.unit else []))
        self.setFocusProxy(self.field)
        self.field.textEdited.connect(self._read)
        self.field.editingFinished.connect(self.finished)

    @Slot(str)
    def _read(self, text: str) -> None:
        try:
            self.edited.emit(parse_number(text))
        except ValueError:
            self.edited.emit(text)

    def set_value(self, value: Any) -> None:
        # What the user is typing stays as it is: "0." on the way to "0.25", or "1e-3".
        if _number_in(self.field.text()) != value:
            self.field.setText(f"{value:g}")


class _Bool(OptionEditor):
    def __init__(self, option: Option, parent: QWidget) -> None:
        super().__init__(parent)
        self.box = QCheckBox(say(option.label), self)
        _row(self, self.box)
        self.setFocusProxy(self.box)
        self.box.toggled.connect(self.edited.emit)

    def set_value(self, value: Any) -> None:
        with QSignalBlocker(self.box):
            self.box.setChecked(bool(value))


class QuietCombo(QComboBox):
    """A combo box that leaves the wheel to the form while it does not have the focus."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the choice only when the user is in this field."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class _Choice(OptionEditor):
    def __init__(self, option: Option, parent: QWidget) -> None:
        super().__init__(parent)
        self.box = QuietCombo(self)
        self.box.setAccessibleName(say(option.label))
        for choice in option.choices:
            self.box.addItem(say(choice_words(choice)), choice)
        _row(self, self.box)
        self.setFocusProxy(self.box)
        self.box.activated.connect(self._read)

    @Slot(int)
    def _read(self, index: int) -> None:
        self.edited.emit(self.box.itemData(index))

    def set_value(self, value: Any) -> None:
        with QSignalBlocker(self.box):
            self.box.setCurrentIndex(self.box.findData(value))


class _Pair(OptionEditor):
    """Height × width; while the chain between them is closed, one number sets both."""

    def __init__(self, option: Option, parent: QWidget) -> None:
        super().__init__(parent)
        self.height_spin = WholeSpin(option.ge, option.le, self)
        self.width_spin = WholeSpin(option.ge, option.le, self)
        label = say(option.label)
        self.height_spin.setAccessibleName(self.tr("{label}, height").format(label=label))
        self.width_spin.setAccessibleName(self.tr("{label}, width").format(label=label))
        self.height_spin.setToolTip(self.tr("Height"))
        self.width_spin.setToolTip(self.tr("Width"))
        self.link = QToolButton(self)
        self.link.setCheckable(True)
        self.link.setChecked(True)
        self.link.setText("=")
        self.link.setProperty("role", "quiet")
        self.link.setFixedWidth(24)
        for spin in (self.height_spin, self.width_spin):
            spin.setFixedWidth(54)  # with the rest of the row into the narrowest panel
        self.link.setToolTip(self.tr("Height and width alike"))
        self.link.setAccessibleName(self.tr("Height and width alike"))
        _row(self, self.height_spin, QLabel("×", self), self.width_spin, self.link)
        self.setFocusProxy(self.height_spin)
        self.height_spin.valueChanged.connect(self._height_changed)
        self.width_spin.valueChanged.connect(self._width_changed)
        self.link.toggled.connect(self._link_changed)
        for spin in (self.height_spin, self.width_spin):
            spin.editingFinished.connect(self.finished)

    @Slot(int)
    def _height_changed(self, value: int) -> None:
        self._emit(value if self.link.isChecked() else self.width_spin.value(), height=value)

    @Slot(int)
    def _width_changed(self, value: int) -> None:
        self._emit(value, height=value if self.link.isChecked() else self.height_spin.value())

    @Slot(bool)
    def _link_changed(self, linked: bool) -> None:
        if linked and self.height_spin.value() != self.width_spin.value():
            self._emit(self.height_spin.value(), height=self.height_spin.value())

    def _emit(self, width: int, height: int) -> None:
        self._show(height, width)
        self.edited.emit((height, width))

    def _show(self, height: int, width: int) -> None:
        with QSignalBlocker(self.height_spin), QSignalBlocker(self.width_spin):
            self.height_spin.setValue(height)
            self.width_spin.setValue(width)

    def set_value(self, value: Any) -> None:
        self._show(*value)
        if value[0] != value[1]:
            with QSignalBlocker(self.link):
                self.link.setChecked(False)


class _Padding(OptionEditor):
    def __init__(self, option: Option, parent: QWidget) -> None:
        super().__init__(parent)
        self.editor = PaddingEditor(self)
        self.editor.setAccessibleName(say(option.label))
        _row(self, self.editor)
        self.setFocusProxy(self.editor)
        self.editor.edited.connect(self.edited.emit)
        self.editor.finished.connect(self.finished)

    def set_value(self, value: Any) -> None:
        self.editor.set_value(value)

    def set_resolved(self, sides: tuple[int, int, int, int] | None) -> None:
        """The numbers that a rule such as "same" comes to here."""
        self.editor.set_resolved(sides)


_EDITORS: dict[str, type[Any]] = {
    "int": _Int,
    "float": _Float,
    "bool": _Bool,
    "choice": _Choice,
    "pair": _Pair,
    "padding": _Padding,
}


def _row(parent: QWidget, *widgets: QWidget) -> None:
    row = QHBoxLayout(parent)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)


def _number_in(text: str) -> float | None:
    try:
        return parse_number(text)
    except ValueError:
        return None
