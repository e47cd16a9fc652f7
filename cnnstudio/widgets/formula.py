"""Formulas set like in a book: LaTeX drawn as vectors, crisp at every scale, in light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QImage, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from cnnstudio.theme import Theme, current_theme, theme_changed, ui_font

_SIZE = 15.0
"""Height of the type in pixels at the usual text size."""
_GAP = 6
_SMALLEST = 0.62
"""A formula that is too wide shrinks to this share of its size at most; what is wider still is cut into lines by its author."""
_COPY_SCALE = 3
GOES_ON = r"\quad"
"""How a line begins that goes on with the one above it."""


@lru_cache(maxsize=512)
def svg(latex: str, size: float, color: str) -> bytes:
    """A formula as SVG; raises ValueError for LaTeX that cannot be set."""
    import ziamath  # only when the first formula is drawn: its font takes a tenth of a second

    ziamath.config.svg2 = False  # Qt knows SVG 1.1: no <symbol>
    try:
        return str(ziamath.Latex(latex, size=size, color=color).svg()).encode()
    except (KeyError, IndexError, AttributeError, RuntimeError) as error:
        raise ValueError(f"this formula cannot be set: {latex}") from error


class FormulaView(QWidget):
    """Lines of LaTeX below each other. They are set in the next turns of the event loop, one line a turn, and never twice."""

    all_set = Signal()
    """Every line stands, and the height is that of the formulas on display."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[str, ...] = ()
        self._shown: list[list[QSvgRenderer]] = []
        """The lines on display; those that go on with each other are together."""
        self._set: list[QSvgRenderer] = []
        """The lines that are to take the place of those shown, as many as stand."""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._set_next)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme_changed.connect(self._retheme)

    def set_lines(self, lines: Sequence[str]) -> None:
        """Show formulas in LaTeX; what is on display stays until they are set."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self.setAccessibleName(self.tr("Formula"))
            self.setAccessibleDescription("\n".join(self._lines))
            self._begin()

    @property
    def lines(self) -> tuple[str, ...]:
        """The formulas in LaTeX."""
        return self._lines

    @property
    def finished(self) -> bool:
        """Whether every line has been set."""
        return len(self._set) == len(self._lines)

    def _begin(self) -> None:
        self._set = []
        self._soon.start()

    @Slot(object)
    def _retheme(self, _theme: Theme) -> None:
        self._begin()

    def _type_size(self) -> float:
        return _SIZE * ui_font().pointSizeF() / 9.0

    @Slot()
    def _set_next(self) -> None:
        if not self.finished:
            line = self._lines[len(self._set)]
            self._set.append(QSvgRenderer(QByteArray(svg(line, self._type_size(), current_theme().text))))
        if not self.finished:
            self._soon.start()
            return
        self._shown = []
        for line, drawing in zip(self._lines, self._set, strict=True):
            if self._shown and line.startswith(GOES_ON):
                self._shown[-1].append(drawing)
            else:
                self._shown.append([drawing])
        self.setFixedHeight(self.sizeHint().height())
        self.update()
        self.all_set.emit()

    # --- drawing ---

    def _scaled(self) -> list[tuple[QSvgRenderer, float]]:
        """Every line with its scale: a sum that goes on in the next line is set in one size."""
        scales = [(group, min(1.0, (self.width() - 2) / _widest(group))) for group in self._shown]
        return [(line, max(_SMALLEST, scale)) for group, scale in scales for line in group]

    def sizeHint(self) -> QSize:
        """All lines at the scale that the width allows."""
        height = sum(line.viewBoxF().height() * scale + _GAP for line, scale in self._scaled())
        return QSize(200, round(height) + 2)

    def resizeEvent(self, event: object) -> None:
        """Another width may mean another scale."""
        if self.sizeHint().height() != self.height() and self.finished:
            self.setFixedHeight(self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines that have been set."""
        painter = QPainter(self)
        _draw(painter, self._scaled())
        if self.hasFocus():
            painter.setPen(current_theme().color("accent"))
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 4, 4)

    # --- copying ---

    def latex(self) -> str:
        """All lines as one LaTeX display."""
        if len(self._lines) == 1:
            return self._lines[0]
        rows = " \\\\\n".join(self._lines)
        return f"\\begin{{gathered}}\n{rows}\n\\end{{gathered}}"

    def picture(self) -> QImage:
        """The formulas on white or the theme's ground, at three times their size."""
        lines = [line for group in self._shown for line in group]
        height = sum(line.viewBoxF().height() + _GAP for line in lines)
        image = QImage(round(_widest(lines) + 8) * _COPY_SCALE, round(height + 6) * _COPY_SCALE, QImage.Format.Format_RGB32)
        image.fill(current_theme().color("surface"))
        painter = QPainter(image)
        painter.scale(_COPY_SCALE, _COPY_SCALE)
        painter.translate(3, 3)
        _draw(painter, [(line, 1.0) for line in lines])
        painter.end()
        return image

    def copy_latex(self) -> None:
        """Put the LaTeX on the clipboard."""
        QGuiApplication.clipboard().setText(self.latex())

    def copy_picture(self) -> None:
        """Put the picture on the clipboard."""
        QGuiApplication.clipboard().setImage(self.picture())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Copy in either form."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Copy as LaTeX"), self.copy_latex)
        menu.addAction(self.tr("Copy as picture"), self.copy_picture)
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+C copies the LaTeX."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_latex()
        else:
            super().keyPressEvent(event)


def _widest(lines: Sequence[QSvgRenderer]) -> float:
    return max((line.viewBoxF().width() for line in lines), default=1.0)


def _draw(painter: QPainter, lines: Sequence[tuple[QSvgRenderer, float]]) -> None:
    """Lines below each other, each at its scale."""
    y = 1.0
    for line, scale in lines:
        box = line.viewBoxF()
        line.render(painter, QRectF(1, y, box.width() * scale, box.height() * scale))
        y += box.height() * scale + _GAP
