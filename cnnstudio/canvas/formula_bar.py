"""The formula bar: the network as INPUT → [[CONV → ReLU]×N → POOL]×M → [FC → ReLU]×K → FC, and its totals."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from cnnstudio.document.document import Document
from cnnstudio.document.graph import Graph
from cnnstudio.document.words import departure_sentence
from cnnstudio.theme import current_theme, layer_color, layer_ink, theme_changed, ui_font
from cnnstudio.widgets.numbers import format_count, format_short
from engine.pattern import Departure, Formula, Token

_SIDE, _CHIP_PADDING = 14.0, 8.0


class FormulaBar(QWidget):
    """One line: left the formula in chips, or the sentence that says why there is none; right the totals."""

    blocks_hovered = Signal(object)
    """The ids of the blocks that the part under the pointer stands for; an empty tuple when it leaves."""
    blocks_clicked = Signal(object)
    """The ids of the blocks of a part that was clicked."""
    totals_clicked = Signal()
    """The numbers of the whole network were clicked."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._places: list[tuple[QRectF, Token]] = []
        self._totals_at = self.width() + 0.0
        self._hovered: Token | None = None
        self.setMouseTracking(True)
        self.installEventFilter(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Formula of the network"))
        document.graph_changed.connect(self._follow_change)
        theme_changed.connect(self._apply_theme)
        self._describe()

    def sizeHint(self) -> QSize:
        """One line of chips."""
        return QSize(600, 38)

    @Slot(object, object)
    def _follow_change(self, _before: Graph, _after: Graph) -> None:
        self._hover(None)
        self._describe()
        self.update()

    @Slot(object)
    def _apply_theme(self, _theme: object) -> None:
        self.update()

    def _describe(self) -> None:
        self.setAccessibleDescription(f"{self.formula_text()}. {self.totals_text()}")
        self.setToolTip("")

    def formula_text(self) -> str:
        """The formula, or the sentence that says where the network departs from it."""
        pattern = self._document.derived.pattern
        if isinstance(pattern, Formula):
            return str(pattern)
        if not len(self._document.graph):
            return self.tr("An empty canvas: the formula of the network will appear here")
        if pattern.block is not None:
            name = self._document.name_of(pattern.block)
            pattern = dataclasses.replace(pattern, args=dict(pattern.args) | {"block": name})
        return departure_sentence(pattern)

    def totals_text(self) -> str:
        """N, M, K; and while all shapes fit, parameters, multiplications and receptive field."""
        derived = self._document.derived
        parts = []
        if isinstance(derived.pattern, Formula):
            n = ", ".join(map(str, derived.pattern.n)) or "0"
            parts.append(f"N={n} · M={derived.pattern.m} · K={derived.pattern.k}")
        analysis = derived.analysis
        if derived.errors:
            return "".join(parts)
        parts.append(self.tr("{n} parameters").format(n=format_count(analysis.parameters)))
        parts.append(self.tr("{n} MAC/image").format(n=format_short(analysis.macs)))
        if analysis.receptive_field is not None:
            parts.append(self.tr("receptive field {field}").format(field=analysis.receptive_field))
        return "   │   ".join(parts)

    # --- painting ---

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint both sides; the totals give way where there is not room for both."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("window"))
        painter.setPen(theme.color("border"))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        self._paint_totals(painter, self._paint_formula(painter))

    def _paint_formula(self, painter: QPainter) -> float:
        """Paint the left side and give the place where it ends."""
        theme, pattern = current_theme(), self._document.derived.pattern
        middle, x = (self.height() - 1) / 2, _SIDE
        self._places = []
        mark, color = self._mark()
        painter.setFont(ui_font(bold=True))
        painter.setPen(theme.color(color))
        x = _draw(painter, mark, x, middle) + (12 if mark else 0)
        if isinstance(pattern, Departure):
            painter.setFont(ui_font())
            painter.setPen(theme.color("text" if mark else "muted"))
            room = self.width() - x - _SIDE
            text = QFontMetricsF(painter.font()).elidedText(self.formula_text(), Qt.TextElideMode.ElideRight, room)
            return _draw(painter, text, x, middle)
        for token in pattern.tokens():
            x = self._paint_token(painter, token, x, middle)
        return x

    def _mark(self) -> tuple[str, str]:
        """(the word before the formula, the theme's colour for it)."""
        derived = self._document.derived
        if not len(self._document.graph):
            return "", "muted"
        if derived.errors:
            return "✕ " + self.tr("does not fit"), "danger"
        if isinstance(derived.pattern, Formula):
            return "✓ " + self.tr("canonical"), "ok"
        return "△ " + self.tr("not canonical"), "warning"

    def _paint_token(self, painter: QPainter, token: Token, x: float, middle: float) -> float:
        theme = current_theme()
        if not token.role:
            painter.setFont(ui_font())
            lit = token is self._hovered or (self._hovered is not None and token == self._hovered)
            painter.setPen(theme.color("accent" if lit and token.ids else "text"))
            end = _draw(painter, token.text, x, middle)
            if token.ids:
                self._places.append((QRectF(x, 0, end - x, self.height()), token))
            return end
        font = ui_font(0.9, bold=True)
        text = token.text  # the letters of the formula, the same in every language
        width = QFontMetricsF(font).horizontalAdvance(text) + 2 * _CHIP_PADDING
        chip = QRectF(x, middle - 10, width, 20)
        hovered = self._hovered is not None and token == self._hovered
        painter.setPen(QPen(theme.color("text"), 2) if hovered else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(layer_color(token.role)))
        painter.drawRoundedRect(chip, 10, 10)
        painter.setFont(font)
        painter.setPen(QColor(layer_ink(token.role)))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
        self._places.append((chip, token))
        return x + width

    def _paint_totals(self, painter: QPainter, left: float) -> None:
        parts = self.totals_text().split("   │   ")
        painter.setFont(ui_font())
        painter.setPen(current_theme().color("muted"))
        metrics = QFontMetricsF(painter.font())
        self._totals_at = self.width() + 0.0
        while parts:
            text = "   │   ".join(parts)
            x = self.width() - _SIDE - metrics.horizontalAdvance(text)
            if x >= left + 24:
                _draw(painter, text, x, (self.height() - 1) / 2)
                self._totals_at = x
                return
            parts.pop()

    # --- pointing ---

    def token_at(self, point: QPointF) -> Token | None:
        """The part of the formula under a point."""
        return next((token for rect, token in self._places if rect.contains(point)), None)

    def place_of(self, text: str) -> QPointF:
        """The middle of the first part with that text; KeyError when there is none."""
        for rect, token in self._places:
            if token.text == text:
                return rect.center()
        raise KeyError(text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the blocks of the part under the pointer."""
        token = self.token_at(event.position())
        self._hover(token)
        leads_on = token is not None or event.position().x() >= self._totals_at
        self.setCursor(Qt.CursorShape.PointingHandCursor if leads_on else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the blocks of the part under the pointer."""
        token = self.token_at(event.position())
        if token is not None:
            self.blocks_clicked.emit(token.ids)
        elif event.position().x() >= self._totals_at:
            self.totals_clicked.emit()
        elif isinstance(departure := self._document.derived.pattern, Departure) and departure.block:
            self.blocks_clicked.emit((departure.block,))

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer any more."""
        self._hover(None)
        super().leaveEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The whole text as a tooltip, since either side may be cut off."""
        if event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), f"{self.formula_text()}\n{self.totals_text()}", self)
            return True
        return False

    def _hover(self, token: Token | None) -> None:
        if token != self._hovered:
            self._hovered = token
            self.blocks_hovered.emit(token.ids if token else ())
            self.update()


def _draw(painter: QPainter, text: str, x: float, middle: float) -> float:
    """One line of text with its middle at a height; gives the place where it ends."""
    metrics = QFontMetricsF(painter.font())
    painter.drawText(QPointF(x, middle + (metrics.ascent() - metrics.descent()) / 2), text)
    return x + metrics.horizontalAdvance(text)
