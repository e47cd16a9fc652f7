"""The second zoom: one channel's window ⊙ kernel = products, as matrices of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from cnnstudio.icon_button import IconButton
from cnnstudio.panels.explain.names import Names
from cnnstudio.panels.explain.subject import Subject
from cnnstudio.theme import SPACE_S, SPACE_XS
from cnnstudio.widgets.cell import Cell
from cnnstudio.widgets.map_view import MapView
from cnnstudio.widgets.number_grid import NumberGrid
from cnnstudio.widgets.numbers import closed_up, format_value, unbroken
from engine.layer import Array
from engine.term import CellRef, Term

WIDEST_GRID = 11
"""Matrices with more columns or rows than this are shown as maps."""
WIDTH_OF_MAP = 120
LEAST_SHARE = 0.8
"""Matrices stand side by side where they need not shrink below this share of their width."""
SMALLEST_PLAIN = 1e-2
"""A matrix of smaller numbers is written with a power of ten taken out."""
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Matrix(QWidget):
    """A caption over a matrix, written in numbers where it is small and as a map where it is large."""

    hovered = Signal(object)
    """(row, column), or None."""
    cell_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._refs: list[CellRef | None] = []
        self._columns = 1
        self._exponent = 0
        self._caption = QLabel()
        self._caption.setProperty("role", "muted")
        self._caption.setWordWrap(True)
        self._caption.setTextFormat(Qt.TextFormat.PlainText)
        self._caption.setAlignment(Qt.AlignmentFlag.AlignBottom)
        self._caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.grid, self.map = NumberGrid(), MapView(max_cell=20)
        self.map.setFixedHeight(170)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._caption, 1)
        for view in (self.grid, self.map):
            layout.addWidget(view)
            view.hovered.connect(self._point)
            view.cell_clicked.connect(self._go)
            view.cell_activated.connect(self._go)

    def show_numbers(self, caption: str, values: Array, refs: Sequence[CellRef | None], marks: Array | None = None) -> None:
        """Show a matrix (R, C) whose cells are the references given row by row."""
        self._refs, self._columns = list(refs), values.shape[1]
        small = max(values.shape) <= WIDEST_GRID
        largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        self._exponent = math.floor(math.log10(largest)) if small and 0 < largest < SMALLEST_PLAIN else 0
        if self._exponent:
            values = values / 10.0**self._exponent
            caption = f"{caption}  (· 10{str(self._exponent).translate(SUPERSCRIPT)})"
        self._caption.setText(unbroken(caption))
        self.grid.setVisible(small)
        self.map.setVisible(not small)
        shown: NumberGrid | MapView = self.grid if small else self.map
        shown.setAccessibleName(caption)
        if small:
            # Beside the −∞ around a maximum no colour says anything.
            self.grid.set_values(values, kind="weight" if np.isfinite(values).all() else None)
            self.grid.set_marks(marks)
        else:
            self.map.set_maps(values[None], kind="weight")

    @property
    def natural_width(self) -> int:
        """The width at which the numbers need not shrink."""
        return self.grid.sizeHint().width() if not self.grid.isHidden() else WIDTH_OF_MAP

    @property
    def values(self) -> Array:
        """The numbers on display."""
        maps = self.map.maps
        return self.grid.values * 10.0**self._exponent if not self.grid.isHidden() or maps is None else maps[0]

    def outline(self, row: int, column: int) -> None:
        """Outline one cell."""
        rows, columns = range(row, row + 1), range(column, column + 1)
        self.grid.highlight(rows, columns)
        self.map.highlight(0, rows, columns)

    def clear_outline(self) -> None:
        """Take the outline away."""
        self.grid.clear_highlight()
        self.map.clear_highlight()

    @Slot(object)
    def _point(self, cell: Cell | None) -> None:
        self.hovered.emit(None if cell is None else (cell.row, cell.col))

    @Slot(object)
    def _go(self, cell: Cell) -> None:
        ref = self._refs[cell.row * self._columns + cell.col] if self._refs else None
        if ref is not None:
            self.cell_wanted.emit(ref)


class PartZoom(QWidget):
    """The matrices of one partial sum, with buttons to the one before and after."""

    cell_wanted = Signal(object)
    part_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._part = self._count = 0
        self._arrangement: list[int] = []
        """The width of each matrix that is shown, where they stand side by side."""
        self._name = QLabel()
        self._name.setProperty("role", "section")
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._buttons: list[IconButton] = []
        row = QHBoxLayout()
        row.setSpacing(SPACE_XS)
        row.addWidget(self._name, 1)
        for name, text, step in (("previous", self.tr("Previous partial sum"), -1), ("next", self.tr("Next partial sum"), 1)):
            button = IconButton(name, text)
            button.clicked.connect(lambda _checked=False, step=step: self._step(step))
            self._buttons.append(button)
            row.addWidget(button)
        self.window_, self.kernel, self.products = matrices = Matrix(), Matrix(), Matrix()
        self._line = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._line.setSpacing(SPACE_S)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addLayout(row)
        layout.addLayout(self._line)
        for matrix in matrices:
            self._line.addWidget(matrix)
            matrix.cell_wanted.connect(self.cell_wanted)
            matrix.hovered.connect(self._outline)

    def show_part(self, subject: Subject, part: int, names: Names) -> None:
        """Show partial sum number `part`; hides itself where there is no window to show."""
        shape, parts = subject.grid_shape, subject.parts
        self.setVisible(shape is not None and bool(parts))
        if shape is None or not parts:
            return
        self._part, self._count = part, len(parts)
        chosen = parts[part]
        name = names.part_heading(chosen.part)
        many = self.tr("{part} · {number} of {count}").format(part=name, number=part + 1, count=len(parts))
        of_products = bool(chosen.children) and chosen.children[0].op == "product"
        only = self.tr("The products") if of_products else self.tr("The window")
        self._name.setText(many if len(parts) > 1 else name or only)
        for button in self._buttons:
            button.setVisible(len(parts) > 1)
        if of_products:
            self._show_products(chosen, shape, names)
        else:
            self._show_window(chosen, shape, names)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side or below each other, as there is room."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        shown = [matrix for matrix in (self.window_, self.kernel, self.products) if not matrix.isHidden()]
        needed = sum(matrix.natural_width * LEAST_SHARE + SPACE_S for matrix in shown)
        beside = len(shown) > 1 and needed <= self.width()
        arrangement = [matrix.natural_width if beside else 0 for matrix in shown]
        if arrangement == self._arrangement:
            return
        self._arrangement = arrangement
        for matrix, share in zip(shown, arrangement, strict=True):
            self._line.setStretchFactor(matrix, share)
        self._line.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)

    def _step(self, step: int) -> None:
        self.part_wanted.emit((self._part + step) % max(self._count, 1))

    def show_term(self, place: int | None) -> None:
        """Outline one product on all matrices, None takes the outline away."""
        columns = self.window_._columns
        self._outline(None if place is None else divmod(place, columns))

    def _show_products(self, chosen: Term, shape: tuple[int, int], names: Names) -> None:
        pairs = [product.children for product in chosen.children]
        first_is_kernel = any(ref.array.endswith(".W") for a, _ in pairs if (ref := a.ref) is not None)
        data = [b if first_is_kernel else a for a, b in pairs]
        other = [a if first_is_kernel else b for a, b in pairs]
        if not first_is_kernel:
            data, other = other, data  # the input under δ: what lies below stands first
        self.window_.show_numbers(self._caption(data, names), _values(data, shape), _refs(data))
        sign = "⊙ " + self._caption(other, names)
        self.kernel.show_numbers(sign, _values(other, shape), _refs(other))
        text = self.tr("= products, sum {value}").format(value=format_value(chosen.value))
        self.products.show_numbers(text, _values(chosen.children, shape), [None] * len(pairs))
        self.kernel.show()
        self.products.show()

    def _show_window(self, chosen: Term, shape: tuple[int, int], names: Names) -> None:
        cells = chosen.children
        values = _values(cells, shape)
        marks = (np.arange(values.size) == chosen.winner).reshape(shape) if chosen.op == "max" else None
        caption = self._caption(cells, names)
        if chosen.op == "max":
            caption = self.tr("{window}; the largest goes on").format(window=caption)
        self.window_.show_numbers(caption, values, _refs(cells), marks)
        self.kernel.hide()
        self.products.hide()

    def _caption(self, cells: Sequence[Term], names: Names) -> str:
        """Where the cells lie: "window of ReLU 1 [2], rows 2–6, columns 5–9"."""
        refs = [cell.ref for cell in cells if cell.ref is not None]
        if not refs:
            return self.tr("padding")
        array, first, last = refs[0].array, refs[0].index, refs[-1].index
        if array.endswith(".W") and len(first) == 2:
            unit = self.tr("weights of unit {n}").format(n=first[0])
            return unit if first[0] == last[0] else self.tr("weights of input {n}").format(n=first[1])
        if len(first) <= 2:
            return names.caption(array)
        name = names.cell(CellRef(array, first[:-2]))
        (row, column), (end_row, end_column) = first[-2:], last[-2:]
        if array.endswith(".W"):
            rotated = (row, column) > (end_row, end_column)
            text = self.tr("kernel {cell} of {block}, rotated by 180°") if rotated else self.tr("kernel {cell} of {block}")
            return closed_up(text.format(cell=f"W{list(first[:-2])}", block=names.block(array)))
        return self.tr("window of {name}, rows {top}–{bottom}, columns {left}–{right}").format(
            name=name, top=row, bottom=end_row, left=column, right=end_column)

    @Slot(object)
    def _outline(self, place: tuple[int, int] | None) -> None:
        for matrix in (self.window_, self.kernel, self.products):
            if place is None:
                matrix.clear_outline()
            else:
                matrix.outline(*place)


def _values(terms: Sequence[Term], shape: tuple[int, int]) -> Array:
    return np.array([term.value for term in terms]).reshape(shape)


def _refs(terms: Sequence[Term]) -> list[CellRef | None]:
    return [term.ref if term.op == "cell" else None for term in terms]
