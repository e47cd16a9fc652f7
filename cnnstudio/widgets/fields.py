"""Input fields that look as the rest and change only on purpose, not when one scrolls past them."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSpinBox, QStyle, QStyleOptionComboBox, QStylePainter, QWidget

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


class Choice(QComboBox):
    """One of several texts, each with the value it stands for as item data; what there is no room for ends in …"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel counts only in the field that has the keyboard."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw frame, text and arrow; a style sheet's own drawing cuts the text off in the middle of a letter."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self)  # fmt: skip
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideRight, room.width())
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
