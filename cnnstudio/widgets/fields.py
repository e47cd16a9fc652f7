"""Input fields that look as the rest and change only on purpose, not when one scrolls past them."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QWidget

# Style sheets cannot pad the text of a spin box.
TEXT_INDENT = 11


class IntField(QSpinBox):
    """A whole number; typing tells its listeners once it is finished."""

    def __init__(self, parent: QWidget | None = None, *, low: int = 0, high: int = 99, value: int = 0) -> None:
        super().__init__(parent)
        self.setRange(low, high)
        self.setValue(value)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(TEXT_INDENT, 0, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel counts only in the field that has the keyboard."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class FloatField(QDoubleSpinBox):
    """A real number, shown without trailing zeros; steps follow its size."""

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        low: float = 0.0,
        high: float = 1e6,
        value: float = 0.0,
        decimals: int = 6,
    ) -> None:
        super().__init__(parent)
        self.setDecimals(decimals)
        self.setRange(low, high)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.setValue(value)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(TEXT_INDENT, 0, 0, 0)

    def textFromValue(self, value: float) -> str:
        """The number with as many digits as it needs."""
        text = self.locale().toString(value, "f", self.decimals())
        point = self.locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if point in text else text

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel counts only in the field that has the keyboard."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class Choice(QComboBox):
    """One of several texts, each with the value it stands for as item data."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel counts only in the field that has the keyboard."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()
