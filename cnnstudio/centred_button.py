"""A tool button whose icon and text stand in its middle, and that keeps its width when its text changes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QPaintEvent
from PySide6.QtWidgets import QStyle, QStyleOptionToolButton, QStylePainter, QToolButton

_BETWEEN = 4
"""Pixels that a style leaves between icon and text."""


class CentredButton(QToolButton):
    """As wide as the widest of the texts that its action may have; a tool button of Qt begins at the left."""

    def __init__(self, action: QAction, texts: Sequence[str]) -> None:
        super().__init__()
        self._texts = texts
        self.setDefaultAction(action)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

    def sizeHint(self) -> QSize:
        """The room of the widest text."""
        hint, advance = super().sizeHint(), self.fontMetrics().horizontalAdvance
        return QSize(hint.width() - advance(self.text()) + max(map(advance, self._texts)), hint.height())

    def minimumSizeHint(self) -> QSize:
        """It is never cut off."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame in full width, then icon and text in as much of it as they need."""
        painter, option = QStylePainter(self), QStyleOptionToolButton()
        self.initStyleOption(option)
        needed = option.iconSize.width() + _BETWEEN + self.fontMetrics().horizontalAdvance(option.text) + 1
        text, drawing = option.text, QIcon(option.icon)  # a copy: the option's own is emptied
        option.text, option.icon = "", QIcon()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        option.text, option.icon = text, drawing
        option.rect = QRect((self.width() - needed) // 2, 0, needed, self.height())
        painter.drawControl(QStyle.ControlElement.CE_ToolButtonLabel, option)
