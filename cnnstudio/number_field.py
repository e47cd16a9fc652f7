"""A narrow field for one number: typed, or stepped with the arrow keys and the wheel."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

Number = float
Step = Callable[[Number, bool], Number]
"""(value, upwards) -> the next value"""


_FRAME = 16
"""Pixels around the text, with the cursor behind it."""


class NumberField(QLineEdit):
    """Shows a number as short as it can be written; text that is no legal number gives way to the last one."""

    value_changed = Signal(object)
    """The number that the user has given, an int for whole numbers."""

    def __init__(
        self, step: Step, *, low: Number, high: Number, whole: bool, digits: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._step, self._low, self._high, self._whole = step, low, high, whole
        self._value: Number = low
        self._wheel = 0
        self._digits = digits
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.editingFinished.connect(self._commit)

    @property
    def value(self) -> Number:
        """The number on display."""
        return self._value

    def set_value(self, value: Number) -> None:
        """Show another number."""
        self._value = value
        text = str(int(value)) if self._whole else written(value)
        if text != self.text():
            self.setText(text)

    def sizeHint(self) -> QSize:
        """As wide as its digits."""
        return QSize(self.fontMetrics().horizontalAdvance("0" * self._digits) + _FRAME, super().sizeHint().height())

    def step(self, upwards: bool) -> None:
        """Go to the next number."""
        self._give(min(max(self._step(self._value, upwards), self._low), self._high))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys step, Escape takes back what was typed."""
        key = event.key()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._commit()
            self.step(key == Qt.Key.Key_Up)
        elif key == Qt.Key.Key_Escape:
            self.set_value(self._value)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel steps while the field has the keyboard, so that scrolling past changes nothing."""
        if not self.hasFocus():
            event.ignore()
            return
        self._wheel += event.angleDelta().y()
        while abs(self._wheel) >= 120:
            self.step(self._wheel > 0)
            self._wheel -= 120 if self._wheel > 0 else -120
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Coming to the field selects the number, ready to be typed over."""
        super().focusInEvent(event)
        if event.reason() != Qt.FocusReason.MouseFocusReason:
            self.selectAll()

    @Slot()
    def _commit(self) -> None:
        try:
            value = float(self.text().strip().replace(",", "."))
        except ValueError:
            self.set_value(self._value)
            return
        if self._whole:
            value = round(value) if abs(value) < 1e15 else self._value
        legal = self._low <= value <= self._high
        self._give(value) if legal else self.set_value(self._value)

    def _give(self, value: Number) -> None:
        changed = value != self._value
        self.set_value(value)
        if changed:
            self.value_changed.emit(int(value) if self._whole else float(value))


def written(value: Number) -> str:
    """A number without trailing zeros: "0.001", "1e-05", "12"."""
    return f"{value:.9f}".rstrip("0").rstrip(".") if 1e-4 <= abs(value) < 1e6 else f"{value:g}"


def by_one(value: Number, upwards: bool) -> Number:
    """1, 2, 3, …"""
    return value + (1 if upwards else -1)


def by_two(value: Number, upwards: bool) -> Number:
    """1, 2, 4, 8, …: the next power of two."""
    power = 1
    while power < value or (upwards and power == value):
        power *= 2
    return power if upwards else power // 2


def by_ladder(value: Number, upwards: bool) -> Number:
    """0.001, 0.002, 0.005, 0.01, …"""
    rungs = [digit * 10.0**power for power in range(-9, 4) for digit in (1, 2, 5)]
    near = [r for r in rungs if (r > value * 1.0001 if upwards else r < value * 0.9999)]
    return near[0 if upwards else -1] if near else value
