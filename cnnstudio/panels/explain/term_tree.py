"""The whole computation of a number as a tree: sums that unfold to products, products to cells, cells to go on from."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QFrame, QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.term_text import Segment, segments
from cnnstudio.panels.explain.words import translate
from cnnstudio.theme import Theme, current_theme, number_font, theme_changed
from cnnstudio.widgets.numbers import format_count, format_value
from engine.term import LEAVES, CellRef, Term

SHORT = 26
"""Terms of a sum that are shown in their own order; of a longer one the largest come first and the rest is folded."""
FIRST = 12
CHUNK = 100
Index = QModelIndex | QPersistentModelIndex


class Row:
    """A term in the tree, or a run of folded terms."""

    def __init__(self, term: Term | None, folded: list[Term], parent: Row | None, number: int, names: Names) -> None:
        self.term, self.folded, self.parent, self.number, self._names = term, folded, parent, number, names
        self._rows: list[Row] | None = None
        self.line = segments(term, names) if term is not None else [Segment(_fold_text(folded))]
        above = parent.term if parent is not None else None
        of_gate = above is not None and above.op == "gate"
        if of_gate:
            self.line = [Segment(("x: ", "x > 0: ", "x ≤ 0: ")[number]), *self.line]
        self.idle = of_gate and above is not None and number == (2 if above.children[0].value > 0 else 1)
        """Whether this is the branch that a gate did not take."""
        self.value = term.value if term is not None else sum(t.value for t in folded)

    @property
    def may_unfold(self) -> bool:
        """Whether there is anything below."""
        return bool(self.folded) or (self.term is not None and self.term.op not in LEAVES)

    @property
    def rows(self) -> list[Row]:
        """The rows below, made when they are first asked for."""
        if self._rows is None:
            self._rows = self._below()
        return self._rows

    def _below(self) -> list[Row]:
        terms = self.folded if self.term is None else list(self.term.children)
        folded: list[Term] = []
        if self.term is None and len(terms) > CHUNK:
            terms, folded = terms[:CHUNK], terms[CHUNK:]
        elif self.term is not None and len(terms) > SHORT and self.term.op == "sum" and terms[0].part is None:
            terms.sort(key=lambda t: -abs(t.value))
            terms, folded = terms[:FIRST], terms[FIRST:]
        rows = [Row(t, [], self, i, self._names) for i, t in enumerate(terms)]
        return [*rows, Row(None, folded, self, len(rows), self._names)] if folded else rows


def _fold_text(folded: list[Term]) -> str:
    return translate("… {count} smaller ones, together").format(count=format_count(len(folded)))


class TermModel(QAbstractItemModel):
    """The rows of one term; its own children are at the top level."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._root: Row | None = None
        self._names: Names | None = None

    def show_term(self, term: Term | None, names: Names) -> None:
        """Show another term."""
        self.beginResetModel()
        self._names = names
        self._root = None if term is None or term.op in LEAVES else Row(term, [], None, 0, names)
        self.endResetModel()

    def row(self, index: Index) -> Row | None:
        """The row of an index; the invisible root for an invalid one."""
        return index.internalPointer() if index.isValid() else self._root

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        """The index of a row below another."""
        above = self.row(parent)
        if above is None or not 0 <= row < len(above.rows):
            return QModelIndex()
        return self.createIndex(row, column, above.rows[row])

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]  # QObject.parent() is the other one
        """The index of the row above."""
        row = self.row(index)
        above = row.parent if row is not None else None
        if above is None or above is self._root:
            return QModelIndex()
        return self.createIndex(above.number, 0, above)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Rows below a row."""
        row = self.row(parent)
        return 0 if row is None or parent.column() > 0 or not row.may_unfold else len(row.rows)

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008
        """Known without making the rows below."""
        row = self.row(parent)
        return row is not None and parent.column() <= 0 and row.may_unfold

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Term and value."""
        return 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Texts; the segments are for the delegate, which asks `row`."""
        row = self.row(index)
        if row is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return format_value(row.value) if index.column() else "".join(s.text for s in row.line)
        if role == Qt.ItemDataRole.ToolTipRole and row.term is not None and self._names is not None:
            named = (child for child in (row.term, *_few(row.term)) if child.ref is not None)
            return "\n".join(f"{self._names.cell(child.ref)} = {format_value(child.value)}"
                             for child in named if child.ref is not None) or None
        return None


def _few(term: Term) -> tuple[Term, ...]:
    return () if term.op in LEAVES or callable(term.inner) else term.children[:6]


class TermDelegate(QStyledItemDelegate):
    """Paints a line's segments, cells as links, and the value in the colour of its sign."""

    def __init__(self, tree: TermTree) -> None:
        super().__init__(tree)
        self._tree = tree

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One cell of the tree."""
        row = self._tree.terms.row(index)
        style = self._tree.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, self._tree)
        if row is None:
            return
        theme = current_theme()
        painter.save()
        painter.setFont(number_font(0.92))
        box = option.rect.adjusted(3, 0, -4, 0)
        if index.column():
            painter.setPen(theme.color("muted" if row.idle else sign_token(row.value)))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, format_value(row.value))
        else:
            painter.setClipRect(box)
            for segment, place in self.places(row, box):
                painter.setPen(theme.color("accent" if segment.ref is not None else "muted" if row.idle else "text"))
                painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, segment.text)
                if segment.ref is not None and segment.ref == self._tree.pointed:
                    painter.drawLine(place.bottomLeft() - QPoint(0, 3), place.bottomRight() - QPoint(0, 3))
        painter.restore()

    def places(self, row: Row, box: QRect) -> list[tuple[Segment, QRect]]:
        """Where each segment lies."""
        metrics = QFontMetrics(number_font(0.92))
        x, found = box.left(), []
        for segment in row.line:
            width = metrics.horizontalAdvance(segment.text)
            found.append((segment, QRect(x, box.top(), width, box.height())))
            x += width
        return found

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """One line of numbers."""
        metrics = QFontMetrics(number_font(0.92))
        text = self._tree.terms.data(index) or ""
        return QSize(metrics.horizontalAdvance(text) + 14, metrics.height() + 6)


def sign_token(value: float) -> str:
    """The theme's colour for a number."""
    return "positive" if value > 0 else "negative" if value < 0 else "muted"


class TermTree(QTreeView):
    """Unfolds a term. A click on a number that is a cell, or Enter on a row with one, asks to go on there."""

    cell_wanted = Signal(object)
    """A `CellRef` of the engine."""
    part_chosen = Signal(int)
    """A partial sum was clicked: its place among them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.terms = TermModel(self)
        self.pointed: CellRef | None = None
        self._delegate = TermDelegate(self)
        self.setModel(self.terms)
        self.setItemDelegate(self._delegate)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setIndentation(14)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setExpandsOnDoubleClick(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Every term"))
        header = self.header()
        header.setMinimumSectionSize(60)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        self.expanded.connect(self._fit)
        self.collapsed.connect(self._fit)
        theme_changed.connect(self._retheme)
        self._retheme()

    def show_term(self, term: Term | None, names: Names, open_part: int = -1) -> None:
        """Show how a term was computed; partial sum `open_part` unfolded."""
        self.terms.show_term(term, names)
        if open_part >= 0:
            self.expand(self.terms.index(open_part, 0))
        elif 0 < self.terms.rowCount() <= 2:
            self.expand(self.terms.index(0, 0))  # a sum and its bias: the sum is what one wants to see
        self._fit()

    def _retheme(self, _theme: Theme | None = None) -> None:
        self.header().resizeSection(1, QFontMetrics(number_font(0.92)).horizontalAdvance("−0.00000e−00") + 8)
        self._fit()

    def _fit(self, *_: object) -> None:
        """Be as high as the rows that can be seen: the panel around scrolls."""
        count, waiting = 0, [QModelIndex()]
        while waiting:
            parent = waiting.pop()
            for row in range(self.terms.rowCount(parent)):
                index = self.terms.index(row, 0, parent)
                count += 1
                if self.isExpanded(index):
                    waiting.append(index)
        height = QFontMetrics(number_font(0.92)).height() + 6
        self.setFixedHeight(count * height + 4)
        self.setVisible(count > 0)

    def sizeHint(self) -> QSize:
        """As narrow as its place."""
        return QSize(120, self.height())

    def _ref_at(self, point: QPoint) -> CellRef | None:
        index = self.indexAt(point)
        row = self.terms.row(index) if index.isValid() else None
        if row is None or index.column():
            return None
        box = self.visualRect(index).adjusted(3, 0, -4, 0)
        return next((s.ref for s, place in self._delegate.places(row, box) if s.ref is not None and place.contains(point)), None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Underline the cell under the pointer."""
        super().mouseMoveEvent(event)
        ref = self._ref_at(event.position().toPoint())
        if ref != self.pointed:
            self.pointed = ref
            self.setCursor(Qt.CursorShape.PointingHandCursor if ref is not None else Qt.CursorShape.ArrowCursor)
            self.viewport().update()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget the pointer."""
        super().leaveEvent(event)
        self.pointed = None
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on a number goes there; beside it, it unfolds the row."""
        super().mouseReleaseEvent(event)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = event.position().toPoint()
        ref, index = self._ref_at(point), self.indexAt(point)
        if ref is not None:
            self.cell_wanted.emit(ref)
        elif index.isValid() and point.x() >= self.visualRect(index.siblingAtColumn(0)).left():
            self._open(index.siblingAtColumn(0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter goes to the row's cell, or unfolds it."""
        index = self.currentIndex()
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or not index.isValid():
            super().keyPressEvent(event)
            return
        row = self.terms.row(index)
        refs = [s.ref for s in row.line if s.ref is not None] if row is not None else []
        if len(refs) == 1:
            self.cell_wanted.emit(refs[0])
        else:
            self._open(index.siblingAtColumn(0))

    def _open(self, index: QModelIndex) -> None:
        row = self.terms.row(index)
        if row is None:
            return
        if row.term is not None and row.term.part is not None:
            self.part_chosen.emit(index.row())
        if self.terms.hasChildren(index):
            self.setExpanded(index, not self.isExpanded(index))
