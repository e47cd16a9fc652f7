"""Padding as a picture: the map in the middle, a number of zeros at each side, and the rules valid, same and
cover.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QSizePolicy, QSpinBox, QWidget

from cnnstudio.theme import current_theme, theme_changed
from cnnstudio.widgets.fields import TEXT_INDENT
from engine.options import PADDING_RULES

Sides = tuple[int, int, int, int]
_FREE = 1_000_000


class WholeSpin(QSpinBox):
    """A spin box whose steps stay within the limits, but into which anything can be typed, so that the form
    can answer.
    """

    def __init__(self, low: float | None, high: float | None, parent: QWidget) -> None:
        super().__init__(parent)
        self._low = int(low) if low is not None else -_FREE
        self._high = int(high) if high is not None else _FREE
        self.setRange(-_FREE, _FREE)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedWidth(76)
        self.lineEdit().setTextMargins(TEXT_INDENT, 0, 0, 0)

    def stepBy(self, steps: int) -> None:
        """Step, but not out of the limits."""
        self.setValue(min(max(self.value() + steps * self.singleStep(), self._low), self._high))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the form while another field has the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class PaddingEditor(QWidget):
    """Emits (top, bottom, left, right) or the name of a rule."""

    edited = Signal(object)
    finished = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rule = QComboBox(self)
        self.rule.setAccessibleName(self.tr("Padding rule"))
        self.rule.addItem(self.tr("Numbers"), "")
        names = {
            "valid": self.tr("valid: none"),
            "same": self.tr("same: keeps the size"),
            "cover": self.tr("cover: reads every cell"),
        }
        for name in PADDING_RULES:
            self.rule.addItem(names.get(name, name), name)
        self.alike = QCheckBox(self.tr("All sides alike"), self)
        self.alike.setChecked(True)
        self.picture = _Picture(self)
        labels = (self.tr("Top"), self.tr("Bottom"), self.tr("Left"), self.tr("Right"))
        self.spins = tuple(WholeSpin(0, None, self) for _ in labels)
        for spin, label in zip(self.spins, labels, strict=True):
            spin.setAccessibleName(self.tr("Padding, {side}").format(side=label))
            spin.setToolTip(label)
            spin.setFixedWidth(60)
            spin.valueChanged.connect(self._number_changed)
            spin.editingFinished.connect(self.finished)
        top, bottom, left, right = self.spins
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.setColumnStretch(3, 1)
        grid.addWidget(self.rule, 0, 0, 1, 4)
        grid.addWidget(top, 1, 1, Qt.AlignmentFlag.AlignHCenter)
        grid.addWidget(left, 2, 0)
        grid.addWidget(self.picture, 2, 1, Qt.AlignmentFlag.AlignCenter)
        grid.addWidget(right, 2, 2)
        grid.addWidget(bottom, 3, 1, Qt.AlignmentFlag.AlignHCenter)
        grid.addWidget(self.alike, 4, 0, 1, 4)
        self.setFocusProxy(self.rule)
        self.rule.activated.connect(self._rule_changed)
        self.alike.toggled.connect(self._alike_changed)
        self._value: str | Sides = (0, 0, 0, 0)
        self._resolved: Sides | None = None
        self._show()

    def set_value(self, value: Any) -> None:
        """Show a rule or four numbers."""
        self._value = value
        if not isinstance(value, str) and len(set(value)) > 1:
            with QSignalBlocker(self.alike):
                self.alike.setChecked(False)
        self._show()

    def set_resolved(self, sides: Sides | None) -> None:
        """The numbers that the rule comes to with the present input."""
        self._resolved = sides
        self._show()

    def _show(self) -> None:
        by_rule = isinstance(self._value, str)
        sides: Sides = (self._resolved or (0, 0, 0, 0)) if isinstance(self._value, str) else self._value
        with QSignalBlocker(self.rule):
            self.rule.setCurrentIndex(self.rule.findData(self._value if by_rule else ""))
        for spin, number in zip(self.spins, sides, strict=True):
            with QSignalBlocker(spin):
                spin.setValue(number)
            spin.setEnabled(not by_rule)
        self.alike.setEnabled(not by_rule)
        self.picture.show_sides(sides)

    def _numbers(self) -> Sides:
        top, bottom, left, right = (spin.value() for spin in self.spins)
        return (top, bottom, left, right)

    @Slot(int)
    def _number_changed(self, number: int) -> None:
        sides = (number,) * 4 if self.alike.isChecked() else self._numbers()
        self._value = sides
        self._show()
        self.edited.emit(sides)

    @Slot(bool)
    def _alike_changed(self, alike: bool) -> None:
        if alike and len(set(self._numbers())) > 1:
            self._number_changed(max(self._numbers()))

    @Slot(int)
    def _rule_changed(self, index: int) -> None:
        rule = str(self.rule.itemData(index))
        if rule:
            self.edited.emit(rule)
        elif isinstance(self._value, str):
            self.edited.emit(self._resolved or (0, 0, 0, 0))


class _Picture(QWidget):
    """A small map with as many rings of zeros at each side as there is padding, four at most."""

    MOST = 4

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._sides: Sides = (0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme_changed.connect(self._apply_theme)

    def sizeHint(self) -> QSize:
        """A square."""
        return QSize(64, 64)

    def show_sides(self, sides: Sides) -> None:
        """Draw other numbers."""
        self._sides = sides
        self.update()

    @Slot(object)
    def _apply_theme(self, _theme: object) -> None:
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Cells of the map filled, zeros hollow."""
        theme = current_theme()
        painter = QPainter(self)
        top, bottom, left, right = (min(max(n, 0), self.MOST) for n in self._sides)
        rows, columns = 4 + top + bottom, 4 + left + right
        cell = min(self.width() / max(columns, 6), self.height() / max(rows, 6))
        x0 = (self.width() - columns * cell) / 2
        y0 = (self.height() - rows * cell) / 2
        for row in range(rows):
            for column in range(columns):
                inside = top <= row < top + 4 and left <= column < left + 4
                rect = QRectF(x0 + column * cell, y0 + row * cell, cell - 1, cell - 1)
                if inside:
                    painter.fillRect(rect, theme.color("accent"))
                else:
                    painter.setPen(QPen(theme.color("wire"), 1))
                    painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
